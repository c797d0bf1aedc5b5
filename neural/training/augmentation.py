"""What training varies: the body, its speed, where sensors sit, and what they get wrong."""

from dataclasses import dataclass, replace

import numpy as np

from ...rig.arrays import Array
from .sites import GROUPS, SITES, site

__all__ = ["Augmentation", "SensorErrors", "draw_errors", "draw_sites", "draw_sizes", "draw_speed"]

_HEADING = 2  # the vertical component of a rotation vector
_STANDARD = [site(name) for name in list(SITES)[:4]]


@dataclass(frozen=True)
class Augmentation:
    """Ranges and standard deviations; the heading needs none, features are in the waist's own.

    Every error of a window is multiplied by a level drawn evenly from 0 to `worst`, so that perfect sensors
    are learnt beside bad ones. Level 1 is `ImuErrors.worn` of `capture.virtual_imu`.

    Attributes:
        mirror: probability that left and right are exchanged.
        slowest: smallest speed factor of a window ...
        fastest: ... and largest; velocities scale with it, accelerations with its square.
        smallest: smallest factor of a segment's length ...
        largest: ... and largest, one draw per group of segments.
        hand: probability that both wrist sensors sit on the hands, not the forearms.
        head: probability that the neck's sensor sits on the head ...
        upper_back: ... or on the upper back.
        lever: standard deviation of the factor of a sensor's distance from its joint.
        worst: largest error level.
        mounting_error: radians per axis, constant in a window.
        heading_drift: radians per minute about the vertical.
        worn_minutes: longest time since the calibration, over which headings have drifted.
        orientation_wander: radians per axis of a slow error of the orientation.
        wander_time: seconds over which that error forgets itself.
        orientation_noise: radians per axis, white.
        acceleration_noise: m/s^2, white.
        acceleration_bias: m/s^2 in the sensor's frame, constant in a window.
        gravity: m/s^2 that leaks into the acceleration where the orientation is off.
        dropped: largest rate of gaps per sample and sensor; the last sample is held.
        longest_gap: samples.
        latency: largest delay of a sensor, samples; in half of the windows there is none.
    """

    mirror: float = 0.5
    slowest: float = 0.8
    fastest: float = 1.25
    smallest: float = 0.9
    largest: float = 1.1
    hand: float = 0.15
    head: float = 0.15
    upper_back: float = 0.15
    lever: float = 0.15
    worst: float = 1.5
    mounting_error: float = 0.07
    heading_drift: float = 0.02
    worn_minutes: float = 5.0
    orientation_wander: float = 0.02
    wander_time: float = 2.0
    orientation_noise: float = 0.001
    acceleration_noise: float = 0.25
    acceleration_bias: float = 0.1
    gravity: float = 9.81
    dropped: float = 0.005
    longest_gap: int = 8
    latency: int = 2

    @classmethod
    def perfect(cls) -> "Augmentation":
        """The motion as it was, seen by perfect sensors at their standard places."""
        return replace(
            cls().unvaried(), hand=0.0, head=0.0, upper_back=0.0, lever=0.0, worst=0.0, latency=0
        )

    def unvaried(self) -> "Augmentation":
        """The motion as it was; places and errors of the sensors still vary. For validation."""
        return replace(self, mirror=0.0, slowest=1.0, fastest=1.0, smallest=1.0, largest=1.0)


@dataclass(frozen=True)
class SensorErrors:
    """What four sensors get wrong over T frames; float32.

    Attributes:
        mounting: (4, 3) rotation vectors, bone_from_sensor.
        orientation: (T, 4, 3) rotation vectors, believed world from world.
        noise: (T, 4, 3) m/s^2, world.
        bias: (4, 3) m/s^2, sensor frame.
        source: (T, 4) the frame whose sample is at hand, its own unless late or lost.
    """

    mounting: Array
    orientation: Array
    noise: Array
    bias: Array
    source: Array


def draw_speed(options: Augmentation, random: np.random.Generator) -> float:
    """A speed factor; half as fast is as likely as twice as fast."""
    return float(np.exp(random.uniform(np.log(options.slowest), np.log(options.fastest))))


def draw_sizes(options: Augmentation, random: np.random.Generator) -> Array:
    """A factor per group of segments; of levers, how far sensors are from their joints."""
    sizes = random.uniform(options.smallest, options.largest, len(GROUPS))
    sizes[GROUPS.index("levers")] = 1.0 + options.lever * random.standard_normal()
    return sizes.astype(np.float32)


def draw_sites(options: Augmentation, random: np.random.Generator) -> list[int]:
    """Rows of `SITES` where the four sensors sit."""
    waist, left, right, neck = _STANDARD
    if random.random() < options.hand:
        left, right = site("left_hand"), site("right_hand")
    chance = random.random()
    if chance < options.head:
        neck = site("head")
    elif chance < options.head + options.upper_back:
        neck = site("upper_back")
    return [waist, left, right, neck]


def draw_errors(
    options: Augmentation, frames: int, fps: float, random: np.random.Generator
) -> SensorErrors:
    """Errors of four sensors over a window."""
    level = options.worst * random.random()

    def normal(spread: float, *shape: int) -> Array:
        return spread * level * random.standard_normal(shape, dtype=np.float32)

    orientation = normal(options.orientation_noise, frames, 4, 3)
    knots = _wander_matrix(frames, options.wander_time * fps)
    slow = normal(options.orientation_wander, knots.shape[1], 12)
    orientation += (knots @ slow).reshape(frames, 4, 3)
    minutes = options.worn_minutes * random.random() + np.arange(frames) / fps / 60.0
    drift = normal(options.heading_drift, 4)
    orientation[..., _HEADING] += minutes[:, None].astype(np.float32) * drift
    return SensorErrors(
        normal(options.mounting_error, 4, 3),
        orientation,
        normal(options.acceleration_noise, frames, 4, 3),
        normal(options.acceleration_bias, 4, 3),
        _source(options, frames, level, random),
    )


def _wander_matrix(frames: int, memory: float) -> Array:
    """(T, K) weights that turn K normal numbers into a smooth path of unit variance."""
    spacing = memory / 2.0
    knots = np.arange(-2.0 * memory, frames + 2.0 * memory, spacing, dtype=np.float32)
    away = (np.arange(frames, dtype=np.float32)[:, None] - knots) / memory
    weights = np.exp(-(away**2))
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def _source(options: Augmentation, frames: int, level: float, random: np.random.Generator) -> Array:
    """(T, 4) frames whose samples arrive: late by a constant, held while samples are lost."""
    place = np.arange(frames)[:, None]
    rate = options.dropped * level * random.random(4)
    starts = random.random((frames, 4)) < rate
    ends = np.where(starts, place + random.integers(1, options.longest_gap + 1, (frames, 4)), 0)
    lost = place < np.maximum.accumulate(ends, axis=0)
    held = np.maximum.accumulate(np.where(lost, 0, place), axis=0)
    late = random.integers(0, options.latency + 1, 4) * (random.random() < 0.5)
    return (held - late).clip(0)
