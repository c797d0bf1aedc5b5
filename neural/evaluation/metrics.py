"""The field's metrics of a body motion against the true one, as numbers of a motion pair.

Definitions follow Huang et al. 2018 (DIP: SIP error, angular error), Yi et al. 2021 (TransPose: positions
with the root aligned, jerk, root drift over distance) and Ling et al. 2020 (foot skate).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array, Mask
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS
from ..body import LOWER, UPPER, leg_scale
from ..contacts import TOES, foot_contacts

__all__ = ["UNITS", "average", "motion_metrics"]

_SIP = ["left_hip", "right_hip", "left_shoulder", "right_shoulder"]
_UPPER = [BODY_JOINTS.index(name) for name in (*UPPER, "head", "left_hand", "right_hand")]
_LOWER = [BODY_JOINTS.index(name) for name in LOWER]
_DRIFT_DISTANCES = (1.0, 2.0, 5.0)  # metres

UNITS: Mapping[str, str] = {
    "sip_error": "degrees",  # global rotation of hips and shoulders
    "angular_error_global": "degrees",  # of the joints that are posed, world rotations
    "angular_error_local": "degrees",  # relative to the parent joint
    "position_error": "cm",  # all joints, root origins aligned
    "position_error_upper": "cm",
    "position_error_lower": "cm",
    "jerk": "10^2 m/s^3",  # mean over joints of the third derivative of positions
    "jerk_true": "10^2 m/s^3",
    "root_drift_1m": "cm",  # after the true root travelled so far
    "root_drift_2m": "cm",
    "root_drift_5m": "cm",
    "foot_skate": "cm/s",  # horizontal speed of feet while they stand
    "foot_skate_true": "cm/s",
    "penetration": "cm",  # mean depth of the lowest toe or ankle below its height when it stands
    "penetration_true": "cm",
}


def motion_metrics(predicted: Motion, truth: Motion) -> dict[str, float]:
    """Every metric of `UNITS` for two motions of one 24-joint skeleton, equally long and fast.

    A metric that the clip can't tell (drift over 5 m of one that walks 3 m) is NaN.
    """
    rotations, positions = predicted.world()
    true_rotations, true_positions = truth.world()
    angle = np.degrees(quaternion.angle(rotations, true_rotations))
    posed = [BODY_JOINTS.index(name) for name in (*UPPER, *LOWER)]
    local = np.degrees(quaternion.angle(predicted.rotations, truth.rotations))
    aligned = positions - positions[:, :1]
    distance = 100 * np.linalg.norm(aligned - (true_positions - true_positions[:, :1]), axis=-1)
    scale = leg_scale(truth.skeleton.offsets)
    standing = foot_contacts(true_positions, truth.fps, scale)
    return {
        "sip_error": float(angle[:, [BODY_JOINTS.index(n) for n in _SIP]].mean()),
        "angular_error_global": float(angle[:, posed].mean()),
        "angular_error_local": float(local[:, posed[1:]].mean()),
        "position_error": float(distance[:, 1:].mean()),
        "position_error_upper": float(distance[:, _UPPER[1:]].mean()),
        "position_error_lower": float(distance[:, _LOWER].mean()),
        "jerk": _jerk(positions, truth.fps),
        "jerk_true": _jerk(true_positions, truth.fps),
        **_root_drift(predicted.root_position, truth.root_position),
        "foot_skate": _foot_skate(positions, standing, truth.fps),
        "foot_skate_true": _foot_skate(true_positions, standing, truth.fps),
        "penetration": _penetration(positions),
        "penetration_true": _penetration(true_positions),
    }


def average(rows: Sequence[Mapping[str, float]], lengths: Sequence[int]) -> dict[str, float]:
    """Mean of each metric over clips, weighted by their frames; NaN entries are left out."""
    weights = np.asarray(lengths, dtype=np.float64)
    result = {}
    for name in UNITS:
        values = np.array([row[name] for row in rows])
        known = np.isfinite(values)
        result[name] = (
            float(np.average(values[known], weights=weights[known])) if known.any() else np.nan
        )
    return result


def _jerk(positions: Array, fps: float) -> float:
    if len(positions) < 4:
        return np.nan
    third = np.diff(positions, n=3, axis=0) * fps**3
    return float(np.linalg.norm(third, axis=-1).mean() / 100)


def _root_drift(predicted: Array, truth: Array) -> dict[str, float]:
    """Error of the horizontal displacement since a start, when the truth has travelled 1, 2, 5 m."""
    steps = np.linalg.norm(np.diff(truth[:, :2], axis=0), axis=-1)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    starts = np.arange(0, len(truth), 30)
    result = {}
    for distance in _DRIFT_DISTANCES:
        ends = np.searchsorted(travelled, travelled[starts] + distance)
        use = ends < len(truth)
        first, last = starts[use], ends[use]
        error = (predicted[last] - predicted[first]) - (truth[last] - truth[first])
        drift = 100 * np.linalg.norm(error[:, :2], axis=-1)
        result[f"root_drift_{distance:.0f}m"] = float(drift.mean()) if len(drift) else np.nan
    return result


def _foot_skate(positions: Array, standing: Mask, fps: float) -> float:
    """Horizontal speed of the balls of the feet over the frames in which the true foot stands."""
    both = standing[1:] & standing[:-1]
    if not both.any():
        return np.nan
    speed = np.linalg.norm(np.diff(positions[:, TOES, :2], axis=0), axis=-1) * fps
    return float(100 * speed[both].mean())


def _penetration(positions: Array) -> float:
    """Mean depth of the lowest joint below the floor z = 0."""
    lowest = positions[..., 2].min(axis=-1)
    return float(100 * np.maximum(-lowest, 0.0).mean())
