"""The layout of a `.pallas` recording, which its writer and its reader share.

See docs/recording-format.md.
"""

import struct

from ..rig.errors import RecordingError

__all__ = [
    "CALIBRATION",
    "CHECKSUM",
    "FORMAT_NAME",
    "HEAD",
    "SAMPLE",
    "UNITS",
    "VERSION",
    "checked_placements",
    "longest_calibration",
    "sample_bytes",
]

FORMAT_NAME = "pallas-imu"
VERSION = 1
UNITS = {
    "time": "s",
    "orientation": "world_from_sensor, unit quaternion w x y z, world z up",
    "acceleration": "m/s^2, linear (gravity removed), world",
}
SAMPLE, CALIBRATION = b"SMPL", b"CALB"
HEAD = struct.Struct("<4sI")  # tag, bytes of payload
CHECKSUM = struct.Struct("<I")  # CRC-32 of head and payload
_MOST_SENSORS = 1000


def checked_placements(placements: tuple[str, ...]) -> tuple[str, ...]:
    """The placements, if a recording can have them.

    Raises:
        RecordingError: there are none, too many, or two of the same name.
    """
    if not 1 <= len(placements) <= _MOST_SENSORS or len(set(placements)) != len(placements):
        raise RecordingError(
            f"found {len(placements)} placements, {len(set(placements))} of them different; expected "
            f"1 to {_MOST_SENSORS} different names"
        )
    return placements


def sample_bytes(sensors: int) -> int:
    """Length of a sample's payload: the time, then seven numbers per sensor."""
    return 8 * (1 + 7 * sensors)


def longest_calibration(sensors: int) -> int:
    """A bound, so that a damaged length does not make a reader check megabytes again and again."""
    return 1024 + 256 * sensors
