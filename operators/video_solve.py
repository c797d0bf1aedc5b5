"""Solve Video: from the empties, as they are now, to a body that moves and a character that follows it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..capture.formats import write_motion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..scene.clock import Clock
from ..scene.keypoint_fill import places_on_body
from ..scene.keypoint_keys import fill_keys, read_measured
from ..scene.keypoint_solved import put_solved_points
from ..scene.keypoint_views import Seen, has_views, read_seen
from ..scene.markers import is_marker_set
from .solving import find_torch
from .video_character import Moved, Performer, performer, write_moved
from .video_job import Tell, VideoJob, VideoOperator
from .video_solving import Observed, solved_body, told_body

if TYPE_CHECKING:
    from ..rig.solve.views import SolvedBody

__all__ = ["PALLAS_OT_solve_video", "Solved", "observed_now", "put_solved", "solve_observed"]

_SOLVED = 0.8  # of the time, until the body is known


@dataclass(frozen=True, eq=False)
class Solved:
    """What a solve found: the body, where its keypoints are, and the character's keys."""

    observed: Observed
    body: "SolvedBody"
    places: Array
    moved: Moved


class PALLAS_OT_solve_video(VideoOperator, bpy.types.Operator):
    """Fit a body to the keypoints that have keys, fill in those that have none, and write the motion onto the character as a new Action. The viewport stays free, Esc cancels"""  # noqa: E501  a tooltip

    bl_idname = "pallas.solve_video"
    bl_label = "Solve Video"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        keypoints = context.scene.pallas.video.keypoints
        if not is_marker_set(keypoints) or context.scene not in keypoints.users_scene:
            cls.poll_message_set("Import views first")
            return False
        return True

    def begin(self, context):
        find_torch(context)
        context.view_layer.update()
        parent = context.scene.pallas.video.keypoints
        self._parent = parent.name
        observed, who = observed_now(parent), performer(context)
        return VideoJob(lambda tell: solve_observed(observed, who, tell))

    def end(self, context, result):
        parent = context.scene.objects.get(self._parent)
        if parent is None:
            raise SceneError(
                f"{self._parent!r} was deleted or renamed during the solve; solve again"
            )
        return put_solved(context, parent, result)


def observed_now(parent: bpy.types.Object) -> Observed:
    """What is left of one person's keys, and what the cameras saw.

    Raises:
        SceneError: nothing is left.
    """
    measured = read_measured(parent)
    if not has_views(parent):
        return Observed(measured, None)
    clock = Clock.of(parent)
    first = round((measured.start - clock.start) * clock.fps)
    return Observed(measured, _between(read_seen(parent).of(measured.names), first, len(measured)))


def solve_observed(observed: Observed, who: Performer, tell: Tell) -> Solved:
    """The solve, in a thread of its own."""
    body = solved_body(observed, lambda piece, done: tell(piece, _SOLVED * done))
    places = places_on_body(observed.measured.positions, body.motion)
    span = 1.0 - _SOLVED
    moved = who.moved(body.motion, lambda piece, done: tell(piece, _SOLVED + span * done))
    return Solved(observed, body, places, moved)


def put_solved(context: bpy.types.Context, parent: bpy.types.Object, solved: Solved) -> str:
    """Fill in the empties' keys, key the solved body's own, write the Action, and note the motion.

    Returns:
        The message.

    Raises:
        SceneError: the character is gone.
    """
    scene, measured = context.scene, solved.observed.measured
    name = parent.parent.name if parent.parent is not None else parent.name
    clock = Clock.of(parent)
    first = round((measured.start - clock.start) * clock.fps)
    start = clock.first + clock.step * first
    armature, action, made = write_moved(context, solved.moved, name, start)
    filled = fill_keys(parent, measured, solved.places)
    put_solved_points(parent, solved.body.names, solved.body.points, first)
    _note(scene, solved, name)
    scene.frame_set(scene.frame_current)
    told = told_body(solved.body)
    scene.pallas.video.summary = f"{told}, {filled} keys filled in" if filled else told
    return f"{armature.name}{made}: {told}, in {action.name}"


def _note(scene: bpy.types.Scene, solved: Solved, name: str) -> None:
    """For the panel Retarget: this is the motion of the last solve."""
    folder = Path(bpy.app.tempdir) / "pallas"
    folder.mkdir(exist_ok=True)
    path = folder / f"{bpy.path.clean_name(name)} video.npz"
    write_motion(path, solved.body.motion, force=True)
    scene.pallas.solve.takes.clear()
    scene.pallas.solve.motion = str(path)
    scene.pallas.solve.summary = told_body(solved.body)


def _between(seen: Seen, first: int, count: int) -> Seen:
    """Samples from `first` on; nothing is seen where no picture was."""
    shape = (count, *seen.confidence.shape[1:])
    pixels, sure = np.full((*shape, 2), np.nan), np.zeros(shape)
    begin, end = max(first, 0), min(first + count, len(seen.pixels))
    if begin < end:
        pixels[begin - first : end - first] = seen.pixels[begin:end]
        sure[begin - first : end - first] = seen.confidence[begin:end]
    return Seen(seen.names, seen.cameras, pixels, sure)
