"""Is the recording what it says it is? Units, gravity, clock and sides, told from the data alone."""

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import RecordingError
from .imu import ImuRecording

__all__ = ["GRAVITY", "check_units", "lever_arm"]

GRAVITY = 9.80665  # m/s^2
FEWEST = 30  # samples; of fewer an average tells nothing
UNIT_TOLERANCE = 0.05  # how far a quaternion's length may be from 1
# The wrist is some 0.2 to 0.5 m from the elbow; accelerations in g make it look ten times closer.
SHORTEST_LEVER = 0.07  # metres


def check_units(recording: ImuRecording) -> None:
    """Refuse quaternions that are not, accelerations with gravity in them, and accelerations in g.

    Raises:
        RecordingError: says what was found, what was expected and what to do.
    """
    if len(recording) == 0:
        raise RecordingError("the recording has no samples; expected at least 2")
    length = np.linalg.norm(recording.world_from_sensor, axis=-1)
    if not np.isfinite(length).any():
        raise RecordingError("every orientation of the recording is missing; nothing can be solved")
    _check_heard(recording)
    off = float(np.nanmedian(np.abs(length - 1.0)))
    if off > UNIT_TOLERANCE:
        raise RecordingError(
            f"orientations have length {np.nanmedian(length):.3g}, expected unit quaternions "
            "(w, x, y, z); convert Euler angles or degrees first"
        )
    _check_gravity(recording.acceleration)
    lever = lever_arm(recording)
    if lever < SHORTEST_LEVER:
        raise RecordingError(
            f"accelerations are about {SHORTEST_LEVER * 4 / max(lever, 1e-3):.0f} times too small for "
            "how the wrists turn, as if in g; expected m/s^2: pass --acceleration-unit g"
        )


def _check_heard(recording: ImuRecording) -> None:
    turned = np.isfinite(recording.world_from_sensor).all(axis=-1).any(axis=0)
    felt = np.isfinite(recording.acceleration).all(axis=-1).any(axis=0)
    for heard, what in ((turned | felt, "sent nothing"), (turned, "sent no orientation"),
                        (felt, "sent no linear acceleration")):  # fmt: skip
        silent = [n for n, ok in zip(recording.placements, heard, strict=True) if not ok]
        if silent:
            raise RecordingError(
                f"{' and '.join(silent)} {what} in the whole recording; all four sensors need both "
                "orientation and acceleration"
            )


def _check_gravity(acceleration: Array) -> None:
    """Linear accelerations average out; gravity stays. All sensors must agree that it is there."""
    if len(acceleration) < FEWEST:
        return
    mean = np.nanmean(acceleration, axis=0)
    level = np.linalg.norm(mean[:, :2], axis=-1)
    for unit, size in (("m/s^2", GRAVITY), ("g", 1.0)):
        if np.all((np.abs(np.abs(mean[:, 2]) - size) < 0.1 * size) & (level < 0.2 * size)):
            raise RecordingError(
                f"accelerations average {mean[:, 2].mean():.2f} along the vertical, gravity in {unit}; "
                "expected linear accelerations in m/s^2: subtract gravity (world z) first"
            )


def lever_arm(recording: ImuRecording) -> float:
    """Median over the wrists of acceleration against angular motion, metres; NaN-free, inf if still."""
    levers = [np.inf]
    for sensor, placement in enumerate(recording.placements):
        if placement.endswith("wrist"):
            levers.append(_lever(recording, sensor))
    return min(levers)


def _lever(recording: ImuRecording, sensor: int) -> float:
    heard = ~recording.missing[:, sensor]
    times, orientation = recording.times[heard], recording.world_from_sensor[heard, sensor]
    step = max(1, int(0.05 * recording.fps)) if len(times) > 1 else 1
    times, orientation = times[::step], orientation[::step]
    if len(times) < 10:
        return np.inf
    turn = quaternion.multiply(orientation[1:], quaternion.conjugate(orientation[:-1]))
    speed = quaternion.to_rotation_vector(turn) / np.diff(times)[:, None]
    angular = np.linalg.norm(np.gradient(speed, axis=0) / np.diff(times)[:, None], axis=-1)
    angular += np.sum(speed**2, axis=-1)
    moving = np.sqrt(np.mean(angular**2))
    felt = np.sqrt(np.nanmean(np.sum(recording.acceleration[heard, sensor] ** 2, axis=-1)))
    return float(felt / moving) if moving > 3.0 else np.inf
