"""Which sizes and marker places of the anatomical model are unknown of a person."""

from collections.abc import Sequence
from typing import Final

from ..model import KinematicModel
from ..solve.shape import Shape
from .measured import marker_kinds
from .model import anatomical_table, both_sides

__all__ = ["sizes_of"]

_SPREADS: Final = {
    "bone": 0.01,
    "skin": 0.04,
    "keypoint": 0.015,
}  # metres, about the table's places


def sizes_of(model: KinematicModel, names: Sequence[str], *, markers: bool = False) -> Shape:
    """What is unknown of a person's shape: the size of all, of each segment, left and right alike.

    Args:
        model: the anatomical one.
        names: of the markers that were measured and have a weight.
        markers: whether their places may change too, little on bones and more on skin.
    """
    worn = {marker.body for marker in model.markers if marker.name in names}
    groups = []
    for row in anatomical_table()["sizes"]:
        group = tuple(name for body in row for name in both_sides(body))
        if worn.intersection(group):
            groups.append(group)
    kinds = marker_kinds()
    moved = tuple(name for name in names if name in kinds) if markers else ()
    spreads = {name: _SPREADS[kinds[name]] for name in moved}
    return Shape(full=True, groups=tuple(groups), markers=moved, marker_spread=spreads or 0.02)
