"""Video routes on Pose2Sim's demonstration: MediaPipe against OpenPose, and one camera against four.

    .venv/bin/python benchmarks/video.py [--write docs/video.md] [--keep FOLDER] [--pictures FOLDER]

Finds `video/pose2sim` under PALLAS_DATA (../shared/data). MediaPipe runs on the four clips (`--keep` keeps
its keypoints, and takes those that are there); both detectors' keypoints are triangulated; then every camera
alone is lifted and compared with the four together. Without MediaPipe its columns are left out.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pallas.capture.cameras.files import read_calibration
from pallas.capture.cameras.reconstruct import reconstruct
from pallas.capture.keypoints.files import read_keypoints
from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.keypoints.sides import with_steady_sides
from pallas.capture.keypoints.tracks import tracked
from pallas.capture.video.detection import detect_video
from pallas.capture.video.detector import make_detector
from pallas.capture.video.keypoint_file import write_keypoints
from pallas.neural.evaluation.pages import block, fill
from pallas.neural.lifter.evaluate import aligned_error
from pallas.neural.lifter.solve import OPENCAP, camera_of_focal, solve_lift
from pallas.neural.lifter.stored import load_lifter
from pallas.rig.errors import ModelError
from pallas.rig.filters import filter_from_text, filtered

FPS = 60.0
FILTER = filter_from_text("butterworth:cutoff=6")
SIDES = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Heel", "BigToe", "SmallToe")
CAMERAS = range(1, 5)


def main() -> int:
    """Run both comparisons, print their tables, and put them where they were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--write", type=Path, help="page with the marks video-mediapipe and video-lift"
    )
    parser.add_argument("--keep", type=Path, help="folder for MediaPipe's keypoints")
    parser.add_argument("--weights", type=Path, help="folder of pallas train lifter (embedded)")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of what was found")
    options = parser.parse_args()
    data = Path(os.environ.get("PALLAS_DATA", "../shared/data")) / "video" / "pose2sim"
    if not data.is_dir():
        sys.stdout.write(f"benchmark skipped: {data} is not there (PALLAS_DATA)\n")
        return 0
    cameras = read_calibration(data / "openpose" / "Calib_qualisys.toml")
    views = {"OpenPose": _openpose(data)}
    told = ""
    try:
        views["MediaPipe"], told = _mediapipe(data, options.keep)
    except ModelError as error:
        sys.stderr.write(f"MediaPipe left out: {error}\n")
    together = {name: _triangulated(each, cameras) for name, each in views.items()}
    tables = {}
    if "MediaPipe" in views:
        tables["video-mediapipe"] = told + _compared(together["MediaPipe"], together["OpenPose"])
    tables["video-lift"] = _lifted(views, cameras, together, options)
    for mark, text in tables.items():
        sys.stdout.write(f"\n{mark}\n\n{text}\n")
        if options.write is not None:
            fill(options.write, mark, text)
    return 0


def _openpose(data: Path) -> list[Keypoints]:
    files = [data / "openpose" / f"pose_cam{k}_json.tar.xz" for k in CAMERAS]
    return [read_keypoints(file, fps=FPS, image_size=(1080, 1920)) for file in files]


def _mediapipe(data: Path, keep: Path | None) -> tuple[list[Keypoints], str]:
    """Keypoints of the four clips, and what they cost."""
    make_detector("mediapipe").close()
    folder = keep or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    found, frames, started, seconds = [], 0, time.process_time(), 0.0
    for k in CAMERAS:
        path = folder / f"cam{k:02d}.json"
        if not path.exists():
            clip = data / "single" / "videos" / f"cam{k:02d}.mp4"
            result = detect_video(clip, make_detector("mediapipe"))
            write_keypoints(path, result.keypoints, {"detector": "mediapipe"})
            frames, seconds = frames + result.frames, seconds + result.seconds
        found.append(read_keypoints(path))
    if not frames:
        return found, ""
    cost = 1000.0 * (time.process_time() - started) / frames
    return found, f"{frames} frames, {cost:.0f} ms of processor time each ({seconds:.0f} s).\n\n"


