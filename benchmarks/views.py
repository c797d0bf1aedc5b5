"""Triangulation and refinement beside Pose2Sim's own points, on its demonstration of four cameras.

    python benchmarks/views.py [--data DATA] [--write docs/keypoints.md] [--plots FOLDER] [--long]

Every row is judged by the same measured keypoints: where the cameras saw each of Pose2Sim's 21 points,
without the lenses' distortion, and where the points would be seen. `agreeing` are the cameras that our
triangulation did not leave out. Times are processor seconds of one core, without imports; `--long` repeats
the take ten times.
"""

import argparse
import os
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from ik.report import fill

from pallas.capture.cameras.files import read_calibration
from pallas.capture.cameras.reconstruct import Person, reconstruct
from pallas.capture.keypoints.files import read_views
from pallas.capture.trc import read_trc
from pallas.rig.filters import Butterworth, filtered
from pallas.rig.solve.views import SolvedBody, View, solve_views
from pallas.rig.triangulation.linear import reprojected

ROOT = Path(__file__).resolve().parent.parent
FPS = 60.0
TAKE = Path("video/pose2sim/openpose")
VIDEO = Path("video/pose2sim/single/videos/cam01.mp4")
HEADER = (
    "| points | reprojection error, all: median, mean, RMS | agreeing: median, mean | from Pose2Sim's | gaps "
    "| acceleration |\n|---|---|---|---|---|---|"
)
SHOWN = ("RKnee", "LWrist", "Head")


class Take(NamedTuple):
    """The demonstration: what was seen, and points (T, 21, 3) of each kind."""

    person: Person
    views: list[View]
    names: tuple[str, ...]
    points: dict[str, np.ndarray]
    body: SolvedBody
    seconds: dict[str, float]


