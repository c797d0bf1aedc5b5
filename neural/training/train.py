"""`pallas train`: what each name stands for, from a built motion library to weights in a folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ...capture.facing import fit_facing_table
from ...capture.placements import BONES
from ...rig.errors import ModelError
from ...rig.skeleton import BODY_JOINTS
from ..augmenter.train import train_augmenter
from ..baselines import MeanPose
from ..evaluation.fit_motion_encoder import train_motion_encoder
from ..features import NETWORK_FPS
from ..generator.train import schedule, train_generator
from ..library import load_library
from ..lifter.train import train_lifter
from ..pose2d.train import train_pose2d
from ..weights import NETWORKS, build, save_network
from .dataset import Track, WindowSampler, prepare
from .loop import Progress, fit
from .options import Plan

__all__ = ["KINDS", "load_tracks", "train", "train_all"]

GOING = 2.0  # seconds per metre; most frames stand, and walking and running must be learnt too
EXERCISES = 0.5  # how often a frame of the exercise set is drawn against one of everyday motion


def train(plan: Plan, library: Path, out: Path, progress: Progress) -> Path:
    """Train what the plan's kind stands for on the library's training split.

    Args:
        plan: what and how; of `mean` and `facing` only the kind, name and seed count.
        library: folder that `pallas library build` wrote; of `pose2d` a COCO data set.
        out: folder for checkpoints, log and weights; a run that was stopped there goes on.
        progress: told (done, all, one line).

    Returns:
        The file with the result.

    Raises:
        ModelError: the kind is unknown.
        FileError: there is no library.
    """
    return train_all([(plan, out)], library, progress)[0]


def train_all(runs: Sequence[tuple[Plan, Path]], library: Path, progress: Progress) -> list[Path]:
    """Train one plan after the other, each in its folder; what is finished is left alone.

    The library is read once. Arguments and errors as for `train`.
    """
    for plan, _ in runs:
        if plan.kind not in KINDS:
            raise ModelError(
                f"nothing to train is called {plan.kind!r}; there are: {', '.join(KINDS)}"
            )
        if plan.kind in _OTHERS and plan.training.start:
            raise ModelError(f"{plan.kind} begins from nothing; leave start out")
        if plan.kind not in (*_OTHERS, *_ON_PICTURES):
            build(plan.kind, plan.network)  # a wrong setting is told before anything is read
    if all(plan.kind in _ON_PICTURES for plan, _ in runs):
        return [_ON_PICTURES[plan.kind](plan, library, out, progress) for plan, out in runs]
    splits = _Splits(library, progress)
    return [_train(plan, splits, out, progress) for plan, out in runs]


def _train(plan: Plan, splits: "_Splits", out: Path, progress: Progress) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    if plan.kind in _OTHERS:
        return _OTHERS[plan.kind](plan, splits, out)
    weights = out / f"{plan.name}.safetensors"
    if not (weights.exists() and weights.with_suffix(".json").exists()):
        fit(plan, splits["train"], splits["validation"], out, progress)
    return weights


class _Splits:
    """Tracks of a library's splits, read when they are first needed."""

    def __init__(self, library: Path, progress: Progress) -> None:
        self.library, self.progress = library, progress
        load_library(library)  # an error now, not after minutes
        self._read: dict[str, list[Track]] = {}

    def __getitem__(self, split: str) -> list[Track]:
        if split not in self._read:
            self._read[split] = load_tracks(self.library, split, self.progress)
        return self._read[split]


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


def _mean(plan: Plan, splits: _Splits, out: Path) -> Path:
    """The mean pose over windows drawn as the networks see them."""
    sampler = WindowSampler(
        splits["train"],
        frames=64,
        batch=256,
        seed=plan.training.seed,
        augmentation=plan.augmentation,
    )
    batches = [sampler(number) for number in range(20)]
    sixd = torch.cat([batch.sixd[:, ::16].flatten(0, 1) for batch in batches])
    height = torch.cat([batch.height[:, ::16].flatten() for batch in batches])
    save_network(out / plan.name, "mean", MeanPose.fitted(sixd, height))
    return out / f"{plan.name}.safetensors"


def _facing(plan: Plan, splits: _Splits, out: Path) -> Path:
    """The table of directions that `capture.facing` reads; nothing in it is random."""
    del plan
    joints = [BODY_JOINTS.index(joint) for joint in BONES.values()]
    clips = load_library(splits.library, "train")
    bones = []
    for number, clip in enumerate(clips):
        rotations = clip.motion.resampled(10.0).world()[0][:, joints]
        repeats = 1 if clip.name.startswith("ui_prmd") else 4
        bones += [np.asarray(rotations)] * repeats
        splits.progress(number + 1, len(clips), f"reading {clip.name}")
    path = out / "facing_table.npz"
    fit_facing_table(bones, path)
    return path


def _generator(plan: Plan, splits: _Splits, out: Path) -> Path:
    """Drawn legs: of the plan only the schedule counts."""
    return train_generator(splits.library, out, schedule(plan.training), splits.progress)


def _motion_encoder(plan: Plan, splits: _Splits, out: Path) -> Path:
    """What the Fréchet distance is measured with: of the plan only the seed counts."""
    return train_motion_encoder(splits.library, out, plan.training.seed, splits.progress)


def _lifter(plan: Plan, splits: _Splits, out: Path) -> Path:
    """One camera's keypoints to a body in space: of the plan only the schedule counts."""
    return train_lifter(splits.library, out, plan.training, splits.progress)


def _augmenter(plan: Plan, splits: _Splits, out: Path) -> Path:
    """Keypoints to anatomical markers: of the plan the network and the schedule count."""
    return train_augmenter(plan, splits.library, out, splits.progress)


_OTHERS = {
    "mean": _mean,
    "facing": _facing,
    "generator": _generator,
    "motion_encoder": _motion_encoder,
    "lifter": _lifter,
    "augmenter": _augmenter,
}
_ON_PICTURES = {"pose2d": train_pose2d}  # their library is a COCO data set
KINDS: tuple[str, ...] = (*NETWORKS, *_OTHERS, *_ON_PICTURES)
