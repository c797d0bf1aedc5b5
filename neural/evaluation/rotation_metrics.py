"""How far joint rotations are off: SIP error, angular errors, MPJRE."""

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from .comparison import LEGS, POSED, POSED_UPPER, SIP, Comparison

__all__ = ["mpjre", "rotation_metrics"]

_BODY = slice(1, 22)  # SMPL's 21 body joints: all but the root and the hands


def rotation_metrics(pair: Comparison) -> dict[str, float]:
    """Mean angles in degrees between predicted rotations R and true ones R'.

    The angle between two rotations is that of R^T R' (geodesic), 0 to 180 degrees. Means are over frames
    and joints.

    - sip_error: world rotations of joints [1, 2, 16, 17], hips and shoulders (von Marcard et al. 2017,
      Huang et al. 2018).
    - angular_error_global: world rotations of the 21 posed joints (all but head and hands, 15, 22, 23);
      "upper" of the 13 of root, spine, neck, collars and arms [0, 3, 6, 9, 12, 13, 14, 16 .. 21], "lower" of
      the 8 of the legs [1, 2, 4, 5, 7, 8, 10, 11].
    - angular_error_local: rotations relative to the parent of the 20 posed joints below the root.
    - sip_error_reduced, angular_error_reduced: the same over [1, 2, 16, 17] and over all 24 joints after
      the root and the leaves [0, 7, 8, 10, 11, 20, 21, 22, 23] of both motions are held at rest, as the
      published evaluations of TransPose (Yi et al. 2021) and PIP (Yi et al. 2022) do.
    - mpjre: see `mpjre`. mpjre_geodesic: the angle instead, joints 1 to 21, relative to the parent.
    """
    reduced = np.degrees(quaternion.angle(pair.predicted.reduced[0], pair.truth.reduced[0]))
    return {
        "sip_error": float(pair.global_angles[:, SIP].mean()),
        "angular_error_global": float(pair.global_angles[:, POSED].mean()),
        "angular_error_upper": float(pair.global_angles[:, POSED_UPPER].mean()),
        "angular_error_lower": float(pair.global_angles[:, LEGS].mean()),
        "angular_error_local": float(pair.local_angles[:, POSED[1:]].mean()),
        "sip_error_reduced": float(reduced[:, SIP].mean()),
        "angular_error_reduced": float(reduced.mean()),
        "mpjre": mpjre(pair.predicted.motion.rotations, pair.truth.motion.rotations),
        "mpjre_geodesic": float(pair.local_angles[:, _BODY].mean()),
    }


def mpjre(predicted: Array, truth: Array) -> float:
    """Mean per-joint rotation error as AvatarPoser's and AGRoL's code computes it, in degrees.

    mean |wrap(a - a')| over frames, joints 1 to 21 and the three components of the axis-angle vectors a
    and a' of the rotations relative to the parent; wrap brings a component into -180 to 180 degrees. A
    joint that is off by 10 degrees about a coordinate axis thus counts 10 / 3, and axis-angle vectors
    near 180 degrees may differ much although the rotations hardly do.

    Args:
        predicted: (T, 24, 4) parent_from_joint.
        truth: (T, 24, 4).
    """
    difference = quaternion.to_rotation_vector(predicted[:, _BODY])
    difference = difference - quaternion.to_rotation_vector(truth[:, _BODY])
    wrapped = (difference + np.pi) % (2.0 * np.pi) - np.pi
    return float(np.degrees(np.abs(wrapped)).mean())
