"""Virtual sensors: what IMUs strapped to a moving skeleton would have measured.

The acceleration is the exact second derivative of a band-limited signal: the sensor's path is
convolved with the second derivative of a Gaussian whose width is given in seconds, in the frequency
domain. Its value therefore does not depend on the frame rate of the motion or of the recording, unlike
a finite difference over a fixed number of frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.motion import Motion
from .imu import PLACEMENTS, ImuRecording

__all__ = [
    "SMOOTHING",
    "STANDARD_SENSORS",
    "ImuErrors",
    "VirtualSensor",
    "second_derivative",
    "virtual_recording",
]

SMOOTHING = 0.02  # seconds, standard deviation of the Gaussian; 8 Hz bandwidth at -3 dB
_NO_OFFSET = (0.0, 0.0, 0.0)
_ALIGNED = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class VirtualSensor:
    """Where a sensor sits: on which joint's bone, where on it, and how it is turned.

    Attributes:
        joint: name of the joint that moves the bone.
        offset: metres from the joint's origin, in the bone's frame (aligned with the world at rest).
        bone_from_sensor: unit quaternion (w, x, y, z), the mounting.
    """

    joint: str
    offset: tuple[float, float, float] = _NO_OFFSET
    bone_from_sensor: tuple[float, float, float, float] = _ALIGNED


# On a belt at the back, on watch straps a little above the wrists, at the nape of the neck.
STANDARD_SENSORS: Mapping[str, VirtualSensor] = {
    "waist": VirtualSensor("pelvis", (0.0, 0.10, 0.05)),
    "left_wrist": VirtualSensor("left_elbow", (0.22, 0.0, 0.03)),
    "right_wrist": VirtualSensor("right_elbow", (-0.22, 0.0, 0.03)),
    "neck": VirtualSensor("neck", (0.0, 0.06, 0.02)),
}


@dataclass(frozen=True)
class ImuErrors:
    """What a real sensor gets wrong; everything is drawn from `seed`. Zero is a perfect sensor.

    Attributes:
        acceleration_noise: m/s^2, standard deviation of white noise per sample.
        acceleration_bias: m/s^2, standard deviation of a constant bias per axis, sensor frame.
        orientation_noise: radians, standard deviation of an error that wanders over `wander_time`.
        heading_drift: radians per minute, standard deviation of a steady drift about the vertical.
        mounting_error: radians, standard deviation per axis of how far the mounting is off.
        dropout: fraction of samples that are missing (NaN).
        wander_time: seconds over which the orientation error forgets itself.
        seed: of the random generator.
    """

    acceleration_noise: float = 0.0
    acceleration_bias: float = 0.0
    orientation_noise: float = 0.0
    heading_drift: float = 0.0
    mounting_error: float = 0.0
    dropout: float = 0.0
    wander_time: float = 2.0
    seed: int = 0

    @classmethod
    def worn(cls, seed: int = 0) -> "ImuErrors":
        """Sensors as people wear them, after a calibration by pose."""
        return cls(
            acceleration_noise=0.25,
            acceleration_bias=0.1,
            orientation_noise=0.02,
            heading_drift=0.02,
            mounting_error=0.07,
            seed=seed,
        )


@dataclass(frozen=True)
class _Truth:
    """Exact poses and accelerations before any error: (T, S, ...) arrays at `times`."""

    times: Array
    world_from_sensor: Array
    acceleration: Array
    placements: tuple[str, ...] = field(default=PLACEMENTS)


def virtual_recording(
    motion: Motion,
    sensors: Mapping[str, VirtualSensor] = STANDARD_SENSORS,
    *,
    fps: float | None = None,
    smoothing: float = SMOOTHING,
    errors: ImuErrors | None = None,
) -> ImuRecording:
    """Record a motion with virtual IMUs.

    Args:
        motion: any skeleton, at any rate.
        sensors: placement name to sensor.
        fps: samples per second of the recording; the motion's own if None.
        smoothing: seconds, width (standard deviation) of the Gaussian that band-limits acceleration.
        errors: what the sensors get wrong; None for perfect ones.

    Returns:
        The recording; `bone_from_sensor` holds the mountings that were asked for.

    Raises:
        ShapeError: the skeleton lacks a sensor's joint.
    """
    rate = motion.fps if fps is None else fps
    count = int(np.floor(motion.duration * rate + 1e-9)) + 1
    truth = _measure(motion, sensors, np.arange(count) / rate, smoothing)
    if errors is not None:
        truth = _with_errors(truth, errors)
    return ImuRecording(
        truth.times,
        truth.world_from_sensor,
        truth.acceleration,
        truth.placements,
        np.array([sensor.bone_from_sensor for sensor in sensors.values()]),
    )


def _measure(
    motion: Motion, sensors: Mapping[str, VirtualSensor], times: Array, smoothing: float
) -> _Truth:
    world_from_joint, origins = motion.world()
    joints = [motion.skeleton.index(sensor.joint) for sensor in sensors.values()]
    offsets = np.array([sensor.offset for sensor in sensors.values()])
    mountings = np.array([sensor.bone_from_sensor for sensor in sensors.values()])
    bones = world_from_joint[:, joints]
    path = origins[:, joints] + quaternion.rotate(bones, offsets)
    acceleration = second_derivative(path, motion.fps, smoothing)
    sensed = quaternion.multiply(bones, mountings)
    return _Truth(
        times,
        quaternion.continuous(quaternion.resample(sensed, motion.times, times)),
        _cubic(acceleration, motion.fps, times),
        tuple(sensors),
    )


def second_derivative(path: Array, fps: float, smoothing: float) -> Array:
    """Second time derivative of `path` (T, ...) sampled at `fps`, seen through a Gaussian.

    The ends are continued by point reflection, so a path that leaves at constant speed has no jerk there.
    """
    if len(path) < 3:
        return np.zeros_like(path)
    reach = min(len(path) - 1, max(1, int(np.ceil(max(5.0 * smoothing, 0.25) * fps))))
    before = 2.0 * path[:1] - path[reach:0:-1]
    after = 2.0 * path[-1:] - path[-2 : -reach - 2 : -1]
    padded = np.concatenate([before, path, after])
    # Taking out the straight line between the ends changes no second derivative and lets the FFT wrap.
    ramp = np.linspace(0.0, 1.0, len(padded)).reshape(-1, *([1] * (path.ndim - 1)))
    padded = padded - (padded[:1] + ramp * (padded[-1:] - padded[:1]))
    omega = 2.0 * np.pi * np.fft.rfftfreq(len(padded), 1.0 / fps)
    response = -(omega**2) * np.exp(-0.5 * (omega * smoothing) ** 2)
    spectrum = np.fft.rfft(padded, axis=0) * response.reshape(-1, *([1] * (path.ndim - 1)))
    result: Array = np.fft.irfft(spectrum, len(padded), axis=0)[reach : reach + len(path)]
    return result


def _cubic(values: Array, fps: float, times: Array) -> Array:
    """Catmull-Rom interpolation of values (T, ...) at rate `fps` to `times` (N,)."""
    place = np.clip(times * fps, 0, len(values) - 1)
    nearest = np.round(place)
    place = np.where(np.abs(place - nearest) < 1e-9, nearest, place)
    base = np.minimum(place.astype(int), max(len(values) - 2, 0))
    t = (place - base).reshape(-1, *([1] * (values.ndim - 1)))

    def at(shift: int) -> Array:
        chosen: Array = values[np.clip(base + shift, 0, len(values) - 1)]
        return chosen

    p0, p1, p2, p3 = at(-1), at(0), at(1), at(2)
    slope1, slope2 = 0.5 * (p2 - p0), 0.5 * (p3 - p1)
    result: Array = (
        (2 * t**3 - 3 * t**2 + 1) * p1
        + (t**3 - 2 * t**2 + t) * slope1
        + (3 * t**2 - 2 * t**3) * p2
        + (t**3 - t**2) * slope2
    )
    return result


def _with_errors(truth: _Truth, errors: ImuErrors) -> _Truth:
    random = np.random.default_rng(errors.seed)
    shape = truth.acceleration.shape
    mounting = quaternion.from_rotation_vector(
        errors.mounting_error * random.standard_normal(shape[1:])
    )
    wander = quaternion.from_rotation_vector(
        errors.orientation_noise * _wandering(truth.times, shape, errors.wander_time, random)
    )
    drift = errors.heading_drift / 60.0 * random.standard_normal(shape[1])
    heading = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), truth.times[:, None] * drift)
    error = quaternion.multiply(heading, wander)  # world_from_believed_world
    measured = quaternion.multiply(error, quaternion.multiply(truth.world_from_sensor, mounting))
    bias = errors.acceleration_bias * random.standard_normal(shape[1:])
    noise = errors.acceleration_noise * random.standard_normal(shape)
    acceleration = quaternion.rotate(error, truth.acceleration + noise)
    acceleration = acceleration + quaternion.rotate(measured, bias)
    lost = random.random(shape[:2]) < errors.dropout
    measured[lost] = np.nan
    acceleration[lost] = np.nan
    return _Truth(truth.times, measured, acceleration, truth.placements)


def _wandering(
    times: Array, shape: Sequence[int], memory: float, random: np.random.Generator
) -> Array:
    """Ornstein-Uhlenbeck paths of unit variance, shape (T, ...), that forget over `memory` seconds."""
    steps = random.standard_normal(shape)
    keep = np.exp(-np.diff(times, prepend=times[0]) / memory)
    paths = np.empty(shape)
    paths[0] = steps[0]
    for index in range(1, len(times)):
        spread = np.sqrt(1.0 - keep[index] ** 2)
        paths[index] = keep[index] * paths[index - 1] + spread * steps[index]
    return paths
