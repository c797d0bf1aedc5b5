"""One training run of the generator: networks and optimisers at a step, on disk and back."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...rig.errors import ModelError
from ..weights import read_tensors, write_tensors
from .losses import TokeniserWeights
from .network import Generator, GeneratorConfig
from .sampler import Windows
from .stages import next_scale_terms, tokeniser_terms
from .stored import save_generator

__all__ = ["GeneratorTraining", "Run", "Stage"]

_STAGES = ("tokeniser", "transformer")


@dataclass(frozen=True)
class Stage:
    """How one of the two networks is trained; whichever of steps and minutes is over first ends it.

    Attributes:
        steps: optimiser steps.
        minutes: of work, over all runs of a training that was stopped; not the same from run to run.
        rate: learning rate at its peak; linear warm-up, then a cosine to a hundredth.
        decay: of weights.
    """

    steps: int
    minutes: float
    rate: float
    decay: float


@dataclass(frozen=True)
class GeneratorTraining:
    """How the generator is trained.

    Attributes:
        tokeniser: the first stage.
        next_scale: the second.
        batch: windows per step.
        warm_up: steps of either stage.
        slip: how often a token is misread while the transformer learns.
        seed: of weights and windows.
        checkpoint_every: steps between checkpoints and validations.
        threads: torch threads.
    """

    tokeniser: Stage = Stage(4000, math.inf, 1e-3, 1e-4)
    next_scale: Stage = Stage(3200, math.inf, 1e-3, 0.05)
    batch: int = 32
    warm_up: int = 100
    slip: float = 0.1
    seed: int = 0
    checkpoint_every: int = 200
    threads: int = 1


class Run:
    """The networks and their optimisers at one step."""

    def __init__(self, config: GeneratorConfig, folder: Path, options: GeneratorTraining) -> None:
        self.folder, self.options = folder, options
        self.network = Generator(config)
        self.parts: tuple[nn.Module, nn.Module] = (self.network.tokeniser, self.network.next_scale)
        self.stages = (options.tokeniser, options.next_scale)
        self.optimisers = [
            torch.optim.AdamW(
                part.parameters(), how.rate, betas=(0.9, 0.95), weight_decay=how.decay
            )
            for part, how in zip(self.parts, self.stages, strict=True)
        ]
        self.best = {n: t.clone() for n, t in self.network.next_scale.state_dict().items()}
        self.least = torch.tensor(math.inf)
        self.steps = [0, 0]  # of either stage
        self.spent = torch.zeros(2)  # seconds
        self._resume()

    @property
    def n_stages(self) -> int:
        """How many there are."""
        return len(self.stages)

    @property
    def step(self) -> int:
        """Steps of both stages."""
        return sum(self.steps)

    @property
    def stage(self) -> int:
        """0 while the tokeniser learns, 1 while the transformer does, 2 when both have."""
        return sum(self._done(stage) >= 1.0 for stage in range(self.n_stages))

    @property
    def expected(self) -> int:
        """Steps in all, as far as can be told before minutes are over."""
        counted = zip(self.stages, self.steps, strict=True)
        return sum(
            how.steps if math.isinf(how.minutes) else round(steps / max(self._done(stage), 1e-9))
            for stage, (how, steps) in enumerate(counted)
        )

    def _done(self, stage: int) -> float:
        how = self.stages[stage]
        return max(self.steps[stage] / how.steps, float(self.spent[stage]) / 60.0 / how.minutes)

    def normalise(self, batches: Sequence[Windows]) -> None:
        """Take means and deviations from windows."""
        self.network.tokeniser.normalise_by(torch.cat([b.lower.flatten(0, 1) for b in batches]))
        self.network.next_scale.normalise_by(torch.cat([b.sensed.flatten(0, 1) for b in batches]))

    def advance(self, stage: int, windows: Windows) -> dict[str, Tensor]:
        """One optimiser step of the stage."""
        # Dropout draws from the global source, so its seed is the step's: a resumed run draws the same.
        torch.manual_seed(self._seed)
        part, optimiser = self.parts[stage].train(), self.optimisers[stage]
        for group in optimiser.param_groups:
            group["lr"] = self._rate(stage)
        terms, latents = self._terms(stage, windows)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        nn.utils.clip_grad_norm_(part.parameters(), 1.0)
        optimiser.step()
        if latents is not None:
            random = torch.Generator().manual_seed(self._seed)
            self.network.tokeniser.quantiser.learn(latents, random)
        self.steps[stage] += 1
        return terms

    def _terms(self, stage: int, windows: Windows) -> tuple[dict[str, Tensor], Tensor | None]:
        if stage == 0:
            return tokeniser_terms(self.network.tokeniser, windows, TokeniserWeights())
        random = torch.Generator().manual_seed(self._seed)
        return next_scale_terms(self.network, windows, random, self.options.slip), None

    @property
    def _seed(self) -> int:
        return self.options.seed * 1_000_003 + self.step

    def _rate(self, stage: int) -> float:
        warm = min(1.0, (self.steps[stage] + 1) / self.options.warm_up)
        fall = 0.5 * (1.0 + math.cos(math.pi * self._done(stage)))
        return self.stages[stage].rate * warm * (0.01 + 0.99 * fall)

    def validate(self, stage: int, terms: dict[str, Tensor], batches: Sequence[Windows]) -> None:
        """Loss terms on held-out windows into log.jsonl; the transformer that does best is remembered."""
        self.network.eval()
        rows = []
        with torch.no_grad():
            for windows in batches:
                if stage == 0:
                    found, _ = tokeniser_terms(self.network.tokeniser, windows, TokeniserWeights())
                else:
                    random = torch.Generator().manual_seed(self.options.seed)
                    found = next_scale_terms(self.network, windows, random, 0.0)
                rows.append({name: float(value) for name, value in found.items()})
        held = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        if stage == 1 and sum(held.values()) < float(self.least):
            self.least = torch.tensor(sum(held.values()))
            self.best = {n: t.clone() for n, t in self.network.next_scale.state_dict().items()}
        entry = {
            "step": self.step,
            "stage": _STAGES[stage],
            "training": {name: float(value.detach()) for name, value in terms.items()},
            "validation": held,
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def save(self) -> None:
        """Write a checkpoint from which the run goes on as if never stopped."""
        tensors = {f"network.{n}": t for n, t in self.network.state_dict().items()}
        tensors |= {f"best.{n}": t for n, t in self.best.items()}
        for number, optimiser in enumerate(self.optimisers):
            for index, state in optimiser.state_dict()["state"].items():
                tensors |= {f"optimiser{number}.{index}.{n}": t for n, t in state.items()}
        tensors |= {"least": self.least, "steps": torch.tensor(self.steps), "spent": self.spent}
        write_tensors(self.folder / "checkpoint.safetensors", tensors)

    def _resume(self) -> None:
        path = self.folder / "checkpoint.safetensors"
        self.folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return
        try:
            tensors = read_tensors(path)
            self.network.load_state_dict(_under(tensors, "network."))
            self.best = _under(tensors, "best.")
            for number, optimiser in enumerate(self.optimisers):
                state: dict[int, dict[str, Tensor]] = {}
                for name, tensor in _under(tensors, f"optimiser{number}.").items():
                    index, key = name.split(".")
                    state.setdefault(int(index), {})[key] = tensor
                groups = optimiser.state_dict()["param_groups"]
                optimiser.load_state_dict({"state": state, "param_groups": groups})
            self.least, self.spent = tensors["least"], tensors["spent"]
            self.steps = [int(count) for count in tensors["steps"]]
        except (ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"{path} is not a checkpoint of this generator; move it away to start afresh"
            ) from error

    def finish(self) -> Generator:
        """Write the weights as they are shipped: the tokeniser's last, the transformer's best."""
        self.network.next_scale.load_state_dict(self.best)
        extra = {"training": asdict(self.options), "steps": self.steps, "least": float(self.least)}
        extra["minutes"] = (self.spent / 60.0).tolist()
        save_generator(self.folder / "generator", self.network, extra)
        return self.network.eval()


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
