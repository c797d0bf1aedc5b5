"""OpenSim's functions of one coordinate, in and out."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from ..rig.errors import FormatError
from ..rig.model import (
    IDENTITY,
    Constant,
    Function,
    Linear,
    PiecewiseLinear,
    Polynomial,
    Scaled,
    SimmSpline,
)
from ..rig.model.scaling import scaled_function
from .osim_xml import children, number, put, vector

__all__ = ["function_element", "held_function", "read_function", "same_function"]

# What a MultiplierFunction may hold inside itself; deeper ones are damage.
_DEEPEST: Final = 20
_STEEPEST: Final = 1e30  # coefficient of a piece


def held_function(element: ET.Element, tag: str = "function") -> ET.Element | None:
    """The element of the function that a property holds.

    <SimmSpline name="function">, as since version 4, or <function><SimmSpline>, as before; where it has
    neither, an unnamed function of a known kind is taken, as OpenSim does.
    """
    for child in children(element):
        if child.get("name") == tag:
            return child
    held = element.find(tag)
    if held is not None:
        return next(children(held), None)
    return next((child for child in children(element) if child.tag in _READERS), None)


def read_function(element: ET.Element, depth: int = 0) -> Function:
    """The function that an element describes.

    Raises:
        FormatError: it is of a kind that can't be read, or its numbers can't be used.
    """
    reader = _READERS.get(element.tag)
    if reader is None or depth > _DEEPEST:
        raise FormatError(
            f"<{element.tag}> can't be read as a function of one coordinate; these can: "
            f"{', '.join(dict.fromkeys(_NAMES.values()))}"
        )
    function = reader(element, depth)
    if not depth and not _usable(function):
        raise FormatError(f"a {element.tag} has knots too close to one another to be used")
    return function


def _usable(function: Function) -> bool:
    try:
        with np.errstate(all="ignore"):  # what overflows is no number below the largest
            return all((np.abs(part) < _STEEPEST).all() for part in function.pieces())
    except np.linalg.LinAlgError:
        return False


def _constant(element: ET.Element, _: int) -> Function:
    return Constant(number(element, "value", 0.0))


def _linear(element: ET.Element, _: int) -> Function:
    coefficients = vector(element, "coefficients", None, (1.0, 0.0))
    if len(coefficients) != 2:
        raise FormatError(
            f"a LinearFunction has {len(coefficients)} coefficients and so depends on several "
            "coordinates; functions of one coordinate can be read"
        )
    return Linear(*coefficients)


def _polynomial(element: ET.Element, _: int) -> Function:
    """OpenSim has the highest power first."""
    return Polynomial(vector(element, "coefficients", None)[::-1])


def _knots(kind: type[SimmSpline] | type[PiecewiseLinear]) -> Callable[[ET.Element, int], Function]:
    def read(element: ET.Element, _: int) -> Function:
        x = vector(element, "x", None)
        return kind(np.array(x), np.array(vector(element, "y", len(x))))

    return read


def _multiplier(element: ET.Element, depth: int) -> Function:
    held = held_function(element)
    if held is None:
        raise FormatError("a MultiplierFunction holds no function, expected one")
    return scaled_function(read_function(held, depth + 1), number(element, "scale", 1.0))


_READERS: Final[Mapping[str, Callable[[ET.Element, int], Function]]] = MappingProxyType(
    {
        "Constant": _constant,
        "LinearFunction": _linear,
        "SimmSpline": _knots(SimmSpline),
        "natCubicSpline": _knots(SimmSpline),
        "NaturalCubicSpline": _knots(SimmSpline),
        "PiecewiseLinearFunction": _knots(PiecewiseLinear),
        "PolynomialFunction": _polynomial,
        "MultiplierFunction": _multiplier,
    }
)
_NAMES: Final[Mapping[type[Function], str]] = MappingProxyType(
    {
        Constant: "Constant",
        Linear: "LinearFunction",
        SimmSpline: "SimmSpline",
        PiecewiseLinear: "PiecewiseLinearFunction",
        Polynomial: "PolynomialFunction",
        Scaled: "MultiplierFunction",
    }
)


def function_element(function: Function, name: str | None = None) -> ET.Element:
    """The element that describes a function.

    Args:
        function: of one coordinate.
        name: of the property that holds it; None inside a wrapping element.

    Raises:
        FormatError: OpenSim has no such function.
    """
    kind = _NAMES.get(type(function))
    if kind is None:
        raise FormatError(f"OpenSim has no function like {type(function).__name__}; not written")
    element = ET.Element(kind, {} if name is None else {"name": name})
    if isinstance(function, Constant):
        put(element, "value", function.value)
    elif isinstance(function, Linear):
        put(element, "coefficients", function.gradient, function.intercept)
    elif isinstance(function, Polynomial):
        put(element, "coefficients", *function.coefficients[::-1])
    elif isinstance(function, SimmSpline | PiecewiseLinear):
        put(element, "x", *function.x)
        put(element, "y", *function.y)
    elif isinstance(function, Scaled):
        ET.SubElement(element, "function").append(function_element(function.function))
        put(element, "scale", function.factor)
    return element


def same_function(a: Function, b: Function) -> bool:
    """Whether two functions have the same pieces."""
    if IDENTITY in (a, b):  # which is not scaled with a body, as its multiples are
        return a == b
    return all(np.array_equal(p, q) for p, q in zip(a.pieces(), b.pieces(), strict=True))
