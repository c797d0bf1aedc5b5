"""From sensors to bones: how each sensor is mounted, found on a pose whose bone directions are known.

In the pose a bone's world rotation is `world_from_heading * heading_from_bone`, where the second factor is
the pose's and the first is the performer's facing, a turn about the vertical. A still pose can't tell the
facing when sensors may be turned on the limbs in any way; the motion that follows can, because people
reach, swing and bend forwards (`facing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array, Mask
from ..rig.errors import CalibrationError
from .facing import estimate_facing
from .imu import ImuRecording

__all__ = ["POSES", "Calibration", "calibrate"]

_Y = np.array([0.0, 1.0, 0.0])
_ARMS_DOWN: Final[Mapping[str, Array]] = {
    "left_wrist": quaternion.from_axis_angle(_Y, np.pi / 2),
    "right_wrist": quaternion.from_axis_angle(_Y, -np.pi / 2),
}
# heading_from_bone of each placement's bone in a pose; what is not named is not turned.
POSES: Final[Mapping[str, Mapping[str, Array]]] = {"npose": _ARMS_DOWN, "tpose": {}}
STILL_SECONDS = 0.5
STILL_SPEED = 0.35  # rad/s, largest median turning speed of any sensor in a still stretch
MOVED_ANGLE = np.radians(12.0)  # largest turn within given pose frames


@dataclass(frozen=True)
class Calibration:
    """How the sensors are mounted, and how that was found.

    Attributes:
        bone_from_sensor: (S, 4), in the order of the recording's placements.
        source: one phrase for the report.
        facing: radians, the performer's heading in the pose; NaN where the file says the mounting.
    """

    bone_from_sensor: Array
    source: str
    facing: float = float("nan")


def calibrate(
    recording: ImuRecording,
    *,
    pose: str = "npose",
    pose_at: tuple[float, float] | None = None,
    facing: float | None = None,
) -> Calibration:
    """Find how the four sensors are mounted.

    The frames named by `pose_at` come first, then a pose or a mounting that the file holds, then the
    first still stretch.

    Args:
        recording: with the placements of `PLACEMENTS`.
        pose: "npose" (arms hanging, palms in) or "tpose" (arms out, palms down).
        pose_at: start and end in seconds from the recording's start.
        facing: radians, the performer's heading in the pose (0 faces -Y); estimated if None.

    Raises:
        CalibrationError: there is no such pose, or a sensor moved or was silent in it.
    """
    if pose not in POSES:
        raise CalibrationError(f"no pose {pose!r}; the poses are: {', '.join(POSES)}")
    if pose_at is not None:
        held, where = (
            _named_frames(recording, pose_at),
            f"{pose} at {pose_at[0]:g}:{pose_at[1]:g} s",
        )
    elif pose in recording.poses:
        held, where = recording.poses[pose], f"the file's own {pose}"
    elif recording.bone_from_sensor is not None:
        return Calibration(recording.bone_from_sensor, "the mounting that the file holds")
    elif recording.poses:
        pose, held = next((n, p) for n, p in recording.poses.items() if n in POSES)
        where = f"the file's own {pose}"
    else:
        start, stop = _still_stretch(recording)
        held = quaternion.mean(recording.world_from_sensor[start:stop])
        where = f"{pose} found at {recording.times[start] - recording.times[0]:.1f} s"
    if np.isnan(held).any():
        silent = [
            p for p, row in zip(recording.placements, held, strict=True) if np.isnan(row).any()
        ]
        raise CalibrationError(
            f"{' and '.join(silent)} sent nothing during the pose; give other frames with --pose-at"
        )
    return _mounted(recording, held, pose, where, facing)


def _mounted(
    recording: ImuRecording, held: Array, pose: str, where: str, facing: float | None
) -> Calibration:
    turned = np.array([POSES[pose].get(p, quaternion.IDENTITY) for p in recording.placements])
    # With a facing of zero; another one turns every bone's frame about the vertical of the pose.
    bone_from_sensor = quaternion.multiply(quaternion.conjugate(turned), held)
    if facing is None:
        bones = quaternion.multiply(
            recording.world_from_sensor, quaternion.conjugate(bone_from_sensor)
        )
        facing = estimate_facing(bones, turned)
    heading = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), -facing)
    bone_from_sensor = quaternion.multiply(
        quaternion.conjugate(turned), quaternion.multiply(heading, held)
    )
    return Calibration(bone_from_sensor, where, facing)


def _named_frames(recording: ImuRecording, span: tuple[float, float]) -> Array:
    seconds = recording.times - recording.times[0]
    inside = (seconds >= span[0]) & (seconds <= span[1])
    if not inside.any():
        raise CalibrationError(
            f"no sample between {span[0]:g} and {span[1]:g} s; the recording lasts "
            f"{seconds[-1]:.2f} s"
        )
    frames = recording.world_from_sensor[inside]
    held = quaternion.mean(frames)
    moved = np.nanmax(np.nan_to_num(quaternion.angle(held, frames)), axis=0)
    worst = int(np.argmax(moved))
    if moved[worst] > MOVED_ANGLE:
        raise CalibrationError(
            f"{recording.placements[worst]} moved by {np.degrees(moved[worst]):.0f} degrees during "
            f"the pose at {span[0]:g}:{span[1]:g} s; give frames in which the performer stands still"
        )
    heard = ~np.isnan(frames).any(axis=-1).all(axis=0)
    return np.where(heard[:, None], held, np.nan)


def _still_stretch(recording: ImuRecording) -> tuple[int, int]:
    """First stretch of `STILL_SECONDS` in which no sensor turns, as sample numbers."""
    still = _still(recording)
    seconds = recording.times
    for start in np.flatnonzero(still):
        stop = int(np.searchsorted(seconds, seconds[start] + STILL_SECONDS - 1e-9))
        if stop >= len(seconds):
            break
        if still[start:stop].all():
            return int(start), stop
    raise CalibrationError(
        f"the performer never stands still for {STILL_SECONDS:g} s in {seconds[-1] - seconds[0]:.1f} s; "
        "name the frames of the pose with --pose-at START:END, or record a pose at the start"
    )


def _still(recording: ImuRecording) -> Mask:
    """(T,) True where every sensor is heard and turns slower than `STILL_SPEED`."""
    orientation = recording.world_from_sensor
    turn = quaternion.angle(orientation[:-1], orientation[1:])
    speed = turn / np.diff(recording.times)[:, None]
    width = max(1, int(0.1 * recording.fps))
    padded = np.pad(speed, ((0, 1), (0, 0)), mode="edge")
    kernel = np.ones(width) / width
    smooth = np.stack([np.convolve(column, kernel, "same") for column in padded.T], axis=-1)
    still: Mask = (smooth < STILL_SPEED).all(axis=-1)  # NaN compares as False: silent is not still
    return still
