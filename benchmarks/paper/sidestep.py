"""Our engine against CuSToM's own published answer to a side step, on CuSToM's model and markers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from pallas.capture.c3d import read_c3d
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve.marker_ik import MarkerFit
from pallas.rig.trajectories import MarkerTrajectories

from .comparison import Row, angle_differences, fitted
from .custom import COORDINATES_BELOW, MARKERS_BELOW, Answer, low_passed, on_branch, read_answer

_SOLIDS: Final = ("Hip_J1", "Hip_J2", "Thigh", "Shank", "Foot", "Ankle_J1")  # as `COLUMNS`
NAMES: Final = {
    "Left": [f"L{solid}" for solid in _SOLIDS],
    "Right": [f"R{solid}" for solid in _SOLIDS],
}


def sidestep(folder: Path) -> Iterator[Row]:
    """CuSToM first, then ours: poses only on its calibrated body, and everything from its generic one."""
    answer = read_answer(folder)
    trial = read_c3d(folder / "ChgtDirection04.c3d").markers.chosen(answer.model.marker_names)
    passed = low_passed(trial.positions, trial.fps, MARKERS_BELOW)
    trial = replace(trial, positions=passed)
    yield Row("CuSToM: calibration, then IK", answer.distances)
    fit = fitted(answer.model, trial)
    yield from _rows("ours, `lm`: poses only, CuSToM's calibrated body", answer, fit, trial)
    fit = fitted(answer.generic, trial, everything=True)
    yield from _rows("ours, `lm`: one solve, CuSToM's generic body", answer, fit, trial)


def _rows(label: str, answer: Answer, fit: MarkerFit, trial: MarkerTrajectories) -> list[Row]:
    """As it is, and low-passed as CuSToM's answer is, which is what the angles are compared with."""
    pose = low_passed(on_branch(fit.pose, answer), trial.fps, COORDINATES_BELOW)
    placed = markers_in_world(fit.model, torch.as_tensor(pose)).numpy()
    names = answer.model.coordinate_names
    ours, theirs = (dict(zip(names, found.T, strict=True)) for found in (pose, answer.pose))
    return [
        Row(
            f"{label}; low-passed as CuSToM's",
            np.linalg.norm(placed - trial.positions, axis=-1),
            angle_differences(ours, theirs, NAMES),
        ),
        Row(label, fit.errors),
    ]
