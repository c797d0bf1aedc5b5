"""Which part of the body each coordinate moves: root, trunk, legs, arms."""

from typing import Literal

import numpy as np
import torch

from ..sides import side_pairs
from .kinematics import bodies_in_world
from .model import KinematicModel

__all__ = ["BodyPart", "part_of_coordinates"]

BodyPart = Literal["root", "trunk", "legs", "arms"]


def part_of_coordinates(model: KinematicModel) -> dict[str, BodyPart]:
    """The part of every coordinate by name.

    Limbs are bodies that come in left and right, with all that hangs on them; legs are those that begin below
    the root in the default pose.
    """
    sided = {body for pair in side_pairs(model.bodies) for body in pair}
    _, origins = bodies_in_world(model, torch.as_tensor(np.array(model.default_pose)))
    height = dict(zip(model.bodies, origins[:, 2].tolist(), strict=True))
    root = model.bodies[1]
    limb: dict[str, BodyPart] = {}
    parts: dict[str, BodyPart] = {}
    for joint in model.joints:  # parents first
        if joint.child in sided:
            begins: BodyPart = "legs" if height[joint.child] < height[root] else "arms"
            limb[joint.child] = limb.get(joint.parent, begins)
        elif joint.parent in limb:
            limb[joint.child] = limb[joint.parent]
        on_ground = joint.parent == model.bodies[0]
        for name in joint.coordinates:
            parts[name] = "root" if on_ground else limb.get(joint.child, "trunk")
    return parts
