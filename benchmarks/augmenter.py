"""How long the augmenter takes on one thread: milliseconds per 60 frames (a second of video).

Beside it OpenCap's released networks of version 0.3, where their folder is named; both in torch, on the same
keypoints, the median of several runs. Prints JSON.

    python benchmarks/augmenter.py [FOLDER/augmenter/opencap/LSTM]
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

from pallas.neural.augmenter.opencap import load_opencap
from pallas.neural.augmenter.points import KEYPOINTS
from pallas.neural.augmenter.predict import predict
from pallas.neural.augmenter.stored import load_augmenter

FRAMES, RUNS = 1200, 9


def main() -> None:
    """Time, print."""
    torch.set_num_threads(1)
    keypoints = np.random.default_rng(0).normal(0.0, 0.5, (FRAMES, len(KEYPOINTS), 3))
    network, _ = load_augmenter()
    found = {"ours_ms": timed(lambda: predict(keypoints, 1.75, 70.0, network))}
    if len(sys.argv) > 1:
        released = load_opencap(Path(sys.argv[1]), "v0.3")
        frames, size = torch.as_tensor(keypoints).float()[None], torch.tensor([[1.75, 70.0]])
        found["opencap_v0.3_ms"] = timed(lambda: released(frames, size))
        found["ours_over_opencap"] = found["ours_ms"] / found["opencap_v0.3_ms"]
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def timed(work) -> float:  # noqa: ANN001
    """Median milliseconds of this process' own time per 60 frames."""
    work()
    spent = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return 1000.0 * statistics.median(spent) * 60 / FRAMES


if __name__ == "__main__":
    main()
