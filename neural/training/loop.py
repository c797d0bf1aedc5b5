"""The training loop: resumable, the same steps for the same seed, on the CPU or GPUs, alone or shared."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from ...rig.errors import ModelError
from ..features import NETWORK_FPS
from ..network import Pallas
from ..weights import build, load_network, read_tensors, save_network, write_tensors
from .checkpoint import (
    average_towards,
    check_losses,
    learning_rate,
    read_checkpoint,
    used_up,
    write_checkpoint,
)
from .dataset import Batch, Track, WindowSampler
from .group import Group, process_group
from .journal import Journal
from .losses import invertible_ik_losses, pose_losses, total
from .options import Plan

__all__ = ["Progress", "fit"]

Progress = Callable[[int, int, str], None]
Losses = Callable[[nn.Module, Batch], dict[str, Tensor]]
_VALIDATION_BATCH = 16


def fit(
    plan: Plan,
    training: Sequence[Track],
    validation: Sequence[Track],
    folder: Path,
    progress: Progress,
) -> nn.Module:
    """Train a network, or go on from the checkpoint that `folder` holds.

    Args:
        plan: what to train and how.
        training: clips to learn from.
        validation: clips whose loss is printed and chooses the weights; never learnt from.
        folder: gets `checkpoint.safetensors`, `best.safetensors`, `log.csv`, and the finished weights as
            `NAME.safetensors` and `NAME.json`. All processes see the same folder.
        progress: told (done, all, one line) as it goes.

    Returns:
        The averaged weights of the checkpoint whose validation loss was lowest.
    """
    options = plan.training
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    with process_group(options.device) as (group, device):
        run = _Run(plan, folder, group, device)
        sampler = WindowSampler(
            training,
            frames=options.frames,
            batch=options.batch,
            seed=options.seed,
            augmentation=plan.augmentation,
        )
        held_out = WindowSampler(
            validation,
            frames=options.frames,
            batch=options.validation,
            seed=options.seed + 1,
            augmentation=plan.augmentation.unvaried(),
        )
        batches = [
            held_out(0, slice(row, row + _VALIDATION_BATCH)).to(device)
            for row in range(0, options.validation, _VALIDATION_BATCH)
            if group.leads
        ]
        _train(run, sampler, batches, progress)
        run.finish()
        return run.averaged


def _train(run: "_Run", sampler: WindowSampler, held_out: list[Batch], progress: Progress) -> None:
    options, group = run.plan.training, run.group
    rows = group.rows(options.batch)
    clock = time.process_time if options.clock == "processor" else time.monotonic
    started = clock() - run.seconds
    while (done := group.agreed(run.done)) < 1.0:
        before = time.perf_counter()
        terms = run.advance(sampler(run.step, rows), done)
        run.seconds = clock() - started
        line = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in terms.items())
        elapsed = time.perf_counter() - before
        steps = round(run.step / max(run.done, 1e-9)) if options.minutes else options.steps
        progress(run.step, steps, f"{elapsed:.2f} s/step {line}")
        if run.step % options.checkpoint_every == 0 or group.agreed(run.done) >= 1.0:
            run.checkpoint(terms, held_out)


class _Run:
    """Network, optimiser and averaged weights at one step."""

    def __init__(self, plan: Plan, folder: Path, group: Group, device: torch.device) -> None:
        self.plan, self.folder, self.group, self.device = plan, folder, group, device
        folder.mkdir(parents=True, exist_ok=True)
        self.network = build(plan.kind, plan.network).to(device)
        if plan.training.start:
            _start_from(self.network, plan.training.start)
        self.averaged = build(plan.kind, plan.network).to(device)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            plan.training.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=0.01,
            fused=True,
        )
        self.step, self.seconds, self.best = 0, 0.0, math.inf
        self._resume()
        self.journal = Journal(folder, self.step) if group.leads else None
        self.losses: Losses = self._losses
        if plan.training.compiled:
            self.losses = torch.compile(self._losses)

    @property
    def done(self) -> float:
        """Part of the budget that is used up."""
        return used_up(self.plan.training, self.step, self.seconds)

    def _losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.training.mixed):
            prediction = network(batch.sensors)
        terms = pose_losses(prediction, batch, NETWORK_FPS, self.plan.losses)
        if isinstance(network, Pallas):
            terms |= invertible_ik_losses(network, prediction, batch, self.plan.losses)
        return terms

    def advance(self, batch: Batch, done: float) -> dict[str, Tensor]:
        """One optimiser step, `done` of the way."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.plan.training, self.step, done)
        self.network.train()
        terms = self.losses(self.network, batch.to(self.device))
        self.optimiser.zero_grad(set_to_none=True)
        total(terms).backward()
        self.group.average_gradients(self.network)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        average_towards(self.averaged, self.network, self.plan.training.averaging, self.step)
        return terms

    def checkpoint(self, terms: dict[str, Tensor], held_out: list[Batch]) -> None:
        """Validate, keep the best weights, write everything from which to go on, and the log."""
        shared = self.group.average(torch.stack([value.detach() for value in terms.values()]))
        if self.journal is not None:
            training = dict(zip(terms, shared.tolist(), strict=True))
            validation = self.validate(held_out)
            loss = sum(validation.values())
            check_losses([loss], self.step)
            if loss < self.best:
                self.best = loss
                write_tensors(self.folder / "best.safetensors", self.averaged.state_dict())
            counts = {"step": self.step, "seconds": self.seconds, "best": self.best}
            write_checkpoint(self.folder, self.network, self.averaged, self.optimiser, counts)
            values = {
                "seconds": self.seconds,
                "training": sum(training.values()),
                "validation": loss,
            }
            values |= {f"training_{name}": value for name, value in training.items()}
            values |= {f"validation_{name}": value for name, value in validation.items()}
            self.journal.add(self.step, values)
        self.group.wait()

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Loss terms of the averaged weights on held-out windows."""
        self.averaged.eval()
        with torch.no_grad():
            found = [self._losses(self.averaged, batch) for batch in batches]
        windows = torch.tensor([float(len(batch.sensors)) for batch in batches])
        share = windows / windows.sum()
        return {
            name: float(sum(w * terms[name].cpu() for w, terms in zip(share, found, strict=True)))
            for name in found[0]
        }

    def _resume(self) -> None:
        names = ("step", "seconds", "best")
        found = read_checkpoint(self.folder, self.network, self.averaged, self.optimiser, names)
        if found is not None:
            self.step, self.seconds, self.best = int(found["step"]), found["seconds"], found["best"]

    def finish(self) -> None:
        """Write the best averaged weights as they are shipped."""
        self.averaged.load_state_dict(read_tensors(self.folder / "best.safetensors"))
        if not self.group.leads:
            return
        extra = {
            "training": asdict(self.plan.training),
            "augmentation": asdict(self.plan.augmentation),
            "losses": asdict(self.plan.losses),
            "steps": self.step,
            "minutes": round(self.seconds / 60.0, 2),
            "parameters": sum(p.numel() for p in self.averaged.parameters()),
            "validation": round(self.best, 5),
        }
        name = self.plan.name
        save_network(self.folder / name, self.plan.kind, self.averaged.cpu(), extra)


def _start_from(network: nn.Module, start: str) -> None:
    """Copy finished weights into a network of the same sizes."""
    source, _ = load_network(Path(start).with_suffix(""))
    try:
        network.load_state_dict(source.state_dict())
    except RuntimeError as error:
        raise ModelError(
            f"the weights {start} are of another network; start from ones of the same config"
        ) from error
