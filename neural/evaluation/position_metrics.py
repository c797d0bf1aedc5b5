"""How far joints are from where they should be, how differently they move, and how smoothly."""

import numpy as np

from ...rig.arrays import Array
from .comparison import AGROL_LOWER, AGROL_UPPER, HANDS, LEGS, TRUNK_AND_ARMS, Comparison

__all__ = ["jerk", "position_metrics"]

_BODY = slice(0, 22)  # SMPL's body without the hands, as AvatarPoser and AGRoL evaluate it


def position_metrics(pair: Comparison) -> dict[str, float]:
    """Distances in cm, velocities in cm/s, jerk in 10^2 m/s^3; means over frames and joints.

    p are predicted joint origins in the world, p' true ones, p0 and p0' the roots'.

    - position_error (MPJPE, root aligned): |(p - p0) - (p' - p0')| of joints 1 to 23; "upper" of the
      spine, neck, head, collars and arms with the hands [3, 6, 9, 12 .. 23], "lower" of the legs
      [1, 2, 4, 5, 7, 8, 10, 11], "hands" of the wrists [20, 21].
    - position_error_reduced: the same of all 24 joints after the root and the leaves are held at rest
      (see `rotation_metrics`), as TransPose and PIP publish it.
    - velocity_error (MPJVE, Jiang et al. 2022): |dp/dt - dp'/dt| of joints 0 to 21 in the world, nothing
      aligned, forward differences; "upper", "lower" and "hands" as AGRoL groups joints, "lower" with the
      root: [3, 6, 9, 12 .. 21], [0, 1, 2, 4, 5, 7, 8, 10, 11], [20, 21].
    - jerk: see `jerk`; of the predicted and of the true motion in the world.
    """
    positions, true_positions = pair.predicted.world[1], pair.truth.world[1]
    relative = positions - positions[:, :1] - (true_positions - true_positions[:, :1])
    distance = 100.0 * np.linalg.norm(relative, axis=-1)
    reduced, true_reduced = pair.predicted.reduced[1], pair.truth.reduced[1]
    return {
        "position_error": float(distance[:, 1:].mean()),
        "position_error_upper": float(distance[:, TRUNK_AND_ARMS].mean()),
        "position_error_lower": float(distance[:, LEGS].mean()),
        "position_error_hands": float(distance[:, HANDS].mean()),
        "position_error_reduced": float(
            100.0 * np.linalg.norm(reduced - true_reduced, axis=-1).mean()
        ),
        **_velocity_errors(positions - true_positions, pair.fps),
        "jerk": jerk(positions, pair.fps),
        "jerk_true": jerk(true_positions, pair.fps),
    }


def _velocity_errors(difference: Array, fps: float) -> dict[str, float]:
    names = ("velocity_error", *(f"velocity_error_{part}" for part in ("upper", "lower", "hands")))
    if len(difference) < 2:
        return dict.fromkeys(names, np.nan)
    speed = 100.0 * fps * np.linalg.norm(np.diff(difference, axis=0), axis=-1)
    parts = (_BODY, AGROL_UPPER, AGROL_LOWER, HANDS)
    return {name: float(speed[:, part].mean()) for name, part in zip(names, parts, strict=True)}


def jerk(positions: Array, fps: float) -> float:
    """Mean length of the third derivative of joint positions (T, J, 3), in 10^2 m/s^3; NaN below 4 frames.

    |p[t + 3] - 3 p[t + 2] + 3 p[t + 1] - p[t]| fps^3 (TransPose and AGRoL, both in these units; PIP in
    10^3 m/s^3, a tenth of the number; AGRoL's code prints m/s^3, a hundredfold).
    """
    if len(positions) < 4:
        return np.nan
    third = np.diff(positions, n=3, axis=0) * fps**3
    return float(np.linalg.norm(third, axis=-1).mean() / 100.0)
