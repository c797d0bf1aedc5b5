"""The layout of a raw log, which its writer and its reader share: version 2 of the `.pallas` recording.

See docs/recording-format.md.
"""

import re
import struct
from typing import Final

import numpy as np

from ..recording_layout import FORMAT_NAME

__all__ = [
    "EVENT",
    "FORMAT_NAME",
    "LOG_UNITS",
    "LOG_VERSION",
    "MOST_BONES",
    "MOST_SENDERS",
    "NO_SEQUENCE",
    "POSE",
    "POSE_HEAD",
    "READING",
    "READING_TYPE",
    "SENDER",
    "SKELETON",
    "TAGS",
    "fits",
]

LOG_VERSION: Final = 2
LOG_UNITS: Final = {
    "arrival": "s, this computer's clock",
    "device time": "s, the sender's clock",
    "orientation": "world_from_sensor, unit quaternion w x y z, world z up",
    "acceleration": "m/s^2, linear (gravity removed), world",
}
SENDER, READING, SKELETON, POSE, EVENT = b"SNDR", b"READ", b"SKEL", b"POSE", b"EVNT"
TAGS: Final = re.compile(b"|".join((SENDER, READING, SKELETON, POSE, EVENT)))
READING_TYPE: Final = np.dtype(
    [
        ("sender", "<u2"),
        ("arrival", "<f8"),
        ("device_time", "<f8"),
        ("sequence", "<i8"),
        ("world_from_sensor", "<f8", 4),
        ("acceleration", "<f8", 3),
    ]
)
POSE_HEAD: Final = struct.Struct("<Hddq")  # sender, arrival, device time, sequence
NO_SEQUENCE: Final = -1
MOST_SENDERS: Final = 1000
MOST_BONES: Final = 1000
_LONGEST: Final = {SENDER: 1024, SKELETON: 1 << 20, EVENT: 1 << 16}
_BONE_BYTES: Final = 8 * (4 + 3)


def fits(tag: bytes, length: int) -> bool:
    """Whether a record of this tag can have a payload of `length` bytes."""
    if tag == READING:
        return length == READING_TYPE.itemsize
    if tag == POSE:
        bones, rest = divmod(length - POSE_HEAD.size, _BONE_BYTES)
        return rest == 0 and 0 <= bones <= MOST_BONES
    return length <= _LONGEST[tag]
