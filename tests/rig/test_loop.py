"""Looping a cycle: as long as asked, without a jump, straight on."""

import numpy as np
import pytest

from pallas.rig import Motion, ShapeError, body_skeleton, quaternion
from pallas.rig.loop import find_cycle, looped


def walking(seconds: float = 3.0, fps: float = 100.0, turn: float = 0.0) -> Motion:
    """Arms and legs swing at exactly 1 Hz while the body goes 1 m/s towards -Y, turning at `turn` rad/s."""
    times = np.arange(int(seconds * fps) + 1) / fps
    skeleton = body_skeleton()
    vectors = np.zeros((len(times), 24, 3))
    vectors[:, skeleton.index("left_hip"), 0] = 0.4 * np.sin(2 * np.pi * times)
    vectors[:, skeleton.index("right_hip"), 0] = -0.4 * np.sin(2 * np.pi * times)
    vectors[:, 0, 2] = turn * times
    heading = turn * times
    velocity = np.stack([np.sin(heading), -np.cos(heading), 0 * times], axis=-1)
    root = np.cumsum(velocity, axis=0) / fps + [[0.0, 0.0, 0.9]]
    return Motion(skeleton, root, quaternion.from_rotation_vector(vectors), fps)


def test_the_cycle_that_is_found_is_the_one_that_is_there():
    start, end = find_cycle(walking())
    assert end - start == pytest.approx(100, abs=1)


@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_the_loop_goes_on_as_the_walk_did(turn):
    long = looped(walking(turn=turn), 10.0)
    truth = walking(10.0, turn=turn)
    assert len(long) == 1001
    assert quaternion.angle(long.rotations, truth.rotations).max() < 0.05
    np.testing.assert_allclose(long.root_position, truth.root_position, atol=0.1)
    step = np.linalg.norm(np.diff(long.root_position, axis=0), axis=-1)
    assert step.max() < 1.2 / 100


def test_too_short_a_motion_is_told():
    with pytest.raises(ShapeError, match="lasts 0.50 s, expected at least 0.9 s"):
        looped(walking(0.5), 10.0)