def _triangulated(views: Sequence[Keypoints], cameras: Sequence) -> dict[str, np.ndarray]:
    """(T, 3) metres of each of OpenCap's points, seen by all cameras, filtered at 6 Hz."""
    person = reconstruct(views, cameras, FPS)[0]
    positions = filtered(person.markers.positions, FPS, FILTER)
    names = person.markers.names
    points = {name: positions[:, names.index(name)] for name in OPENCAP if name in names}
    points["midHip"] = (points["LHip"] + points["RHip"]) / 2
    points["Neck"] = (points["LShoulder"] + points["RShoulder"]) / 2
    return points


def _compared(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> str:
    """Distance of points, as they are and less the clip's mean difference of each point."""
    rows = []
    for side in (*SIDES, "midHip", "Neck"):
        pair = (side,) if side in ours else (f"L{side}", f"R{side}")
        names = [name for name in pair if name in ours and name in theirs]
        if not names:
            continue
        apart = np.stack([ours[n] - theirs[n] for n in names])
        steady = apart - np.nanmean(apart, axis=1, keepdims=True)
        rows.append((side, _millimetres(apart), _millimetres(steady), np.isnan(apart).mean()))
    cells = [[side, f"{a:.0f}", f"{s:.0f}"] for side, a, s, _ in rows]
    cells.append(
        ["mean", f"{np.mean([r[1] for r in rows]):.0f}", f"{np.mean([r[2] for r in rows]):.0f}"]
    )
    return block(["point", "distance, mm", "less its mean, mm"], cells)


def _millimetres(apart: np.ndarray) -> float:
    return float(1000.0 * np.nanmedian(np.linalg.norm(apart, axis=-1)))


def _lifted(views: dict, cameras: Sequence, together: dict, options: argparse.Namespace) -> str:
    """Each camera alone, calibrated and with its focal length only, against the four together."""
    network = load_lifter(None if options.weights is None else options.weights / "lifter")
    rows, joints = [], {}
    for who, each in views.items():
        truth = together[who]
        height = _height(truth)
        for number, (keypoints, camera) in enumerate(zip(each, cameras, strict=True), start=1):
            person, _ = with_steady_sides(tracked(keypoints, 1))
            started = time.process_time()
            found = solve_lift(person, camera, network, height=height)
            seconds = time.process_time() - started
            free = camera_of_focal(float(camera.matrix[0, 0]), (1080, 1920))
            alone = solve_lift(person, free, network, height=height, calibrated=False)
            if options.pictures is not None:
                _draw(options.pictures / f"{who}-{number}.png".lower(), found, truth)
            score, per_joint = _score(found.markers.positions, truth)
            joints[f"{who} {number}"] = per_joint
            only = _score(alone.markers.positions, truth)[0]
            rows.append([
                who, str(number), f"{score[0]:.0f}", f"{score[1]:.0f}", f"{score[2]:.0f}", f"{only[2]:.0f}",
                f"{_degrees(alone.lifted.up, camera.camera_from_world[:, 2]):.0f}°",
                f"{seconds:.1f}",
            ])  # fmt: skip
    means = [
        [who, "mean", *(f"{np.mean([float(r[k]) for r in rows if r[0] == who]):.0f}" for k in range(2, 6)),
         "", ""]
        for who in views
    ]  # fmt: skip
    head = ["detector", "camera", "in the world, mm", "from mid-hip, mm", "aligned, mm",
            "aligned, focal length only, mm", "up is off", "s"]  # fmt: skip
    return f"{block(head, rows + means)}\n{_joint_table(joints)}"


def _degrees(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(one @ other, -1.0, 1.0))))


