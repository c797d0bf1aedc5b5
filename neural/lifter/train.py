"""Training the lifter on the motion library, seen by random cameras; resumable, seeded."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...rig.arrays import Array
from ..contacts import foot_contacts
from ..library import load_library
from ..training.checkpoint import (
    average_towards,
    checked_checkpoint,
    learning_rate,
    read_checkpoint,
    used_up,
)
from ..training.journal import Journal
from ..training.options import TrainingOptions
from .frames import RATE
from .losses import lifter_losses
from .network import Lifter, LifterConfig
from .options import Views
from .points import body_size, point_vectors
from .stored import save_lifter
from .views import Clip, ViewBatch, ViewSampler

__all__ = ["fit_lifter", "load_clips", "train_lifter"]

Progress = Callable[[int, int, str], None]
GOING = 2.0  # seconds per metre; most frames stand, and walking and running must be learnt too
EXERCISES = 0.5  # how often a frame of the exercise set is drawn against one of everyday motion
_FRAMES = 48  # of a window
_BATCHES = 6  # times as many windows as a batch of the IMU encoder, whose windows are longer
_HELD_OUT = 6  # validation batches


def train_lifter(library: Path, out: Path, options: TrainingOptions, progress: Progress) -> Path:
    """Train on a built library's training split; the file with the weights.

    Args:
        library: folder that `pallas library build` wrote.
        out: folder for checkpoint, log and weights; a run that was stopped there goes on.
        options: the schedule; a batch has six times as many windows, of 48 frames at 30 Hz.
        progress: told (done, all, one line).

    Raises:
        FileError: there is no library.
    """
    clips = load_clips(library, "train", progress)
    held_out = load_clips(library, "validation", progress)
    fit_lifter(clips, held_out, out, options, progress)
    return out / "lifter.safetensors"


def load_clips(library: Path, split: str, progress: Progress, every: int = 1) -> list[Clip]:
    """The clips of a split, every Nth of them, in the size of the standard body."""
    found = load_library(library, split)
    clips = []
    for number in range(0, len(found), every):
        entry = found[number]
        motion = entry.motion.resampled(RATE)
        path, vectors = point_vectors(motion)
        contacts = foot_contacts(motion.world()[1], RATE, body_size(motion.skeleton.offsets))
        weight = entry.weight * (EXERCISES if entry.name.startswith("ui_prmd") else 1.0)
        weight *= 1.0 + GOING * min(_mean_speed(path), 2.0)
        clips.append(
            Clip(
                path.astype(np.float32),
                vectors.astype(np.float32),
                contacts.astype(np.float32),
                weight,
            )
        )
        progress(number + 1, len(found), f"reading {entry.name}")
    return clips


def _mean_speed(path: Array) -> float:
    """Over the ground, m/s."""
    if len(path) < 2:
        return 0.0
    return float(np.linalg.norm(np.diff(path[:, :2], axis=0), axis=-1).mean() * RATE)


def fit_lifter(
    clips: Sequence[Clip],
    held_out: Sequence[Clip],
    folder: Path,
    options: TrainingOptions,
    progress: Progress,
    config: LifterConfig | None = None,
    views: Views | None = None,
) -> Lifter:
    """Train, or go on from the checkpoint that `folder` holds; the averaged weights."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    views = views or Views()
    run = _Run(config or LifterConfig(), folder, options)
    batch = _BATCHES * options.batch
    sampler = ViewSampler(clips, frames=_FRAMES, batch=batch, seed=options.seed, views=views)
    other = ViewSampler(
        held_out, frames=_FRAMES, batch=batch, seed=options.seed + 1, views=views.unvaried()
    )
    held = [other(number) for number in range(_HELD_OUT)]
    clock = time.process_time if options.clock == "processor" else time.monotonic
    started = clock() - run.seconds
    while run.done < 1.0:
        before = time.perf_counter()
        terms = run.advance(sampler(run.step))
        run.seconds = clock() - started
        line = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in terms.items())
        elapsed = time.perf_counter() - before
        steps = round(run.step / max(run.done, 1e-9)) if options.minutes else options.steps
        progress(run.step, steps, f"{elapsed:.2f} s/step {line}")
        if run.step % options.checkpoint_every == 0 or run.done >= 1.0:
            run.checkpoint(terms, held)
    extra = {"training": asdict(options), "views": asdict(views), "steps": run.step}
    extra |= {"minutes": round(run.seconds / 60.0, 2), "validation": run.measured}
    save_lifter(folder / "lifter", run.averaged, extra)
    return run.averaged.eval()


class _Run:
    """Network, optimiser and averaged weights at one step."""

    def __init__(self, config: LifterConfig, folder: Path, options: TrainingOptions) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.options = folder, options
        self.network, self.averaged = Lifter(config), Lifter(config)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            options.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=0.01,
            fused=True,
        )
        self.step, self.seconds = 0, 0.0
        self.measured: dict[str, float] = {}
        self._resume()
        self.journal = Journal(folder, self.step)

    @property
    def done(self) -> float:
        """Part of the budget that is used up."""
        return used_up(self.options, self.step, self.seconds)

    def advance(self, batch: ViewBatch) -> dict[str, Tensor]:
        """One optimiser step."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.options, self.step, self.done)
        self.network.train()
        terms = lifter_losses(self.network(batch.features), batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        average_towards(self.averaged, self.network, self.options.averaging, self.step)
        return terms

    def checkpoint(self, terms: dict[str, Tensor], held: Sequence[ViewBatch]) -> None:
        """Measure on held-out views, and write the log and everything from which to go on."""
        self.measured = _measured(self.averaged, held)
        counts = {"step": self.step, "seconds": self.seconds}
        state = (self.folder, self.network, self.averaged, self.optimiser)
        values = checked_checkpoint(*state, counts, (terms, self.measured))
        self.journal.add(self.step, values)

    def _resume(self) -> None:
        found = read_checkpoint(
            self.folder, self.network, self.averaged, self.optimiser, ("step", "seconds")
        )
        if found is not None:
            self.step, self.seconds = int(found["step"]), found["seconds"]


def _measured(network: Lifter, held: Sequence[ViewBatch]) -> dict[str, float]:
    """Loss terms on held-out views, and the mean error of a point in millimetres."""
    network.eval()
    found: dict[str, float] = {}
    with torch.no_grad():
        for batch in held:
            lifted = network(batch.features)
            terms = {name: float(value) for name, value in lifter_losses(lifted, batch).items()}
            error = (lifted.points - batch.points)[..., 1:, :].norm(dim=-1).mean()
            terms["millimetres"] = 1000.0 * float(error)
            for name, value in terms.items():
                found[name] = found.get(name, 0.0) + value / len(held)
    return found
