"""Mending what is known to be wrong with motion-capture files: lost bones, calibration frames, glitches."""

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.motion import Motion
from ...rig.skeleton import Skeleton

__all__ = ["mended", "restored_cmu_bvh", "without_pose_frame"]

# Extremities that mocap systems see with few markers: what is noise there may be filtered.
_TOES = ("left_foot", "right_foot")
_WRISTS = ("left_wrist", "right_wrist")
_TOE_SMOOTHING = 0.04  # seconds
_WRIST_LIMIT = np.radians(110.0)  # no wrist bends further
_WRIST_SPEED = 45.0  # rad/s
_WRIST_MARGIN = 0.05  # seconds before and after
_POSE_JUMP = np.radians(12.0)  # between a calibration pose and the first frame of the take
_GLITCH_FRAMES = 3  # the longest run of bad frames that is mended
_GLITCH_SPEED = 9.0  # rad/s that a joint must leave and come back with, and m/s for the root's path
_GLITCH_ROOT_SPEED = 4.0
_WRIST_TO_FOREARM = 0.5  # in every ASF file of the set, `lwrist` is half as long as `lradius`


def restored_cmu_bvh(motion: Motion) -> Motion:
    """Give the widely spread BVH conversion of CMU its two lost bone lengths back.

    It wrote zero offsets for the thorax (about 12 cm) and for the wrist (about 9 cm). In the subjects that
    exist as ASF, the thorax is as long as the bone below it (within 4 %) and the wrist bone is exactly half
    as long as the radius.
    """
    skeleton = motion.skeleton
    offsets = np.array(skeleton.offsets)

    def restore(names: tuple[str, ...], offset: Array) -> None:
        for name in names:
            index = skeleton.index(name)
            if np.linalg.norm(offsets[index]) < 1e-6:
                offsets[index] = offset

    below = skeleton.offsets[skeleton.index("Spine1")]
    thorax = np.array([0.0, 0.0, np.linalg.norm(below)])
    restore(("Neck", "LeftShoulder", "RightShoulder"), thorax)
    for side, thumb in (("Left", "LThumb"), ("Right", "RThumb")):
        radius = skeleton.offsets[skeleton.index(f"{side}Hand")]
        restore((f"{side}FingerBase", thumb), _WRIST_TO_FOREARM * radius)
    whole = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.tips)
    return Motion(whole, motion.root_position, motion.rotations, motion.fps)


def without_pose_frame(motion: Motion, blend: float = 0.0) -> Motion:
    """Drop a first frame that is a calibration pose: everything jumps after it.

    Args:
        motion: any skeleton.
        blend: seconds after it that a converter's filter smeared the pose over.
    """
    if len(motion) < 3:
        return motion
    jumps = quaternion.angle(motion.rotations[:-1], motion.rotations[1:])
    first = 1 + round(blend * motion.fps)
    usual = np.median(jumps[first:].max(axis=1)) if len(motion) > first + 1 else 0.0
    if jumps[0].max() > max(_POSE_JUMP, 2.0 * usual):
        return motion.clipped(first, len(motion))
    return motion


def mended(motion: Motion) -> tuple[Motion, int]:
    """Repair a motion of the 24-joint body.

    Glitches are bridged: a joint or the root that leaves for a frame or three and comes back. Wrists that
    flip over are interpolated; the bend of the toes is smoothed.

    Returns:
        The motion, and the number of frames that were bridged.
    """
    rotations, position = np.array(motion.rotations), np.array(motion.root_position)
    touched = np.zeros(len(motion), dtype=bool)
    for length in range(1, _GLITCH_FRAMES + 1):
        for joint in range(rotations.shape[1]):
            for start in _glitches(rotations[:, joint], length, motion.fps):
                _bridge(rotations[:, joint], start, length)
                touched[start : start + length] = True
        for start in _root_glitches(position, length, motion.fps):
            _bridge_linear(position, start, length)
            touched[start : start + length] = True
    for name in _WRISTS:
        joint = motion.skeleton.index(name)
        rotations[:, joint] = _plausible_wrist(rotations[:, joint], motion.fps)
    for name in _TOES:
        joint = motion.skeleton.index(name)
        rotations[:, joint] = _smoothed(rotations[:, joint], _TOE_SMOOTHING * motion.fps)
    whole = Motion(motion.skeleton, position, quaternion.continuous(rotations), motion.fps)
    return whole, int(touched.sum())


def _plausible_wrist(path: Array, fps: float) -> Array:
    """Interpolate over frames (T, 4) that no wrist can reach, or where it moves too fast."""
    bend = quaternion.angle(path, quaternion.IDENTITY)
    bad = bend > _WRIST_LIMIT
    jumps = quaternion.angle(path[:-1], path[1:]) * fps > _WRIST_SPEED
    bad[:-1] |= jumps
    bad[1:] |= jumps
    if not bad.any():
        return path
    margin = round(_WRIST_MARGIN * fps)
    # Leave time to come back from where the bad frames were entered.
    nearby = np.flatnonzero(bad)[:, None] + np.arange(-margin, margin + 1)
    bad[np.clip(nearby, 0, len(bad) - 1)] = True
    if bad.all():
        return np.tile(quaternion.IDENTITY, (len(path), 1))
    times = np.arange(len(path), dtype=np.float64)
    good = np.flatnonzero(~bad)
    return quaternion.resample(quaternion.continuous(path[good]), times[good], times)


def _smoothed(path: Array, width: float) -> Array:
    """Rotations (T, 4) through a Gaussian of `width` frames; for small rotations."""
    reach = max(int(3.0 * width), 1)
    if len(path) <= 2 * reach:
        return path
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-6)) ** 2)
    vectors = np.pad(quaternion.to_rotation_vector(path), ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel / kernel.sum(), mode="valid") for column in vectors.T]
    return quaternion.from_rotation_vector(np.stack(columns, axis=-1))


def _glitches(path: Array, length: int, fps: float) -> list[int]:
    """First frames of runs of `length` frames that lie apart from both neighbours."""
    if len(path) < length + 2:
        return []
    before, inside, last, after = (
        path[: -length - 1], path[1:-length], path[length:-1], path[length + 1 :],
    )  # fmt: skip
    leaves = quaternion.angle(before, inside)
    returns = quaternion.angle(last, after)
    across = quaternion.angle(before, after)
    return _starts(leaves, returns, across, _GLITCH_SPEED / fps)


def _root_glitches(path: Array, length: int, fps: float) -> list[int]:
    if len(path) < length + 2:
        return []
    leaves = np.linalg.norm(path[1:-length] - path[: -length - 1], axis=-1)
    returns = np.linalg.norm(path[length + 1 :] - path[length:-1], axis=-1)
    across = np.linalg.norm(path[length + 1 :] - path[: -length - 1], axis=-1)
    return _starts(leaves, returns, across, _GLITCH_ROOT_SPEED / fps)


def _starts(leaves: Array, returns: Array, across: Array, least: float) -> list[int]:
    apart = np.minimum(leaves, returns)
    return [int(i) + 1 for i in np.flatnonzero((apart > least) & (across < 0.4 * apart))]


def _bridge(path: Array, start: int, length: int) -> None:
    for step in range(1, length + 1):
        fraction = step / (length + 1)
        path[start + step - 1] = quaternion.slerp(path[start - 1], path[start + length], fraction)


def _bridge_linear(path: Array, start: int, length: int) -> None:
    for step in range(1, length + 1):
        fraction = step / (length + 1)
        path[start + step - 1] = path[start - 1] + fraction * (
            path[start + length] - path[start - 1]
        )
