"""The datagrams of Xsens MVN's network streamer, big-endian: a header of 24 bytes, then items of one size.

Source: Xsens, "MVN real-time network streaming protocol specification", revision N.
"""

import struct
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import DeviceError
from .finite import finite_rotations, finite_vectors

__all__ = [
    "FragmentJoiner",
    "XsensPacket",
    "parse_xsens",
    "read_segments",
    "read_trackers",
    "split_stream",
]

POSES, TRACKERS = 2, 23
_EULER, _UNITY = 1, 5
_HEADER = struct.Struct(">4s2sIBBIBBBBHH")
_MAGIC = b"MXTP"
_LAST = 0x80  # in the counter of fragments: no more of this sample
_SEGMENT = np.dtype([("id", ">i4"), ("position", ">f4", 3), ("rotation", ">f4", 4)])
_TRACKER = np.dtype(
    [("id", ">i4"), ("rotation", ">f4", 4), ("acceleration", ">f4", 3), ("magnetic", ">f4", 3)]
)
_SIZES = {POSES: _SEGMENT.itemsize, TRACKERS: _TRACKER.itemsize}
_MOST_FRAGMENTS = 16
_MOST_SAMPLES = 32  # samples of which fragments are kept at once


@dataclass(frozen=True)
class XsensPacket:
    """One datagram of poses or trackers.

    Attributes:
        kind: `POSES` (type 02) or `TRACKERS` (type 23).
        sample: count of samples, the same for all fragments of one.
        fragment: its place among them, from 0.
        last: whether it is the last of them.
        time: seconds of the sender's clock.
        character: whose body, from 0.
        items: the bytes of its items.
    """

    kind: int
    sample: int
    fragment: int
    last: bool
    time: float
    character: int
    items: bytes


def parse_xsens(datagram: bytes) -> XsensPacket | None:
    """Read a datagram; None if it is of a type that is nothing for us (names, scale, joint angles …).

    Raises:
        DeviceError: it is not MVN's, is cut off, or is a pose in a form that is not read.
    """
    if len(datagram) < _HEADER.size or not datagram.startswith(_MAGIC):
        raise DeviceError("a packet that doesn't begin with MXTP; is it Xsens MVN that sends here?")
    _, digits, sample, counter, count, milliseconds, character, *_ = _HEADER.unpack_from(datagram)
    kind = int(digits) if digits.isdigit() else -1
    if kind in (_EULER, _UNITY):
        raise DeviceError(
            f"poses of type {kind:02}; expected type 02: in MVN's network streamer switch on "
            '"Position + Orientation (Quaternion)"'
        )
    if kind not in _SIZES:
        return None
    items = datagram[_HEADER.size : _HEADER.size + count * _SIZES[kind]]
    if len(items) < count * _SIZES[kind]:
        raise DeviceError(f"{count} items of type {kind:02} in {len(items)} bytes; cut off?")
    last = bool(counter & _LAST)
    return XsensPacket(kind, sample, counter & ~_LAST, last, milliseconds / 1e3, character, items)


def split_stream(stream: bytes) -> tuple[list[bytes], bytes]:
    """Cut what came over TCP into packets: the whole ones, and the rest of the stream.

    A packet tells its size in its header; of old versions, which don't, it is that of its items. What is
    between packets and no packet is left out.
    """
    packets: list[bytes] = []
    place = stream.find(_MAGIC)
    while place >= 0 and len(stream) - place >= _HEADER.size:
        _, digits, _, _, count, *_, told = _HEADER.unpack_from(stream, place)
        kind = int(digits) if digits.isdigit() else -1
        end = place + _HEADER.size + (told or count * _SIZES.get(kind, 0))
        if end > len(stream):
            return packets, stream[place:]
        packets.append(stream[place:end])
        place = stream.find(_MAGIC, end)
        if place < 0:
            return packets, stream[max(end, len(stream) - len(_MAGIC) + 1) :]
    return packets, stream[place:] if place >= 0 else stream[1 - len(_MAGIC) :]


def read_segments(items: bytes) -> tuple[tuple[int, ...], Array, Array]:
    """Items of type 02: ids, positions (N, 3) as sent, world_from_segment (N, 4); z up, right-handed.

    What is not finite becomes NaN.
    """
    rows = np.frombuffer(items, _SEGMENT)
    return (
        tuple(rows["id"].tolist()),
        finite_vectors(rows["position"]),
        finite_rotations(rows["rotation"]),
    )


def read_trackers(items: bytes) -> tuple[tuple[int, ...], Array, Array]:
    """Items of type 23: segments' ids, world_from_sensor (N, 4), linear acceleration (N, 3) in the world.

    What is not finite becomes NaN.
    """
    rows = np.frombuffer(items, _TRACKER)
    return (
        tuple(rows["id"].tolist()),
        finite_rotations(rows["rotation"]),
        finite_vectors(rows["acceleration"]),
    )


@dataclass
class _Fragments:
    sample: int
    items: dict[int, bytes] = field(default_factory=dict)
    count: int | None = None  # known when the last one came


@dataclass
class FragmentJoiner:
    """Puts the fragments of samples together, in whatever order they come; keeps few of them."""

    _kept: dict[Hashable, _Fragments] = field(default_factory=dict)

    def join(self, whose: Hashable, packet: XsensPacket) -> bytes | None:
        """The items of the whole sample if this packet completes it.

        Args:
            whose: sender; fragments of different ones are never mixed.
            packet: any.

        Raises:
            DeviceError: it has more fragments than a body needs.
        """
        if packet.fragment >= _MOST_FRAGMENTS:
            raise DeviceError(f"fragment {packet.fragment} of a sample; expected {_MOST_FRAGMENTS}")
        key = whose, packet.character, packet.kind
        kept = self._kept.get(key)
        if kept is None or kept.sample != packet.sample:
            self._kept.pop(key, None)
            kept = self._kept[key] = _Fragments(packet.sample)
            if len(self._kept) > _MOST_SAMPLES:
                del self._kept[next(iter(self._kept))]
        kept.items[packet.fragment] = packet.items
        if packet.last:
            kept.count = packet.fragment + 1
        if kept.count is None or not all(place in kept.items for place in range(kept.count)):
            return None
        del self._kept[key]
        return b"".join(kept.items[place] for place in range(kept.count))
