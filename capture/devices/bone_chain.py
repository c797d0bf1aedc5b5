"""Bones that are sent relative to their parents, put together in the world."""

from collections.abc import Sequence

import numpy as np

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
    # Plain numbers: for a few dozen bones a tenth of the time of array operations, sixty times a second.
    turns: list[list[float]] = rotations.tolist()
    starts: list[list[float]] = positions.tolist()
    for bone, parent in enumerate(parents):
        if parent < 0:
            continue
        (w, x, y, z), (bw, bx, by, bz) = turns[parent], turns[bone]
        turns[bone] = [
            w * bw - x * bx - y * by - z * bz,
            w * bx + x * bw + y * bz - z * by,
            w * by - x * bz + y * bw + z * bx,
            w * bz + x * by - y * bx + z * bw,
        ]
        (px, py, pz), (vx, vy, vz) = starts[parent], starts[bone]
        tx, ty, tz = 2 * (y * vz - z * vy), 2 * (z * vx - x * vz), 2 * (x * vy - y * vx)
        starts[bone] = [
            px + vx + w * tx + y * tz - z * ty,
            py + vy + w * ty + z * tx - x * tz,
            pz + vz + w * tz + x * ty - y * tx,
        ]
    return np.array(turns).reshape(-1, 4), np.array(starts).reshape(-1, 3)


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
