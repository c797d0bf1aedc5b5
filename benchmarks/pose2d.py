"""How long it takes to find people in maps, and maps in pictures: python benchmarks/pose2d.py."""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from pallas.neural.pose2d.decode import decode
from pallas.neural.pose2d.layouts import PAF_LAYOUTS, PafLayout
from pallas.neural.pose2d.network import PafConfig, PafNetwork
from pallas.neural.pose2d.people import MATCHINGS
from pallas.neural.pose2d.targets import target_maps

CELLS = 46
# COCO's 18 points of somebody who stands, in heads.
STANDING = np.array(
    [
        (0, 0.5), (0, 1.4), (-0.8, 1.5), (-1.1, 2.7), (-1.2, 3.8), (0.8, 1.5), (1.1, 2.7), (1.2, 3.8),
        (-0.5, 3.9), (-0.5, 5.7), (-0.5, 7.4), (0.5, 3.9), (0.5, 5.7), (0.5, 7.4), (-0.2, 0.3),
        (0.2, 0.3), (-0.5, 0.45), (0.5, 0.45),
    ]
)  # fmt: skip


def main() -> None:
    """Print a table; one thread unless told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--stages", type=int, nargs="*", default=[1, 2, 3, 6])
    parser.add_argument("--backbones", nargs="*", default=["light", "alexnet", "vgg"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("| what | median, ms | lowest, ms |\n|---|---|---|")  # noqa: T201
    layout = PAF_LAYOUTS["coco_18"]
    maps = people_maps(layout)
    for matching in MATCHINGS:
        found = decode(*maps, layout, matching)
        _row(
            f"decode, {matching}, {len(found.places)} people, {CELLS}x{CELLS}",
            lambda matching=matching: decode(*maps, layout, matching),
            options.repeats,
        )
    for backbone in options.backbones:
        for stages in options.stages:
            _network_row(backbone, stages, max(3, options.repeats // 10))


def people_maps(layout: PafLayout) -> tuple[np.ndarray, np.ndarray]:
    """Maps of three people, with a little noise."""
    people = np.stack([STANDING * 4.5 + (x, 5.0) for x in (9.3, 22.8, 36.1)])
    draw = np.random.default_rng(0)
    confidence, pafs = target_maps(people, layout.limbs, (CELLS, CELLS))
    return tuple(
        (maps + draw.normal(0.0, 0.02, maps.shape)).astype(np.float32)
        for maps in (confidence, pafs)
    )


def _network_row(backbone: str, stages: int, repeats: int) -> None:
    network = PafNetwork(PafConfig(backbone, stages=stages)).eval()
    picture = torch.rand(1, 3, 256, 256) - 0.5
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    with torch.inference_mode():
        what = f"{backbone}, {stages} stages, 256x256, {millions:.2f} M parameters"
        _row(what, lambda: network(picture), repeats)


def _row(what: str, work: Callable[[], object], repeats: int) -> None:
    work()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(1000.0 * (time.perf_counter() - started))
    print(f"| {what} | {np.median(taken):.2f} | {min(taken):.2f} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
