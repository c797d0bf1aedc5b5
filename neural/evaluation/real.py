"""Real recordings: error against the device's own solution, and injected calibration errors removed again.

A set serves if it has the four sensors and a pose that the device's own software computed; for the
others this module says what they lack.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from ...capture import formats
from ...capture.calibration import POSES
from ...capture.imu import PLACEMENTS, ImuRecording
from ...capture.placements import map_sensors
from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import FileError, PallasError
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS
from ...rig.transfer import body_from_motion
from ..body import LOWER, UPPER
from ..solve import SolveOptions, solve

__all__ = ["RealTake", "RealTrial", "evaluate_real", "injected", "raw_log", "real_takes"]

MOUNTING = np.radians(20.0)  # by which every sensor slips on its limb after the calibration
DRIFT = np.radians(10.0) / 60.0  # rad/s by which headings drift, each its own way
LONG = 180.0  # seconds to which a take is run to and fro, for drift needs minutes to be seen
_POSE, _MOVE = 2.0, 3.0  # seconds of the calibration pose before the take, and on the way into it
_UP = np.array([0.0, 0.0, 1.0])
JOINTS: Final = (*UPPER, "head", *LOWER)


@dataclass(frozen=True, eq=False)
class RealTake:
    """A recording of four sensors, calibrated by the device, and the device's own 24-joint motion."""

    name: str
    recording: ImuRecording
    reference: Motion


@dataclass(frozen=True)
class RealTrial:
    """One take under one condition, mean degrees per joint in the waist's heading frame.

    Attributes:
        take: its name, and how long it was made.
        seconds: it lasts.
        clean: solved as the device calibrated it, against the device's own solution.
        wrong: solved with the injected errors.
        removed: solved anew from the raw log.
        share: how much of the injected error is gone: 1 - |removed - clean| / |wrong - clean|, distances
            between solved motions, mean over the upper body.
        share_of_error: the same counted against the device's solution, (wrong - removed) / (wrong - clean).
        share_facing_found: `share` if the performer's facing in the pose is found from the motion too, which
            it says little about where people hardly move; otherwise it is given, as a suit's own reset is.
    """

    take: str
    seconds: float
    clean: Mapping[str, float]
    wrong: Mapping[str, float]
    removed: Mapping[str, float]
    share: float
    share_of_error: float
    share_facing_found: float


def real_takes(data: Path) -> tuple[list[RealTake], dict[str, str]]:
    """The takes under `data`/imu that serve, and what the other sets lack, one line each.

    Raises:
        FileError: there is no such folder.
    """
    folder = data / "imu"
    if not folder.is_dir():
        raise FileError(
            f"{folder} does not exist; expected a folder of recordings (PALLAS_DATA/imu)"
        )
    takes, lacking = [], {}
    for path in sorted(folder.iterdir()):
        try:
            takes += [_take(file) for file in sorted(path.glob("*.mvnx"))]
            if not any(path.glob("*.mvnx")):
                lacking[path.name] = _lack(_sensor_names(path))
        except PallasError as error:
            lacking[path.name] = str(error).split(";")[0]
    return takes, lacking


def _take(path: Path) -> RealTake:
    recording = formats.read_recording(path)
    chosen = recording.selected(
        {p: map_sensors(recording.placements)[p] for p in PLACEMENTS},
    )
    return RealTake(path.stem, chosen, body_from_motion(formats.read_motion(path)))


def _lack(names: list[str]) -> str:
    if not names:
        return "single sensors or packets; no body segment is named"
    map_sensors(names)
    return "no pose of the device's own to compare with"


def _sensor_names(folder: Path) -> list[str]:
    """What a set's sensors are called: by its IMU mapping, its folders, or its skeleton."""
    for mapping in folder.glob("*IMUMappings.xml"):
        text = mapping.read_text(encoding="utf-8")
        return [part.split("</name_in_model>")[0] for part in text.split("<name_in_model>")[1:]]
    folders = [
        p.name.split(" 64")[0] for p in sorted(folder.iterdir()) if any(p.glob("Inertial.csv"))
    ]
    if folders:
        return folders
    for path in sorted(folder.glob("*.bvh")):
        return list(formats.read_motion(path).skeleton.names)
    return []


def evaluate_real(
    takes: list[RealTake], progress: Callable[[int, int, str], None], seed: int = 0
) -> list[RealTrial]:
    """Every take as it is, and to and fro over `LONG` seconds."""
    trials = []
    for number, take in enumerate(takes):
        for turn, longer in enumerate((take, _to_and_fro(take))):
            progress(2 * number + turn, 2 * len(takes), longer.name)
            trials.append(_trial(longer, seed))
    return trials


def _to_and_fro(take: RealTake) -> RealTake:
    """The take forwards and backwards until it lasts `LONG`."""
    recording, motion = take.recording, take.reference
    period = 2 * len(recording) - 2
    index = np.arange(round(LONG * recording.fps)) % period
    index = np.where(index < len(recording), index, period - index)
    longer = replace(
        recording,
        times=recording.times[0] + np.arange(len(index)) / recording.fps,
        world_from_sensor=recording.world_from_sensor[index],
        acceleration=recording.acceleration[index],
    )
    moved = Motion(
        motion.skeleton, motion.root_position[index], motion.rotations[index], motion.fps
    )
    return RealTake(f"{take.name}, to and fro", longer, moved)


