"""From an IMU recording to a full-body motion: choose sensors, calibrate, solve, clean the feet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from torch import nn

from ..capture.calibration import Calibration, calibrate
from ..capture.facing import sides_look_swapped
from ..capture.imu import PLACEMENTS, ImuRecording
from ..capture.placements import BONES, map_sensors
from ..capture.plausibility import GRAVITY, check_units
from ..capture.regular import Regular, regular_samples
from ..rig import quaternion
from ..rig.arrays import Array, Mask
from ..rig.motion import Motion
from ..rig.skeleton import body_skeleton
from .contacts import STANDING
from .evaluation.quality import motion_quality
from .features import NETWORK_FPS
from .feet import clean_feet
from .predict import Posed, pose_body
from .threads import one_thread
from .weights import EMBEDDED, load_network

__all__ = ["Solution", "SolveOptions", "solve"]

LONGEST_BRIDGE = 0.25  # seconds; a longer gap is held and told


@dataclass(frozen=True)
class SolveOptions:
    """What a user may choose.

    Attributes:
        pose: the calibration pose, "npose" or "tpose".
        pose_at: its start and end in seconds, or None to find it.
        sensors: the recording's sensor name by placement; what is not named goes by names.
        facing: radians, the performer's heading in the pose; estimated if None.
        acceleration_unit: "m/s^2" or "g".
        height: metres, of the performer.
        clean_feet: let standing feet stand.
        seed: of everything random; today's legs are deterministic.
    """

    pose: str = "npose"
    pose_at: tuple[float, float] | None = None
    sensors: Mapping[str, str] | None = None
    facing: float | None = None
    acceleration_unit: str = "m/s^2"
    height: float = 1.70
    clean_feet: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Solution:
    """A solved take.

    Attributes:
        motion: 24 joints at the recording's rate over its whole time span.
        contacts: (T, 2) True where the left and the right foot stand.
        report: what was found on the way, ready for JSON.
    """

    motion: Motion
    contacts: Mask
    report: dict[str, Any] = field(default_factory=dict)


def solve(recording: ImuRecording, options: SolveOptions | None = None) -> Solution:
    """Solve a recording with the embedded network.

    Raises:
        RecordingError: sensors are missing, or the data is not what it says it is.
        CalibrationError: there is no pose to calibrate on.
        ModelError: the weights are missing or damaged.
    """
    options = options or SolveOptions()
    sensors = map_sensors(recording.placements, options.sensors)
    chosen = recording.selected({placement: sensors[placement] for placement in PLACEMENTS})
    if options.acceleration_unit == "g":
        chosen = replace(chosen, acceleration=chosen.acceleration * GRAVITY)
    check_units(chosen)
    calibration = calibrate(
        chosen, pose=options.pose, pose_at=options.pose_at, facing=options.facing
    )
    regular = regular_samples(chosen, NETWORK_FPS, LONGEST_BRIDGE)
    bones = quaternion.multiply(
        regular.world_from_sensor, quaternion.conjugate(calibration.bone_from_sensor)
    )
    with one_thread():
        posed = _posed(bones, regular.acceleration, options)
    motion, standing = _at_rate(posed, recording)
    report = {
        **_told(chosen, calibration, regular),
        "sensors": sensors,
        "frames": len(motion),
        "warnings": _warnings(regular, bones, calibration),
        "quality": _quality(posed, bones),
    }
    return Solution(motion, standing, report)


def _posed(bones: Array, acceleration: Array, options: SolveOptions) -> Posed:
    skeleton = body_skeleton(options.height)
    posed = pose_body(_network(), bones, acceleration, skeleton, NETWORK_FPS)
    if not options.clean_feet:
        return posed
    return replace(posed, motion=clean_feet(posed.motion, posed.contacts > STANDING))


@lru_cache(maxsize=1)
def _network() -> nn.Module:
    return load_network(EMBEDDED / "pallas")[0]


def _at_rate(posed: Posed, recording: ImuRecording) -> tuple[Motion, Mask]:
    """Bring a motion at the network's rate back to the recording's, over its whole span."""
    motion = posed.motion
    span = recording.times[-1] - recording.times[0]
    count = int(np.round(span * recording.fps)) + 1
    times = np.linspace(0.0, span, count)
    root = np.stack([np.interp(times, motion.times, c) for c in motion.root_position.T], axis=-1)
    rotations = quaternion.resample(motion.rotations, motion.times, times)
    nearest = np.clip(np.round(times * motion.fps).astype(int), 0, len(motion) - 1)
    fps = (count - 1) / span
    return Motion(motion.skeleton, root, rotations, fps), posed.contacts[nearest] > STANDING


def _told(recording: ImuRecording, calibration: Calibration, regular: Regular) -> dict[str, Any]:
    facing = np.degrees(calibration.facing)
    return {
        "samples": len(recording),
        "rate": round(recording.fps, 3),
        "seconds": round(float(recording.times[-1] - recording.times[0]), 3),
        "calibration": calibration.source,
        "facing_degrees": None if np.isnan(facing) else round(float(facing), 1),
        "missing": round(float(recording.missing.mean()), 4),
        "gaps_held": [
            {"sensor": gap.placement, "start": round(gap.start, 3), "end": round(gap.end, 3)}
            for gap in regular.held
        ],
    }


def _warnings(regular: Regular, bones: Array, calibration: Calibration) -> list[str]:
    """What a user should look at, one line each."""
    found = [
        f"{gap.placement} is silent for {gap.end - gap.start:.2f} s from {gap.start:.2f} s; its last "
        "pose is held"
        for gap in regular.held
    ]
    if sides_look_swapped(bones, by_pose=not np.isnan(calibration.facing)):
        found.append(
            "left_wrist and right_wrist look exchanged; if they are, name them with --map, such as "
            '{"left_wrist": "…", "right_wrist": "…"}'
        )
    return found


def _quality(posed: Posed, bones: Array) -> dict[str, float]:
    sensed = {joint: bones[:, column] for column, joint in enumerate(BONES.values())}
    found = motion_quality(posed.motion, posed.contacts > STANDING, sensed)
    return {name: round(value, 3) for name, value in found.items()}
