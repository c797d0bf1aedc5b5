"""Our engine against OpenSim on a walk with the paper's lower body: one solve against three steps.

OpenSim's ScaleTool scales the generic body by distances between markers of a standing trial and places the
markers that may move; its IK then solves the walk. Ours sees the walk alone.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from pallas.capture.osim import read_osim
from pallas.capture.osim_writer import write_osim
from pallas.capture.trc import read_trc
from pallas.rig.arrays import Array
from pallas.rig.model import KinematicModel
from pallas.rig.solve import Fit

from .comparison import Row, angle_differences, everything, fitted, placed
from .lower_body import LOWER_BODY
from .opensim_setups import ik_setup, scale_setup

PEER: Final = Path(__file__).resolve().parent.parent / "peers" / "opensim_ik.py"
STATIC_SECONDS: Final = (0.0, 0.1)  # as in the trial's own scale setup
_COORDINATES: Final = (
    "hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion", "ankle_varus", "ankle_flexion",
)  # fmt: skip
NAMES: Final = {
    side: [f"{name}_{side[0].lower()}" for name in _COORDINATES] for side in ("Left", "Right")
}
_LEG: Final = {"thigh": ("ASIS", "Knee"), "shank": ("Knee", "Ankle"), "foot": ("Heel", "Toe")}
MEASUREMENTS: Final = {
    "pelvis": [("R.ASIS", "L.ASIS"), ("R.ASIS", "R.PSIS"), ("L.ASIS", "L.PSIS")]
} | {
    f"{part}_{side}": [(f"{side.upper()}.{upper}", f"{side.upper()}.{lower}")]
    for side in "rl"
    for part, (upper, lower) in _LEG.items()
}


@dataclass(frozen=True, eq=False)
class _Peer:
    """What OpenSim found: its scaled model, coordinate to (T,) radians, and (T, M) metres."""

    model: KinematicModel
    angles: dict[str, Array]
    distances: Array


def walk(folder: Path, methods: Sequence[str]) -> list[Row]:
    """OpenSim first, then ours; with the pelvis' markers free as in the paper, and then with all of them."""
    trial = folder / "motion_capture_walk.trc"
    targets = read_trc(trial).markers.chosen(LOWER_BODY.marker_names).positions
    rows = [
        _row(
            "ours, `lm`: poses only, generic body", LOWER_BODY, fitted(LOWER_BODY, targets), targets
        )
    ]
    every = LOWER_BODY.with_markers(
        [replace(marker, free=(True,) * 3) for marker in LOWER_BODY.markers]
    )
    for model, which in ((LOWER_BODY, "pelvis' markers"), (every, "all markers")):
        peer = _opensim(model, folder / "static_walk_1.trc", trial)
        rows.append(
            Row(f"OpenSim: scaled and {which} placed on a standing trial, then IK", peer.distances)
        )
        pose_only = fitted(peer.model, targets)
        rows.append(
            _row("ours, `lm`: poses only, on that body", peer.model, pose_only, targets, peer)
        )
        for method in methods:
            both = fitted(model, targets, everything(model), method)
            label = f"ours, `{method}`: poses, scales and {which} in one solve"
            rows.append(_row(label, model, both, targets, peer))
    return rows


def _row(
    label: str, model: KinematicModel, fit: Fit, targets: Array, peer: _Peer | None = None
) -> Row:
    distances = np.linalg.norm(placed(model, fit) - targets, axis=-1)
    if peer is None:
        return Row(label, distances)
    ours = dict(zip(model.coordinate_names, fit.pose.T, strict=True))
    return Row(label, distances, angle_differences(ours, peer.angles, NAMES))


def _opensim(model: KinematicModel, static: Path, trial: Path) -> _Peer:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        generic, scaled = here / "generic.osim", here / "scaled" / "scaled.osim"
        scaled.parent.mkdir()
        write_osim(model, generic)
        (here / "scale.xml").write_text(
            scale_setup(MEASUREMENTS, model.marker_names, STATIC_SECONDS), encoding="utf-8"
        )
        (here / "ik.xml").write_text(ik_setup(model.marker_names), encoding="utf-8")
        files = {"generic": generic, "static": static, "setup": here / "scale.xml", "out": scaled}
        _job(here, do="scale", marker_set=None, **{key: str(path) for key, path in files.items()})
        files = {"model": scaled, "trial": trial, "setup": here / "ik.xml", "folder": here}
        found = _job(
            here, do="markers", repeats=1, **{key: str(path) for key, path in files.items()}
        )
        angles = dict(zip(found["names"].tolist(), found["values"].T, strict=True))
        distances = np.linalg.norm(found["placed"] - found["measured"], axis=-1)
        return _Peer(read_osim(scaled), angles, distances)


def _job(folder: Path, **job: object) -> dict[str, Array]:
    """What OpenSim answers, in the Python that has it (PEERS_PYTHON, or this one)."""
    asked, answered = folder / "job.json", folder / "answer.npz"
    asked.write_text(json.dumps(job), encoding="utf-8")
    python = os.environ.get("PEERS_PYTHON", sys.executable)
    done = subprocess.run(
        [python, PEER, asked, answered], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(
            f"paper_table: OpenSim failed: {(done.stderr or done.stdout).strip()[-400:]}"
        )
    with np.load(answered) as arrays:
        return dict(arrays)
