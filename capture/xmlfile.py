"""Reading XML that people hand over: no entities, so no bombs; no depth that would overflow a stack."""

import xml.etree.ElementTree as ET
from typing import Final

from ..rig.errors import FormatError

__all__ = ["parse_xml"]

_DEEPEST: Final = 100  # elements inside one another; motion files have about twenty


def parse_xml(text: str, *, comments: bool = False) -> ET.Element:
    """The root element of an XML text.

    Args:
        text: the whole document.
        comments: keep them, for a document that is written again.

    Raises:
        FormatError: it defines entities, is not well-formed, or is nested absurdly deep.
    """
    if "<!ENTITY" in text:
        raise FormatError("the XML defines entities, which no motion file needs; it is not read")
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=comments))
    try:
        root = ET.fromstring(text, parser)
    except (ET.ParseError, ValueError) as error:
        raise FormatError(f"no well-formed XML, the file is cut or damaged: {error}") from None
    level = [root]
    for _ in range(_DEEPEST):
        level = [child for element in level for child in element]
        if not level:
            return root
    raise FormatError(f"the XML has elements nested more than {_DEEPEST} deep; it is not read")