def main() -> None:
    """Print the table; with --write, put it into the page."""
    options = _options()
    torch.set_num_threads(1)
    take = _take(options.data / TAKE, long=options.long)
    lines = [HEADER, *(_row(name, points, take) for name, points in take.points.items())]
    said = "\n".join([*lines, "", *(_speed(what, s) for what, s in take.seconds.items())])
    print(said)  # noqa: T201
    if options.write:
        fill(options.write, "views", f"{said}\n")
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        _plot_curves(take, options.plots / "curves.png")
        _plot_reprojection(take, options.data / VIDEO, options.plots / "reprojection.png")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    data = Path(os.environ.get("PALLAS_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--plots", type=Path)
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    if not (options.data / TAKE).is_dir():
        raise SystemExit(f"views: no folder {options.data / TAKE}; set PALLAS_DATA")
    return options


def _take(folder: Path, *, long: bool) -> Take:
    seconds: dict[str, float] = {}
    start = time.process_time()
    views = read_views([folder / f"pose_cam{k}_json.tar.xz" for k in (1, 2, 3, 4)])
    cameras = read_calibration(folder / "Calib_qualisys.toml")
    start = _clocked(seconds, "reading", start)
    (person,) = reconstruct(views, cameras, FPS)
    start = _clocked(seconds, "triangulation", start)
    layout = views[0].layout.names
    seen, sure = person.views.pixels, person.views.confidence
    given = [View(seen[:, :, c], one.projection, sure[:, :, c]) for c, one in enumerate(cameras)]
    solve_views(layout, FPS, views=[View(v.pixels[:2], v.projection) for v in given])  # warm
    start = time.process_time()
    body = solve_views(layout, FPS, views=given)
    start = _clocked(seconds, "refinement", start)
    if long:
        many = [
            View(np.tile(v.pixels, (10, 1, 1)), v.projection, np.tile(v.confidence, (10, 1)))
            for v in given
        ]
        start = time.process_time()
        solve_views(layout, FPS, views=many)
        _clocked(seconds, "refinement, 1000 frames", start)
    theirs = read_trc(folder / "Balancing_for_IK.trc", up="y").markers
    x, y, z = np.moveaxis(theirs.positions, -1, 0)
    found = person.markers.chosen(theirs.names).positions
    columns = [body.names.index(name) for name in theirs.names]
    points = {
        "Pose2Sim's file": np.stack([-y, x, z], axis=-1),
        "triangulated": found,
        "triangulated, Butterworth 6 Hz": filtered(found, FPS, Butterworth(6.0)),
        "refined": body.tracks[:, columns],
        "the body's (bones of one length)": body.points[:, columns],
    }
    return Take(person, given, theirs.names, points, body, seconds)


def _clocked(seconds: dict[str, float], what: str, start: float) -> float:
    now = time.process_time()
    seconds[what] = now - start
    return now


def _row(name: str, points: np.ndarray, take: Take) -> str:
    columns = [take.person.markers.names.index(n) for n in take.names]
    where = reprojected(points.reshape(-1, 3), np.stack([v.projection for v in take.views]))[0]
    where = where.reshape(*points.shape[:2], len(take.views), 2)
    seen = take.person.views.confidence[:, columns] > 0.0
    errors = np.linalg.norm(where - take.person.views.pixels[:, columns], axis=-1)
    agreeing = errors[take.person.triangulation.used[:, columns]]
    every = errors[seen]
    away = np.linalg.norm(points - take.points["Pose2Sim's file"], axis=-1)
    bend = np.linalg.norm(np.diff(points, 2, axis=0), axis=-1) * FPS**2
    return (
        f"| {name} | {np.nanmedian(every):.2f}, {np.nanmean(every):.2f}, "
        f"{np.sqrt(np.nanmean(every**2)):.1f} px "
        f"| {np.nanmedian(agreeing):.2f}, {np.nanmean(agreeing):.2f} px "
        f"| {1000 * np.nanmedian(away):.1f} mm | {int(np.isnan(points[..., 0]).sum())} "
        f"| {np.nanmedian(bend):.1f} m/s² |"
    )


def _speed(what: str, seconds: float) -> str:
    frames = 1000 if "1000" in what else 100
    return f"- {what}: {seconds:.2f} s for {frames / FPS:.2f} s, {frames / FPS / seconds:.1f} x real time"


def _plot_curves(take: Take, path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, rows = plt.subplots(len(SHOWN), 2, figsize=(13, 9), sharex=True)
    times = np.arange(len(take.body.tracks)) / FPS
    for name, row in zip(SHOWN, rows, strict=True):
        for axis, panel in zip((0, 2), row, strict=True):
            for kind, style in (
                ("triangulated", "0.7"),
                ("Pose2Sim's file", "C1"),
                ("refined", "C0"),
            ):
                track = take.points[kind][:, take.names.index(name), axis]
                panel.plot(times, 1000 * track, color=style, label=kind, lw=1.2)
            panel.set_ylabel(f"{name} {'xyz'[axis]}, mm")
    rows[0, 0].legend(frameon=False)
    rows[-1, 0].set_xlabel("seconds")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _plot_reprojection(take: Take, video: Path, path: Path, frame: int = 50) -> None:
    import av  # noqa: PLC0415
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    with av.open(str(video)) as container:
        picture = next(f for k, f in enumerate(container.decode(video=0)) if k == frame)
        shown = picture.to_ndarray(format="rgb24")
    body, view = take.body, take.views[0]
    _, origins = body.motion.world()

    def seen(points: np.ndarray) -> np.ndarray:
        return reprojected(points, view.projection[None])[0][:, 0]

    figure, panel = plt.subplots(figsize=(8, 14))
    panel.imshow(shown)
    panel.plot(*view.pixels[frame].T, "o", color="yellow", ms=6, mfc="none", label="seen")
    panel.plot(*seen(body.tracks[frame]).T, "+", color="cyan", ms=9, label="refined")
    joints = seen(origins[frame])
    for joint, parent in enumerate(body.motion.skeleton.parents):
        if parent >= 0:
            panel.plot(*joints[[joint, parent]].T, "-", color="lime", lw=1.5)
    panel.legend()
    panel.set_axis_off()
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    plt.close(figure)


if __name__ == "__main__":
    main()
