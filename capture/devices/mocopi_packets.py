"""Sony mocopi's datagrams: boxes of a little-endian length, four letters, and bytes or more boxes.

Source: Sony, "mocopi Technical Specification" (UDP), confirmed on recorded packets. A bone is told by its
rotation (x, y, z, w) and position in its parent's frame, in a right-handed world: y up, facing +z.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import DeviceError
from ..axes import z_up_from_y_up, z_up_from_y_up_rotation
from .finite import finite_rotations, finite_vectors

__all__ = ["MocopiBones", "MocopiFrame", "parse_mocopi"]

_HEAD = struct.Struct("<I4s")
_TRANSFORM = struct.Struct("<7f")
_MOST_BONES = 256
_NO_PARENT = 0xFFFF


@dataclass(frozen=True, eq=False)
class MocopiBones:
    """Bones as told in one datagram; our axes, each in its parent's frame.

    Attributes:
        ids: B different ids.
        parents: the parent's id of each, -1 for none; empty where the datagram tells no parents.
        rotations: (B, 4) unit quaternions (w, x, y, z); NaN where what was told makes no sense.
        positions: (B, 3) metres.
    """

    ids: tuple[int, ...]
    parents: tuple[int, ...]
    rotations: Array
    positions: Array


@dataclass(frozen=True, eq=False)
class MocopiFrame:
    """What one datagram tells.

    Attributes:
        bones: at rest in a skeleton definition, else in the pose of the frame.
        at_rest: whether it is a skeleton definition.
        number: count of frames; None in a skeleton definition.
        time: seconds since the app began to send; NaN where it isn't told.
        clock: seconds of the phone's clock; NaN where an older app doesn't tell it.
    """

    bones: MocopiBones
    at_rest: bool
    number: int | None
    time: float
    clock: float


def parse_mocopi(datagram: bytes) -> MocopiFrame:
    """Read one datagram: a pose, or the skeleton.

    Raises:
        DeviceError: it is no datagram of mocopi, or cut off.
    """
    boxes = dict(_boxes(datagram))
    if b"skdf" in boxes:
        bones = dict(_boxes(boxes[b"skdf"])).get(b"bons", b"")
        return MocopiFrame(_bones(bones, b"bndt"), True, None, np.nan, np.nan)
    if b"fram" not in boxes:
        raise DeviceError("a packet without a frame; is it mocopi that sends to this port?")
    frame = dict(_boxes(boxes[b"fram"]))
    number = _number(frame, b"fnum", "<I")
    return MocopiFrame(
        _bones(frame.get(b"btrs", b""), b"btdt"),
        False,
        None if np.isnan(number) else int(number),
        _number(frame, b"time", "<f"),
        _number(frame, b"uttm", "<d"),
    )


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place < len(data):
        if len(data) - place < _HEAD.size:
            raise DeviceError(
                f"a mocopi packet ends with {len(data) - place} bytes that are no box"
            )
        size, name = _HEAD.unpack_from(data, place)
        place += _HEAD.size
        if size > len(data) - place:
            raise DeviceError(f"a mocopi box has {size} bytes in {len(data) - place}; cut off?")
        yield name, data[place : place + size]
        place += size


def _number(boxes: dict[bytes, bytes], name: bytes, layout: str) -> float:
    data = boxes.get(name, b"")
    if len(data) != struct.calcsize(layout):
        return float("nan")
    value = float(struct.unpack(layout, data)[0])
    return value if np.isfinite(value) else float("nan")


def _bones(data: bytes, kind: bytes) -> MocopiBones:
    found: dict[int, tuple[int, tuple[float, ...]]] = {}
    for name, bone in _boxes(data):
        boxes = dict(_boxes(bone)) if name == kind else {}
        identity, parent = _number(boxes, b"bnid", "<H"), _number(boxes, b"pbid", "<H")
        transform = boxes.get(b"tran", b"")
        if np.isnan(identity) or len(transform) != _TRANSFORM.size or len(found) >= _MOST_BONES:
            raise DeviceError(f"a mocopi bone that is none, after {len(found)} bones; cut off?")
        above = -1 if np.isnan(parent) or parent == _NO_PARENT else int(parent)
        found[int(identity)] = above, _TRANSFORM.unpack(transform)
    if not found:
        raise DeviceError("a mocopi packet without bones; expected 27")
    values = np.array([numbers for _, numbers in found.values()])
    return MocopiBones(
        tuple(found),
        tuple(parent for parent, _ in found.values()),
        z_up_from_y_up_rotation(finite_rotations(values[:, [3, 0, 1, 2]])),
        z_up_from_y_up(finite_vectors(values[:, 4:])),
    )
