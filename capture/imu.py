"""An IMU recording: orientations and linear accelerations of a few sensors on a body."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np

from ..rig.arrays import Array, Mask, checked, frozen
from ..rig.errors import RecordingError, ShapeError

__all__ = ["PLACEMENTS", "Gap", "ImuRecording"]

# The four sensors that PALLAS solves from, in the order that its network reads them.
PLACEMENTS: tuple[str, ...] = ("waist", "left_wrist", "right_wrist", "neck")


@dataclass(frozen=True)
class Gap:
    """A stretch in which one sensor sent nothing."""

    placement: str
    start: float  # seconds, time of the last sample before
    end: float  # seconds, time of the first sample after


@dataclass(frozen=True, eq=False)
class ImuRecording:
    """T samples of S sensors.

    Attributes:
        times: (T,) seconds, the device's clock mapped to one clock; strictly increasing.
        world_from_sensor: (T, S, 4) unit quaternions (w, x, y, z), world z up; NaN where missing.
        acceleration: (T, S, 3) m/s^2, linear (gravity removed), in the world frame; NaN where missing.
        placements: S names of where each sensor sits, as the recording calls them.
        bone_from_sensor: (S, 4) how each sensor is mounted on its bone, or None before calibration. The
            bone's frame is the one of `Skeleton`: aligned with the world in the T-pose that faces -Y.
        poses: calibration poses the file holds by name ("npose", "tpose"): (S, 4) world_from_sensor.
    """

    times: Array
    world_from_sensor: Array
    acceleration: Array
    placements: tuple[str, ...]
    bone_from_sensor: Array | None = None
    poses: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        samples, sensors = len(self.times), len(self.placements)
        times = checked("times", self.times, (samples,))
        if not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
            bad = int(np.argmax(~(np.diff(times, prepend=-np.inf) > 0)))
            raise RecordingError(
                f"the clock does not move forward at sample {bad} of {samples}; expected times that "
                "strictly increase: sort the samples, or drop the repeated ones"
            )
        if len(set(self.placements)) != sensors:
            raise RecordingError(
                f"placements are {', '.join(self.placements)}; expected different names"
            )
        shapes = {"world_from_sensor": 4, "acceleration": 3}
        for name, width in shapes.items():
            array = checked(name, getattr(self, name), (samples, sensors, width))
            object.__setattr__(self, name, frozen(array))
        object.__setattr__(self, "times", frozen(times))
        if self.bone_from_sensor is not None:
            mounting = checked("bone_from_sensor", self.bone_from_sensor, (sensors, 4))
            object.__setattr__(self, "bone_from_sensor", frozen(mounting))
        poses = {n: frozen(checked(n, p, (sensors, 4))) for n, p in self.poses.items()}
        object.__setattr__(self, "poses", MappingProxyType(poses))

    def __len__(self) -> int:
        return len(self.times)

    @property
    def fps(self) -> float:
        """Samples per second: the inverse of the median step of the clock."""
        if len(self) < 2:
            raise RecordingError(
                f"the recording has {len(self)} samples, expected at least 2 to know its rate"
            )
        return float(1.0 / np.median(np.diff(self.times)))

    @cached_property
    def missing(self) -> Mask:
        """(T, S) True where the orientation or the acceleration of a sensor is missing."""
        orientation = np.isnan(self.world_from_sensor).any(axis=-1)
        missing: Mask = orientation | np.isnan(self.acceleration).any(axis=-1)
        return missing

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """Every stretch of missing samples, sensor by sensor."""
        found = []
        for sensor, placement in enumerate(self.placements):
            edges = np.flatnonzero(np.diff(self.missing[:, sensor], prepend=False, append=False))
            for first, after in edges.reshape(-1, 2):
                start = self.times[max(first - 1, 0)]
                end = self.times[min(after, len(self) - 1)]
                found.append(Gap(placement, float(start), float(end)))
        return tuple(found)

    def selected(self, sensors: Mapping[str, str]) -> "ImuRecording":
        """Keep the sensors named by the values and call them by the keys, in the keys' order.

        Raises:
            ShapeError: a value names no sensor of this recording.
        """
        unknown = [name for name in sensors.values() if name not in self.placements]
        if unknown:
            raise ShapeError(
                f"no sensor {', '.join(map(repr, unknown))} in the recording; "
                f"it has: {', '.join(self.placements)}"
            )
        rows = [self.placements.index(name) for name in sensors.values()]
        return ImuRecording(
            self.times,
            self.world_from_sensor[:, rows],
            self.acceleration[:, rows],
            tuple(sensors),
            None if self.bone_from_sensor is None else self.bone_from_sensor[rows],
            {name: pose[rows] for name, pose in self.poses.items()},
        )
