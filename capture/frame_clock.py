"""The regular clock behind a column of times that was rounded, has lost frames, or contradicts its header."""

import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..rig.arrays import Array
from ..rig.errors import FormatError
from .textfile import FormatWarning

__all__ = ["FrameClock", "frame_clock"]

_WITHIN = 0.5  # of a frame: a written time is at most this far from its frame's
_SAME_RATE = 0.01
_SAME_TIME = 1e-9  # seconds
_ROUNDING = 1e-4  # of a step
_LONGEST_STEP = 2.5  # usual steps; over a longer one nothing is drawn
_MOST_GAPS = 10  # times as many frames as rows; more is damage


@dataclass(frozen=True, eq=False)
class FrameClock:
    """Which rows of a file make each frame of a regular clock.

    Attributes:
        fps: frames per second.
        start: seconds, time of the first frame.
        rows: (F,) row of each frame, counted from 0; between two rows where that is no whole number; NaN
            where the file lacks the frame.
    """

    fps: float
    start: float
    rows: Array

    def frames(self, values: Array) -> Array:
        """Values (T, ...) of the rows as values (F, ...) of the frames; NaN where they are missing."""
        if len(self.rows) == len(values) and np.array_equal(self.rows, np.arange(len(values))):
            return values
        known = np.isfinite(self.rows)
        row = np.where(known, self.rows, 0.0)
        below = np.floor(row).astype(np.int64)
        above = np.minimum(below + 1, len(values) - 1)
        share = (row - below).reshape(-1, *[1] * (values.ndim - 1))
        between = (1.0 - share) * values[below] + share * values[above]
        made = np.where(share == 0.0, values[below], between)
        made[~known] = np.nan
        return np.asarray(made)


def frame_clock(times: Array, stated: float | None, lines: tuple[int, ...]) -> FrameClock:
    """Find the clock of times (T,) in seconds.

    The stated rate holds if the times fit it, rounded as they may be. Else the rate is that of the times.
    Frames that are missing in between leave gaps. Where no rate fits, frames are drawn between the rows, at
    the rate of the usual step. What was not as stated is told by a `FormatWarning`.

    Args:
        times: (T,) of at least one row.
        stated: frames per second in the file's header, None where it has none.
        lines: T line numbers, for messages.

    Raises:
        FormatError: times go backwards; or there is one row and no rate.
    """
    if not np.isfinite(times).all():
        row = int(np.argmin(np.isfinite(times)))
        raise FormatError(f"line {lines[row]}: the time is missing")
    if stated is not None and not (np.isfinite(stated) and stated > 0):
        stated = None
    for rate in _candidates(times, stated):
        frames = _placed(times, rate)
        if frames is not None:
            _tell(frames, rate, stated)
            rows = np.full(frames[-1] + 1, np.nan)
            rows[frames] = np.arange(len(frames))
            return FrameClock(rate, float(times[0]), rows)
    if len(times) == 1:
        raise FormatError("the file has one frame and no frame rate; expected a DataRate above 0")
    backwards = np.flatnonzero(np.diff(times) <= 0)
    if len(backwards):
        row = int(backwards[0]) + 1
        raise FormatError(
            f"line {lines[row]}: time is {times[row]}, expected one after {times[row - 1]}: sort the lines "
            "and drop repeated ones"
        )
    return _irregular(times)


def _irregular(times: Array) -> FrameClock:
    """Frames at the usual step, drawn between the rows but not across gaps."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    rate = float(f"{1.0 / usual:.9g}")
    count = (times[-1] - times[0]) * rate
    if not count < _MOST_GAPS * len(times):
        raise FormatError(
            f"{len(times)} lines in steps of {usual:.4g} s span {times[-1] - times[0]:.4g} s; "
            "expected a regular clock"
        )
    warnings.warn(
        f"the times are irregular (steps from {steps.min():.4g} to {steps.max():.4g} s); frames are drawn "
        f"between them at {rate:.6g} per second",
        FormatWarning,
        stacklevel=3,
    )
    wanted = times[0] + np.arange(int(count + _ROUNDING) + 1) / rate
    rows = np.interp(wanted, times, np.arange(len(times)))
    nearest = np.round(rows)
    rows = np.where(np.abs(rows - nearest) < _ROUNDING, nearest, rows)
    inside = np.minimum(rows.astype(np.int64), len(steps) - 1)
    across = (rows != nearest) & (steps[inside] > _LONGEST_STEP * usual)
    return FrameClock(rate, float(times[0]), np.where(across, np.nan, rows))


def _candidates(times: Array, stated: float | None) -> list[float]:
    rates = [] if stated is None else [stated]
    steps = np.diff(times)
    if len(steps) and np.median(steps) > 0 and times[-1] > times[0]:
        rates += [_mean_rate(times), float(1.0 / np.median(steps))]
    return rates


def _mean_rate(times: Array) -> float:
    """Frames per second if none is missing; nine digits, since times are written with fewer."""
    return float(f"{(len(times) - 1) / (times[-1] - times[0]):.9g}")


def _placed(times: Array, rate: float) -> npt.NDArray[np.int64] | None:
    """Frame of each time at this rate, or None if they don't fit it."""
    exact = (times - times[0]) * rate
    if not np.all(np.abs(exact) < _MOST_GAPS * len(times) + 1):
        return None
    each = np.arange(len(times))
    if np.all(np.abs(exact - each) <= max(_WITHIN, 0.51 * rate * _written_to(times))):
        return each
    frames = np.round(exact).astype(np.int64)
    steps = np.diff(frames)
    fits = np.all(steps >= 1) and np.median(steps) == 1
    return frames if fits and np.all(np.abs(exact - frames) <= _WITHIN / 2) else None


def _written_to(times: Array) -> float:
    """Seconds of the last digit of the times, where that is a coarse one."""
    for digits in range(4):
        if np.all(np.abs(times - np.round(times, digits)) < _SAME_TIME):
            return float(10.0**-digits)
    return 0.0


def _tell(frames: npt.NDArray[np.int64], rate: float, stated: float | None) -> None:
    if stated is not None and abs(rate - stated) > _SAME_RATE * stated:
        warnings.warn(
            f"the header says {stated:g} frames per second, the times say {rate:.6g}; taken is the latter",
            FormatWarning,
            stacklevel=3,
        )
    lost = int(frames[-1]) + 1 - len(frames)
    if lost:
        first = next(a for a, b in pairwise(frames.tolist()) if b - a > 1) + 1
        warnings.warn(
            f"{lost} frames are missing, from frame {first + 1} of the recording on; they are left empty",
            FormatWarning,
            stacklevel=3,
        )
