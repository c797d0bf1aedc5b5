"""Rokoko Studio's live stream: JSON, plain or as an LZ4 frame, versions 2 and 3.

Source: the structures of Rokoko's own receivers (`JsonLiveSerializerV3` and the Blender add-on). Positions
and rotations are global, in Unity's world.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import DeviceError
from .finite import finite_rotations, finite_vectors
from .unity import from_unity, from_unity_rotation

__all__ = ["RokokoActor", "RokokoBone", "parse_rokoko", "rokoko_bones"]

_LZ4_FRAME = b"\x04\x22\x4d\x18"
_LARGEST = 1 << 20  # bytes of JSON; five actors with fingers and faces are 200 kB
_MOST_ACTORS = 16
_LONGEST_NAME = 40


@dataclass(frozen=True, eq=False)
class RokokoBone:
    """A bone of every actor: its parent, Unity's name for it, world_from_bone (4,) in the T-pose."""

    parent: str | None
    humanoid: str
    rest: Array


@dataclass(frozen=True, eq=False)
class RokokoActor:
    """One actor in one frame.

    Attributes:
        name: as in Rokoko Studio.
        time: seconds of the sender's clock; NaN where it isn't told.
        bones: B bones that are sent, parents first.
        heads: (B, 3) metres, our axes; NaN where missing.
        rotations: (B, 4) world_from_bone, our axes; NaN where missing.
    """

    name: str
    time: float
    bones: tuple[str, ...]
    heads: Array
    rotations: Array


@cache
def rokoko_bones() -> Mapping[str, RokokoBone]:
    """The bones that are read, by the stream's names, parents first."""
    path = Path(__file__).with_name("rokoko_bones.json")
    rows = json.loads(path.read_text(encoding="utf-8"))["bones"]
    rest = quaternion.normalised(from_unity_rotation(np.array([row["rest"] for row in rows])))
    return MappingProxyType(
        {
            row["name"]: RokokoBone(row["parent"], row["humanoid"], turn)
            for row, turn in zip(rows, rest, strict=True)
        }
    )


def parse_rokoko(datagram: bytes) -> list[RokokoActor]:
    """The actors of a frame; those without a body are left out.

    Raises:
        DeviceError: it is no frame of Rokoko Studio, or compressed and the package lz4 is missing.
    """
    text = _decompressed(datagram) if datagram.startswith(_LZ4_FRAME) else datagram
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise DeviceError(
            "a packet that is no JSON; in Rokoko Studio's live stream choose the format JSON v3"
        ) from None
    frame = _table(frame)
    # Version 2 has the actors beside the header, and an actor's bones beside its name.
    scene = _table(frame.get("scene")) or frame
    actors = scene.get("actors")
    if not isinstance(actors, list):
        raise DeviceError("JSON without actors; expected Rokoko Studio's format v2 or v3")
    time = _number(scene.get("timestamp"))
    found = [_actor(_table(actor), time) for actor in actors[:_MOST_ACTORS]]
    return [actor for actor in found if actor is not None]


def _decompressed(datagram: bytes) -> bytes:
    try:
        lz4 = import_module("lz4.frame")
    except ImportError:
        raise DeviceError(
            "packets are compressed and the package lz4 is not installed: pip install lz4, or choose "
            "JSON without compression in Rokoko Studio's live stream"
        ) from None
    decompressor = lz4.LZ4FrameDecompressor()
    try:
        text: bytes = decompressor.decompress(datagram, max_length=_LARGEST)
    except (RuntimeError, ValueError, EOFError):
        raise DeviceError(
            "a compressed packet that is damaged; is the network losing data?"
        ) from None
    if not decompressor.eof:
        raise DeviceError(f"a compressed packet of more than {_LARGEST} bytes, or cut off")
    return text


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float:
    usable = isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**53)
    return float(value) if usable and isfinite(value) else float("nan")  # type: ignore[arg-type]


def _actor(told: dict[str, Any], time: float) -> RokokoActor | None:
    name = told.get("name")
    body = _table(told.get("body")) or told
    bones = tuple(bone for bone in rokoko_bones() if _table(body.get(bone)))
    if not isinstance(name, str) or "hip" not in bones:
        return None
    readable = "".join(letter for letter in name if letter.isprintable())[:_LONGEST_NAME].strip()
    rows = [_row(body[bone]) for bone in bones]
    values = np.array(rows)
    return RokokoActor(
        readable,
        time,
        bones,
        from_unity(finite_vectors(values[:, :3])),
        finite_rotations(from_unity_rotation(values[:, 3:])),
    )


def _row(bone: dict[str, Any]) -> list[float]:
    position, rotation = _table(bone.get("position")), _table(bone.get("rotation"))
    return [
        *(_number(position.get(axis)) for axis in "xyz"),
        *(_number(rotation.get(axis)) for axis in "xyzw"),
    ]
