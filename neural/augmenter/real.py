"""Real optical trials: measured anatomical markers as truth, keypoints from a model fitted to them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from ...capture.markers import read_markers
from ...capture.osim import read_osim
from ...rig.arrays import Array
from ...rig.model.kinematics import bodies_in_world, markers_in_world
from ...rig.model.model import BodyMarker, KinematicModel
from ...rig.solve.marker_ik import MarkerOptions, fit_markers
from ...rig.solve.usual_shape import usual_shape
from ...rig.trajectories import MarkerTrajectories
from .points import KEYPOINTS, MARKERS, mirrored

__all__ = ["Trial", "read_trials"]

_TABLE: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "real_trials.json").read_text(encoding="utf-8")
)
_SECONDS: Final = 2.5  # of each trial, from its middle
_RAISED: Final = ("shoulder", "elbow", "wrist", "C7")
_LEAST_SEEN: Final = 0.5  # part of the frames; what was seen less is not compared


@dataclass(frozen=True, eq=False)
class Trial:
    """One trial at its own rate.

    Attributes:
        name: of the trial.
        size: height in metres and mass in kilograms.
        fps: frames per second.
        markers: (T, 43, 3) as measured, metres; NaN what was not.
        centres: (T, 19, 3) keypoints at the fitted model's joint centres.
        places: (T, 19, 3) keypoints where OpenCap's model has those of video.
        fit_mm: root mean square of the fit.
    """

    name: str
    size: tuple[float, float]
    fps: float
    markers: Array
    centres: Array
    places: Array
    fit_mm: float


def read_trials(data: Path) -> Iterator[Trial]:
    """Read and fit the trials that are there.

    Args:
        data: folder with `markers/`.

    Raises:
        FileError: a file is missing.
    """
    for name, table in _TABLE["trials"].items():
        yield _trial(name, table, data)


def _trial(name: str, table: Mapping[str, Any], data: Path) -> Trial:
    names = _names(table)
    moving = _renamed(read_markers(data / table["file"]), names)
    model = _model(data)
    shaping = _thinned(moving)
    if "static" in table:
        shaping = _with_legs(
            shaping, _thinned(_renamed(read_markers(data / table["static"]), names))
        )
    options = MarkerOptions(shape=usual_shape(model, shaping.names, scale=True, markers=True))
    shaped = fit_markers(model, shaping, options).model
    middle, half = len(moving) // 2, round(0.5 * _SECONDS * moving.fps)
    part = moving.clipped(max(middle - half, 0), middle + half)
    fit = fit_markers(shaped, part)
    centres, places = _keypoints(fit.model, fit.pose)
    measured = np.full((len(part), len(MARKERS), 3), np.nan)
    for column, marker in enumerate(MARKERS):
        if marker in part.names and part.seen[part.names.index(marker)] >= _LEAST_SEEN:
            measured[:, column] = part.positions[:, part.names.index(marker)]
    size = (float(table["height"]), float(table["mass"]))
    return Trial(name, size, part.fps, measured, centres, places, 1000.0 * fit.rms)


def _names(table: Mapping[str, Any]) -> dict[str, str]:
    """The trial's names to OpenCap's, both sides."""
    right, left = table["mirror"]
    found = {}
    for ours, theirs in table["markers"].items():
        found[theirs] = ours
        if ours in MARKERS and mirrored(ours) != ours:
            found[left + theirs[len(right) :]] = mirrored(ours)
    return found


def _renamed(markers: MarkerTrajectories, names: Mapping[str, str]) -> MarkerTrajectories:
    kept = [name for name in markers.names if name in names]
    chosen = markers.chosen(kept)
    return MarkerTrajectories(
        tuple(names[n] for n in kept), chosen.positions, chosen.fps, chosen.start
    )


def _thinned(markers: MarkerTrajectories, most: int = 30) -> MarkerTrajectories:
    """At most so many frames, spread evenly: sizes need no more."""
    every = max(len(markers) // most, 1)
    return MarkerTrajectories(
        markers.names, markers.positions[::every], markers.fps / every, markers.start
    )


def _with_legs(moving: MarkerTrajectories, still: MarkerTrajectories) -> MarkerTrajectories:
    """Frames of a static trial added: medial markers of the legs come off before people move.

    Its arms and shoulders are left out, since who stands for it often raises them.
    """
    legs = tuple(name for name in still.names if not any(part in name for part in _RAISED))
    names = (*moving.names, *(name for name in legs if name not in moving.names))
    positions = np.full((len(moving) + len(still), len(names), 3), np.nan)
    positions[: len(moving), : len(moving.names)] = moving.positions
    positions[len(moving) :, [names.index(name) for name in legs]] = still.chosen(legs).positions
    return MarkerTrajectories(names, positions, moving.fps)


@cache
def _model(data: Path) -> KinematicModel:
    """OpenCap's model with the anatomical markers, and its places of video keypoints."""
    model = read_osim(data / _TABLE["model"], data / _TABLE["marker_sets"][0])
    video = read_osim(data / _TABLE["model"], data / _TABLE["marker_sets"][1])
    markers = {marker.name: marker for marker in (*model.markers, *video.markers)}
    chosen = [markers[name] for name in (*MARKERS, *KEYPOINTS)]
    x, y, z = _TABLE["sacrum"]
    return model.with_markers([*chosen, BodyMarker("sacrum", "pelvis", (x, y, z))])


def _keypoints(model: KinematicModel, pose: Array) -> tuple[Array, Array]:
    """Keypoints (T, 19, 3) at joint centres, and where the model has those of video."""
    poses = torch.as_tensor(pose)
    found = markers_in_world(model, poses).numpy()
    _, origins = bodies_in_world(model, poses)
    places = found[:, [model.marker_index(name) for name in KEYPOINTS]]
    centres = places.copy()
    for name, body in _TABLE["joint_centres"].items():
        centres[:, KEYPOINTS.index(name)] = origins.numpy()[:, model.bodies.index(body)]
    shoulders = [KEYPOINTS.index(name) for name in ("RShoulder", "LShoulder")]
    centres[:, KEYPOINTS.index("Neck")] = centres[:, shoulders].mean(1)
    return centres, places
