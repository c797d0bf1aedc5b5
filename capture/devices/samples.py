"""What devices say, in the project's own conventions: readings of one tracker, or whole solved poses."""

from dataclasses import dataclass

from ...rig.arrays import Array
from ...rig.retarget.bones import Bones

__all__ = ["PoseSample", "Sample", "TrackerSample"]


@dataclass(frozen=True, eq=False, slots=True)
class TrackerSample:
    """One reading of one tracker.

    Attributes:
        tracker: which, the same through restarts of the tracker and of this program, such as
            "slimevr AA:BB:CC:DD:EE:FF/0".
        arrival: seconds of `time.monotonic` of this computer when the packet came.
        device_time: seconds of the tracker's own clock, from any start; NaN where it sends none.
        world_from_sensor: (4,) unit quaternion (w, x, y, z), world z up; NaN where missing.
        acceleration: (3,) m/s^2, linear (gravity removed), in the world frame; NaN where missing.
        sequence: the tracker's own count of its readings, None where it sends none.
    """

    tracker: str
    arrival: float
    device_time: float
    world_from_sensor: Array
    acceleration: Array
    sequence: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class PoseSample:
    """One pose of a performer whom another program has solved already.

    Attributes:
        performer: who, such as "mocopi 192.168.1.20".
        arrival: seconds of `time.monotonic` of this computer when the packet came.
        device_time: seconds of the sender's clock; NaN where it sends none.
        bones: B bones at rest; the same object as long as the sender's skeleton stays the same.
        rotations: (B, 4) unit quaternions (w, x, y, z), world_from_bone; NaN where missing.
        heads: (B, 3) metres, where the bones start in the world, z up; NaN where missing.
        sequence: the sender's own count of its frames, None where it sends none.
    """

    performer: str
    arrival: float
    device_time: float
    bones: Bones
    rotations: Array
    heads: Array
    sequence: int | None = None


Sample = TrackerSample | PoseSample
