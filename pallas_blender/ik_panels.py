"""Which coordinates share a panel, and which panels belong to the same part of the body."""

from dataclasses import dataclass
from typing import Final

from ..capture.coordinates import angle_coordinates
from ..rig.model import KinematicModel
from ..rig.model.body_parts import part_of_coordinates
from ..rig.sides import side_pairs

__all__ = ["Panel", "groups_of"]


_HEADINGS: Final = {"root": "Root", "trunk": "Trunk and head", "legs": "Legs", "arms": "Arms"}


@dataclass(frozen=True)
class Panel:
    """Coordinates that are drawn together.

    Attributes:
        title: what they are, without a side.
        places: in a pose; left before right, or one alone.
        unit: "deg", "m" or "rad".
    """

    title: str
    places: tuple[int, ...]
    unit: str


def groups_of(model: KinematicModel) -> dict[str, list[Panel]]:
    """Panels of the free coordinates by the part of the body: root, trunk, legs, arms; none empty."""
    names, angles = model.coordinate_names, angle_coordinates(model)
    pairs = {name: pair for pair in side_pairs(names) for name in pair}
    part = part_of_coordinates(model)
    groups: dict[str, list[Panel]] = {name: [] for name in _HEADINGS.values()}
    done: set[str] = set()
    free = {names[place] for place in model.free_coordinates}
    for place in model.free_coordinates:
        both = tuple(name for name in pairs.get(names[place], (names[place],)) if name in free)
        if names[place] in done:
            continue
        done.update(both)
        mixed = model.coordinates[place].kind == "translation"
        unit = "deg" if angles[place] else "m" if mixed else "rad"
        title = _title(names[place], paired=len(both) > 1)
        panel = Panel(title, tuple(names.index(name) for name in both), unit)
        groups[_HEADINGS[part.get(names[place], "trunk")]].append(panel)
    return {name: panels for name, panels in groups.items() if panels}


def _title(name: str, *, paired: bool) -> str:
    words = name.replace("_", " ").split()
    sides = ("l", "r", "left", "right")
    return " ".join(word for word in words if not (paired and word.lower() in sides))
