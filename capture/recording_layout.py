"""The layout of a `.pallas` recording, which its writer and its reader share.

See docs/recording-format.md.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator

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
    "intact_records",
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


def intact_records(
    body: bytes, tags: re.Pattern[bytes], fits: Callable[[bytes, int], bool]
) -> Iterator[tuple[bytes, bytes, int]]:
    """Every record whose checksum is right: its tag, its payload, and the bytes that were skipped before it.

    Bytes that are left at the end come with an empty tag.

    Args:
        body: what follows the header.
        tags: matches each tag that there is.
        fits: whether a payload after this tag can have that many bytes.
    """
    place, skipped = 0, 0
    while place < len(body):
        payload = _payload(body, place, tags, fits)
        if payload is None:
            found = tags.search(body, place + 1)
            after = found.start() if found else len(body)
            skipped += after - place
            place = after
            continue
        yield body[place : place + 4], payload, skipped
        place += HEAD.size + len(payload) + CHECKSUM.size
        skipped = 0
    if skipped:
        yield b"", b"", skipped


def _payload(
    body: bytes, place: int, tags: re.Pattern[bytes], fits: Callable[[bytes, int], bool]
) -> bytes | None:
    """The payload of the record at `place`, or None if there is no intact one."""
    if place + HEAD.size > len(body):
        return None
    tag, length = HEAD.unpack_from(body, place)
    end = place + HEAD.size + length
    if not tags.fullmatch(tag) or not fits(tag, length) or end + CHECKSUM.size > len(body):
        return None
    if zlib.crc32(body[place:end]) != CHECKSUM.unpack_from(body, end)[0]:
        return None
    return body[place + HEAD.size : end]
