"""Video to Action: from clips or keypoints and a calibration to a moving character and a report, at once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy

from .solving import find_torch
from .video_character import performer
from .video_import import asked_reading, enough_views, put_people
from .video_job import Tell, VideoJob, VideoOperator
from .video_reading import Found, read_people
from .video_report import report_folder, write_report
from .video_solve import Solved, put_solved, solve_observed
from .video_solving import Observed

__all__ = ["PALLAS_OT_video_to_action"]

_READ, _SOLVED = 0.4, 0.8  # of all the time, until then


@dataclass(frozen=True, eq=False)
class _Whole:
    found: Found
    solved: Solved
    report: Path | None
    told: str  # why there is no report


class PALLAS_OT_video_to_action(VideoOperator, bpy.types.Operator):
    """From the clips or keypoints above to cameras, keypoints, a character with the motion as a new Action, and a report of joint angles. The viewport stays free, Esc cancels"""  # noqa: E501  a tooltip

    bl_idname = "pallas.video_to_action"
    bl_label = "Video to Action"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return enough_views(cls, context)

    def begin(self, context):
        find_torch(context)
        asked, who, folder = asked_reading(context), performer(context), report_folder(context)

        def work(tell: Tell) -> _Whole:
            found = read_people(asked, _part(tell, 0.0, _READ))
            solved = solve_observed(_observed(found), who, _part(tell, _READ, _SOLVED))
            report, told = write_report(
                solved.observed.measured, solved.body, folder, _part(tell, _SOLVED, 1.0)
            )
            return _Whole(found, solved, report, told)

        return VideoJob(work)

    def end(self, context, result):
        parents, told = put_people(context, result.found)
        for line in (*told, *([result.told] if result.told else [])):
            self.warn(line)
        message = put_solved(context, parents[0], result.solved)
        context.scene.pallas.video.report = "" if result.report is None else str(result.report)
        return message


def _observed(found: Found) -> Observed:
    """The person seen most, as read."""
    person = found.people[0]
    return Observed(person.markers, person.seen)


def _part(tell: Tell, begin: float, end: float) -> Callable[[str, float], None]:
    return lambda piece, done: tell(piece, begin + (end - begin) * done)
