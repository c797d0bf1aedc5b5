"""A marker fit put into the scene: the armature's motion, where its markers sit, and what is left over."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import bpy
import numpy as np

from ..rig.model import BodyMarker, KinematicModel
from .clock import Clock
from .kinematic_armature import ArmatureModel
from .osim_armature import add_osim, is_osim, read_model, wear_markers
from .residuals import write_residuals
from .solution import in_own_size, resize, write_solution

if TYPE_CHECKING:
    from ..rig.solve.marker_ik import MarkerFit

__all__ = ["apply_fit", "told"]

_MOVED: Final[float] = 1e-6  # metres


def apply_fit(
    armature_object: bpy.types.Object,
    marker_set: bpy.types.Object,
    rig: ArmatureModel,
    fit: "MarkerFit",
    text: str | None = None,
) -> bpy.types.Object:
    """Key an armature as its model was fitted to markers, and the residuals on the markers.

    Rest poses and transforms of armatures stay as they are. An OpenSim model in another size is added as a
    new armature. Any other armature keeps its size: the markers' parent is scaled to it instead, about the
    world's origin, and the path with it. Where markers were free to move, the empties on the bones do.

    Args:
        armature_object: the armature.
        marker_set: parent of the measured markers.
        rig: the armature's model, as it was fitted.
        fit: what was found.
        text: of the OpenSim model in the size found, if its size was free.

    Returns:
        The armature that moves.
    """
    clock = Clock.of(marker_set)
    first = clock.first + clock.step * (fit.start - clock.start) * clock.fps
    clock = replace(clock, start=fit.start, first=first)
    if text is not None:
        armature_object = add_osim(text, f"{armature_object.name} scaled")
        write_solution(
            armature_object, read_model(armature_object), fit.pose, clock, marker_set.name
        )
    else:
        size = 1.0 if is_osim(armature_object) else float(fit.scales[1].mean())
        pose = in_own_size(rig, fit.pose, size)
        write_solution(armature_object, rig, pose, clock, marker_set.name)
        wear_markers(armature_object, rig, _moved(rig.model, fit.model, size))
        if size != 1.0:
            resize(marker_set, 1.0 / size)
    write_residuals(marker_set, fit.names, fit.errors, fit.start)
    return armature_object


def _moved(before: KinematicModel, after: KinematicModel, size: float) -> Iterator[BodyMarker]:
    """Markers that sit elsewhere than they did, in the model's own size."""
    for marker, found in zip(before.markers, after.markers, strict=True):
        position = np.array(found.position) / size
        if np.abs(position - np.array(marker.position)).max() > _MOVED:
            x, y, z = (float(value) for value in position)
            yield replace(found, position=(x, y, z))


def told(fit: "MarkerFit") -> str:
    """How well it fits, in one line: the RMS of all errors, and the marker with the largest."""
    squares = np.where(np.isfinite(fit.errors), fit.errors, 0.0) ** 2
    seen = np.isfinite(fit.errors).sum(axis=0)
    each = np.sqrt(squares.sum(axis=0) / np.maximum(seen, 1))
    worst = int(each.argmax())
    return f"RMS {1e3 * fit.rms:.1f} mm, worst {fit.names[worst]} {1e3 * each[worst]:.1f} mm"
