"""The properties of OpenSim's XML: texts, numbers, flags and lists of objects, told apart by their tags."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from ..rig.errors import FormatError
from .textfile import numbers
from .xmlfile import parse_xml

__all__ = [
    "children",
    "document_object",
    "flag",
    "name_of",
    "number",
    "object_in",
    "objects",
    "put",
    "text",
    "vector",
    "words",
]

_TRUE, _FALSE = {"true", "1", "t", "yes"}, {"false", "0", "f", "no"}
_SHOWN = 40  # characters of a value in a message


def document_object(content: str, tags: tuple[str, ...]) -> ET.Element:
    """The object that a document holds, inside <OpenSimDocument> or as its root.

    Raises:
        FormatError: it is no XML, or holds something else.
    """
    return object_in(parse_xml(content), tags)


def object_in(root: ET.Element, tags: tuple[str, ...]) -> ET.Element:
    """The object that the root element holds, or is. See `document_object`."""
    held = list(children(root)) if root.tag == "OpenSimDocument" else [root]
    for element in held:
        if element.tag in tags:
            return element
    found = held[0].tag if held else root.tag
    raise FormatError(f"the XML holds <{found[:_SHOWN]}>, expected <{'> or <'.join(tags)}>")


def children(element: ET.Element) -> Iterator[ET.Element]:
    """Elements inside an element, without comments."""
    return (child for child in element if isinstance(child.tag, str))


def objects(element: ET.Element, tag: str) -> list[ET.Element]:
    """The objects of a set or list: in <tag><objects>, or in <tag> itself."""
    held = element.find(tag)
    if held is None:
        return []
    inner = held.find("objects")
    return list(children(held if inner is None else inner))


def name_of(element: ET.Element) -> str:
    """An object's name, empty where it has none."""
    return element.get("name", "").strip()


def text(element: ET.Element, tag: str, default: str = "") -> str:
    """A property's text without the spaces around it."""
    return (element.findtext(tag) or "").strip() or default


def words(element: ET.Element, tag: str) -> list[str]:
    """A property's words, as a list of names is written."""
    return text(element, tag).split()


def flag(element: ET.Element, tag: str, *, default: bool) -> bool:
    """A property that is true or false.

    Raises:
        FormatError: it is neither.
    """
    value = text(element, tag).lower()
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    if not value:
        return default
    raise FormatError(f"<{tag}> is {value[:_SHOWN]!r}, expected true or false")


def vector(
    element: ET.Element,
    tag: str,
    count: int | None,
    default: tuple[float, ...] | None = None,
    *,
    infinite: bool = False,
) -> tuple[float, ...]:
    """A property's finite numbers.

    Args:
        element: what has the property.
        tag: its name.
        count: how many numbers there must be; None for any.
        default: what it is where the element lacks it; None where it is needed.
        infinite: "Inf" and "-Inf" are allowed.

    Raises:
        FormatError: it is missing, has another count, or holds what is no number.
    """
    tokens = words(element, tag)
    if not tokens and default is not None:
        return default
    if not tokens or (count is not None and len(tokens) != count):
        expected = "numbers" if count is None else f"{count} numbers"
        raise FormatError(f"<{tag}> holds {' '.join(tokens)[:_SHOWN]!r}, expected {expected}")
    try:
        return tuple(_infinite(t) if infinite else float(numbers([t])[0]) for t in tokens)
    except ValueError as error:
        raise FormatError(f"<{tag}>: {error}") from None


def number(element: ET.Element, tag: str, default: float | None = None) -> float:
    """A property that is one finite number. See `vector`."""
    return vector(element, tag, 1, None if default is None else (default,))[0]


def put(element: ET.Element, tag: str, *values: float | str | bool) -> ET.Element:
    """Set a property, as a new last child where the element lacks it; numbers as exact as they are."""
    child = element.find(tag)
    if child is None:
        child = ET.SubElement(element, tag)
    child.text = " ".join(_written(value) for value in values)
    return child


def _written(value: float | str | bool) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(float(value)).replace("inf", "Inf")


def _infinite(token: str) -> float:
    if token.lower() in {"inf", "+inf", "-inf", "infinity", "-infinity"}:
        return float(token)
    return float(numbers([token])[0])
