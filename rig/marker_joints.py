"""Which joint's bone carries a marker, told by the marker's name in the usual spellings."""

from collections.abc import Sequence
from typing import Final

from .sides import side_pairs

__all__ = ["joint_of_marker", "joints_of_markers"]

# Pieces of names, lower case; the first that is found counts, so feet come before legs and legs before arms.
_PIECES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("ankle", ("heel", "hee", "calc", "toe", "foot", "meta", "mt1", "mt2", "mt5", "mtp")),
    ("knee", ("shank", "tib", "ank", "mall", "fib", "calf")),
    ("hip", ("thi", "kne", "troch", "fem", "condyle")),
    ("pelvis", ("asis", "psis", "asi", "psi", "sacr", "ilia", "pelvis")),
    ("head", ("head", "fhd", "bhd", "temple", "nose")),
    ("elbow", ("forearm", "frm", "wrist", "wra", "wrb", "radi", "ulna")),
    ("wrist", ("hand", "fin", "mcp")),
    ("collar", ("acrom", "sho")),
    ("shoulder", ("upa", "arm", "bicep", "humer", "elb")),
    ("spine3", ("stern", "strn", "clav", "c7", "t10", "bak", "xiph", "thorax", "jugul", "manub")),
)
_MIDDLE: Final = ("pelvis", "head", "spine3")


def joint_of_marker(name: str, side: str = "") -> str | None:
    """The joint, of the 24 of our skeleton, whose bone carries a marker; None if the name does not tell.

    Args:
        name: of the marker.
        side: "left" or "right"; without it only joints of the trunk and head are found.
    """
    plain = name.rpartition(":")[2].lower()
    for joint, pieces in _PIECES:
        if any(piece in plain for piece in pieces):
            if joint in _MIDDLE:
                return joint
            return f"{side}_{joint}" if side else None
    return None


def joints_of_markers(names: Sequence[str]) -> dict[str, str]:
    """The joint of each marker whose name tells it; left and right are told by the pairs among the names."""
    pairs = side_pairs(names)
    sides = {left: "left" for left, _ in pairs} | {right: "right" for _, right in pairs}
    found = {name: joint_of_marker(name, sides.get(name, "")) for name in names}
    return {name: joint for name, joint in found.items() if joint is not None}
