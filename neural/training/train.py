"""`pallas train`: what each name stands for, from a built motion library to weights in a folder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ...capture.facing import fit_facing_table
from ...capture.placements import BONES
from ...rig.errors import ModelError
from ...rig.skeleton import BODY_JOINTS
from ..baselines import MeanPose
from ..features import NETWORK_FPS
from ..library import load_library
from ..weights import save_network
from .dataset import Augmentation, Track, WindowSampler, prepare
from .loop import Progress, TrainingOptions, fit

__all__ = ["NAMES", "load_tracks", "train"]

GOING = 2.0  # seconds per metre; most frames stand, and walking and running must be learnt too
EXERCISES = 0.5  # how often a frame of the exercise set is drawn against one of everyday motion


def train(
    name: str, library: Path, out: Path, options: TrainingOptions, progress: Progress
) -> Path:
    """Train what `name` stands for on the library's training split.

    Args:
        name: one of `NAMES`.
        library: folder that `pallas library build` wrote.
        out: folder for checkpoints, log and weights; a run that was stopped there goes on.
        options: the networks' schedule.
        progress: told (done, all, one line).

    Returns:
        The folder or file with the result.

    Raises:
        ModelError: the name is unknown.
        FileError: there is no library.
    """
    if name not in _TRAINERS:
        raise ModelError(f"nothing to train is called {name!r}; there are: {', '.join(NAMES)}")
    out.mkdir(parents=True, exist_ok=True)
    return _TRAINERS[name](library, out, options, progress)


def load_tracks(library: Path, split: str, progress: Progress) -> list[Track]:
    """The clips of a split, ready for windows to be cut."""
    clips = load_library(library, split)
    tracks = []
    for number, clip in enumerate(clips):
        track = prepare(clip.motion, NETWORK_FPS)
        weight = clip.weight * (EXERCISES if clip.name.startswith("ui_prmd") else 1.0)
        speed = float(np.linalg.norm(track.velocity[:, :2], axis=-1).mean())
        weight *= 1.0 + GOING * min(speed, 2.0)
        tracks.append(replace(track, weight=weight))
        progress(number + 1, len(clips), f"reading {clip.name}")
    return tracks


def _network(kind: str) -> Callable[[Path, Path, TrainingOptions, Progress], Path]:
    def run(library: Path, out: Path, options: TrainingOptions, progress: Progress) -> Path:
        training = load_tracks(library, "train", progress)
        validation = load_tracks(library, "validation", progress)
        fit(kind, training, validation, out, options, progress)
        return out / f"{kind}.safetensors"

    return run


def _mean(library: Path, out: Path, options: TrainingOptions, progress: Progress) -> Path:
    """The mean pose over windows drawn as the networks see them."""
    tracks = load_tracks(library, "train", progress)
    sampler = WindowSampler(
        tracks, frames=64, batch=256, seed=options.seed, augmentation=Augmentation()
    )
    batches = [sampler(number) for number in range(20)]
    sixd = torch.cat([batch.sixd[:, ::16].flatten(0, 1) for batch in batches])
    height = torch.cat([batch.height[:, ::16].flatten() for batch in batches])
    save_network(out / "mean", "mean", MeanPose.fitted(sixd, height))
    return out / "mean.safetensors"


def _facing(library: Path, out: Path, options: TrainingOptions, progress: Progress) -> Path:
    """The table of directions that `capture.facing` reads; nothing in it is random."""
    del options
    joints = [BODY_JOINTS.index(joint) for joint in BONES.values()]
    clips = load_library(library, "train")
    bones = []
    for number, clip in enumerate(clips):
        rotations = clip.motion.resampled(10.0).world()[0][:, joints]
        repeats = 1 if clip.name.startswith("ui_prmd") else 4
        bones += [np.asarray(rotations)] * repeats
        progress(number + 1, len(clips), f"reading {clip.name}")
    path = out / "facing_table.npz"
    fit_facing_table(bones, path)
    return path


_TRAINERS = {
    "pallas": _network("pallas"),
    "lstm": _network("lstm"),
    "mean": _mean,
    "facing": _facing,
}
NAMES: tuple[str, ...] = tuple(_TRAINERS)
