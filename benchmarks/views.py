"""Triangulation and refinement beside Pose2Sim's own points, on its demonstration of four cameras.

    python benchmarks/views.py [--data DATA] [--write docs/keypoints.md] [--plots FOLDER] [--long]

First how good, then how long: the whole way from OpenPose's JSON, a file for each frame and camera, to joint
angles and an Action of the embedded character, which stands in the scene before.

Every row is judged by the same measured keypoints: where the cameras saw each of Pose2Sim's 21 points,
without the lenses' distortion, and where the points would be seen. `agreeing` are the cameras that our
triangulation did not leave out. Times are processor seconds of one core, without imports: of a process' first
take, and of the quickest of three more; `--long` has also the take twenty times, back and forth, the quicker
of two.
"""

import argparse
import os
import tarfile
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np
import torch
from ik.report import block, fill

from pallas.capture.cameras.files import read_calibration
from pallas.capture.cameras.reconstruct import Person, reconstruct
from pallas.capture.cameras.refined import refined
from pallas.capture.keypoints.files import read_views
from pallas.capture.trc import read_trc
from pallas.rig.anatomy import motion_of_anatomy
from pallas.rig.anatomy.fit import fit_anatomy
from pallas.rig.filters import Butterworth, filtered
from pallas.rig.solve.views import SolvedBody, View, solve_views
from pallas.rig.triangulation.linear import reprojected
from pallas.scene.apply import apply_motion
from pallas.scene.character import add_character

ROOT = Path(__file__).resolve().parent.parent
FPS = 60.0
FRAMES, REPEATED = 100, 20
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


def main() -> None:
    """Print the table; with --write, put it into the page."""
    options = _options()
    torch.set_num_threads(1)
    speed = _speed(options.data / TAKE, long=options.long)
    take = _take(options.data / TAKE)
    lines = [HEADER, *(_row(name, points, take) for name, points in take.points.items())]
    said = "\n".join([*lines, "", speed])
    print(said)  # noqa: T201
    if options.write:
        fill(options.write, "views", said)
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


def _take(folder: Path) -> Take:
    views = read_views([folder / f"pose_cam{k}_json.tar.xz" for k in (1, 2, 3, 4)])
    cameras = read_calibration(folder / "Calib_qualisys.toml")
    (person,) = reconstruct(views, cameras, FPS)
    seen, sure = person.views.pixels, person.views.confidence
    given = [View(seen[:, :, c], one.projection, sure[:, :, c]) for c, one in enumerate(cameras)]
    body = solve_views(views[0].layout.names, FPS, views=given)
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
    return Take(person, given, theirs.names, points, body)


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


def _speed(folder: Path, *, long: bool) -> str:
    """A table: processor seconds of every step, and times faster than real time."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    character = add_character()
    rows: dict[str, list[str]] = {}
    header = ["step", "first, 1.67 s", "1.67 s"]
    with tempfile.TemporaryDirectory(prefix="views-") as room:
        for refining in (False, True):
            short = _unpacked(folder, Path(room), 1)
            first = _chain(folder, short, character, refining=refining)
            others = [_chain(folder, short, character, refining=refining) for _ in range(3)]
            runs = [(first, 1), (min(others, key=lambda run: sum(run.values())), 1)]
            if long:
                many = _unpacked(folder, Path(room), REPEATED)
                takes = [_chain(folder, many, character, refining=refining) for _ in range(2)]
                runs.append((min(takes, key=lambda run: sum(run.values())), REPEATED))
            name = "with refinement" if refining else "without refinement"
            for step in first:
                rows[f"{name}: {step}"] = [f"{run[step]:.3f} s" for run, _ in runs]
            real = [times * FRAMES / FPS / sum(run.values()) for run, times in runs]
            rows[f"**{name}, times faster than real time**"] = [f"**{r:.1f}**" for r in real]
    header += [f"{REPEATED * FRAMES / FPS:.1f} s"] if long else []
    return block(header, [[step, *cells] for step, cells in rows.items()])


def _unpacked(folder: Path, room: Path, times: int) -> list[Path]:
    """Folders of JSON as OpenPose writes them, the take several times, back and forth."""
    cameras = []
    for k in (1, 2, 3, 4):
        camera = room / f"{times}" / f"pose_cam{k}_json"
        cameras.append(camera)
        if camera.exists():
            continue
        camera.mkdir(parents=True)
        with tarfile.open(folder / f"pose_cam{k}_json.tar.xz") as archive:
            files = sorted((f for f in archive if f.name.endswith(".json")), key=lambda f: f.name)
            content = [archive.extractfile(file).read() for file in files]
        every = [frame for n in range(times) for frame in content[:: -1 if n % 2 else 1]]
        for number, frame in enumerate(every):
            (camera / f"cam{k}_{number:06d}_keypoints.json").write_bytes(frame)
    return cameras


def _chain(
    folder: Path, json: list[Path], character: bpy.types.Object, *, refining: bool
) -> dict[str, float]:
    """Processor seconds of every step from JSON to an Action."""
    spent: dict[str, float] = {}
    clock = [time.process_time()]

    def lap(step: str) -> None:
        now = time.process_time()
        spent[step] = now - clock[0]
        clock[0] = time.process_time()

    cameras = read_calibration(folder / "Calib_qualisys.toml")
    views = read_views(json)
    lap("JSON and calibration read")
    person = reconstruct(views, cameras, FPS)[0]
    lap("who, which side, where")
    markers = person.markers
    if refining:
        found = refined(person, views[0].layout, cameras)
        markers, motion = found.markers, found.body.motion
        lap("a body over all frames")
    else:
        points = filtered(markers.positions, FPS, Butterworth(6.0))
        markers = replace(markers, positions=points)
        lap("filter")
    fit = fit_anatomy(markers)
    lap("sizes and joint angles")
    if not refining:
        motion = motion_of_anatomy(fit.model, fit.pose, FPS)
        lap("motion of 24 joints")
    apply_motion(character, motion)
    lap("Action")
    return spent


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
