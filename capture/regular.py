"""Samples on an even clock without holes: what a network can read of a recording."""

from dataclasses import dataclass

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import RecordingError
from .imu import Gap, ImuRecording

__all__ = ["Regular", "regular_samples"]

SMOOTHING = 0.01  # seconds, Gaussian over accelerations; takes out what resampling would fold down


@dataclass(frozen=True)
class Regular:
    """N samples at an even rate; short gaps bridged, long ones held at their last value.

    Attributes:
        world_from_sensor: (N, S, 4), no NaN.
        acceleration: (N, S, 3) m/s^2, world frame, no NaN; zero inside held gaps.
        held: the gaps that were too long to bridge.
    """

    world_from_sensor: Array
    acceleration: Array
    held: tuple[Gap, ...]


def regular_samples(recording: ImuRecording, fps: float, longest_bridge: float) -> Regular:
    """Resample a recording to `fps` over its whole span: slerp and linear between heard samples.

    Args:
        recording: of any rate.
        fps: samples per second of the result.
        longest_bridge: seconds; longer gaps are held, not bridged.

    Raises:
        RecordingError: fewer than 2 samples, or a sensor that was never heard.
    """
    if len(recording) < 2:
        raise RecordingError(
            f"the recording has {len(recording)} sample, expected at least 2; record longer"
        )
    span = recording.times[-1] - recording.times[0]
    times = recording.times[0] + np.arange(int(np.ceil(span * fps - 1e-6)) + 1) / fps
    held = tuple(gap for gap in recording.gaps if gap.end - gap.start > longest_bridge)
    columns = [
        _sensor(recording, sensor, times, held) for sensor in range(len(recording.placements))
    ]
    orientation = np.stack([column[0] for column in columns], axis=1)
    acceleration = np.stack([column[1] for column in columns], axis=1)
    return Regular(orientation, acceleration, held)


def _sensor(
    recording: ImuRecording, sensor: int, times: Array, held: tuple[Gap, ...]
) -> tuple[Array, Array]:
    heard = ~recording.missing[:, sensor]
    name = recording.placements[sensor]
    if not heard.any():
        raise RecordingError(f"{name} was never heard; record again, or map another sensor to it")
    at, orientation = recording.times[heard], recording.world_from_sensor[heard, sensor]
    acceleration = _smoothed(recording.acceleration[heard, sensor], recording.fps)
    asked = times.copy()
    silent = np.zeros(len(times), dtype=bool)
    for gap in held:
        if gap.placement == name:
            inside = (times > gap.start) & (times < gap.end)
            asked[inside] = gap.start
            silent |= inside
    unit = quaternion.normalised(orientation)
    felt = np.stack([np.interp(asked, at, column) for column in acceleration.T], axis=-1)
    felt[silent] = 0.0
    return quaternion.resample(unit, at, asked), felt


def _smoothed(values: Array, fps: float) -> Array:
    """Gaussian low-pass over time, (T, 3); nothing below about 50 samples per second."""
    width = SMOOTHING * fps
    reach = int(3 * width)
    if reach < 1 or len(values) <= reach:
        return values
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=-1)
