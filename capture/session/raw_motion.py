"""From the poses of a raw log, which another program solved, to a motion for retargeting."""

import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import FormatError, RecordingError, ShapeError
from ...rig.retarget.source import SourceMotion
from ..devices.samples import PoseSample
from ..textfile import FormatWarning
from .counted import Counted
from .resampled import between, sensible, usual_rate
from .take_clock import mapped_times

__all__ = ["performed_motion", "seen_longest_first"]

_MOST_RATE = 1000.0
_MOST_PER_POSE = 100  # frames; more, and the clock is damaged
_SPARE = 10_000


def seen_longest_first(poses: Sequence[PoseSample]) -> tuple[str, ...]:
    """Performers, the one with the most poses first."""
    return tuple(name for name, _ in Counter(pose.performer for pose in poses).most_common())


def performed_motion(
    poses: Sequence[PoseSample], performer: str | None, fps: float | None
) -> SourceMotion:
    """See `RawLog.motion`."""
    known = seen_longest_first(poses)
    if not known:
        raise FormatError(
            "the take holds readings of trackers, no poses; solve it first with pallas solve"
        )
    if performer is None:
        performer = known[0]
    if performer not in known:
        raise FormatError(f"found no person {performer[:40]!r}; there are: {', '.join(known)}")
    own = _of_one_skeleton([pose for pose in poses if pose.performer == performer])
    times, rotations, heads = _measured(own)
    wanted, rate = _grid(times, fps)
    turned = between(times, rotations, wanted, turns=True)
    moved = between(times, heads, wanted, turns=False)
    return SourceMotion(own[0].bones, turned, moved, rate, performer)


def _of_one_skeleton(poses: list[PoseSample]) -> list[PoseSample]:
    """Those of the skeleton that most poses have; programs tell it anew when the performer is measured."""
    usual = Counter(id(pose.bones) for pose in poses).most_common(1)[0][0]
    kept = [pose for pose in poses if id(pose.bones) == usual]
    if len(kept) < len(poses):
        warnings.warn(
            f"{len(poses) - len(kept)} of {len(poses)} poses have another skeleton and are left out",
            FormatWarning,
            stacklevel=5,
        )
    return kept


def _measured(poses: list[PoseSample]) -> tuple[Array, Array, Array]:
    counted = Counted()
    poses = [pose for pose in poses if counted(pose.sequence, pose.device_time)]
    device = np.array([pose.device_time for pose in poses])
    times = mapped_times(device, np.array([pose.arrival for pose in poses]))
    order = np.argsort(times, kind="stable")
    order = order[np.diff(times[order], prepend=-np.inf) > 0]
    rotations = sensible(np.array([poses[row].rotations for row in order]))
    heads = sensible(np.array([poses[row].heads for row in order]))
    return times[order], quaternion.normalised(rotations), heads


def _grid(times: Array, fps: float | None) -> tuple[Array, float]:
    if fps is not None and not 0.0 < fps < np.inf:
        raise ShapeError(f"fps is {fps}, expected a positive number of frames per second")
    usual = usual_rate(times)
    rate = fps or float(np.clip(np.round(30.0 if np.isnan(usual) else usual), 1.0, _MOST_RATE))
    count = (times[-1] - times[0]) * rate + 1.0 + 1e-6
    if not count < _SPARE + _MOST_PER_POSE * len(times):
        raise RecordingError(
            f"{len(times)} poses span {times[-1] - times[0]:.4g} s; expected a take, record again"
        )
    return times[0] + np.arange(int(count)) / rate, rate
