"""Foot cleaning: what stands stays, what sinks comes up, and nothing but the legs moves."""

from dataclasses import replace

import numpy as np
import pytest

from pallas.neural.contacts import ANKLES, TOES
from pallas.neural.feet import LEGS, clean_feet
from pallas.neural.root import SOLES
from pallas.rig import BODY_JOINTS, Motion, body_skeleton, quaternion


def sliding(speed: float, lift: float = 0.0, frames: int = 60) -> Motion:
    """A body with slightly bent knees that glides along x."""
    skeleton = body_skeleton()
    vectors = np.zeros((frames, 24, 3))
    for side in ("left", "right"):
        vectors[:, skeleton.index(f"{side}_hip"), 0] = -0.2
        vectors[:, skeleton.index(f"{side}_knee"), 0] = 0.4
        vectors[:, skeleton.index(f"{side}_ankle"), 0] = -0.2
    root = np.tile(skeleton.offsets[0], (frames, 1))
    root[:, 2] += lift - 0.0161 * 1.70 * 0.6
    root[:, 0] += speed * np.arange(frames) / 60.0
    return Motion(skeleton, root, quaternion.from_rotation_vector(vectors), 60.0)


def toe_speed(motion: Motion) -> np.ndarray:
    toes = motion.world()[1][:, TOES, :2]
    return np.linalg.norm(np.diff(toes, axis=0), axis=-1) * 60.0


def test_a_standing_foot_no_longer_slides():
    motion = sliding(0.08)
    contacts = np.ones((60, 2), dtype=bool)
    assert toe_speed(motion).mean() > 0.07
    assert toe_speed(clean_feet(motion, contacts))[3:-3].max() < 0.01


def test_only_the_legs_move():
    motion = sliding(0.08)
    cleaned = clean_feet(motion, np.ones((60, 2), dtype=bool))
    np.testing.assert_array_equal(cleaned.root_position, motion.root_position)
    for index, name in enumerate(BODY_JOINTS):
        if name not in LEGS:
            np.testing.assert_array_equal(cleaned.rotations[:, index], motion.rotations[:, index])


def test_the_root_and_the_upper_body_keep_every_bit_and_sign_and_the_confidence():
    motion = sliding(0.08)
    rotations = np.array(motion.rotations)
    rotations[20:30] *= -1.0
    motion = replace(motion, rotations=rotations, confidence=np.full((60, 24), 0.5))
    cleaned = clean_feet(motion, np.ones((60, 2), dtype=bool))
    still = [i for i, name in enumerate(BODY_JOINTS) if name not in LEGS]
    np.testing.assert_array_equal(cleaned.rotations[:, still], rotations[:, still])
    np.testing.assert_array_equal(cleaned.confidence, motion.confidence)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_motion_of_few_frames_is_cleaned_too(frames):
    motion = sliding(0.0, lift=-0.04, frames=frames)
    points = [*ANKLES, *TOES]
    cleaned = clean_feet(motion, np.ones((frames, 2), dtype=bool))
    assert (cleaned.world()[1][:, points, 2] - SOLES).min() > -0.005


def test_feet_are_cleaned_the_same_way_for_a_body_of_any_size():
    motion = sliding(0.08)
    taller = replace(
        motion, skeleton=motion.skeleton.scaled(1.2), root_position=1.2 * motion.root_position
    )
    contacts = np.ones((60, 2), dtype=bool)
    small, tall = (clean_feet(m, contacts) for m in (motion, taller))
    # Pins weigh as much in metres, so a larger body is held a little harder.
    assert quaternion.angle(small.rotations, tall.rotations).max() < np.radians(1.0)


def test_soles_below_the_floor_come_up_to_it():
    motion = sliding(0.0, lift=-0.04)
    points = [*ANKLES, *TOES]
    before = motion.world()[1][:, points, 2] - SOLES
    cleaned = clean_feet(motion, np.zeros((60, 2), dtype=bool))
    after = cleaned.world()[1][:, points, 2] - SOLES
    assert before.min() < -0.03
    assert after.min() > -0.005


def test_a_foot_in_the_air_is_left_alone():
    motion = sliding(1.0, lift=0.3)
    cleaned = clean_feet(motion, np.zeros((60, 2), dtype=bool))
    np.testing.assert_array_equal(cleaned.rotations, motion.rotations)


def test_a_foot_that_walks_off_stands_anew_and_is_not_pulled_back():
    motion = sliding(1.0)
    cleaned = clean_feet(motion, np.ones((60, 2), dtype=bool))
    moved = np.linalg.norm(cleaned.world()[1][:, TOES] - motion.world()[1][:, TOES], axis=-1)
    assert moved.max() < 0.12
