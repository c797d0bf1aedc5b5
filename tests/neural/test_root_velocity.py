"""The root's velocity: feet that surely stand are believed, the waist carries over flight."""

import numpy as np

from pallas.neural.root import root_velocity_changes
from pallas.neural.root_velocity import (
    VelocityFilter,
    VelocityNoise,
    VelocityWitness,
    smooth_velocity,
)

FPS = 60.0


def witness(frames: int, **changes: np.ndarray) -> VelocityWitness:
    """A network that says one metre a second along x, feet in the air, nothing felt."""
    values = {
        "network": np.tile([1.0, 0.0, 0.0], (frames, 1)),
        "feet": np.zeros((frames, 2, 3)),
        "trust": np.zeros((frames, 2)),
        "change": np.zeros((frames, 3)),
    }
    return VelocityWitness(**{**values, **changes})


def test_without_feet_the_network_is_believed():
    np.testing.assert_allclose(smooth_velocity(witness(100), FPS)[:, 0], 1.0, atol=1e-6)


def test_feet_that_surely_stand_are_believed_before_the_network():
    trust = np.tile([1.0, 0.0], (200, 1))
    np.testing.assert_allclose(smooth_velocity(witness(200, trust=trust), FPS), 0.0, atol=1e-5)


def test_in_flight_the_felt_acceleration_carries_the_velocity_on():
    frames = 90
    trust = np.zeros((frames, 2))
    trust[:30] = 1.0  # standing still, then half a second of 2 m/s^2, then as long at 1 m/s
    change = np.zeros((frames, 3))
    change[30:60, 0] = 2.0 / FPS
    still = np.zeros((frames, 3))
    noise = VelocityNoise(acceleration=0.05, network=10.0)
    felt = smooth_velocity(witness(frames, trust=trust, change=change, network=still), FPS, noise)
    np.testing.assert_allclose(felt[60:, 0], 1.0, atol=0.05)
    np.testing.assert_allclose(felt[:30, 0], 0.0, atol=0.05)


def test_the_filter_ends_where_the_smoother_does():
    random = np.random.default_rng(0)
    whole = witness(
        60,
        network=random.normal(size=(60, 3)),
        feet=random.normal(size=(60, 2, 3)),
        trust=random.uniform(0.0, 1.0, (60, 2)),
        change=0.05 * random.normal(size=(60, 3)),
    )
    step = VelocityFilter(FPS)
    for t in range(60):
        one = slice(t, t + 1)
        last = step(
            VelocityWitness(
                whole.network[one], whole.feet[one], whole.trust[one], whole.change[one]
            )
        )
    np.testing.assert_allclose(last, smooth_velocity(whole, FPS)[-1], atol=1e-9)


def test_turning_about_the_root_pushes_the_sensor_and_not_the_root():
    offset = np.array([0.0, 0.1, 0.05])
    times = np.arange(240) / FPS
    angle = 0.5 * np.sin(2.0 * np.pi * times)
    cosine, sine, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    turns = np.stack(
        [cosine, -sine, zero, sine, cosine, zero, zero, zero, zero + 1.0], axis=-1
    ).reshape(-1, 3, 3)
    path = turns @ offset
    acceleration = np.gradient(np.gradient(path, 1 / FPS, axis=0), 1 / FPS, axis=0)
    gained = root_velocity_changes(turns, acceleration, offset, FPS)
    alone = acceleration / FPS
    assert (
        np.abs(np.cumsum(gained, axis=0)[10:-10]).max()
        < 0.1 * np.abs(np.cumsum(alone, axis=0)).max()
    )
