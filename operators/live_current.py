"""The live capture that is connected, the timer that shows its poses, and what its panel tells."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import bpy

from ..capture.devices.device import TrackerState
from ..capture.session.calibrating import Calibrating
from ..rig.errors import PallasError
from .live_capture import LiveCapture

if TYPE_CHECKING:
    from ..neural.live.performer import LivePerformer

__all__ = [
    "connected",
    "current",
    "disconnect",
    "guidance",
    "is_connected",
    "states",
    "told",
]

_FRAME = 0.004  # seconds between two ticks
_TELL = 0.2  # seconds between two looks of the panel

_current: list[LiveCapture] = []
_tellers: list[Callable[[LiveCapture], None]] = []


def current() -> LiveCapture | None:
    """The live capture that is connected, if one is."""
    return _current[0] if _current else None


def is_connected(cls: type) -> bool:
    """For `poll`: whether a capture is connected; says what is missing."""
    if current() is None:
        cls.poll_message_set("Connect first")
        return False
    return True


def states() -> dict[str, TrackerState]:
    """How every tracker is doing, by name; none while nothing is connected."""
    capture = current()
    return {} if capture is None else {s.tracker: s for s in capture.recorder.trackers()}


def told(capture: LiveCapture | None) -> list[str]:
    """What the user should know, a line each."""
    if capture is None:
        return []
    errors = [str(error) for error in capture.recorder.errors]
    return [line for line in (*errors, capture.failed, capture.wrong) if line]


def guidance() -> list[str]:
    """What performers are asked to do now, and how their calibrations went, a line each."""
    capture = current()
    if capture is None or capture.session is None:
        return []
    finding = [] if capture.finding is None else [capture.finding.prompt]
    return finding + [
        line for performer in capture.session.performers.values() for line in _guided(performer)
    ]


def _guided(performer: "LivePerformer") -> list[str]:
    guide, calibration = performer.guide, performer.calibration
    lines = []
    if isinstance(guide, Calibrating):
        lines.append(f"{performer.name}: {guide.prompt}")
        if guide.phase.over and guide.quality is not None:
            lines.append(f"Quality {100.0 * guide.quality.score:.0f} %: {guide.quality.reason}")
    if calibration is not None and calibration.drift.any():
        rates = zip(calibration.placements, calibration.degrees_per_minute, strict=True)
        told = ", ".join(f"{p.replace('_', ' ')} {rate:+.1f}" for p, rate in rates if rate)
        lines.append(f"Drift, degrees a minute: {told}")
    return lines


def connected(capture: LiveCapture, tell: Callable[[LiveCapture], None]) -> None:
    """Make an open capture the current one; a timer shows its poses.

    Args:
        capture: open.
        tell: called some times a second.
    """
    disconnect()
    _current.append(capture)
    _tellers.append(tell)
    bpy.app.timers.register(_Timer(capture), first_interval=_FRAME, persistent=True)


def disconnect() -> None:
    """Close the current capture, if there is one."""
    _tellers.clear()
    while _current:
        _current.pop().close()


class _Timer:
    """What Blender calls until its capture is no longer the current one."""

    def __init__(self, capture: LiveCapture) -> None:
        self._capture = capture
        self._told = 0.0

    def __call__(self) -> float | None:
        capture = self._capture
        if current() is not capture:
            return None
        try:
            if capture.tick():
                capture.wrong = ""
        except PallasError as error:
            capture.wrong = str(error)
        if time.monotonic() - self._told > _TELL:
            self._told = time.monotonic()
            for tell in _tellers:
                tell(capture)
        return _FRAME
