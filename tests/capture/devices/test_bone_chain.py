"""Bones told in their parents' frames, against the engine's own forward kinematics."""

import numpy as np

from pallas.capture.devices.bone_chain import bones_at_rest, world_from_local
from pallas.rig import Motion, body_skeleton, quaternion


def test_the_world_poses_are_those_of_a_motion():
    skeleton = body_skeleton()
    rng = np.random.default_rng(2)
    local = quaternion.normalised(rng.normal(size=(1, 24, 4)))
    root = rng.normal(size=(1, 3))
    world, heads = Motion(skeleton, root, local, 60.0).world()
    starts = np.concatenate([root, skeleton.offsets[1:]])
    rotations, places = world_from_local(skeleton.parents, local[0], starts)
    np.testing.assert_allclose(rotations, world[0], atol=1e-12)
    np.testing.assert_allclose(places, heads[0], atol=1e-12)


def test_what_hangs_on_a_missing_bone_is_missing_and_the_rest_is_not():
    local = np.tile(quaternion.IDENTITY, (4, 1))
    local[1] = np.nan
    rotations, heads = world_from_local((-1, 0, 1, 0), local, np.ones((4, 3)))
    assert np.isnan(rotations[[1, 2]]).all()
    assert np.isnan(heads[2]).all()
    np.testing.assert_array_equal(heads[[0, 1, 3]], [[1, 1, 1], [2, 2, 2], [2, 2, 2]])


def test_no_bones_are_no_bones():
    rotations, heads = world_from_local((), np.zeros((0, 4)), np.zeros((0, 3)))
    assert (rotations.shape, heads.shape) == ((0, 4), (0, 3))


def test_bones_reach_to_the_mean_of_their_children():
    heads = np.array([[0.0, 0, 1], [0.2, 0, 1], [-0.2, 0, 2]])
    bones = bones_at_rest(("a", "b", "c"), (-1, 0, 0), np.tile(quaternion.IDENTITY, (3, 1)), heads)
    np.testing.assert_allclose(bones.tails[0], [0.0, 0.0, 1.5])
    assert np.isnan(bones.tails[1:]).all()
