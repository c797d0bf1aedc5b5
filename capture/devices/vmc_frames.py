"""Messages of the Virtual Motion Capture protocol, gathered to whole frames.

Source: "VMC Protocol specification" (protocol.vmc.info), Marionette side. Nothing in it says where a frame
ends: it is over when all has come that came in the frames before, or when something comes again.
"""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from ...rig.arrays import Array
from .finite import finite_rotations, finite_vectors
from .osc import OscMessage
from .unity import from_unity, from_unity_rotation
from .vmc_bones import humanoid_parents

__all__ = ["FrameGatherer", "VmcFrame"]

_TIME, _ROOT, _BONE = "/VMC/Ext/T", "/VMC/Ext/Root/Pos", "/VMC/Ext/Bone/Pos"
_EXPECTED = 8  # frames; what came in one of the last few is expected in the next
_HELD = 0.25  # seconds; a bone whose message was lost keeps its pose that long
_STANDING = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)  # a root at the origin


@dataclass(frozen=True, eq=False)
class VmcFrame:
    """One frame; the root in the world, bones in their parents' frames; our axes.

    Attributes:
        time: seconds of the sender's clock; NaN where it tells none.
        root_position: (3,) metres.
        root_rotation: (4,) unit quaternion (w, x, y, z).
        names: B humanoid bones, parents first.
        positions: (B, 3) metres.
        rotations: (B, 4) unit quaternions; NaN where what was told makes no sense.
    """

    time: float
    root_position: Array
    root_rotation: Array
    names: tuple[str, ...]
    positions: Array
    rotations: Array


@dataclass
class FrameGatherer:
    """Gathers what one sender sends."""

    _current: dict[str, tuple[float, ...]] = field(default_factory=dict)
    _last: dict[str, tuple[tuple[float, ...], float]] = field(default_factory=dict)
    _expected: dict[str, int] = field(default_factory=dict)  # and for how many frames more

    def hear(self, message: OscMessage, now: float) -> VmcFrame | None:
        """Take a message; the frame that it ends, if it ends one.

        Args:
            message: any; those that are nothing for us are left out.
            now: seconds, growing.
        """
        known = _understood(message)
        if known is None:
            return None
        name, numbers = known
        frame = self._closed(now) if name in self._current else None
        self._current[name] = numbers
        self._last[name] = numbers, now
        if frame is None and self._expected and self._expected.keys() <= self._current.keys():
            frame = self._closed(now)
        return frame

    def _closed(self, now: float) -> VmcFrame | None:
        current, self._current = self._current, {}
        if not current.keys() - {_TIME, _ROOT}:
            return None
        left = {name: frames - 1 for name, frames in self._expected.items() if frames > 1}
        self._expected = left | dict.fromkeys(current, _EXPECTED)
        held = {name: told for name, (told, last) in self._last.items() if now - last < _HELD}
        return _frame(held | current)


def _frame(told: dict[str, tuple[float, ...]]) -> VmcFrame:
    names = tuple(name for name in humanoid_parents() if name in told)
    numbers = np.array([told.get(_ROOT, _STANDING), *(told[name] for name in names)])
    positions = from_unity(finite_vectors(numbers[:, :3]))
    rotations = finite_rotations(from_unity_rotation(numbers[:, 3:]))
    (time,) = told.get(_TIME, (float("nan"),))
    return VmcFrame(time, positions[0], rotations[0], names, positions[1:], rotations[1:])


def _understood(message: OscMessage) -> tuple[str, tuple[float, ...]] | None:
    if message.address == _TIME:
        time = _numbers(message.arguments[:1], 1)
        return None if time is None else (_TIME, time)
    if message.address not in (_BONE, _ROOT) or len(message.arguments) < 8:
        return None
    name = _ROOT if message.address == _ROOT else message.arguments[0]
    numbers = _numbers(message.arguments[1:8], 7)
    if numbers is None or not isinstance(name, str):
        return None
    return (name, numbers) if name == _ROOT or name in humanoid_parents() else None


def _numbers(values: tuple[object, ...], count: int) -> tuple[float, ...] | None:
    numbers = tuple(float(value) for value in values if isinstance(value, int | float))
    return numbers if len(numbers) == count and all(map(isfinite, numbers)) else None
