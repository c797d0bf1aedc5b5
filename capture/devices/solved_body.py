"""Bones at rest of a body of which only poses in the world are told."""

from dataclasses import dataclass

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.retarget.bones import Bones
from .bone_chain import bones_at_rest, world_from_local

__all__ = ["SolvedBody"]

_STRETCHED = 0.03  # metres; a bone that starts elsewhere by more belongs to another body
_SOLE = 0.02  # metres, how high the toe joints are over the floor


@dataclass
class SolvedBody:
    """Learns a body's lengths from its first whole pose, and keeps them while they stay the same."""

    bones: Bones | None = None
    _offsets: Array | None = None  # (B, 3) where each bone starts in its parent's frame

    def at_rest(
        self,
        names: tuple[str, ...],
        parents: tuple[int, ...],
        rest: Array,
        rotations: Array,
        heads: Array,
    ) -> Bones | None:
        """The bones at rest, new ones only when the body has other bones or lengths.

        Args:
            names: B bones, parents first.
            parents: index of each bone's parent, -1 for none.
            rest: (B, 4) world_from_bone at rest.
            rotations: (B, 4) world_from_bone of a pose; NaN where missing.
            heads: (B, 3) metres of that pose; NaN where missing.

        Returns:
            None as long as no whole pose of these bones came.
        """
        same = self.bones is not None and self.bones.names == names
        if not (np.isfinite(rotations).all() and np.isfinite(heads).all()):
            return self.bones if same else None
        offsets = _offsets(parents, rotations, heads)
        if not same or self._offsets is None or np.abs(offsets - self._offsets).max() > _STRETCHED:
            self._offsets = offsets
            self.bones = _standing(names, parents, rest, offsets)
        return self.bones


def _offsets(parents: tuple[int, ...], rotations: Array, heads: Array) -> Array:
    above = np.array(parents)
    away = heads - heads[above]
    offsets = quaternion.rotate(quaternion.conjugate(rotations[above]), away)
    offsets[above < 0] = 0.0
    return offsets


def _standing(
    names: tuple[str, ...], parents: tuple[int, ...], rest: Array, offsets: Array
) -> Bones:
    above = np.array(parents)
    local = quaternion.multiply(quaternion.conjugate(rest[above]), rest)
    local[above < 0] = rest[above < 0]
    _, heads = world_from_local(parents, local, offsets)
    heads[:, 2] += _SOLE - heads[:, 2].min()
    return bones_at_rest(names, parents, rest, heads)
