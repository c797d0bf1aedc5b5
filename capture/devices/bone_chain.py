"""Bones that are sent relative to their parents, put together in the world."""

from collections.abc import Sequence

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.retarget.bones import Bones

__all__ = ["bones_at_rest", "world_from_local"]


def world_from_local(
    parents: Sequence[int], rotations: Array, positions: Array
) -> tuple[Array, Array]:
    """Poses in the world of bones whose poses are told in their parents' frames.

    Args:
        parents: index of each bone's parent, before the bone itself; -1 for none.
        rotations: (B, 4) parent_from_bone.
        positions: (B, 3) metres, where a bone starts in its parent's frame.

    Returns:
        world_from_bone (B, 4) and heads (B, 3).
    """
    world, heads = rotations.copy(), positions.copy()
    # All bones of one depth at once: few steps, however many fingers there are.
    depths = np.zeros(len(parents), dtype=np.intp)
    for bone, parent in enumerate(parents):
        depths[bone] = depths[parent] + 1 if parent >= 0 else 0
    above = np.asarray(parents, dtype=np.intp)
    for depth in range(1, int(depths.max(initial=0)) + 1):
        here = np.flatnonzero(depths == depth)
        up = above[here]
        world[here] = quaternion.multiply(world[up], rotations[here])
        heads[here] = heads[up] + quaternion.rotate(world[up], positions[here])
    return world, heads


def bones_at_rest(
    names: Sequence[str], parents: Sequence[int], rotations: Array, heads: Array
) -> Bones:
    """Bones that reach to the mean of their children; the ends of the last ones are not known.

    Args:
        names: one per bone.
        parents: index of each bone's parent, -1 for none.
        rotations: (B, 4) world_from_bone at rest.
        heads: (B, 3) metres.
    """
    above = np.asarray(parents)
    tails = np.full((len(names), 3), np.nan)
    for bone in range(len(names)):
        below = above == bone
        if below.any():
            tails[bone] = heads[below].mean(axis=0)
    return Bones(tuple(names), tuple(parents), rotations, heads, tails)
