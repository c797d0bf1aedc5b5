"""Solve Markers: from measured markers to an armature that moves, and how well it fits."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..capture.osim_names import with_legal_names
from ..capture.osim_pins import Goals, goals_of_tasks
from ..capture.osim_tasks import read_ik_tasks
from ..capture.osim_template import filled_template
from ..rig.errors import SceneError
from ..rig.trajectories import MarkerTrajectories
from ..scene.keyframes import checked_own
from ..scene.kinematic_armature import ArmatureModel
from ..scene.marker_fit import apply_fit, told
from ..scene.markers import read_marker_set
from ..scene.osim_armature import is_osim, osim_text, read_model
from .common import LongOperator, ProgressJob
from .markers import has_markers, in_scene
from .solving import find_torch

if TYPE_CHECKING:
    from ..rig.solve.marker_ik import MarkerFit, MarkerOptions

__all__ = ["PALLAS_OT_solve_markers"]


@dataclass(frozen=True, eq=False)
class _Task:
    """What is solved, free of Blender's data: objects are named, because undo may replace them."""

    marker_set: str
    armature: str
    markers: MarkerTrajectories
    rig: ArmatureModel
    goals: Goals | None
    text: str | None  # of an OpenSim model
    scale: bool
    fit_markers: bool
    smoothness: float
    robust: float | None


@dataclass(frozen=True, eq=False)
class _Found:
    task: _Task
    fit: "MarkerFit"
    text: str | None  # of the OpenSim model in the size found
    exchanged: tuple[str, ...]  # markers that seem to bear each other's names, a line each


class PALLAS_OT_solve_markers(LongOperator, bpy.types.Operator):
    """Find the motion of the model that follows the markers, as a new Action; the viewport stays free, Esc cancels"""  # noqa: E501  a tooltip

    bl_idname = "pallas.solve_markers"
    bl_label = "Solve Markers"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not has_markers(cls, context):
            return False
        if not in_scene(context, context.scene.pallas.markers.model):
            cls.poll_message_set("Import an OpenSim model or choose an armature first")
            return False
        return True

    def start(self, context):
        find_torch(context)
        context.view_layer.update()
        task = _task(context)
        for name in () if task.goals is None else task.goals.left_out:
            self.report({"WARNING"}, f"The task for {name} can't be followed and is left out")
        return ProgressJob(lambda progress: _solved(task, progress))

    def finish(self, context, result):
        task, fit = result.task, result.fit
        marker_set, armature = (_object(context, name) for name in (task.marker_set, task.armature))
        solved = apply_fit(armature, marker_set, task.rig, fit, result.text)
        context.scene.frame_set(context.scene.frame_current)
        settings = context.scene.pallas.markers
        settings.solved, settings.summary = solved, told(fit)
        for line in result.exchanged:
            self.report({"WARNING"}, line)
        if fit.weak.any():
            self.report(
                {"WARNING"},
                f"{fit.weak.sum()} of {len(fit.weak)} frames see too few markers: their pose is carried over "
                "from others",
            )
        return (
            f"{solved.name}: {len(fit.pose)} frames, {len(fit.names)} markers, {settings.summary}"
        )


def _object(context: bpy.types.Context, name: str) -> bpy.types.Object:
    """An object of the scene that was there when the solve began.

    Raises:
        SceneError: it is gone.
    """
    item = context.scene.objects.get(name)
    if item is None:
        raise SceneError(f"{name!r} was deleted or renamed during the solve; solve again")
    return item


def _task(context: bpy.types.Context) -> _Task:
    settings = context.scene.pallas.markers
    armature = checked_own(settings.model)
    rig = read_model(armature)
    if not rig.model.markers:
        raise SceneError(f"{armature.name!r} wears no markers; attach them first")
    goals = None
    if settings.tasks:
        tasks = read_ik_tasks(Path(bpy.path.abspath(settings.tasks)))
        goals = goals_of_tasks(tasks, rig.model)
    return _Task(
        settings.markers.name,
        armature.name,
        read_marker_set(settings.markers),
        rig,
        goals,
        osim_text(armature) if is_osim(armature) else None,
        settings.scale,
        settings.fit_markers,
        settings.smoothness,
        settings.robust or None,
    )


def _solved(task: _Task, progress: Callable[[float], None]) -> _Found:
    """The solve, in a thread of its own."""
    from ..neural.threads import one_thread
    from ..rig.solve.marker_ik import fit_markers
    from ..rig.solve.swaps import find_swaps

    with one_thread():
        fit = fit_markers(task.rig.model, task.markers, _options(task), progress)
        swaps = find_swaps(task.rig.model, task.markers, fit)
    exchanged = tuple(
        f"{' and '.join(swap.names)} look exchanged from {fit.times[swap.first]:.2f} to "
        f"{fit.times[swap.stop - 1]:.2f} s"
        for swap in swaps
    )
    if task.text is None or not task.scale:
        return _Found(task, fit, None, exchanged)
    scales = dict(zip(task.rig.model.bodies, fit.scales, strict=True))
    text = filled_template(with_legal_names(fit.model), task.text, scales)
    return _Found(task, fit, text, exchanged)


def _options(task: _Task) -> "MarkerOptions":
    from ..rig.solve.marker_ik import MarkerOptions
    from ..rig.solve.usual_shape import usual_shape

    goals = task.goals
    shape = usual_shape(
        task.rig.model,
        [n for n in task.markers.names if goals is None or goals.weights.get(n, 0.0) > 0.0],
        scale=task.scale,
        bodies=task.text is not None,
        markers=task.fit_markers,
    )
    return MarkerOptions(
        weights=None if goals is None else goals.weights,
        other_weight=1.0 if goals is None else 0.0,
        pins={**task.rig.pins, **({} if goals is None else goals.pins)},
        robust=task.robust,
        smoothness=task.smoothness,
        shape=shape,
    )
