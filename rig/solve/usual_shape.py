"""The sizes and marker places that are worth fitting when nothing else is said."""

from collections.abc import Sequence

from ..model.joints import GROUND
from ..model.model import KinematicModel
from ..sides import other_side
from .shape import Shape

__all__ = ["usual_shape"]

_FEWEST = 2  # markers on a body that tell of its size


def usual_shape(
    model: KinematicModel,
    seen: Sequence[str],
    *,
    scale: bool = False,
    bodies: bool = True,
    markers: bool = False,
) -> Shape | None:
    """Unknown sizes and marker places for a recording.

    Args:
        model: with markers.
        seen: names of the markers that were measured.
        scale: whether the whole body has an unknown size.
        bodies: with `scale`, whether bodies that wear markers have one each beside it, left and right the
            same.
        markers: whether the measured markers may move along their free axes.

    Returns:
        The shape; None if nothing is unknown.
    """
    if not scale and not markers:
        return None
    worn = [marker for marker in model.markers if marker.name in seen and marker.body != GROUND]
    groups: list[tuple[str, ...]] = []
    if scale and bodies:
        groups = _groups(model, [marker.body for marker in worn])
    return Shape(
        full=scale,
        groups=tuple(groups),
        markers=tuple(marker.name for marker in worn) if markers else (),
    )


def _groups(model: KinematicModel, worn: Sequence[str]) -> list[tuple[str, ...]]:
    """Bodies that wear enough markers, with their twins of the other side."""
    groups: list[tuple[str, ...]] = []
    for body in model.bodies[1:]:
        twin = other_side(body, model.bodies)
        group = (body,) if twin is None else (body, twin)
        if any(body in other for other in groups):
            continue
        if sum(worn.count(member) for member in group) >= _FEWEST * len(group):
            groups.append(group)
    return groups
