"""Where feet should be: one place per stand, the floor, and nothing else."""

import os
from pathlib import Path

import numpy as np
import pytest

from pallas.neural.contacts import ANKLES, TOES, foot_contacts
from pallas.neural.feet import clean_feet
from pallas.neural.library import load_library
from pallas.neural.root import SOLES
from pallas.rig import Motion, body_skeleton, quaternion
from pallas.rig.planting.foot_paths import CLEARANCE, foot_paths

FPS = 60.0


def walking_points(frames: int, drift: float = 0.0) -> np.ndarray:
    """(T, 4, 3) two flat feet side by side, the left one sliding by `drift` metres a second."""
    skeleton = body_skeleton()
    rest = skeleton.rest_positions[ANKLES + TOES]
    rest[:, 2] = SOLES
    points = np.tile(rest, (frames, 1, 1))
    points[:, [0, 2], 1] -= drift * np.arange(frames)[:, None] / FPS
    return points


def test_feet_that_stand_where_they_belong_need_no_path():
    contacts = np.zeros((50, 2), dtype=bool)
    lifted = walking_points(50) + np.array([0.0, 0.0, 0.2])
    assert foot_paths(lifted, contacts, FPS, 1.0) is None


def test_a_sliding_stand_is_held_at_its_mean_place():
    points = walking_points(60, drift=0.1)
    contacts = np.zeros((60, 2), dtype=bool)
    contacts[20:40, 0] = True
    paths = foot_paths(points, contacts, FPS, 1.0)
    stand = paths[20:40, 2]
    np.testing.assert_allclose(
        stand[:, :2], np.tile(points[20:40, 2, :2].mean(0), (20, 1)), atol=1e-4
    )
    np.testing.assert_allclose(stand[:, 2], SOLES[2], atol=1e-4)


def test_what_a_stand_moves_fades_before_and_after_it():
    points = walking_points(120, drift=0.1)
    contacts = np.zeros((120, 2), dtype=bool)
    contacts[50:60, 0] = True
    moved = np.linalg.norm(foot_paths(points, contacts, FPS, 1.0) - points, axis=-1)
    assert moved[50:60, 2].max() > 0.005
    assert moved[[0, 119]].max() < 1e-4
    assert moved[:, [1, 3]].max() < 1e-9  # the other foot


def test_a_foot_as_fast_as_a_run_does_not_stand():
    points = walking_points(60, drift=6.0)
    contacts = np.ones((60, 2), dtype=bool)
    contacts[:, 1] = False
    assert foot_paths(points, contacts, FPS, 1.0) is None


def test_the_ball_of_a_foot_that_swings_clears_the_floor():
    points = walking_points(60, drift=1.5)
    contacts = np.zeros((60, 2), dtype=bool)
    contacts[:, 1] = True
    paths = foot_paths(points, contacts, FPS, 1.0)
    np.testing.assert_allclose(paths[:, 2, 2], SOLES[2] + CLEARANCE, atol=1e-4)
    assert np.abs(paths[:, [1, 3]] - points[:, [1, 3]]).max() < 1e-4  # the foot that stands
    slow = walking_points(60, drift=0.2)
    contacts[:] = False
    assert foot_paths(slow, contacts, FPS, 1.0) is None


def test_heel_and_ball_stay_as_far_apart_as_the_foot_is_long():
    points = walking_points(80, drift=0.2)
    points[30:50, 0, 2] += 0.05  # the heel is raised
    points[:, 2] = points[:, 0] + [0.0, -0.078 * 1.7, -0.033 * 1.7]
    contacts = np.zeros((80, 2), dtype=bool)
    contacts[20:60, 0] = True
    paths = foot_paths(points, contacts, FPS, 1.0)
    length = np.linalg.norm(paths[:, 2] - paths[:, 0], axis=-1)
    np.testing.assert_allclose(length, np.hypot(0.078, 0.033) * 1.7, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_legs_that_flail_are_never_more_than_a_centimetre_below_the_floor(seed):
    random = np.random.default_rng(seed)
    skeleton = body_skeleton()
    frames = 240
    slow = np.cumsum(random.normal(0, 1.0, (frames, 24, 3)), axis=0)
    slow = 0.05 * (slow - slow.mean(0))
    slow[:, 1:3, 0] -= 0.4
    slow[:, 4:6] = np.abs(slow[:, 4:6]) * [1.0, 0.0, 0.0] + [0.6, 0.0, 0.0]
    rotations = quaternion.from_rotation_vector(
        slow * np.isin(np.arange(24), [1, 2, 4, 5, 7, 8])[:, None]
    )
    motion = Motion(skeleton, np.tile([0.0, 0.0, 0.8], (frames, 1)), rotations, FPS)
    lowest = (motion.world()[1][:, ANKLES + TOES, 2] - SOLES).min(axis=1)
    root = np.array(motion.root_position)
    root[:, 2] -= np.minimum(lowest, 0.0) + 0.02  # up to two centimetres deep
    motion = Motion(skeleton, root, rotations, FPS)
    contacts = np.repeat(random.random((frames // 12, 2)) < 0.5, 12, axis=0)
    cleaned = clean_feet(motion, contacts)
    assert (SOLES - cleaned.world()[1][:, ANKLES + TOES, 2]).max() < 0.01


def test_true_motions_that_slide_a_little_are_cleaned_without_a_scratch():
    library = Path(os.environ.get("PALLAS_LIBRARY", "no library"))
    if not library.is_dir():
        pytest.skip("no motion library: set PALLAS_LIBRARY to the folder of pallas library build")
    for clip in list(load_library(library, "validation"))[::12]:
        motion = clip.motion.resampled(FPS)
        scale = float(motion.skeleton.offsets[0, 2] / body_skeleton().offsets[0, 2])
        contacts = foot_contacts(motion.world()[1], FPS, scale)
        cleaned = clean_feet(motion, contacts)
        depth = SOLES * scale - cleaned.world()[1][:, ANKLES + TOES, 2]
        assert depth.max() < 0.01, clip.name
