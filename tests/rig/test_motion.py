"""Skeletons and motions: what they accept, and what resampling keeps."""

import numpy as np
import pytest

from pallas.rig import BODY_JOINTS, Motion, ShapeError, Skeleton, body_skeleton, quaternion


def turning(fps: float, frames: int) -> Motion:
    """A body that turns about the vertical at 1 rad/s while walking 2 m/s along x."""
    times = np.arange(frames) / fps
    rotations = np.tile(quaternion.IDENTITY, (frames, 24, 1))
    rotations[:, 0] = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), times)
    root = np.stack([2.0 * times, 0 * times, 0.9 + 0 * times], axis=-1)
    return Motion(body_skeleton(), root, rotations, fps)


def test_the_body_stands_in_a_t_pose_facing_minus_y_with_its_left_at_plus_x():
    rest = dict(zip(BODY_JOINTS, body_skeleton(1.70).rest_positions, strict=True))
    assert rest["left_wrist"][0] > 0.6
    assert rest["right_wrist"][0] < -0.6
    assert rest["left_wrist"][2] == pytest.approx(rest["left_shoulder"][2])
    assert rest["left_foot"][1] < rest["left_ankle"][1]
    assert 0.0 < rest["left_foot"][2] < 0.03
    head_top = rest["head"][2] + body_skeleton(1.70).tips[BODY_JOINTS.index("head")][2]
    assert head_top == pytest.approx(1.70, rel=0.04)


def test_both_sides_of_the_body_mirror_each_other():
    skeleton = body_skeleton()
    for name in BODY_JOINTS:
        if name.startswith("left"):
            left = skeleton.offsets[skeleton.index(name)]
            right = skeleton.offsets[skeleton.index(name.replace("left", "right"))]
            np.testing.assert_allclose(left * [-1, 1, 1], right)


def test_resampling_keeps_time_speed_and_turning():
    motion = turning(100.0, 101).resampled(30.0)
    assert len(motion) == 31
    assert motion.duration == pytest.approx(1.0)
    np.testing.assert_allclose(motion.root_position, turning(30.0, 31).root_position, atol=1e-12)
    assert quaternion.angle(motion.rotations, turning(30.0, 31).rotations).max() < 1e-6


def test_world_rotations_come_back_as_local_ones():
    motion = turning(60.0, 10)
    world, _ = motion.world()
    again = Motion.from_world(motion.skeleton, motion.root_position, world, 60.0)
    assert quaternion.angle(again.rotations, motion.rotations).max() < 1e-7


def test_an_unknown_joint_is_told_with_those_there_are():
    with pytest.raises(ShapeError, match="no joint 'tail'; the joints are: pelvis, left_hip"):
        body_skeleton().index("tail")


@pytest.mark.parametrize(
    ("names", "parents"),
    [(("a", "a"), (-1, 0)), (("a", "b"), (-1, -1)), (("a", "b"), (-1, 1)), ((), ())],
)
def test_a_tree_that_is_none_is_refused(names, parents):
    with pytest.raises(ShapeError):
        Skeleton(names, parents, np.zeros((len(names), 3)))


def test_arrays_of_a_motion_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        turning(60.0, 2).rotations[0] = 0.0


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(fps):
    with pytest.raises(ShapeError, match="fps"):
        turning(60.0, 2).__class__(body_skeleton(), np.zeros((1, 3)), np.zeros((1, 24, 4)), fps)
