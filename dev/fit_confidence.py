"""Fit neural/trained/confidence.json: by how much each joint errs on validation clips, and when.

Run as `python dev/fit_confidence.py LIBRARY`, with the folder of `pallas library build`, whenever the
embedded network is another.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from pallas.capture.virtual_imu import ImuErrors, virtual_recording
from pallas.neural.confidence import PATH, activity
from pallas.neural.features import NETWORK_FPS
from pallas.neural.library import load_library
from pallas.neural.predict import pose_body
from pallas.neural.threads import one_thread
from pallas.neural.weights import EMBEDDED, load_network
from pallas.rig import quaternion
from pallas.rig.skeleton import BODY_JOINTS

EVERY = 30  # frames; a window of half a second is one observation


def main() -> None:
    """Solve every validation clip with worn sensors, and fit a line per joint."""
    network = load_network(EMBEDDED / "pallas")[0]
    active, errors = [], []
    for number, clip in enumerate(load_library(Path(sys.argv[1]), "validation")):
        truth = clip.motion.resampled(NETWORK_FPS)
        recording = virtual_recording(truth, errors=replace(ImuErrors.worn(), seed=number))
        bones, acceleration = recording.world_from_sensor, recording.acceleration
        with one_thread():
            posed = pose_body(network, bones, acceleration, truth.skeleton, NETWORK_FPS)
        angle = np.degrees(quaternion.angle(posed.motion.world()[0], truth.world()[0]))
        active.append(activity(acceleration, NETWORK_FPS)[::EVERY])
        errors.append(angle[::EVERY])
    lines = fitted(np.concatenate(active), np.concatenate(errors))
    table = {
        "about": "expected error in degrees: [still, per m/s^2 of activity]; validation, worn sensors",
        "degrees": {name: line for name, line in zip(BODY_JOINTS, lines, strict=True)},
    }
    PATH.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{PATH}: from {sum(map(len, active))} observations\n")


def fitted(active: np.ndarray, errors: np.ndarray) -> list[list[float]]:
    """Least squares lines (24, 2) with no slope below zero."""
    slope = ((active - active.mean())[:, None] * (errors - errors.mean(0))).sum(0)
    slope = np.maximum(slope / ((active - active.mean()) ** 2).sum(), 0.0)
    still = np.maximum(errors.mean(0) - slope * active.mean(), 0.0)
    return np.round(np.stack([still, slope], axis=-1), 3).tolist()


if __name__ == "__main__":
    main()
