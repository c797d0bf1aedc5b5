"""What training varies is what it says: bodies, speeds, places of sensors, and their errors."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.capture.virtual_imu import virtual_recording
from pallas.neural.training.augmentation import Augmentation, draw_errors
from pallas.neural.training.dataset import WindowSampler, prepare
from pallas.neural.training.sites import (
    GROUPS,
    JOINT_GROUPS,
    PART_GROUPS,
    SITE_PARTS,
    SITES,
    acceleration_parts,
)
from pallas.rig import Motion, Skeleton, body_skeleton, quaternion

PERFECT = Augmentation.perfect()
FRAMES = 64


def waving(seconds: float, fps: float = 60.0, turned: float = 0.0) -> Motion:
    """A body that walks straight on and swings every joint once a second."""
    times = np.arange(round(seconds * fps)) / fps
    random = np.random.default_rng(0)
    swing = 0.3 * random.standard_normal((24, 3))
    phase = random.uniform(0, 6, (24, 3))
    vectors = swing * np.sin(2 * np.pi * times[:, None, None] + phase)
    root = np.stack([0.0 * times, -1.2 * times, 0.9 + 0.03 * np.sin(6 * times)], axis=-1)
    rotations = quaternion.from_rotation_vector(vectors)
    heading = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(turned))
    rotations[:, 0] = quaternion.multiply(heading, rotations[:, 0])
    return Motion(body_skeleton(), quaternion.rotate(heading, root), rotations, fps)


def window(motion: Motion, seed: int = 0, frames: int = FRAMES, **changes: float):
    options = replace(PERFECT, **changes)
    track = prepare(motion, 60.0)
    return WindowSampler([track], frames=frames, batch=1, seed=seed, augmentation=options)(0)


def sensed(batch):
    """Acceleration (T, 4, 3) in m/s^2 and rotations (T, 4, 3, 3) of the only window."""
    return batch.sensors[0, ..., :3] * 10, batch.sensors[0, ..., 3:].unflatten(-1, (3, 3))


def test_the_parts_of_a_sensor_add_up_to_what_it_feels():
    motion = waving(3.0)
    felt = virtual_recording(motion, SITES).acceleration
    np.testing.assert_allclose(SITE_PARTS @ acceleration_parts(motion), felt, atol=1e-9)


def test_other_proportions_are_felt_as_by_a_body_that_has_them():
    motion = waving(3.0)
    sizes = np.array([0.95, 1.1, 0.9, 1.05, 0.92, 1.0])
    other = Skeleton(
        motion.skeleton.names,
        motion.skeleton.parents,
        motion.skeleton.offsets * sizes[JOINT_GROUPS, None],
    )
    grown = Motion(other, motion.root_position * sizes[0], motion.rotations, motion.fps)
    expected = virtual_recording(grown, SITES).acceleration
    found = (SITE_PARTS * sizes[PART_GROUPS]) @ acceleration_parts(motion)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert GROUPS[-1] == "levers"


def test_a_window_of_a_larger_body_has_larger_bones_and_the_same_rotations():
    plain, larger = window(waving(2.0)), window(waving(2.0), smallest=1.1, largest=1.1)
    torch.testing.assert_close(larger.offsets, 1.1 * plain.offsets)
    torch.testing.assert_close(larger.sixd, plain.sixd)
    torch.testing.assert_close(larger.velocity, plain.velocity)


def test_a_window_at_another_speed_is_the_motion_played_so():
    # 64 frames at 1.25 times the speed need 79.75 frames: only one start fits into 80.
    warped = window(waving(80 / 60), slowest=1.25, fastest=1.25)
    played = window(replace(waving(80 / 60), fps=75.0))
    inner = slice(8, -8)  # the ends are continued differently
    torch.testing.assert_close(warped.sixd[:, inner], played.sixd[:, inner], atol=5e-3, rtol=0)
    torch.testing.assert_close(
        warped.velocity[:, inner], played.velocity[:, inner], atol=2e-2, rtol=0
    )
    slow, fast = sensed(warped)[0][inner], sensed(played)[0][inner]
    assert (slow - fast).abs().mean() < 0.02 * fast.abs().mean()


@pytest.mark.parametrize(
    ("changes", "sensor", "joint"),
    [
        ({}, 1, "left_elbow"),
        ({"hand": 1.0}, 1, "left_wrist"),
        ({"hand": 1.0}, 2, "right_wrist"),
        ({}, 3, "neck"),
        ({"head": 1.0}, 3, "head"),
        ({"upper_back": 1.0}, 3, "spine3"),
        ({"hand": 1.0, "head": 1.0}, 0, "pelvis"),
    ],
)
def test_a_sensor_follows_the_bone_it_sits_on(changes, sensor, joint):
    batch = window(waving(2.0), **changes)
    torch.testing.assert_close(
        sensed(batch)[1][:, sensor],
        batch.rotations[0, :, body_skeleton().index(joint)],
        atol=1e-5,
        rtol=0,
    )


def test_the_heading_of_a_clip_changes_nothing():
    north, west = window(waving(2.0)), window(waving(2.0, turned=1.7))
    for name in ("sensors", "sixd", "velocity", "height"):
        torch.testing.assert_close(getattr(north, name), getattr(west, name), atol=1e-4, rtol=0)


def errors(frames: int = 4000, seed: int = 0, **changes: float):
    random = np.random.default_rng(seed)
    return draw_errors(replace(PERFECT, **changes), frames, 60.0, random)


def test_perfect_sensors_have_no_errors():
    found = errors()
    for name in ("mounting", "orientation", "noise", "bias"):
        assert not getattr(found, name).any()
    np.testing.assert_array_equal(found.source, np.arange(4000)[:, None].repeat(4, axis=1))


def test_orientation_errors_wander_slowly_and_as_far_as_they_say():
    spreads, steps, levels = [], [], []
    for seed in range(40):
        changes = {
            "worst": 1.0,
            "orientation_noise": 0.0,
            "worn_minutes": 0.0,
            "heading_drift": 0.0,
        }
        levels.append(np.random.default_rng(seed).random())
        path = errors(seed=seed, **changes).orientation
        spreads.append(path.std())
        steps.append(np.diff(path, axis=0).std())
    # The level is the first number drawn.
    assert np.mean(spreads) == pytest.approx(0.02 * np.mean(levels), rel=0.15)
    assert np.mean(steps) < 0.02 * np.mean(spreads)


def test_headings_drift_apart_with_the_time_worn():
    changes = {"worst": 1.0, "orientation_wander": 0.0, "orientation_noise": 0.0}
    paths = [errors(600, seed, **changes).orientation for seed in range(200)]
    assert all(not path[..., :2].any() for path in paths)
    spread = np.std([path[0, :, 2] for path in paths])
    # 0.02 rad/min over minutes even in 0..5, at levels even in 0..1: both have a root mean square.
    assert spread == pytest.approx(0.02 * 5 / 3, rel=0.25)


def test_late_and_lost_samples_show_an_earlier_frame():
    late = np.stack([errors(500, seed, latency=2).source for seed in range(20)])
    delay = np.arange(500)[:, None] - late
    assert set(np.unique(delay[:, 2:])) == {0, 1, 2}
    lost = errors(5000, worst=1.0, dropped=0.05, longest_gap=8).source
    gaps = np.arange(5000)[:, None] - lost
    assert (np.diff(lost, axis=0) >= 0).all()
    assert 0 < (gaps > 0).mean() < 0.3
    held = np.diff(lost, axis=0) == 0
    assert gaps[1:][held].min() >= 1


def test_a_tilted_sensor_feels_gravity_that_is_not_there():
    still = Motion(
        body_skeleton(),
        np.tile([0.0, 0.0, 0.9], (200, 1)),
        np.tile([1.0, 0.0, 0.0, 0.0], (200, 24, 1)),
        60.0,
    )
    level = window(still)
    assert sensed(level)[0].abs().max() < 1e-4
    nothing = dict.fromkeys(
        ("acceleration_noise", "acceleration_bias", "mounting_error", "heading_drift", "dropped"),
        0.0,
    )
    tilted = window(still, worst=1.0, orientation_wander=0.05, **nothing)
    acceleration, rotation = sensed(tilted)
    lean = rotation[..., 2, :2]  # sine of the tilt about y and x, bone z against the world's
    torch.testing.assert_close(
        acceleration[..., :2].norm(dim=-1), 9.81 * lean.norm(dim=-1), atol=0.01, rtol=0
    )
    assert lean.abs().max() > 1e-3


def test_several_processes_draw_the_rows_of_one_batch():
    tracks = [prepare(waving(3.0), 60.0)]
    sampler = WindowSampler(tracks, frames=32, batch=4, seed=3)
    whole, share = sampler(7), sampler(7, slice(2, 4))
    assert torch.equal(whole.sensors[2:], share.sensors)
    assert torch.equal(whole.sixd[2:], share.sixd)
    assert not torch.equal(whole.sensors[0], whole.sensors[1])


def test_every_variation_at_once_gives_finite_numbers():
    tracks = [prepare(waving(s), 60.0) for s in (0.5, 2.0, 8.0)]
    sampler = WindowSampler(tracks, frames=128, batch=16, seed=0)
    for number in range(4):
        batch = sampler(number)
        assert all(torch.isfinite(getattr(batch, n)).all() for n in batch.__dataclass_fields__)
