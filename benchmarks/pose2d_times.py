"""How long the pose network takes: by stages and sizes, from maps to people, in torch and in ONNX Runtime.

Tables of `pose2d.py`. `python benchmarks/pose2d_times.py RUNNER THREADS FILE` looks with one file in a
process of its own and prints median milliseconds of the processor and of the clock, and megabytes.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from pallas.neural.evaluation.pages import block
from pallas.neural.pose2d.decode import decode
from pallas.neural.pose2d.folded import folded
from pallas.neural.pose2d.layouts import PAF_LAYOUTS, PafLayout
from pallas.neural.pose2d.look import normalised
from pallas.neural.pose2d.network import MOST_STAGES, PafConfig, PafNetwork
from pallas.neural.pose2d.onnx_file import write_onnx
from pallas.neural.pose2d.people import MATCHINGS
from pallas.neural.pose2d.stored import load_paf
from pallas.neural.pose2d.targets import target_maps

CELLS = 46
CONTEXT = 128  # channels, as the network in the package has them
SIDES = (128, 256, 384)
# COCO's 18 points of somebody who stands, in heads.
STANDING = np.array(
    [
        (0, 0.5), (0, 1.4), (-0.8, 1.5), (-1.1, 2.7), (-1.2, 3.8), (0.8, 1.5), (1.1, 2.7), (1.2, 3.8),
        (-0.5, 3.9), (-0.5, 5.7), (-0.5, 7.4), (0.5, 3.9), (0.5, 5.7), (0.5, 7.4), (-0.2, 0.3),
        (0.2, 0.3), (-0.5, 0.45), (0.5, 0.45),
    ]
)  # fmt: skip


def _milliseconds(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median and least milliseconds of the processor, after one more."""
    work()
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        taken.append(1000.0 * (time.process_time() - started))
    return float(np.median(taken)), min(taken)


def decoding(options: argparse.Namespace) -> str:
    """From maps to people."""
    layout, rows = PAF_LAYOUTS["coco_18"], []
    maps = people_maps(layout)
    for matching in MATCHINGS:
        people = len(decode(*maps, layout, matching).places)
        took = _milliseconds(lambda matching=matching: decode(*maps, layout, matching), 50)
        rows.append([matching, str(people), f"{took[0]:.1f}", f"{took[1]:.1f}"])
    return block(["assembly", f"people in {CELLS}x{CELLS}", "median, ms", "least, ms"], rows)


def people_maps(layout: PafLayout) -> tuple[np.ndarray, np.ndarray]:
    """Maps of three people, with a little noise."""
    people = np.stack([STANDING * 4.5 + (x, 5.0) for x in (9.3, 22.8, 36.1)])
    draw = np.random.default_rng(0)
    confidence, pafs = target_maps(people, layout.limbs, (CELLS, CELLS))
    return tuple(
        (maps + draw.normal(0.0, 0.02, maps.shape)).astype(np.float32)
        for maps in (confidence, pafs)
    )


def runtime(options: argparse.Namespace) -> str:
    """The paper's figure 4: time by stages and image scale, for each backbone."""
    rows = []
    for backbone in ("light", "alexnet", "vgg"):
        context = CONTEXT if backbone == "light" else 0
        config = PafConfig(backbone, "coco_18", stages=MOST_STAGES, context=context)
        network = folded(PafNetwork(config))
        millions = sum(p.numel() for p in network.parameters()) / 1e6
        for side in SIDES if backbone == "light" else SIDES[:2]:
            repeats = 9 if backbone == "light" else 2
            steps = np.cumsum(_stage_times(network, side, repeats))
            share = f"{100.0 * steps[3] / steps[6]:.0f} %"
            rows.append(
                [backbone, f"{millions:.2f}", f"{side}", *(f"{s:.1f}" for s in steps[1:]), share]
            )
    header = ["backbone", "M parameters at 6 stages", "side, px"]
    stages = [f"{n} stage{'s' * (n > 1)}, ms" for n in range(1, MOST_STAGES + 1)]
    return block([*header, *stages, "3 of 6"], rows)


def _stage_times(network: PafNetwork, side: int, repeats: int) -> np.ndarray:
    """Median milliseconds of the backbone and of each stage."""
    taken = []
    picture = normalised(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    with torch.inference_mode():
        for _ in range(repeats + 1):
            clock = [time.process_time()]
            seen = features = network.backbone(picture)
            clock.append(time.process_time())
            for stage in network.stages:
                maps = stage(seen)
                seen = torch.cat([maps.pafs, maps.confidence, features], dim=1)
                clock.append(time.process_time())
            taken.append(1000.0 * np.diff(clock))
    return np.asarray(np.median(taken[1:], axis=0))


def latency(options: argparse.Namespace) -> str:
    """The trained network on one and two cores, in torch and in ONNX Runtime."""
    network, rows = load_paf(options.weights), []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pose2d.onnx"
        write_onnx(path, network, (256, 256))
        for runner, file in (("torch", options.weights), ("ONNX Runtime", path)):
            for threads in (1, 2):
                told = _looked_elsewhere(runner, threads, file)
                rows.append([runner, str(threads), *told])
    about = f"{network.config.backbone}, {network.config.stages} stages, 256x256"
    return block(
        [about, "cores", "median of the processor, ms", "median of the clock, ms", "memory, MB"],
        rows,
    )


def _looked_elsewhere(runner: str, threads: int, file: Path) -> list[str]:
    """The same in a process of its own, for the memory's sake."""
    command = [sys.executable, __file__, runner, str(threads), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


def look_in_here(runner: str, threads: int, file: Path) -> None:
    """Print milliseconds and megabytes of 40 looks at 256 x 256 pixels."""
    if runner == "torch":
        torch.set_num_threads(threads)
        network = folded(load_paf(file))
        picture = normalised(torch.zeros(1, 256, 256, 3, dtype=torch.uint8))
        work: Callable[[], object] = lambda: network(picture)  # noqa: E731
    else:
        import onnxruntime  # noqa: PLC0415  optional

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(file), settings)
        given = {"crops": np.zeros((1, 3, 256, 256), np.float32)}
        work = lambda: session.run(None, given)  # noqa: E731
    taken = []
    with torch.inference_mode():
        for _ in range(45):
            started = (time.process_time(), time.perf_counter())
            work()
            taken.append((time.process_time() - started[0], time.perf_counter() - started[1]))
    processor, clock = 1000.0 * np.median(taken[5:], axis=0)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    sys.stdout.write(f"{processor:.1f} {clock:.1f} {memory:.0f}\n")


if __name__ == "__main__":
    look_in_here(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
