"""Joint angles of Pose2Sim's demo beside OpenSim's, and how long the way from keypoints to angles takes.

    python benchmarks/kinematics.py [--data DATA] [--repeats N] [--write docs/kinematics.md]

OpenSim scales Pose2Sim's model to the standing trial and solves the balancing trial, with their markers,
model and setups. Ours solves the same model; then the package's own model, whose sizes are found from the
same markers.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from ik.peer import Arrays, PeerError, Peers
from ik.report import block, fill
from marker_ik import machine

from pallas.capture.cameras.files import read_calibration
from pallas.capture.cameras.matching import matched
from pallas.capture.cameras.reconstruct import ReconstructionOptions, reconstruct
from pallas.capture.coordinates import angle_coordinates
from pallas.capture.keypoints.files import read_views
from pallas.capture.markers import read_markers
from pallas.capture.osim import read_osim
from pallas.capture.osim_pins import goals_of_tasks
from pallas.capture.osim_tasks import read_ik_setup
from pallas.neural.augmenter.predict import augment
from pallas.neural.augmenter.stored import load_augmenter
from pallas.rig.anatomy import motion_of_anatomy
from pallas.rig.anatomy.fit import fit_anatomy
from pallas.rig.filters import Butterworth, differentiated, filtered
from pallas.rig.solve.marker_ik import MarkerFit, MarkerOptions, fit_markers
from pallas.rig.trajectories import MarkerTrajectories

ROOT = Path(__file__).resolve().parent.parent
POSE2SIM = Path("video/pose2sim/openpose")
FPS = 60.0
HEIGHT, MASS = 1.75, 69.0  # metres, guessed; kilograms, as their setup has it
_TIMES = 20
SHOWN = (
    *(
        f"{name}_{side}"
        for name in ("hip_flexion", "hip_adduction", "hip_rotation")
        for side in "rl"
    ),
    *(
        f"{name}_{side}"
        for name in ("knee_angle", "ankle_angle", "subtalar_angle")
        for side in "rl"
    ),
    *(f"{name}_{side}" for name in ("arm_flex", "arm_add", "elbow_flex") for side in "rl"),
)

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def main() -> None:
    """Print the tables; with --write, put them into the page."""
    options = _options()
    torch.set_num_threads(1)
    data = options.data / POSE2SIM
    trial = read_markers(data / "Balancing_for_IK.trc")
    with tempfile.TemporaryDirectory(prefix="kinematics-") as folder:
        peers = Peers(options.peers, Path(folder))
        try:
            model, theirs = _opensim(data, peers)
        except PeerError as error:
            raise SystemExit(f"kinematics: {error}") from error
        same = _same_model(model, data / "IK_Setup_Pose2Sim_Body25b.xml", trial)
    own = fit_anatomy(trial)
    if options.write:
        fill(options.write, "machine", machine(options.repeats) + "\n")
    _table("same-model", options.write, *_against(theirs, same, None))
    _table("own-model", options.write, *_against(theirs, own, SHOWN))
    rows, augmented = _chain(data, options.repeats)
    _table("augmented", options.write, *_against(theirs, augmented, SHOWN))
    _table("times", options.write, *rows)


def _opensim(data: Path, peers: Peers) -> tuple[Path, Arrays]:
    """Their model scaled by OpenSim, and the angles that OpenSim finds with it."""
    static = peers.place("static") / "Standing_for_Scaling.trc"
    static.write_text(_true_count((data / "Standing_for_Scaling.trc").read_text()))
    model = peers.place("scaled") / "subject.osim"
    peers.do(
        "opensim_ik",
        do="scale",
        generic=data / "Model_Pose2Sim_Body25b.osim",
        marker_set=None,
        static=static,
        setup=data / "Scaling_Setup_Pose2Sim_Body25b.xml",
        out=model,
    )
    theirs = peers.do(
        "opensim_ik",
        do="markers",
        model=model,
        trial=data / "Balancing_for_IK.trc",
        setup=data / "IK_Setup_Pose2Sim_Body25b.xml",
        folder=peers.place("tool"),
        repeats=1,
        accuracy=1e-5,  # the setup's
    )
    kept = Path(tempfile.gettempdir()) / f"kinematics-{os.getpid()}.osim"
    kept.write_bytes(model.read_bytes())
    return kept, theirs


def _true_count(text: str) -> str:
    """The file says 50 frames and has 25, which OpenSim does not take."""
    lines = text.splitlines()
    rows = [line for line in lines[5:] if line.strip()]
    head = lines[2].split("\t")
    head[2] = head[7] = str(len(rows))
    return "\n".join([*lines[:2], "\t".join(head), *lines[3:5], *rows]) + "\n"


def _same_model(path: Path, setup: Path, trial: MarkerTrajectories) -> MarkerFit:
    model = read_osim(path)
    path.unlink()
    goals = goals_of_tasks(read_ik_setup(setup).tasks, model, {})
    options = MarkerOptions(weights=goals.weights, other_weight=0.0, pins=goals.pins)
    return fit_markers(model, trial, options)


def _against(theirs: Arrays, ours: MarkerFit, shown: Sequence[str] | None) -> Table:
    """RMS difference of every angle, with the mean difference and what is left without it."""
    names = [str(name) for name in theirs["names"]]
    angles, free = angle_coordinates(ours.model), set(ours.model.free_coordinates)
    rows, every = [], []
    for place, name in enumerate(ours.model.coordinate_names):
        wanted = name in names and angles[place] and (place in free or shown)
        if not wanted or (shown and name not in shown):
            continue
        away = ours.pose[:, place] - theirs["values"][:, names.index(name)]
        away = np.degrees((away + np.pi) % (2.0 * np.pi) - np.pi)
        moved = np.degrees(np.ptp(theirs["values"][:, names.index(name)]))
        rms, rest = float(np.sqrt((away**2).mean())), float(away.std())
        every.append(rms)
        cells = (f"{rms:.2f}°", f"{away.mean():+.1f}°", f"{rest:.2f}°", f"{moved:.0f}°")
        rows.append((name, *cells))
    middle = f"{np.median(every):.2f}°"
    rows.append(("median", middle, "", "", ""))
    rows.append(("largest", f"{max(every):.2f}°", "", "", ""))
    return (
        "angle",
        "RMS difference",
        "mean difference",
        "without the mean",
        "OpenSim's range",
    ), rows


def _chain(data: Path, repeats: int) -> tuple[Table, MarkerFit]:
    """Seconds of every step from JSON to a motion, median of the repeats; and the angles by the augmenter."""
    network, _ = load_augmenter()
    spent: dict[str, list[tuple[float, float]]] = {}
    frames = 0
    for _ in range(repeats):
        with _timed(spent, "JSON and calibration read"):
            cameras = read_calibration(data / "Calib_qualisys.toml", up="z")
            views = read_views([data / f"pose_cam{k}_json.tar.xz" for k in (1, 2, 3, 4)])
            views = tuple(replace(view, fps=FPS) for view in views)
            order = matched([view.name for view in views], [camera.name for camera in cameras])
            cameras = tuple(cameras[k] for k in order)
        with _timed(spent, "triangulation, gaps and filter"):
            person = reconstruct(views, cameras, FPS, ReconstructionOptions())[0]
            points = filtered(person.markers.positions, FPS, Butterworth(6.0))
            markers = replace(person.markers, positions=points)
        with _timed(spent, "43 markers by the augmenter"):
            markers = augment(markers, HEIGHT, MASS, network).markers
        with _timed(spent, "sizes and angles"):
            fit = fit_anatomy(markers)
        with _timed(spent, "angles alone, sizes known"):
            fit_anatomy(markers, model=fit.model)
        with _timed(spent, "velocities, accelerations, motion"):
            differentiated(fit.pose, FPS)
            motion_of_anatomy(fit.model, fit.pose, FPS)
        frames = len(markers)
        long = replace(markers, positions=np.tile(markers.positions, (_TIMES, 1, 1)))
        with _timed(spent, f"sizes and angles of {_TIMES} times as many frames"):
            fit_anatomy(long)
    rows, total = [], np.zeros(2)
    for name, seconds in spent.items():
        middle = np.median(np.array(seconds), axis=0)
        many = _TIMES if "times" in name else 1
        total += 0.0 if "alone" in name or many > 1 else middle
        rows.append(_speed(name, middle, many * frames))
    header = ("step", "wall", "processor", "times faster than real time (processor)")
    return (header, [*rows, _speed("all, sizes found", total, frames)]), fit


def _speed(name: str, seconds: np.ndarray, frames: int) -> tuple[str, ...]:
    wall, own = (float(value) for value in seconds)
    return name, f"{wall:.2f} s", f"{own:.2f} s", f"{frames / FPS / own:.1f}"


@contextmanager
def _timed(spent: dict[str, list[tuple[float, float]]], name: str) -> Iterator[None]:
    wall, own = time.perf_counter(), time.process_time()
    yield
    spent.setdefault(name, []).append((time.perf_counter() - wall, time.process_time() - own))


def _table(
    name: str, page: Path | None, header: tuple[str, ...], rows: list[tuple[str, ...]]
) -> None:
    for row in (header, *rows):
        sys.stdout.write(" | ".join(row) + "\n")
    sys.stdout.write("\n")
    sys.stdout.flush()
    if page:
        fill(page, name, block(header, rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    data = Path(os.environ.get("PALLAS_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder with video/")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="of which the median")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    peers = ROOT / ".venv-peers" / "bin" / "python"
    parser.add_argument("--peers", type=Path, default=peers, help="Python of the other programs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
