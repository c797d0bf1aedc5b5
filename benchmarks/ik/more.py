"""What OpenSim's tool has no counterpart for: sizes in the solve, long takes, live frames, fused sources."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from pallas.capture.osim import read_osim
from pallas.rig.model import KinematicModel
from pallas.rig.solve import (
    Markers,
    Orientations,
    Points,
    Problem,
    Shape,
    StayNear,
    Stream,
    fit_markers,
    solve,
)

from .cases import CASES, OPENSIM, Case, Files
from .measure import angle_differences, spread, timed, weighted_rmse
from .ours import MarkerTrial, free_angles
from .peer import Peers
from .synthetic import Evidence, evidence, there_and_back

__all__ = ["MORE", "Table"]

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
LONG_FRAMES, LONG_MARKERS = (1250, 2500, 5000, 10000, 20000), 50
FUSED_FRAMES = 3600
PRIOR = 0.1  # 1 / radians and 1 / metres: decides only what nothing was measured of
CONFIDENCE = {"markers": 200.0, "keypoints": 50.0, "tilt": 28.6, "heading": 8.0}


def _case(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def _trial(name: str, data: Path, peers: Peers) -> tuple[MarkerTrial, Files]:
    files = _case(name).files(data, peers)
    return MarkerTrial.read(files), files


# Sizes and marker places in the solve


def shapes(data: Path, peers: Peers, repeats: int) -> Table:
    """Marker error with poses only, with sizes, and with sizes and marker places."""
    header = ("model", "unknown", "weighted RMSE, mm", "below poses only", "ms/frame")
    rows = []
    trial, _ = _trial("gait2354", data, peers)
    generic = OPENSIM / "Gait2354_Simbody"
    plain = read_osim(
        data / generic / "gait2354_simbody.osim", data / generic / "gait2354_Scale_MarkerSet.xml"
    )
    known = tuple(name for name in trial.names if name in plain.marker_names)
    counted = np.array([name in known for name in trial.names])
    unscaled = replace(
        trial,
        model=plain,
        names=known,
        weights=trial.weights[counted],
        recorded=trial.recorded.chosen(known),
    )
    hamner, _ = _trial("hamner", data, peers)
    for title, chosen in (
        ("Gait2354, generic", unscaled),
        ("Gait2354, scaled by OpenSim", trial),
        ("Hamner, scaled by OpenSim, markers not placed", hamner),
    ):
        rows += _shape_rows(title, chosen, repeats)
    return header, rows


def _shape_rows(title: str, trial: MarkerTrial, repeats: int) -> list[tuple[str, ...]]:
    bodies = tuple((body,) for body in trial.model.bodies[1:])
    sizes = Shape(full=True, groups=bodies)
    rows, first = [], 0.0
    for label, shape in (
        ("poses", None),
        ("poses, sizes", sizes),
        ("poses, sizes, marker places", replace(sizes, markers=trial.names)),
    ):
        options = replace(trial.options, shape=shape)
        fit, took, _ = timed(
            partial(fit_markers, trial.model, trial.recorded, options), max(1, repeats // 2)
        )
        error = 1e3 * fit.rms
        first = first or error
        less = f"{100.0 * (1.0 - error / first):.0f} %" if shape else ""
        rows.append((title, label, f"{error:.2f}", less, f"{took / len(fit.pose):.2f}"))
    return rows


# Long recordings


def longs(data: Path, peers: Peers, repeats: int) -> Table:
    """Time per 1,000 frames and peak memory, for ever longer recordings."""
    del repeats
    header = (
        "frames",
        "markers",
        "s per 1,000 frames",
        "of the processor",
        "peak memory, MB",
        "before",
    )
    trial, files = _trial("hamner", data, peers)
    pose = trial.solved("lm")
    pose = there_and_back(pose, 2 * len(pose) - 2)
    names = np.array(trial.model.marker_names[:LONG_MARKERS])
    job = peers.place("long") / "job.npz"
    np.savez(job, model=np.array(str(files.model)), pose=pose, markers=names)
    rows = []
    for frames in LONG_FRAMES:
        ran = subprocess.run(
            [sys.executable, Path(__file__).with_name("long.py"), job, str(frames)],
            capture_output=True,
            text=True,
            check=True,
        )
        told = json.loads(ran.stdout)
        rows.append(
            (
                f"{frames:,}",
                str(len(names)),
                f"{told['seconds'] * 1e3 / frames:.2f}",
                f"{told['processor'] * 1e3 / frames:.2f}",
                f"{told['peak']:.0f}",
                f"{told['before']:.0f}",
            )
        )
    return header, rows


# One frame after another


def streams(data: Path, peers: Peers, repeats: int) -> Table:
    """Milliseconds of each frame, started from the one before."""
    del repeats
    header = (
        "trial",
        "median ms",
        "95 % below, ms",
        "first frame, ms",
        "weighted RMSE, mm",
        "all frames at once",
    )
    rows = []
    for name in ("hamner", "hamner-registered", "gait2354"):
        trial, _ = _trial(name, data, peers)
        whole = fit_markers(trial.model, trial.recorded, trial.options)
        took, pose = _streamed(trial)
        error = weighted_rmse(trial.in_ground, trial.placed(pose), trial.weights)
        rows.append(
            (
                _case(name).title,
                f"{np.median(took[1:]):.2f}",
                f"{np.percentile(took[1:], 95):.2f}",
                f"{took[0]:.0f}",
                f"{error:.3f}",
                f"{1e3 * whole.rms:.3f}",
            )
        )
    return header, rows


def _streamed(trial: MarkerTrial) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds (T,) and poses (T, D); one thread."""
    share = 100.0 * np.sqrt(trial.weights / trial.weights.mean())
    model = trial.model.with_coordinates({name: {"locked": True} for name in trial.pins})
    stream = Stream(model, trial.names, share)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    took, poses = [], []
    for points in trial.measured:
        started = time.perf_counter()
        poses.append(stream.step(points).pose)
        took.append((time.perf_counter() - started) * 1e3)
    torch.set_num_threads(threads)
    return np.array(took), np.array(poses)


