"""Unity's humanoid bones: their tree, which joint of ours each is, and a body at rest made of them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.retarget.bones import Bones
from ...rig.skeleton import body_skeleton
from .bone_chain import bones_at_rest

__all__ = ["humanoid_at_rest", "humanoid_joints", "humanoid_parents", "humanoid_standing"]

_HIPS = "Hips"
_SOLE = 0.017  # metres, how high the toe joints are over the floor
_FINGER = 0.03  # metres, a bone that nothing tells the length of
_NOTHING = 1e-4  # metres; senders that know no lengths tell zeros


@cache
def _table() -> list[dict[str, str | None]]:
    path = Path(__file__).with_name("vmc_bones.json")
    table: list[dict[str, str | None]] = json.loads(path.read_text(encoding="utf-8"))["bones"]
    return table


@cache
def humanoid_parents() -> Mapping[str, str | None]:
    """The parent of each of Unity's humanoid bones, parents first; None for the hips."""
    return MappingProxyType({str(row["name"]): row["parent"] for row in _table()})


@cache
def humanoid_joints() -> Mapping[str, str]:
    """The joint of our 24 of each humanoid bone that is one."""
    return MappingProxyType({str(r["name"]): r["joint"] for r in _table() if r["joint"]})


@cache
def humanoid_standing() -> Mapping[str, Array]:
    """Where each humanoid bone of a person of 1.70 m starts, in a T-pose."""
    skeleton = body_skeleton()
    joints = dict(zip(skeleton.names, skeleton.rest_positions, strict=True))
    heads: dict[str, Array] = {}
    for name, parent in humanoid_parents().items():
        joint = humanoid_joints().get(name)
        if joint is not None:
            heads[name] = joints[joint]
        elif parent is not None:
            aside = {"L": _FINGER, "R": -_FINGER}.get(name[0], 0.0)
            heads[name] = heads[parent] + np.array([aside, 0.0, 0.0])
    return MappingProxyType(heads)


def humanoid_at_rest(offsets: Mapping[str, Array]) -> Bones:
    """The bones of a sender in a T-pose on the floor: all frames aligned with the world.

    VMC tells no rest pose. Avatars as it is made for (VRM) are normalised: no bone is turned in the
    T-pose, and where a bone starts in its parent's frame never changes.

    Args:
        offsets: per bone that is sent, (3,) metres in its parent's frame, our axes; that of the hips is
            not looked at. Where all others are zero, the lengths are those of a
            person of 1.70 m; so is each that is NaN.
    """
    names = [name for name in humanoid_parents() if name in offsets]
    above = {name: _sent_parent(name, offsets) for name in names}
    parents = [names.index(parent) if parent else -1 for parent in above.values()]
    told = any(
        np.nanmax(np.abs(offsets[name]), initial=0.0) > _NOTHING for name in names if above[name]
    )
    heads = np.zeros((len(names), 3))
    for bone, name in enumerate(names):
        parent = above[name]
        if parent is not None and told and np.isfinite(offsets[name]).all():
            heads[bone] = heads[parents[bone]] + offsets[name]
        elif parent is not None:
            heads[bone] = (
                heads[parents[bone]] + humanoid_standing()[name] - humanoid_standing()[parent]
            )
    heads[:, 2] += (
        humanoid_standing()[_HIPS][2] if not _has_legs(names) else _SOLE - heads[:, 2].min()
    )
    rotations = np.tile(quaternion.IDENTITY, (len(names), 1))
    return bones_at_rest(names, parents, rotations, heads)


def _sent_parent(name: str, sent: Mapping[str, Array]) -> str | None:
    parent = humanoid_parents()[name]
    while parent is not None and parent not in sent:
        parent = humanoid_parents()[parent]
    return parent


def _has_legs(names: list[str]) -> bool:
    return any(name.endswith(("Foot", "Toes")) for name in names)
