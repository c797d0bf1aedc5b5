"""Our engine against CuSToM's own published answer to a side step, on CuSToM's model and markers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from pallas.capture.c3d import read_c3d
from pallas.rig.arrays import Array
from pallas.rig.model import KinematicModel
from pallas.rig.solve import Fit

from .comparison import Row, angle_differences, everything, fitted, placed
from .custom import COORDINATES_BELOW, MARKERS_BELOW, Answer, low_passed, read_answer

_SOLIDS: Final = ("Hip_J1", "Hip_J2", "Thigh", "Shank", "Foot", "Ankle_J1")  # as `COLUMNS`
NAMES: Final = {
    "Left": [f"L{solid}" for solid in _SOLIDS],
    "Right": [f"R{solid}" for solid in _SOLIDS],
}


def sidestep(folder: Path, methods: Sequence[str]) -> list[Row]:
    """CuSToM first, then ours: poses only on its calibrated model, and everything from its generic one."""
    answer = read_answer(folder)
    trial = read_c3d(folder / "ChgtDirection04.c3d").markers.chosen(answer.model.marker_names)
    targets = low_passed(trial.positions, trial.fps, MARKERS_BELOW)
    rows = [Row("CuSToM: calibration, then IK", answer.distances)]
    for method in methods:
        pose_only = fitted(answer.model, targets, method=method)
        label = f"ours, `{method}`: poses only, on CuSToM's calibrated body"
        rows += _rows(label, answer, answer.model, pose_only, targets, trial.fps)
    for method in methods:
        both = fitted(answer.generic, targets, everything(answer.generic), method)
        label = f"ours, `{method}`: everything in one solve, from CuSToM's generic body"
        rows += _rows(label, answer, answer.generic, both, targets, trial.fps)
    return rows


def _rows(
    label: str, answer: Answer, model: KinematicModel, fit: Fit, targets: Array, fps: float
) -> list[Row]:
    """As it is, and low-passed as CuSToM's answer is, which is what the angles are compared with."""
    passed = low_passed(np.unwrap(fit.pose, axis=0), fps, COORDINATES_BELOW)
    names = model.coordinate_names
    differences = angle_differences(
        dict(zip(names, passed.T, strict=True)),
        dict(zip(names, answer.pose.T, strict=True)),
        NAMES,
    )
    return [
        Row(
            f"{label}; low-passed as CuSToM's", _distances(model, fit, passed, targets), differences
        ),
        Row(label, _distances(model, fit, fit.pose, targets)),
    ]


def _distances(model: KinematicModel, fit: Fit, pose: Array, targets: Array) -> Array:
    return np.asarray(np.linalg.norm(placed(model, fit, pose) - targets, axis=-1))
