"""nimblephysics' side of the benchmark: its marker IK, frame after frame, each from the last.

    PEERS_PYTHON nimble_ik.py JOB.json OUT.npz

Runs in the peers' environment and imports nothing of ours. The job names a model and a file with the
measured markers and weights that OpenSim's side wrote; positions are in the model's ground frame, metres.
"""

import json
import sys
import time
from importlib import metadata
from pathlib import Path

import nimblephysics
import numpy as np


def main() -> None:
    """Do the job that the first argument names and write what comes out."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    data = np.load(job["measured"])
    took = []
    for _ in range(job["repeats"]):
        skeleton, fixed = _model(job["model"], data["held"])
        wanted = [str(name) for name in data["markers"]]
        started = np.array([time.perf_counter(), time.process_time()])
        values = _tracked(skeleton, [fixed[name] for name in wanted], data)
        ended = np.array([time.perf_counter(), time.process_time()])
        took.append((ended - started) * 1e3 / len(values))
    np.savez(
        sys.argv[2],
        names=np.array([skeleton.getDofByIndex(i).getName() for i in range(skeleton.getNumDofs())]),
        values=values,
        placed=_placed(skeleton, values, [fixed[name] for name in wanted]),
        solver_ms=np.array(took)[:, 0],
        solver_cpu_ms=np.array(took)[:, 1],
        lowest=skeleton.getPositionLowerLimits(),
        highest=skeleton.getPositionUpperLimits(),
        version=np.array(metadata.version("nimblephysics")),
    )


def _model(path: str, held: np.ndarray) -> tuple[nimblephysics.dynamics.Skeleton, dict]:
    """The model, with some coordinates held at zero, and its markers by name."""
    parsed = nimblephysics.biomechanics.OpenSimParser.parseOsim(path, ignoreGeometry=True)
    for index in range(parsed.skeleton.getNumDofs()):
        coordinate = parsed.skeleton.getDofByIndex(index)
        if coordinate.getName() in held:
            coordinate.setPositionLowerLimit(0.0)
            coordinate.setPositionUpperLimit(0.0)
    return parsed.skeleton, parsed.markersMap


def _tracked(
    skeleton: nimblephysics.dynamics.Skeleton, fixed: list, data: np.lib.npyio.NpzFile
) -> np.ndarray:
    """(T, D) coordinates."""
    measured = data["measured"]
    seen = np.isfinite(measured).all(axis=-1)
    # It minimises the sum of weight times squared distance, and diverges where a weight is above one.
    weights = data["weights"] / data["weights"].max()
    values = np.empty((len(measured), skeleton.getNumDofs()))
    for row, points in enumerate(measured):
        here = np.flatnonzero(seen[row])
        skeleton.fitMarkersToWorldPositions(
            [fixed[column] for column in here], points[here].ravel(), weights[here]
        )
        values[row] = skeleton.getPositions()
    return values


def _placed(
    skeleton: nimblephysics.dynamics.Skeleton, values: np.ndarray, fixed: list
) -> np.ndarray:
    """(T, M, 3) markers where its own forward kinematics puts them."""
    placed = []
    for pose in values:
        skeleton.setPositions(pose)
        placed.append(skeleton.getMarkerWorldPositions(fixed).reshape(-1, 3))
    return np.array(placed)


if __name__ == "__main__":
    main()