def _height(points: dict[str, np.ndarray]) -> float:
    """Metres: of the body whose shins and thighs are as long (0.475 of the height)."""
    legs = [
        np.nanmedian(np.linalg.norm(points[f"{s}Hip"] - points[f"{s}Knee"], axis=-1))
        + np.nanmedian(np.linalg.norm(points[f"{s}Knee"] - points[f"{s}Ankle"], axis=-1))
        for s in "LR"
    ]
    return float(np.mean(legs)) / 0.475


def _score(positions: np.ndarray, truth: dict) -> tuple[tuple[float, float, float], dict]:
    """Mean distances in millimetres: as it is, from mid-hip, aligned; and the last by joint."""
    names = [name for name in OPENCAP if name in truth]
    ours = positions[:, [OPENCAP.index(name) for name in names]]
    theirs = np.stack([truth[name] for name in names], axis=1)
    count = min(len(ours), len(theirs))
    ours, theirs = ours[:count], theirs[:count]
    good = np.isfinite(theirs).all(axis=(1, 2))
    ours, theirs = ours[good], theirs[good]
    hip = names.index("midHip")
    apart = np.linalg.norm(ours - theirs, axis=-1)
    centred = (ours - ours[:, hip : hip + 1]) - (theirs - theirs[:, hip : hip + 1])
    aligned = 1000.0 * aligned_error(ours, theirs)
    by_joint = dict(zip(names, aligned.mean(axis=0), strict=True))
    return (
        1000.0 * float(apart.mean()),
        1000.0 * float(np.linalg.norm(centred, axis=-1).mean()),
        float(aligned.mean()),
    ), by_joint


def _joint_table(joints: dict[str, dict[str, float]]) -> str:
    """Aligned error of each point, mean over the cameras and both sides, by detector."""
    detectors = list(dict.fromkeys(name.split()[0] for name in joints))
    rows = []
    for side in (*SIDES, "midHip", "Neck"):
        cells = []
        for detector in detectors:
            values = [
                error
                for name, each in joints.items()
                for joint, error in each.items()
                if name.startswith(detector) and joint in (side, f"L{side}", f"R{side}")
            ]
            cells.append(f"{np.mean(values):.0f}" if values else "\N{EN DASH}")
        rows.append([side, *cells])
    return block(["point, aligned", *(f"{d}, mm" for d in detectors)], rows)


def _draw(path: Path, found: object, truth: dict) -> None:
    """Four frames from the side and the front: lifted in colour, triangulated in grey."""
    path.parent.mkdir(exist_ok=True)
    limbs = [("Neck", "midHip")]
    for s in "LR":
        limbs += [("Neck", f"{s}Shoulder"), (f"{s}Shoulder", f"{s}Elbow"), (f"{s}Elbow", f"{s}Wrist"),
                  ("midHip", f"{s}Hip"), (f"{s}Hip", f"{s}Knee"), (f"{s}Knee", f"{s}Ankle"),
                  (f"{s}Ankle", f"{s}Heel"), (f"{s}Ankle", f"{s}BigToe")]  # fmt: skip
    ours = {name: found.markers.positions[:, k] for k, name in enumerate(OPENCAP)}
    figure = Figure(figsize=(14, 8))
    axes = figure.subplots(2, 4)
    for column, frame in enumerate(np.linspace(0, len(ours["Neck"]) - 1, 4).astype(int)):
        for row, axis in enumerate((0, 1)):
            for points, colour in ((truth, "0.6"), (ours, None)):
                for a, b in limbs:
                    if a in points and b in points:
                        line = np.stack([points[a][frame], points[b][frame]])
                        shade = colour or ("tab:blue" if "L" in (a[0], b[0]) else "tab:red")
                        axes[row, column].plot(line[:, axis], line[:, 2], color=shade)
            axes[row, column].set_aspect("equal")
            axes[row, column].set_title(f"frame {frame}, along {'yx'[row]}")
    figure.tight_layout()
    figure.savefig(path, dpi=60)


if __name__ == "__main__":
    sys.exit(main())
