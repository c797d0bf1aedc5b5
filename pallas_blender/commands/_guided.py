"""Calibration on a terminal: prompts for the performer, again where it failed, the result into the take."""

import argparse
import time
from collections.abc import Mapping

from ...capture.imu import PLACEMENTS
from ...capture.session.calibrating import Calibrating
from ...capture.session.frames import FrameAssembler
from ...capture.session.guide import Phase
from ...capture.session.recorder import Recorder
from ...rig.errors import RecordingError
from ..console import Console

__all__ = ["Guided", "Prompter", "add_calibration", "check_worn", "guide_of"]

_PATIENCE = 0.3  # seconds that are waited for late readings, lest they are taken for silence
_STEP = {"npose": "npose", "npose-only": "npose", "tpose": "tpose"}


def add_calibration(parser: argparse.ArgumentParser) -> None:
    """Declare how the performer is calibrated."""
    parser.add_argument(
        "--calibrate",
        choices=tuple(_STEP),
        help="guide the performer: N pose and bows, which find each tracker's own heading (npose), or a "
        "pose alone, facing -Y, for trackers that share one heading (npose-only, tpose)",
    )
    parser.add_argument(
        "--countdown", type=float, default=3.0, metavar="S", help="seconds before the pose (3)"
    )


def check_worn(sensors: Mapping[str, str]) -> None:
    """Refuse to calibrate where it isn't said who is where.

    Raises:
        RecordingError: a placement has no tracker.
    """
    missing = [placement for placement in PLACEMENTS if placement not in sensors]
    if missing:
        raise RecordingError(
            f"no tracker is known for {' and '.join(missing)}; say with --map MAP.json which tracker is "
            "worn where"
        )


def guide_of(arguments: argparse.Namespace) -> Calibrating:
    """What guides the performer as the arguments say."""
    move = arguments.calibrate == "npose"
    return Calibrating(_STEP[arguments.calibrate], arguments.countdown, move=move)


class Prompter:
    """Says what a guide asks for, each thing once."""

    def __init__(self, console: Console) -> None:
        self._console, self._said = console, ""

    def say(self, guide: Calibrating) -> None:
        """Say the prompt if it is a new one; at the end also how good it was."""
        if guide.prompt == self._said:
            return
        self._said = guide.prompt
        self._console.note(guide.prompt)
        if guide.phase is Phase.DONE and guide.quality is not None:
            quality = guide.quality
            self._console.note(f"calibrated, {100.0 * quality.score:.0f} %: {quality.reason}")


class Guided:
    """Guides a performer whose take is recorded but not solved yet.

    Args:
        recorder: open.
        sensors: the tracker at each of `PLACEMENTS`.
        arguments: of `add_calibration`.
        console: where prompts go.
    """

    def __init__(
        self,
        recorder: Recorder,
        sensors: Mapping[str, str],
        arguments: argparse.Namespace,
        console: Console,
    ) -> None:
        self._recorder, self._arguments = recorder, arguments
        self._frames = FrameAssembler(tuple(sensors[p] for p in PLACEMENTS), patience=_PATIENCE)
        self._guide, self._prompter = guide_of(arguments), Prompter(console)
        self.done = False

    def look(self) -> None:
        """Take what came."""
        for frame in self._frames.push(self._recorder.take(), time.monotonic()):
            self._guide.push(frame)
        if self.done:
            return
        self._prompter.say(self._guide)
        if self._guide.phase is Phase.FAILED:
            self._guide = guide_of(self._arguments)
        elif self._guide.phase is Phase.DONE:
            self.done = True
            for kind, fields in self._guide.events:
                self._recorder.event(kind, performer="", **fields)
