"""A solved motion against the pose that a suit's own software computed for the same take."""

from collections.abc import Mapping

import numpy as np

from ...rig import quaternion
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS
from ..body import LOWER, UPPER

__all__ = ["compare_with_reference"]

_BONES = (
    "pelvis",
    "spine3",
    "neck",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
)


def compare_with_reference(solved: Motion, reference: Motion) -> Mapping[str, float]:
    """Angles in degrees and distances in centimetres between two 24-joint motions of one take.

    Args:
        solved: our motion.
        reference: the other program's, brought to the 24 joints; resampled to the solved rate.

    Returns:
        Mean global angular error per bone of the upper body ("angle_left_elbow", …), over the upper body
        and the legs, and joint distances with the pelvis aligned, on the reference's own bones.
    """
    times = solved.times[solved.times <= reference.duration + 1e-9]
    world = quaternion.resample(reference.world()[0], reference.times, times)
    found = solved.world()[0][: len(times)]
    angle = np.degrees(quaternion.angle(found, world)).mean(axis=0)
    errors = {f"angle_{name}": float(angle[BODY_JOINTS.index(name)]) for name in _BONES}
    for part, names in (("upper", UPPER), ("legs", LOWER)):
        errors[f"angle_{part}"] = float(angle[[BODY_JOINTS.index(n) for n in names]].mean())
    origin = np.zeros((len(times), 3))
    ours = Motion.from_world(reference.skeleton, origin, found, solved.fps).world()[1]
    theirs = Motion.from_world(reference.skeleton, origin, world, solved.fps).world()[1]
    distance = 100 * np.linalg.norm(ours - theirs, axis=-1).mean(axis=0)
    for part, names in (("upper", UPPER[1:]), ("legs", LOWER)):
        errors[f"distance_{part}"] = float(distance[[BODY_JOINTS.index(n) for n in names]].mean())
    return errors
