"""Shoulders and pelvis turned by whole turns, or by the other triple of angles, are told plainly."""

import numpy as np
import pytest

from pallas.rig.anatomy import anatomical_model
from pallas.rig.anatomy.turns import plain_turns
from pallas.rig.model.places import body_places

ARM = ("arm_flex_l", "arm_add_l", "arm_rot_l")


def swinging(model):
    """Ten poses of a left arm that swings, as people tell it, radians."""
    pose = np.tile(model.default_pose, (10, 1))
    for name, middle in zip(ARM, (0.3, -0.4, 0.2), strict=True):
        pose[:, model.coordinate_index(name)] = middle + np.linspace(-0.2, 0.2, 10)
    return pose


@pytest.mark.parametrize("turns", [0.0, 2.0, -3.0])
@pytest.mark.parametrize("other", [False, True])
def test_the_same_turn_is_told_in_the_same_way(turns, other):
    model = anatomical_model()
    pose = swinging(model)
    wound, places = pose.copy(), [model.coordinate_index(name) for name in ARM]
    if other:
        flex, add, rotation = pose[:, places].T
        wound[:, places] = np.stack([flex + np.pi, np.pi - add, rotation + np.pi], axis=1)
    wound[:, places[0]] += 2.0 * np.pi * turns
    wound[:, model.coordinate_index("pelvis_rotation")] += 2.0 * np.pi * turns
    for there, here in zip(body_places(model, wound), body_places(model, pose), strict=True):
        np.testing.assert_allclose(there, here, atol=1e-9)
    np.testing.assert_allclose(plain_turns(model, wound), pose, atol=1e-9)


def test_what_was_never_seen_is_left_alone():
    model = anatomical_model()
    pose = np.full((3, len(model.coordinates)), np.nan)
    np.testing.assert_array_equal(plain_turns(model, pose), pose)
