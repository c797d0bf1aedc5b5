"""How well the facing is found from the motion alone, and exchanged wrists are noticed."""

from collections.abc import Sequence

import numpy as np

from ...capture.calibration import POSES
from ...capture.facing import estimate_facing, sides_look_swapped
from ...capture.imu import PLACEMENTS
from ...capture.virtual_imu import virtual_recording
from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import ModelError
from .clips import EvaluationClip, Progress

__all__ = ["evaluate_facing"]

SHORTEST = 2.0  # seconds; less motion hardly tells
_TURNED = np.array([POSES["npose"].get(name, quaternion.IDENTITY) for name in PLACEMENTS])


def evaluate_facing(clips: Sequence[EvaluationClip], progress: Progress) -> dict[str, float]:
    """Turn every clip to a random heading, forget it, and find it again.

    Returns:
        Number of clips, median and 90th percentile of the error in degrees, and how often wrists in the
        right and in the exchanged order are taken for exchanged.

    Raises:
        ModelError: no clip is long enough.
    """
    random = np.random.default_rng(0)
    errors, false_alarms, noticed = [], [], []
    for number, clip in enumerate(clips):
        progress(number, len(clips), clip.name)
        if clip.motion.duration < SHORTEST:
            continue
        bones = virtual_recording(clip.motion, fps=30.0).world_from_sensor
        facing = random.uniform(-np.pi, np.pi)
        found = estimate_facing(_uncalibrated(bones, facing), _TURNED)
        errors.append(abs((found - facing + np.pi) % (2 * np.pi) - np.pi))
        false_alarms.append(sides_look_swapped(bones, by_pose=False))
        noticed.append(sides_look_swapped(bones[:, [0, 2, 1, 3]], by_pose=False))
    if not errors:
        raise ModelError(f"no clip lasts {SHORTEST:g} s; facing can't be told from less")
    degrees = np.degrees(errors)
    return {
        "clips": len(errors),
        "median_degrees": float(np.median(degrees)),
        "p90_degrees": float(np.percentile(degrees, 90)),
        "false_alarms": float(np.mean(false_alarms)),
        "exchanges_noticed": float(np.mean(noticed)),
    }


def _uncalibrated(bones: Array, facing: float) -> Array:
    """The bones as a calibration that takes the facing for zero believes them to be."""
    heading = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), facing)
    wrong = quaternion.multiply(quaternion.conjugate(heading), _TURNED)
    return quaternion.multiply(bones, quaternion.multiply(quaternion.conjugate(_TURNED), wrong))
