"""A long recording, alone in its process so that its memory can be read: JOB.npz in, JSON out."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from pallas.capture.osim import read_osim
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve import MarkerOptions, fit_markers
from pallas.rig.trajectories import MarkerTrajectories

CHUNK = 1000  # frames whose markers are made at a time


def main() -> None:
    """Fit markers of a repeated motion; seconds, peak memory before and after in MB, and error in mm."""
    torch.set_num_threads(1)
    job = np.load(sys.argv[1])
    model, frames = read_osim(str(job["model"])), int(sys.argv[2])
    names = tuple(str(name) for name in job["markers"])
    places = [model.marker_index(name) for name in names]
    pose = job["pose"][np.arange(frames) % len(job["pose"])]
    random = np.random.default_rng(1)
    measured = np.empty((frames, len(names), 3))
    for first in range(0, frames, CHUNK):
        part = torch.as_tensor(pose[first : first + CHUNK])
        measured[first : first + CHUNK] = markers_in_world(model, part).numpy()[:, places]
    measured += random.normal(scale=0.005, size=measured.shape)
    recorded = MarkerTrajectories(names, measured, 60.0)
    options = MarkerOptions({name: 1.0 for name in names}, 0.0)
    fit_markers(model, recorded.clipped(0, 50), options)
    before = _peak()
    started = time.perf_counter(), time.process_time()
    fit = fit_markers(model, recorded, options)
    wall, processor = (
        b - a for a, b in zip(started, (time.perf_counter(), time.process_time()), strict=True)
    )
    told = {"seconds": wall, "processor": processor, "before": before, "peak": _peak()}
    sys.stdout.write(json.dumps({**told, "rms": 1e3 * fit.rms}))


def _peak() -> float:
    """Megabytes; resource.getrusage would count those of the process that started this one too."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    held = next(line for line in lines if line.startswith("VmHWM:"))
    return float(held.split()[1]) / 1024.0


if __name__ == "__main__":
    main()
