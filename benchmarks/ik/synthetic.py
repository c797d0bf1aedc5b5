"""Measurements with known answers: what markers, keypoints and sensors would see of a motion."""

from dataclasses import dataclass

import numpy as np
import torch

from pallas.rig.model import KinematicModel
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world

__all__ = ["Evidence", "evidence", "there_and_back"]

MARKER_NOISE, KEYPOINT_NOISE = 0.005, 0.02  # metres, standard deviations
SENSOR_NOISE = np.radians(2.0)
GAPS, GAP_FRAMES = 0.3, 20.0  # fraction of a marker's frames that is missing; mean length of a gap
DRIFT = np.radians(10.0) / 60.0  # radians per second about the vertical, to either side
SEED = 1


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was seen of a motion.

    Attributes:
        truth: (T, D) the motion.
        fps: frames per second.
        markers: (T, M, 3) metres, with gaps.
        joints: K names of bodies whose origins are keypoints.
        keypoints: (T, K, 3) metres.
        worn: S names of bodies that wear a sensor.
        sensors: (T, S, 3, 3) world_from_sensor, aligned with their bodies; headings drift.
    """

    truth: np.ndarray
    fps: float
    markers: np.ndarray
    joints: tuple[str, ...]
    keypoints: np.ndarray
    worn: tuple[str, ...]
    sensors: np.ndarray


def there_and_back(pose: np.ndarray, frames: int) -> np.ndarray:
    """A motion played forwards and backwards until it has so many frames (no frame twice in a row)."""
    period = np.concatenate([pose, pose[-2:0:-1]])
    return period[np.arange(frames) % len(period)]


def evidence(
    model: KinematicModel,
    truth: np.ndarray,
    fps: float,
    names: tuple[str, ...],
    joints: tuple[str, ...],
    worn: tuple[str, ...],
) -> Evidence:
    """Markers, keypoints and sensors of a motion, always the same."""
    random = np.random.default_rng(SEED)
    pose = torch.as_tensor(truth)
    every = markers_in_world(model, pose).numpy()
    markers = every[:, [model.marker_index(name) for name in names]]
    markers = markers + random.normal(scale=MARKER_NOISE, size=markers.shape)
    markers[_gaps(random, len(truth), len(names))] = np.nan
    turns, origins = (found.numpy() for found in bodies_in_world(model, pose))
    keypoints = origins[:, [model.body_index(name) for name in joints]]
    keypoints = keypoints + random.normal(scale=KEYPOINT_NOISE, size=keypoints.shape)
    sensors = turns[:, [model.body_index(name) for name in worn]]
    return Evidence(truth, fps, markers, joints, keypoints, worn, _drifted(random, sensors, fps))


def _gaps(random: np.random.Generator, frames: int, points: int) -> np.ndarray:
    """(T, P) True where a point is missing: each comes and goes as a two-state chain."""
    leave = 1.0 / GAP_FRAMES
    enter = leave * GAPS / (1.0 - GAPS)
    missing = np.empty((frames, points), dtype=bool)
    now = random.random(points) < GAPS
    for row in range(frames):
        missing[row] = now
        change = random.random(points)
        now = np.where(now, change >= leave, change < enter)
    return missing


def _drifted(random: np.random.Generator, turns: np.ndarray, fps: float) -> np.ndarray:
    """Turns (T, S, 3, 3) with noise, and headings that run away at a rate of either sign."""
    frames, count = turns.shape[:2]
    noise = _small_turns(random.normal(scale=SENSOR_NOISE, size=(frames, count, 3)))
    headings = np.zeros((frames, count, 3))
    rates = DRIFT * random.choice([-1.0, 1.0], size=count)
    headings[..., 2] = np.arange(frames)[:, None] / fps * rates
    return _small_turns(headings) @ turns @ noise


def _small_turns(vectors: np.ndarray) -> np.ndarray:
    """Rotations of rotation vectors (..., 3)."""
    return torch.linalg.matrix_exp(_crossed(torch.as_tensor(vectors))).numpy()


def _crossed(v: torch.Tensor) -> torch.Tensor:
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
