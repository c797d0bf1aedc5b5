"""How long the augmenter takes on one thread: milliseconds per 60 frames (a second of video).

Of a clip of 20 s, and of a clip that is only those 60 frames. Beside it OpenCap's released networks of
version 0.3, where their folder is named; both in torch, on the same keypoints, in turns. Prints JSON.

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

SHORT, LONG, RUNS = 60, 1200, 25


def main() -> None:
    """Time, print."""
    torch.set_num_threads(1)
    keypoints = np.random.default_rng(0).normal(0.0, 0.5, (LONG, len(KEYPOINTS), 3))
    network, _ = load_augmenter()
    works = {
        "ours_ms": (LONG, lambda: predict(keypoints, 1.75, 70.0, network)),
        "ours_60_frames_ms": (SHORT, lambda: predict(keypoints[:SHORT], 1.75, 70.0, network)),
    }
    if len(sys.argv) > 1:
        released = load_opencap(Path(sys.argv[1]), "v0.3")
        frames, size = torch.as_tensor(keypoints).float()[None], torch.tensor([[1.75, 70.0]])
        works["opencap_v0.3_ms"] = LONG, lambda: released(frames, size)
        works["opencap_v0.3_60_frames_ms"] = SHORT, lambda: released(frames[:, :SHORT], size)
    found = timed(works)
    if len(sys.argv) > 1:
        found["ours_over_opencap"] = found["ours_ms"] / found["opencap_v0.3_ms"]
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def timed(works) -> dict[str, float]:  # noqa: ANN001
    """Median milliseconds of this process' own time per 60 frames of each."""
    spent = {name: [] for name in works}
    for _ in range(RUNS):
        for name, (frames, work) in works.items():
            work()
            started = time.process_time()
            for _ in range(LONG // frames):
                work()
            spent[name].append(1000.0 * (time.process_time() - started) * SHORT / LONG)
    return {name: statistics.median(times) for name, times in spent.items()}


if __name__ == "__main__":
    main()
