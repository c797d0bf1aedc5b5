"""Where keypoints are that nobody measured, by the body that moves there."""

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import ShapeError
from ..rig.motion import Motion

__all__ = ["places_on_body"]


def places_on_body(positions: Array, motion: Motion) -> Array:
    """Carry keypoints along with the joints that they are nearest to.

    Args:
        positions: (T, K, 3) metres in the world, NaN where not measured.
        motion: of the same T frames.

    Returns:
        (T, K, 3): a measured keypoint where it is; another one where its joint carries it, by its offset
        from the joint on either side; NaN where it is measured nowhere.

    Raises:
        ShapeError: the motion has another number of frames.
    """
    if len(motion) != len(positions):
        raise ShapeError(
            f"the motion has {len(motion)} frames, expected the {len(positions)} of the keypoints"
        )
    turns, joints = motion.world()
    return np.stack(
        [_carried(positions[:, k], turns, joints) for k in range(positions.shape[1])], axis=1
    )


def _carried(track: Array, turns: Array, joints: Array) -> Array:
    """(T, 3) of one keypoint (T, 3)."""
    known = np.flatnonzero(np.isfinite(track).all(axis=-1))
    if not len(known):
        return np.array(track)
    away = np.linalg.norm(track[known, None] - joints[known], axis=-1)
    joint = int(np.median(away, axis=0).argmin())
    turn, origin = turns[:, joint], joints[:, joint]
    offset = quaternion.rotate(quaternion.conjugate(turn[known]), track[known] - origin[known])
    frames = np.arange(len(track))
    between = np.stack([np.interp(frames, known, line) for line in offset.T], axis=-1)
    found = origin + quaternion.rotate(turn, between)
    found[known] = track[known]
    return np.asarray(found)
