"""A motion to be retargeted: where its bones are in the world."""

import numpy as np
import pytest

from pallas.rig import Motion, ShapeError, Skeleton, quaternion
from pallas.rig.retarget.source import SourceMotion

ARM = Skeleton(
    ("shoulder", "elbow"),
    (-1, 0),
    np.array([[0.0, 0, 1.4], [0.3, 0, 0]]),
    np.array([[np.nan] * 3, [0.2, 0, 0]]),
)


def raised(frames=3):
    """The upper arm turns from level to straight up about -y."""
    turns = np.tile(quaternion.IDENTITY, (frames, 2, 1))
    angles = np.linspace(0, -np.pi / 2, frames)
    turns[:, 0] = quaternion.from_axis_angle(np.array([0.0, 1, 0]), angles)
    return Motion(ARM, np.tile([0.0, 0, 1.4], (frames, 1)), turns, 10.0)


def test_the_elbow_of_a_raised_arm_is_above_the_shoulder():
    source = SourceMotion.of_motion(raised(), "wave")
    np.testing.assert_allclose(source.heads[-1, 1], [0, 0, 1.7], atol=1e-12)
    assert (len(source), source.fps, source.duration, source.name) == (3, 10.0, 0.2, "wave")
    np.testing.assert_allclose(source.times, [0, 0.1, 0.2])


def test_a_child_turns_with_its_parent():
    source = SourceMotion.of_motion(raised())
    np.testing.assert_allclose(source.rotations[:, 1], source.rotations[:, 0])


def test_a_joint_is_a_bone_to_its_child_or_its_tip():
    bones = SourceMotion.of_motion(raised()).bones
    np.testing.assert_allclose(bones.tails, [[0.3, 0, 1.4], [0.5, 0, 1.4]])


def test_every_second_frame_is_half_the_rate():
    source = SourceMotion.of_motion(raised(5)).clipped(0, 5, 2)
    assert (len(source), source.fps) == (3, 5.0)
    assert source.duration == pytest.approx(0.4)


def test_a_higher_rate_turns_in_between():
    source = SourceMotion.of_motion(raised(2)).resampled(20.0)
    half = quaternion.from_axis_angle(np.array([0.0, 1, 0]), -np.pi / 4)
    assert len(source) == 3
    assert quaternion.angle(source.rotations[1, 0], half) < 1e-9


@pytest.mark.parametrize("fps", [0.0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_none_is_refused(fps):
    source = SourceMotion.of_motion(raised())
    with pytest.raises(ShapeError, match="positive number of frames"):
        SourceMotion(source.bones, source.rotations, source.heads, fps)


def test_as_many_bones_must_move_as_there_are():
    source = SourceMotion.of_motion(raised())
    with pytest.raises(ShapeError, match="heads"):
        SourceMotion(source.bones, source.rotations, source.heads[:, :1], 30.0)


def test_a_step_of_no_frames_is_refused():
    with pytest.raises(ShapeError, match="step"):
        SourceMotion.of_motion(raised()).clipped(0, 3, 0)


def test_what_is_given_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        SourceMotion.of_motion(raised()).heads[0] = 0.0
