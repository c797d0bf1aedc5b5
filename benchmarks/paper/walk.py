"""Our engine against OpenSim on a walk with the paper's lower body: one solve against three steps.

OpenSim's ScaleTool scales the generic body by distances between markers of a standing trial and places the
markers that may move; its IK then solves the walk. Ours sees the walk alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from ik.peer import Peers

from pallas.capture.osim import read_osim
from pallas.capture.osim_writer import write_osim
from pallas.capture.trc import read_trc
from pallas.rig.arrays import Array
from pallas.rig.model import KinematicModel
from pallas.rig.solve.marker_ik import MarkerFit

from .comparison import Row, angle_differences, fitted
from .lower_body import LOWER_BODY
from .opensim_setups import ik_setup, scale_setup

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


def walk(folder: Path, methods: Sequence[str], peers: Peers) -> Iterator[Row]:
    """Ours on the generic body, OpenSim, ours again: the pelvis' markers free as in the paper, then all.

    Raises:
        PeerError: OpenSim could not.
    """
    static, path = folder / "static_walk_1.trc", folder / "motion_capture_walk.trc"
    trial = read_trc(path).markers.chosen(LOWER_BODY.marker_names)
    yield Row("ours, `lm`: poses only, generic body", fitted(LOWER_BODY, trial).errors)
    every = [replace(marker, free=(True, True, True)) for marker in LOWER_BODY.markers]
    for model, which in (
        (LOWER_BODY, "pelvis' markers"),
        (LOWER_BODY.with_markers(every), "all markers"),
    ):
        peer = _opensim(model, static, path, peers)
        yield Row(f"OpenSim: body scaled, {which} placed, then IK", peer.distances)
        label = f"ours, `lm`: poses only, OpenSim's body with {which} placed"
        yield _row(label, fitted(peer.model, trial), peer)
        for method in methods:
            label = f"ours, `{method}`: one solve, {which} free"
            yield _row(label, fitted(model, trial, method, everything=True), peer)


def _row(label: str, fit: MarkerFit, peer: _Peer) -> Row:
    ours = dict(zip(fit.model.coordinate_names, fit.pose.T, strict=True))
    return Row(label, fit.errors, angle_differences(ours, peer.angles, NAMES))


def _opensim(model: KinematicModel, static: Path, trial: Path, peers: Peers) -> _Peer:
    place = peers.place("scaled")
    files = {name: place / name for name in ("generic.osim", "scale.xml", "ik.xml")}
    write_osim(files["generic.osim"], model)
    scaling = scale_setup(MEASUREMENTS, model.marker_names, STATIC_SECONDS)
    files["scale.xml"].write_text(scaling, encoding="utf-8")
    files["ik.xml"].write_text(ik_setup(model.marker_names), encoding="utf-8")
    scaled = peers.place("subject") / "scaled.osim"
    peers.do(
        "opensim_ik",
        do="scale",
        generic=files["generic.osim"],
        marker_set=None,
        static=static,
        setup=files["scale.xml"],
        out=scaled,
    )
    found = peers.do(
        "opensim_ik",
        do="markers",
        model=scaled,
        trial=trial,
        setup=files["ik.xml"],
        folder=place,
        repeats=1,
    )
    angles = dict(zip(found["names"].tolist(), found["values"].T, strict=True))
    distances = np.linalg.norm(found["placed"] - found["measured"], axis=-1)
    return _Peer(read_osim(scaled), angles, distances)
