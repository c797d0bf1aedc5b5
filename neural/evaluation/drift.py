"""Drift over minutes: a walk that never ends, and how far from it the solved body has gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from ...capture.virtual_imu import ImuErrors, virtual_recording
from ...rig import quaternion
from ...rig.loop import looped
from ...rig.motion import Motion
from ..features import NETWORK_FPS, heading_of
from ..predict import pose_body
from ..threads import one_thread
from .clips import CONDITIONS, EvaluationClip, Progress

__all__ = ["MINUTES", "DriftRow", "drift", "evaluate_drift", "walks"]

MINUTES = (1.0, 5.0, 10.0)
WALKING = 0.6  # m/s on average, from which a clip counts as going somewhere
SHORTEST = 2.5  # seconds


@dataclass(frozen=True)
class DriftRow:
    """One clip, looped, solved by one network under one condition.

    Attributes:
        clip: its name.
        network: its name.
        condition: "perfect" or "worn" sensors.
        minutes: after so long.
        travelled: metres over ground of the true root.
        distance: metres, horizontal, between the solved and the true root.
        heading: degrees between the solved and the true root's heading.
    """

    clip: str
    network: str
    condition: str
    minutes: float
    travelled: float
    distance: float
    heading: float


def walks(clips: Sequence[EvaluationClip], count: int) -> list[EvaluationClip]:
    """The longest clip of each of `count` performers in which the performer goes somewhere, longest first."""
    longest: dict[str, EvaluationClip] = {}
    for clip in sorted(clips, key=lambda clip: -clip.motion.duration):
        root = clip.motion.root_position[:, :2]
        path = float(np.linalg.norm(np.diff(root, axis=0), axis=-1).sum())
        long_enough = clip.motion.duration >= SHORTEST
        if long_enough and path / clip.motion.duration > WALKING:
            longest.setdefault(clip.subject, clip)
    return list(longest.values())[:count]


def evaluate_drift(
    networks: Mapping[str, nn.Module],
    clips: Sequence[EvaluationClip],
    progress: Progress,
    minutes: Sequence[float] = MINUTES,
    conditions: Mapping[str, ImuErrors | None] = CONDITIONS,
) -> list[DriftRow]:
    """Loop each clip seamlessly for the longest of `minutes`, solve it, and see where the body is.

    The truth and the solved body start at one place. Nothing is cleaned: cleaning moves no root.
    """
    rows = []
    for number, clip in enumerate(clips):
        truth = looped(clip.motion.resampled(NETWORK_FPS), 60.0 * max(minutes))
        for condition, errors in conditions.items():
            seeded = None if errors is None else replace(errors, seed=number)
            recording = virtual_recording(truth, errors=seeded)
            bones, acceleration = recording.world_from_sensor, recording.acceleration
            for name, network in networks.items():
                progress(number, len(clips), f"{clip.name}, {name}, {condition}")
                with one_thread():
                    posed = pose_body(network, bones, acceleration, truth.skeleton, truth.fps)
                found = drift(posed.motion, truth, minutes)
                rows += [DriftRow(clip.name, name, condition, *values) for values in found]
    return rows


def drift(
    solved: Motion, truth: Motion, minutes: Sequence[float]
) -> list[tuple[float, float, float, float]]:
    """(minutes, travelled, distance, heading) of `DriftRow` at each of `minutes`."""
    steps = np.linalg.norm(np.diff(truth.root_position[:, :2], axis=0), axis=-1)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    error = solved.root_position - truth.root_position
    off = np.linalg.norm((error - error[:1])[:, :2], axis=-1)
    turn = np.degrees(
        quaternion.angle(heading_of(solved.rotations[:, 0]), heading_of(truth.rotations[:, 0]))
    )
    frames = [min(round(60.0 * m * truth.fps), len(truth) - 1) for m in minutes]
    return [
        (m, float(travelled[f]), float(off[f]), float(turn[f]))
        for m, f in zip(minutes, frames, strict=True)
    ]
