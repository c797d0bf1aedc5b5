"""Runs the other programs in their own environment; jobs go in as JSON, arrays come back."""

import itertools
import json
import os
import subprocess
from pathlib import Path

import numpy as np

__all__ = ["Arrays", "PeerError", "Peers"]

Arrays = dict[str, np.ndarray]
PROGRAMS = Path(__file__).resolve().parent.parent / "peers"


class PeerError(Exception):
    """Another program could not do its job; the message is its last line."""


class Peers:
    """The other programs.

    Args:
        python: of their environment.
        folder: where jobs, results and whatever they write may lie.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        self.python, self.folder = python, folder
        self._numbers = itertools.count()

    def place(self, name: str) -> Path:
        """A new empty folder."""
        made = self.folder / f"{name}-{next(self._numbers)}"
        made.mkdir()
        return made

    def do(self, program: str, **job: object) -> Arrays:
        """Run a program of `peers/` on one job.

        Raises:
            PeerError: it failed.
        """
        place = self.place(program)
        wanted, out = place / "job.json", place / "out.npz"
        wanted.write_text(json.dumps(job, default=str), encoding="utf-8")
        ran = subprocess.run(
            [self.python, PROGRAMS / f"{program}.py", wanted, out],
            cwd=place,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            lines = (ran.stderr or ran.stdout).strip().splitlines() or [
                f"ended with {ran.returncode}"
            ]
            raise PeerError(lines[-1])
        with np.load(out) as arrays:
            return dict(arrays)

    def placed(self, job: str, model: Path, values: np.ndarray, **names: list[str]) -> np.ndarray:
        """What OpenSim's forward kinematics makes of coordinates: markers, or turns of sensors."""
        poses = self.place("poses") / "poses.npz"
        np.savez(poses, values=values, **{key: np.array(found) for key, found in names.items()})
        return self.do("opensim_ik", do=job, model=model, poses=poses)["placed"]
