"""Training an augmenter: resumable, seeded, by steps or by minutes."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from ...rig.bodies import body_names, load_body
from ..settings import settings_from
from ..training.checkpoint import (
    average_towards,
    check_losses,
    learning_rate,
    read_checkpoint,
    used_up,
    write_checkpoint,
)
from ..training.journal import Journal
from ..training.options import Plan
from ..weights import read_tensors, write_tensors
from .bodies import PLACEMENT, marked_body, skin_of
from .dataset import Batch, Moves, Sampler, load_moves
from .moving import Crowd, crowd_of
from .networks import Augmenter, AugmenterConfig
from .stored import save_augmenter
from .variation import Variation

__all__ = ["crowd_for", "fit", "sampler_for", "train_augmenter"]

Progress = Callable[[int, int, str], None]
_BATCHES: Final = 8  # times the plan's batch: a window is an eighth as long as the encoder's
_EXAMPLES: Final = 48  # batches that means and the anatomy are taken from
_HELD_OUT: Final = 4  # batches for validation
_UNIT: Final = 100.0  # the loss counts hundredths of the height


def train_augmenter(plan: Plan, library: Path, out: Path, progress: Progress) -> Path:
    """Train on a built library's training split; the file with the weights.

    Raises:
        FileError: there is no library.
        FormatError: a setting of the network is unknown or out of its range.
    """
    config = settings_from(AugmenterConfig, plan.network, "the augmenter")
    weights = out / f"{plan.name}.safetensors"
    if not (weights.exists() and weights.with_suffix(".json").exists()):
        size = _BATCHES * plan.training.batch
        training = sampler_for(library, "train", size, plan.training.seed, progress)
        held_out = sampler_for(library, "validation", size, plan.training.seed + 1, progress)
        fit(plan, config, training, held_out, out, progress)
    return weights


def sampler_for(
    library: Path, split: str, batch: int, seed: int, progress: Progress | None = None
) -> Sampler:
    """Windows of a split's people on that split's bodies."""
    return Sampler(_moves(library, split, progress), crowd_for(split), Variation(), batch, seed)


def _moves(library: Path, split: str, progress: Progress | None) -> Moves:
    key = (library.resolve(), split)
    if key not in _READ:
        _READ[key] = load_moves(library, split, progress or (lambda done, total, line: None))
    return _READ[key]


_READ: dict[tuple[Path, str], Moves] = {}  # runs of a suite read the library once


@cache
def crowd_for(split: str) -> Crowd:
    """The bodies of a split."""
    table = PLACEMENT["bodies"]
    others = {name for names in table.values() for name in names}
    names = table[split] if split in table else [n for n in body_names() if n not in others]
    return crowd_of([marked_body(skin_of(load_body(name))) for name in names])


def fit(
    plan: Plan,
    config: AugmenterConfig,
    training: Sampler,
    held_out: Sampler,
    folder: Path,
    progress: Progress,
) -> Augmenter:
    """Train, or go on from the checkpoint that `folder` holds.

    Args:
        plan: schedule and name.
        config: of the network.
        training: to learn from.
        held_out: whose loss chooses the weights; never learnt from.
        folder: gets `checkpoint.safetensors`, `best.safetensors`, `log.csv` and the finished weights.
        progress: told (done, all, one line) as it goes.

    Returns:
        The averaged weights of the checkpoint whose validation loss was lowest.
    """
    options = plan.training
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    run = _Run(plan, config, folder)
    if run.step == 0:
        run.prepare([training(-1 - number) for number in range(_EXAMPLES)])
    batches = [held_out(number) for number in range(_HELD_OUT)]
    clock = time.process_time if options.clock == "processor" else time.monotonic
    started = clock() - run.seconds
    while run.done < 1.0:
        before = time.perf_counter()
        loss = run.advance(training(run.step))
        run.seconds = clock() - started
        steps = round(run.step / max(run.done, 1e-9)) if options.minutes else options.steps
        elapsed = time.perf_counter() - before
        progress(run.step, steps, f"{elapsed:.2f} s/step loss {loss:.4f}")
        if run.step % options.checkpoint_every == 0 or run.done >= 1.0:
            run.checkpoint(loss, batches)
    return run.finish()


class _Run:
    """Network, optimiser and averaged weights at one step."""

    def __init__(self, plan: Plan, config: AugmenterConfig, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.network, self.averaged = Augmenter(config), Augmenter(config)
        self.averaged.load_state_dict(self.network.state_dict())
        rate = plan.training.learning_rate
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), rate, betas=(0.9, 0.98), weight_decay=0.01
        )
        self.step, self.seconds, self.best = 0, 0.0, math.inf
        self._resume()
        self.journal = Journal(folder, self.step)

    @property
    def done(self) -> float:
        """Part of the budget that is used up."""
        return used_up(self.plan.training, self.step, self.seconds)

    def prepare(self, examples: list[Batch]) -> None:
        """Means, deviations and anatomy from examples."""
        keypoints = torch.cat([batch.window.keypoints for batch in examples])
        size = torch.cat([batch.window.size for batch in examples])
        self.network.prepare(keypoints, size, torch.cat([batch.markers for batch in examples]))
        self.averaged.load_state_dict(self.network.state_dict())

    def advance(self, batch: Batch) -> float:
        """One optimiser step; its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.plan.training, self.step, self.done)
        loss = _loss(self.network.train(), batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        average_towards(self.averaged, self.network, self.plan.training.averaging, self.step)
        return float(loss.detach())

    def checkpoint(self, training: float, batches: list[Batch]) -> None:
        """Validate, keep the best weights, write what is needed to go on, and the log."""
        self.averaged.eval()
        with torch.no_grad():
            loss = sum(float(_loss(self.averaged, batch)) for batch in batches) / len(batches)
        check_losses([loss], self.step)
        if loss < self.best:
            self.best = loss
            write_tensors(self.folder / "best.safetensors", self.averaged.state_dict())
        counts = {"step": self.step, "seconds": self.seconds, "best": self.best}
        write_checkpoint(self.folder, self.network, self.averaged, self.optimiser, counts)
        self.journal.add(
            self.step, {"seconds": self.seconds, "training": training, "validation": loss}
        )

    def _resume(self) -> None:
        names = ("step", "seconds", "best")
        found = read_checkpoint(self.folder, self.network, self.averaged, self.optimiser, names)
        if found is not None:
            self.step, self.seconds, self.best = int(found["step"]), found["seconds"], found["best"]

    def finish(self) -> Augmenter:
        """Write the best averaged weights as they are shipped."""
        self.averaged.load_state_dict(read_tensors(self.folder / "best.safetensors"))
        extra = {
            "training": asdict(self.plan.training),
            "variation": asdict(Variation()),
            "steps": self.step,
            "minutes": round(self.seconds / 60.0, 2),
            "parameters": sum(p.numel() for p in self.averaged.parameters()),
            "validation": round(self.best, 5),
        }
        save_augmenter(self.folder / self.plan.name, self.averaged, extra)
        return self.averaged.eval()


def _loss(network: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error of coordinates, in hundredths of the height."""
    found = network(batch.window.keypoints, batch.window.size)
    return ((_UNIT * (found - batch.markers)) ** 2).mean()