# Fused sources


def fused(data: Path, peers: Peers, repeats: int) -> Table:
    """Errors of joint angles from each source alone, and from all of them in one solve."""
    del repeats
    trial, files = _trial("hamner-registered", data, peers)
    job = {"do": "markers", "model": files.model, "trial": files.trial, "setup": files.setup}
    found = peers.do("opensim_ik", **job, folder=peers.place("truth"), repeats=1)
    order = [list(found["names"]).index(name) for name in trial.model.coordinate_names]
    truth = there_and_back(found["values"][:, order], FUSED_FRAMES)
    sides = [
        f"{part}_{side}"
        for side in "rl"
        for part in ("femur", "tibia", "calcn", "humerus", "radius")
    ]
    hands = [f"hand_{side}" for side in "rl"]
    seen = evidence(
        trial.model,
        truth,
        60.0,
        trial.names,
        ("pelvis", "torso", *sides, *hands),
        ("pelvis", "torso", *sides),
    )
    header = ("sources", "joint angles, RMS error", "largest", "ms/frame")
    terms = _fused_terms(seen, trial)
    sources = [[name] for name in terms] + [["markers", "keypoints"], list(terms)]
    return header, [_fused_row(trial.model, seen, terms, chosen) for chosen in sources]


def _fused_terms(seen: Evidence, trial: MarkerTrial) -> dict[str, object]:
    """Every source weighted by its noise; headings by how far they drift."""
    sure = CONFIDENCE
    turns = np.array([sure["tilt"], sure["tilt"], sure["heading"]])
    return {
        "markers": Markers(trial.names, seen.markers, sure["markers"]),
        "keypoints": Points(seen.joints, seen.keypoints, weights=sure["keypoints"]),
        "orientations": Orientations(
            seen.worn, seen.sensors, weights=np.tile(turns, (len(seen.worn), 1))
        ),
    }


def _fused_row(
    model: KinematicModel, seen: Evidence, terms: dict[str, object], chosen: list[str]
) -> tuple[str, ...]:
    prior = StayNear(np.array(model.default_pose), PRIOR)
    problem = Problem(model, (*(terms[name] for name in chosen), prior))
    # All start from the first frame's true pose: which valley is found is not the question here.
    fit, took, _ = timed(lambda: solve(problem, seen.truth), 1)
    angles = [model.coordinate_index(name) for name in free_angles(model)]
    error, worst = spread(angle_differences(fit.pose[:, angles], seen.truth[:, angles]))
    return (", ".join(chosen), f"{error:.2f}°", f"{worst:.1f}°", f"{took / len(seen.truth):.2f}")


MORE = {"shape": shapes, "long": longs, "stream": streams, "fusion": fused}
