"""From an IMU recording to a full-body motion: choose sensors, calibrate, solve, clean the feet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from torch import nn

from ..capture.calibration import Calibration, calibrate
from ..capture.facing import sides_look_swapped
from ..capture.heading_drift import estimate_heading_drift, without_heading_drift
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
from .predict import Posed, pose_body
from .takes import LegOptions, SolvedTake, at_rate, choose_legs, with_confidence
from .threads import one_thread
from .weights import EMBEDDED, load_network

__all__ = ["LegOptions", "Solution", "SolveOptions", "SolvedTake", "solve"]

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
        legs: which legs, and how many takes of them.
        remove_drift: find how fast the sensors' headings drift against the waist's, and take it out. For
            sensors without magnetometer and takes of minutes; see `capture.heading_drift`.
    """

    pose: str = "npose"
    pose_at: tuple[float, float] | None = None
    sensors: Mapping[str, str] | None = None
    facing: float | None = None
    acceleration_unit: str = "m/s^2"
    height: float = 1.70
    legs: LegOptions = field(default_factory=LegOptions)
    remove_drift: bool = False


@dataclass(frozen=True)
class Solution:
    """A solved take.

    Attributes:
        takes: 24 joints at the recording's rate over its whole time span; several if generated legs were.
        report: what was found on the way, of the first take where they differ; ready for JSON.
    """

    takes: tuple[SolvedTake, ...]
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def motion(self) -> Motion:
        """Of the first take."""
        return self.takes[0].motion

    @property
    def contacts(self) -> Mask:
        """(T, 2) True where the left and the right foot of the first take stand."""
        return self.takes[0].contacts


def solve(recording: ImuRecording, options: SolveOptions | None = None) -> Solution:
    """Solve a recording with the embedded network.

    Raises:
        RecordingError: sensors are missing, or the data is not what it says it is.
        CalibrationError: there is no pose to calibrate on.
        ModelError: the weights are missing or damaged.
    """
    options = options or SolveOptions()
    sensors = map_sensors(recording.placements, options.sensors)
    worn = recording.selected({placement: sensors[placement] for placement in PLACEMENTS})
    if options.acceleration_unit == "g":
        worn = replace(worn, acceleration=worn.acceleration * GRAVITY)
    check_units(worn)
    calibration = calibrate(worn, pose=options.pose, pose_at=options.pose_at, facing=options.facing)
    regular = regular_samples(worn, NETWORK_FPS, LONGEST_BRIDGE)
    bones, felt, rates = _on_bones(regular, calibration, remove_drift=options.remove_drift)
    with one_thread():
        posed = pose_body(_network(), bones, felt, body_skeleton(options.height), NETWORK_FPS)
        with_legs = choose_legs(posed, bones, felt, options.legs)
    start, mode = float(recording.times[0]), options.legs.mode
    sure = [
        replace(one, motion=with_confidence(one.motion, felt, regular.held, start, mode))
        for one in with_legs
    ]
    takes = tuple(at_rate(one, recording) for one in sure)
    report = {
        **_told(worn, calibration, regular),
        "sensors": sensors,
        "frames": len(takes[0].motion),
        "takes": len(takes),
        "legs": mode,
        "drift_removed": rates,
        "warnings": _warnings(regular, bones, calibration),
        "quality": _quality(sure[0], bones),
    }
    return Solution(takes, report)


def _on_bones(
    regular: Regular, calibration: Calibration, *, remove_drift: bool
) -> tuple[Array, Array, dict[str, float]]:
    """world_from_bone (T, 4, 4), accelerations (T, 4, 3), and degrees a minute of drift taken out."""
    bones = quaternion.multiply(
        regular.world_from_sensor, quaternion.conjugate(calibration.bone_from_sensor)
    )
    if not remove_drift:
        return bones, regular.acceleration, {}
    seconds = np.arange(len(bones)) / NETWORK_FPS
    rates = estimate_heading_drift(seconds, bones)
    told = zip(PLACEMENTS, np.degrees(60.0 * rates), strict=True)
    bones, felt = without_heading_drift(seconds, rates, bones, regular.acceleration)
    return bones, felt, {placement: round(float(rate), 2) for placement, rate in told}


@lru_cache(maxsize=1)
def _network() -> nn.Module:
    return load_network(EMBEDDED / "pallas")[0]


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
