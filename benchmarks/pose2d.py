"""The pose network's tables: how long it takes, how exact it is, what each part of it is worth.

    python benchmarks/pose2d.py [TABLE ...] [--write docs/pose-network.md]

Held-out renders, others than those that trainings validate by, are looked for under --renders (a folder with
one of `pallas render` called held-out), networks of `pallas train --suite pose2d` under --runs, clips under
PALLAS_DATA (../shared/data). Tables without what they need are left out, and said. Times are of the
processor, so other programs on the machine count less.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from pose2d_times import decoding, latency, runtime

from pallas.capture.keypoints.files import read_keypoints
from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.video.crops import Box, box_around, crop
from pallas.capture.video.detection import detect_video
from pallas.capture.video.detector import Detector, make_detector
from pallas.capture.video.frames import Picture, read_frames
from pallas.capture.video.keypoint_file import write_keypoints
from pallas.neural.evaluation.pages import UNKNOWN, block, fill
from pallas.neural.pose2d.adaptation import adapted
from pallas.neural.pose2d.coco_set import Labelled, labelled_pictures, read_picture
from pallas.neural.pose2d.detector import PafDetector
from pallas.neural.pose2d.evaluate import agreement, found_in_crop, in_coco, measured
from pallas.neural.pose2d.folded import folded
from pallas.neural.pose2d.look import averaged_maps
from pallas.neural.pose2d.network import MOST_STAGES, PafNetwork, with_stages
from pallas.neural.pose2d.scores import correct, torso
from pallas.neural.pose2d.stored import load_paf
from pallas.neural.weights import EMBEDDED
from pallas.rig.errors import PallasError

CAMERAS = range(1, 5)
CHOOSING = (1, 2)  # cameras by which attempts may be chosen; the others only report
FPS = 60.0


def main() -> None:
    """Print the tables, and put them between their marks in a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", help=f"{', '.join(_TABLES)} (all)")
    parser.add_argument("--renders", type=Path, default=Path("work/pose/test"))
    parser.add_argument("--runs", type=Path, default=Path("work/pose/suite"))
    parser.add_argument("--weights", type=Path, default=EMBEDDED / "pose2d.safetensors")
    parser.add_argument("--keep", type=Path, help="folder for MediaPipe's keypoints")
    parser.add_argument("--every", type=int, default=1, help="only every Nth held-out picture (1)")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.tables or _TABLES:
        try:
            text = _TABLES[name](options)
        except PallasError as error:
            sys.stderr.write(f"{name} is left out: {error}\n")
            continue
        sys.stdout.write(f"\n{name}\n\n{text}")
        sys.stdout.flush()
        if options.write is not None:
            fill(options.write, name, text)


def renders(options: argparse.Namespace) -> str:
    """Exactness on held-out renders, of the trained network and of those under --runs."""
    pictures = _held_out(options)
    rows = []
    for name, network in _networks(options).items():
        side = network.config.side
        for mirrored in (False, True)[: 2 if name == "light" else 1]:
            found = measured(network, pictures, side, side, mirrored=mirrored)
            told = [found.pck, found.seen, found.precision]
            title = f"{name}, mirror images too" if mirrored else name
            about = [title, *_trained(options, name), str(found.people)]
            rows.append([*about, *(f"{100.0 * value:.1f}" for value in told)])
    header = [
        "network",
        "steps",
        "pictures",
        "people",
        "PCK@0.2, %",
        "of unhidden keypoints",
        "OKS-AP, whole picture",
    ]
    return block(header, rows)


def _trained(options: argparse.Namespace, name: str) -> list[str]:
    """Steps of a training, and its pictures, as its file tells."""
    own = options.runs / name / f"{name}.json"
    path = own if own.is_file() else options.weights.with_suffix(".json")
    about = json.loads(path.read_text(encoding="utf-8"))
    return [str(about.get(key, UNKNOWN)) for key in ("steps", "pictures")]


def _held_out(options: argparse.Namespace) -> list[Labelled]:
    return labelled_pictures(options.renders, "validation")[:: options.every]


def _networks(options: argparse.Namespace) -> dict[str, PafNetwork]:
    found = {"light": load_paf(options.weights)}
    for path in sorted(options.runs.glob("*/*.safetensors")):
        if path.stem == path.parent.name:
            found[path.stem] = load_paf(path)
    return found


def stages(options: argparse.Namespace) -> str:
    """The paper's table 1: how far fewer stages are from six, dropped and retrained."""
    six = load_paf(options.runs / "stages-6" / "stages-6.safetensors")
    pictures = _held_out(options)[:100]
    wanted = [_maps(six, one) for one in pictures]
    rows = []
    for count in range(MOST_STAGES, 0, -1):
        row = [str(count), *_apart(with_stages(six, count), pictures, wanted)]
        path = options.runs / f"stages-{count}" / f"stages-{count}.safetensors"
        again = count < MOST_STAGES and path.is_file()
        rows.append(row + (_apart(load_paf(path), pictures, wanted) if again else [UNKNOWN] * 3))
    header = ["stages", "maps, L2", "PAFs, L2", "PCK@0.2, %"]
    return block([*header, *(f"{name}, retrained" for name in header[1:])], rows)


