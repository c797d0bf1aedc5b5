"""The training loop: resumable, the same steps for the same seed, on the CPU or a GPU."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ...rig.errors import ModelError
from ..features import NETWORK_FPS
from ..invertible_ik import InvertibleIk
from ..network import Pallas
from ..weights import build, read_tensors, save_network, write_tensors
from .dataset import Batch, Track, WindowSampler
from .losses import Weights, invertible_ik_losses, pose_losses, total

__all__ = ["TrainingOptions", "fit"]

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class TrainingOptions:
    """How a network is trained; every network of a comparison gets the same.

    Attributes:
        steps: optimiser steps in all.
        batch: windows per step.
        frames: frames per window.
        learning_rate: at its peak; linear warm-up, then a cosine to a hundredth.
        seed: of the weights and the windows.
        checkpoint_every: steps between checkpoints.
        device: "cpu" or "cuda".
        threads: torch threads on the CPU.
        compiled: fuse operations by torch.compile; needs a C++ compiler.
    """

    steps: int = 6000
    batch: int = 8
    frames: int = 256
    learning_rate: float = 1.5e-3
    warm_up: int = 200
    averaging: float = 0.998
    seed: int = 0
    checkpoint_every: int = 200
    device: str = "cpu"
    threads: int = 1
    compiled: bool = False


def fit(
    kind: str,
    training: Sequence[Track],
    validation: Sequence[Track],
    folder: Path,
    options: TrainingOptions,
    progress: Progress,
) -> nn.Module:
    """Train a network, or go on from the checkpoint that `folder` holds.

    Args:
        kind: "pallas" or "lstm".
        training: clips to learn from.
        validation: clips whose loss is printed; never learnt from.
        folder: gets `checkpoint.*`, `log.jsonl` and the finished `KIND.safetensors` and `KIND.json`.
        options: how.
        progress: told (step, steps, one line) as it goes.

    Returns:
        The network with averaged weights.
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    run = _Run(kind, folder, options)
    sampler = WindowSampler(training, frames=options.frames, batch=options.batch, seed=options.seed)
    held_out = WindowSampler(validation, frames=options.frames, batch=16, seed=options.seed + 1)
    while run.step < options.steps:
        started = time.perf_counter()
        terms = run.advance(sampler(run.step))
        elapsed = time.perf_counter() - started
        line = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in terms.items())
        progress(run.step, options.steps, f"{elapsed:.2f} s/step {line}")
        if run.step % options.checkpoint_every == 0 or run.step == options.steps:
            run.log(terms, run.validate(held_out(0)))
            run.save()
    run.finish()
    return run.averaged


class _Run:
    """Network, optimiser and averaged weights at one step."""

    def __init__(self, kind: str, folder: Path, options: TrainingOptions) -> None:
        self.kind, self.folder, self.options = kind, folder, options
        self.device = torch.device(options.device)
        self.network = build(kind).to(self.device)
        self.averaged = build(kind).to(self.device)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), options.learning_rate, betas=(0.9, 0.95), weight_decay=0.01
        )
        self.weights = Weights()
        self.step = 0
        self._resume()
        self.losses = torch.compile(self._losses) if options.compiled else self._losses

    def _losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, torch.bfloat16):
            prediction = network(batch.sensors)
        terms = pose_losses(prediction, batch, NETWORK_FPS, self.weights)
        if isinstance(network, Pallas):
            solver: InvertibleIk = network.invertible_ik
            terms |= invertible_ik_losses(solver, prediction, batch, self.weights)
        return terms

    def advance(self, batch: Batch) -> dict[str, Tensor]:
        """One optimiser step."""
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self.network.train()
        terms = self.losses(self.network, batch.to(self.device))
        self.optimiser.zero_grad(set_to_none=True)
        total(terms).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        keep = min(self.options.averaging, self.step / (self.step + 10))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
            for slow, fast in pairs:
                slow.lerp_(fast, 1.0 - keep)
        return terms

    def _rate(self) -> float:
        options = self.options
        warm = min(1.0, (self.step + 1) / options.warm_up)
        done = min(1.0, self.step / options.steps)
        return options.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))

    def validate(self, batch: Batch) -> dict[str, float]:
        """Loss terms of the averaged weights on held-out windows."""
        with torch.no_grad():
            terms = self._losses(self.averaged.eval(), batch.to(self.device))
        return {name: float(value) for name, value in terms.items()}

    def log(self, training: dict[str, Tensor], validation: dict[str, float]) -> None:
        """Add one line to log.jsonl."""
        entry = {
            "step": self.step,
            "training": {name: float(value.detach()) for name, value in training.items()},
            "validation": validation,
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def save(self) -> None:
        """Write a checkpoint from which the run goes on as if never stopped."""
        tensors = {f"network.{n}": t for n, t in self.network.state_dict().items()}
        tensors |= {f"averaged.{n}": t for n, t in self.averaged.state_dict().items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{n}": t for n, t in state.items()}
        tensors["step"] = torch.tensor(self.step)
        write_tensors(self.folder / "checkpoint.safetensors", tensors)

    def _resume(self) -> None:
        path = self.folder / "checkpoint.safetensors"
        self.folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return
        try:
            tensors = read_tensors(path)
            self.network.load_state_dict(_under(tensors, "network."))
            self.averaged.load_state_dict(_under(tensors, "averaged."))
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in _under(tensors, "optimiser.").items():
                index, key = name.split(".")
                state.setdefault(int(index), {})[key] = tensor
            groups = self.optimiser.state_dict()["param_groups"]
            self.optimiser.load_state_dict({"state": state, "param_groups": groups})
            self.step = int(tensors["step"])
        except (ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"{path} is not a checkpoint of this network; move it away to start afresh"
            ) from error

    def finish(self) -> None:
        """Write the averaged weights as they are shipped."""
        extra = {"training": asdict(self.options), "steps": self.step}
        save_network(self.folder / self.kind, self.kind, self.averaged.cpu(), extra)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