def _trial(take: RealTake, seed: int) -> RealTrial:
    log = raw_log(take.recording)
    wrong = injected(log, seed)
    held = replace(wrong, bone_from_sensor=take.recording.bone_from_sensor)
    again = SolveOptions(pose_at=(0.1, _POSE - 0.1), facing=_facing(take), remove_drift=True)
    solved = {
        "clean": solve(replace(log, bone_from_sensor=take.recording.bone_from_sensor)).motion,
        "wrong": solve(held).motion,
        "removed": solve(replace(wrong, bone_from_sensor=None), again).motion,
        "found": solve(replace(wrong, bone_from_sensor=None), replace(again, facing=None)).motion,
    }
    frames = slice(len(log) - len(take.recording), None)
    poses = {name: _seen(motion)[frames] for name, motion in solved.items()}
    reference = _seen(take.reference)
    errors = {name: _angles(pose, reference) for name, pose in poses.items()}
    apart = {name: _angles(poses[name], poses["clean"]) for name in ("wrong", "removed", "found")}
    return RealTrial(
        take.name,
        float(take.recording.times[-1] - take.recording.times[0]),
        errors["clean"],
        errors["wrong"],
        errors["removed"],
        1.0 - _upper(apart["removed"]) / _upper(apart["wrong"]),
        (_upper(errors["wrong"]) - _upper(errors["removed"]))
        / (_upper(errors["wrong"]) - _upper(errors["clean"])),
        1.0 - _upper(apart["found"]) / _upper(apart["wrong"]),
    )


def _facing(take: RealTake) -> float:
    """Radians, where the performer faces in the pose of `raw_log`; 0 is -y."""
    heading = quaternion.swing_twist(_waist(take.recording), _UP)[1]
    return float(2.0 * np.arctan2(heading[3], heading[0]))


def _waist(recording: ImuRecording) -> Array:
    """(4,) world_from_bone in the first frame, by the device's calibration."""
    assert recording.bone_from_sensor is not None
    mounted = quaternion.conjugate(recording.bone_from_sensor[0])
    return quaternion.multiply(recording.world_from_sensor[0, 0], mounted)


def raw_log(recording: ImuRecording) -> ImuRecording:
    """The recording with a calibration pose before it, as sensors so mounted would have felt it.

    No set holds the raw log of its calibration, so the N-pose is made: the performer faces as in the
    take's first frame and stands still. Everything after it is measured.
    """
    assert recording.bone_from_sensor is not None
    mounting = recording.bone_from_sensor
    waist = quaternion.multiply(
        recording.world_from_sensor[0, 0], quaternion.conjugate(mounting[0])
    )
    heading = quaternion.swing_twist(waist, _UP)[1]
    bones = np.array([POSES["npose"].get(p, quaternion.IDENTITY) for p in recording.placements])
    held = quaternion.multiply(quaternion.multiply(heading, bones), mounting)
    still, moving = round(_POSE * recording.fps), round(_MOVE * recording.fps)
    share = np.concatenate([np.zeros(still), (np.arange(moving) + 0.5) / moving])
    start = recording.world_from_sensor[0]
    before = quaternion.slerp(
        np.broadcast_to(held, (len(share), 4, 4)),
        np.broadcast_to(start, (len(share), 4, 4)),
        share[:, None],
    )
    count = len(share) + len(recording)
    return ImuRecording(
        np.arange(count) / recording.fps,
        np.concatenate([before, recording.world_from_sensor]),
        np.concatenate([np.zeros((len(share), 4, 3)), recording.acceleration]),
        recording.placements,
    )


def injected(log: ImuRecording, seed: int) -> ImuRecording:
    """Every sensor slipped by `MOUNTING` about an axis of its own, every heading drifting by `DRIFT`."""
    random = np.random.default_rng(seed)
    axes = quaternion.normalised(random.normal(size=(4, 4)))[:, 1:]
    axes = axes / np.linalg.norm(axes, axis=-1, keepdims=True)
    slip = quaternion.from_axis_angle(axes, np.full(4, MOUNTING))
    rates = DRIFT * random.choice([-1.0, 1.0], 4)
    drifted = quaternion.from_axis_angle(_UP, (log.times - log.times[0])[:, None] * rates)
    return replace(
        log,
        world_from_sensor=quaternion.multiply(
            drifted, quaternion.multiply(log.world_from_sensor, slip)
        ),
        acceleration=quaternion.rotate(drifted, log.acceleration),
    )


def _seen(motion: Motion) -> Array:
    """(T, J, 4) rotations of `JOINTS` in the waist's heading frame."""
    rotations = motion.world()[0]
    heading = quaternion.swing_twist(rotations[:, 0], _UP)[1]
    rows = [BODY_JOINTS.index(name) for name in JOINTS]
    return quaternion.multiply(quaternion.conjugate(heading)[:, None], rotations[:, rows])


def _angles(poses: Array, others: Array) -> dict[str, float]:
    count = min(len(poses), len(others))
    angles = np.degrees(quaternion.angle(poses[:count], others[:count])).mean(axis=0)
    return {name: float(angle) for name, angle in zip(JOINTS, angles, strict=True)}


def _upper(errors: Mapping[str, float]) -> float:
    return float(np.mean([errors[name] for name in UPPER]))
