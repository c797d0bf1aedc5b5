"""Legs in closed form: targets in reach are met exactly, and nothing turns that need not."""

import numpy as np

from pallas.rig import body_skeleton, quaternion
from pallas.rig.planting import LegBones, reached

LEGS = LegBones.of(body_skeleton())
THIGH, SHANK = 0.245 * 1.70, 0.230 * 1.70
HIPS = np.array([[0.1, 0.0, 0.9], [-0.1, 0.0, 0.9]])


def posed(hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray) -> np.ndarray:
    """World matrices (..., 2, 3, 3, 3) of local rotation vectors (..., 2, 3)."""
    first = quaternion.from_rotation_vector(hip)
    second = quaternion.multiply(first, quaternion.from_rotation_vector(knee))
    third = quaternion.multiply(second, quaternion.from_rotation_vector(ankle))
    return quaternion.to_matrix(np.stack([first, second, third], axis=-2))


def points(turns: np.ndarray, hips: np.ndarray = HIPS) -> tuple[np.ndarray, np.ndarray]:
    """Ankles and balls of the feet."""
    bones = np.stack([LEGS.thigh, LEGS.shank, LEGS.foot], axis=1)
    chain = hips[..., None, :] + np.cumsum((turns @ bones[..., None])[..., 0], axis=-2)
    return chain[..., 1, :], chain[..., 2, :]


def bent(frames: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    knee = np.zeros((frames, 2, 3))
    knee[..., 0] = random.uniform(0.2, 1.4, (frames, 2))
    return posed(random.normal(0, 0.3, (frames, 2, 3)), knee, random.normal(0, 0.2, (frames, 2, 3)))


def test_targets_in_reach_are_met_to_the_last_digits():
    turns = bent(500)
    ankle, ball = points(turns)
    random = np.random.default_rng(1)
    target = ankle + random.normal(0, 0.02, ankle.shape)
    tilt = quaternion.from_rotation_vector(random.normal(0, 0.1, ankle.shape))
    toe = target + quaternion.rotate(tilt, ball - ankle)
    near = np.linalg.norm(target - HIPS, axis=-1) < 0.999 * (THIGH + SHANK)
    found_ankle, found_toe = points(reached(LEGS, HIPS, turns, target, toe))
    assert near.mean() > 0.9
    np.testing.assert_allclose(found_ankle[near], target[near], atol=1e-9)
    np.testing.assert_allclose(found_toe[near], toe[near], atol=1e-9)


def test_legs_that_are_there_already_do_not_turn():
    turns = bent(100)
    np.testing.assert_allclose(reached(LEGS, HIPS, turns, *points(turns)), turns, atol=1e-9)


def test_a_leg_folded_further_than_legs_are_bent_to_reach_does_not_turn_either():
    knee = np.tile([2.75, 0.0, 0.0], (2, 1))
    turns = posed(np.zeros((2, 3)), knee, np.zeros((2, 3)))
    np.testing.assert_allclose(reached(LEGS, HIPS, turns, *points(turns)), turns, atol=1e-9)


def test_results_are_rotations():
    turns = bent(100)
    ankle, ball = points(turns)
    found = reached(LEGS, HIPS, turns, ankle + 0.05, ball + 0.05)
    np.testing.assert_allclose(
        found @ found.swapaxes(-1, -2), np.broadcast_to(np.eye(3), found.shape), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(found), 1.0, atol=1e-9)


def test_the_knee_of_a_hanging_leg_bends_by_the_law_of_cosines():
    straight = posed(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3)))
    ankle, ball = points(straight)
    up = np.array([0.0, 0.0, 0.1])
    found = reached(LEGS, HIPS, straight, ankle + up, ball + up)
    distance = THIGH + SHANK - 0.1
    cosine = (distance**2 - THIGH**2 - SHANK**2) / (2 * THIGH * SHANK)
    knee = quaternion.from_matrix(found[:, 0].swapaxes(-1, -2) @ found[:, 1])
    # The shank swings back, about the x axis that points to the performer's left.
    np.testing.assert_allclose(
        quaternion.to_rotation_vector(knee), [[np.arccos(cosine), 0.0, 0.0]] * 2, atol=1e-9
    )


def test_a_target_out_of_reach_is_approached_along_a_nearly_straight_leg():
    turns = bent(1)[0]
    ankle, ball = points(turns)
    far = HIPS + np.array([0.0, -1.0, -1.0])
    found, _ = points(reached(LEGS, HIPS, turns, far, far + ball - ankle))
    way = (found - HIPS) / np.linalg.norm(found - HIPS, axis=-1, keepdims=True)
    np.testing.assert_allclose(way, [[0.0, -np.sqrt(0.5), -np.sqrt(0.5)]] * 2, atol=1e-9)
    assert (np.linalg.norm(found - HIPS, axis=-1) > 0.999 * (THIGH + SHANK)).all()