def _maps(network: PafNetwork, one: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """Averaged over scales, as in the paper."""
    picture = read_picture(one)
    height, width = picture.shape[:2]
    whole = Box(width / 2, height / 2, width, height)
    return averaged_maps(folded(network), picture, whole, network.config.side, (0.75, 1.0, 1.25))[
        :2
    ]


def _apart(network: PafNetwork, pictures: Sequence[Labelled], wanted: Sequence) -> list[str]:
    """Mean over the pictures of the norms of the differences, and the PCK."""
    found = [_maps(network, one) for one in pictures]
    norms = [
        [np.linalg.norm(a - b) for a, b in zip(*pair, strict=True)]
        for pair in zip(found, wanted, strict=True)
    ]
    exact = measured(network, pictures, network.config.side, network.config.side).pck
    return [*(f"{value:.2f}" for value in np.mean(norms, axis=0)), f"{100.0 * exact:.1f}"]


def clips(options: argparse.Namespace) -> str:
    """Agreement with OpenPose's points on four real clips, MediaPipe beside it."""
    data, rows = _clips(), []
    network = load_paf(options.weights)
    for k in CAMERAS:
        reference, clip = _openpose(data, k), data / "single" / "videos" / f"cam{k:02d}.mp4"
        for name in ("paf", "mediapipe"):
            try:
                found, cost = _detected(name, clip, network, options.keep)
            except PallasError as error:
                sys.stderr.write(f"{name} is left out: {error}\n")
                continue
            told = agreement(found, reference)
            rows.append(
                [
                    str(k),
                    name,
                    str(told.frames),
                    f"{100.0 * told.pck:.1f}",
                    f"{told.distance:.2f}",
                    cost,
                ]
            )
    header = ["camera", "detector", "frames", "PCK@0.2, %", "median distance, torsos"]
    return block([*header, "ms of the processor a frame"], rows)


def _clips() -> Path:
    data = Path(os.environ.get("PALLAS_DATA", "../shared/data")) / "video" / "pose2sim"
    if not data.is_dir():
        raise PallasError(f"{data} is not there (PALLAS_DATA)")
    return data


def _openpose(data: Path, camera: int) -> Keypoints:
    path = data / "openpose" / f"pose_cam{camera}_json.tar.xz"
    return read_keypoints(path, fps=FPS, image_size=(1080, 1920))


def _detected(
    name: str, clip: Path, network: PafNetwork, keep: Path | None
) -> tuple[Keypoints, str]:
    """Keypoints of a clip, and what a frame cost; MediaPipe's are taken from `keep` where they are there."""
    path = keep / f"{clip.stem}.json" if keep is not None and name == "mediapipe" else None
    if path is not None and path.exists():
        return read_keypoints(path), UNKNOWN
    detector: Detector = PafDetector(network) if name == "paf" else make_detector(name)
    started = time.process_time()
    result = detect_video(clip, detector)
    cost = 1000.0 * (time.process_time() - started) / result.frames
    if path is not None:
        write_keypoints(path, result.keypoints, {"detector": name})
    return result.keypoints, f"{cost:.0f}"


def gap(options: argparse.Namespace) -> str:
    """What was tried against the gap between renders and photographs: crops of every fifth frame."""
    data, rows = _clips(), []
    held = _held_out(options)
    shown = {k: _crops(data, k) for k in CAMERAS}
    tried = {
        n: net for n, net in _networks(options).items() if n == "light" or n.startswith("gap-")
    }
    for name, network in tried.items():
        exact = measured(network, held, network.config.side, network.config.side).pck
        for adapting in (False, True):
            values = [_agreeing(network, *shown[k], adapting=adapting) for k in CAMERAS]
            groups = [
                [v for k, v in zip(CAMERAS, values, strict=True) if (k in CHOOSING) == chosen]
                for chosen in (True, False)
            ]
            label = f"{name}, normalised by the clip" if adapting else name
            told = [UNKNOWN if adapting else f"{100.0 * exact:.1f}"]
            rows.append([label, *told, *(f"{100.0 * np.mean(group):.1f}" for group in groups)])
    others = ", ".join(str(k) for k in CAMERAS if k not in CHOOSING)
    header = ["training", "held-out renders", f"cameras {', '.join(map(str, CHOOSING))}"]
    return "PCK@0.2, %.\n\n" + block([*header, f"cameras {others}"], rows)


def _crops(data: Path, camera: int) -> tuple[list[Picture], list[np.ndarray]]:
    """Every fifth frame of a clip, and OpenPose's points in it."""
    reference = _openpose(data, camera)
    points = in_coco(reference.positions[:, 0], reference.layout)
    pictures, known = [], []
    for number, frame in enumerate(
        read_frames(data / "single" / "videos" / f"cam{camera:02d}.mp4")
    ):
        wanted = number % 5 == 0 and number < len(points)
        if wanted and np.isfinite(points[number]).all(axis=-1).sum() > 4:
            pictures.append(frame.picture)
            known.append(points[number])
    return pictures, known


def _agreeing(
    network: PafNetwork, pictures: list[Picture], known: list[np.ndarray], *, adapting: bool
) -> float:
    side = network.config.side
    if adapting:
        around = [box_around(points[np.isfinite(points).all(axis=-1)]) for points in known]
        boxes = [box.of_shape(1.0) for box in around]
        crops = [crop(p, b, (side, side)) for p, b in zip(pictures, boxes, strict=True)]
        network = adapted(network, crops)
    ready = folded(network)
    rows = [
        correct(found_in_crop(ready, picture, points, side), points, np.asarray(torso(points)))
        for picture, points in zip(pictures, known, strict=True)
    ]
    return float(np.nanmean(rows))


_TABLES = {
    "decoding": decoding,
    "runtime": runtime,
    "latency": latency,
    "renders": renders,
    "stages": stages,
    "clips": clips,
    "gap": gap,
}

if __name__ == "__main__":
    main()
