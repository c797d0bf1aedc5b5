"""Training the generator: first the tokeniser, then the transformer on its tokens; resumable, seeded."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...rig.errors import ModelError
from ..library import load_library
from ..training.options import TrainingOptions
from ..weights import read_tensors, write_tensors
from .losses import TokeniserWeights
from .network import Generator, GeneratorConfig
from .sampler import Sampler, Windows
from .stages import next_scale_terms, tokeniser_terms
from .stored import save_generator
from .tokeniser import WINDOW
from .windows import Clip, clip_of

__all__ = [
    "GeneratorTraining",
    "Stage",
    "fit_generator",
    "load_clips",
    "schedule",
    "train_generator",
]

Progress = Callable[[int, int, str], None]
GOING = 2.0  # seconds per metre; most frames stand, and walking and running must be learnt too
EXERCISES = 0.5  # how often a frame of the exercise set is drawn against one of everyday motion
_HELD_OUT = 8  # validation batches
_FIRST = 0.4  # of the work is the tokeniser's
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
    next_scale: Stage = Stage(3200, math.inf, 8e-4, 0.05)
    batch: int = 32
    warm_up: int = 100
    slip: float = 0.1
    seed: int = 0
    checkpoint_every: int = 200
    threads: int = 1


def schedule(training: TrainingOptions) -> GeneratorTraining:
    """A network's schedule for both stages: the tokeniser gets 0.4 of the steps or minutes.

    A window is a quarter as long as the encoder's, so a batch has four times as many. The learning rates
    are the stages' own.
    """
    own = GeneratorTraining()

    def part(stage: Stage, share: float) -> Stage:
        if training.minutes:
            return replace(stage, steps=10**9, minutes=share * training.minutes)
        return replace(stage, steps=max(1, round(share * training.steps)))

    return replace(
        own,
        tokeniser=part(own.tokeniser, _FIRST),
        next_scale=part(own.next_scale, 1.0 - _FIRST),
        batch=4 * training.batch,
        seed=training.seed,
        checkpoint_every=training.checkpoint_every,
        threads=training.threads,
    )


def train_generator(
    library: Path, out: Path, options: GeneratorTraining, progress: Progress
) -> Path:
    """Train on a built library's training split; the file with the weights.

    Raises:
        FileError: there is no library.
    """
    training, weights = load_clips(library, "train", progress)
    validation, held_weights = load_clips(library, "validation", progress)
    fit_generator(training, weights, validation, held_weights, out, options, progress)
    return out / "generator.safetensors"


def load_clips(library: Path, split: str, progress: Progress) -> tuple[list[Clip], list[float]]:
    """The clips of a split, and how often a frame of each is drawn."""
    found = load_library(library, split)
    clips, weights = [], []
    for number, entry in enumerate(found):
        clip = clip_of(entry.motion)
        speed = float(clip.velocity[:, :2].norm(dim=-1).mean())
        share = entry.weight * (EXERCISES if entry.name.startswith("ui_prmd") else 1.0)
        clips.append(clip)
        weights.append(share * (1.0 + GOING * min(speed, 2.0)))
        progress(number + 1, len(found), f"reading {entry.name}")
    return clips, weights


def fit_generator(
    training: Sequence[Clip],
    weights: Sequence[float],
    validation: Sequence[Clip],
    held_weights: Sequence[float],
    folder: Path,
    options: GeneratorTraining,
    progress: Progress,
    config: GeneratorConfig | None = None,
) -> Generator:
    """Train, or go on from the checkpoint that `folder` holds.

    Args:
        training: clips to learn from.
        weights: how often a frame of each is drawn.
        validation: clips whose loss is logged, and which choose the transformer's best checkpoint.
        held_weights: of them.
        folder: gets `checkpoint.safetensors`, `log.jsonl`, and the finished weights.
        options: how.
        progress: told (step, steps, one line).
        config: sizes of the networks.
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    run = _Run(config or GeneratorConfig(), folder, options)

    samplers = _samplers(training, weights, options, options.seed)
    held_out = _samplers(validation, held_weights, options, options.seed + 1)
    if run.step == 0:
        run.normalise([samplers[1](number) for number in range(_HELD_OUT)])
    everything = options.tokeniser.steps + options.next_scale.steps
    while (stage := run.stage) < len(_STAGES):
        started = time.perf_counter()
        terms = run.advance(stage, samplers[stage](run.step))
        elapsed = time.perf_counter() - started
        run.spent[stage] += elapsed
        line = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in terms.items())
        progress(run.step, everything, f"{elapsed:.2f} s/step {line}")
        if run.step % options.checkpoint_every == 0 or run.stage != stage:
            run.validate(stage, terms, [held_out[stage](n) for n in range(_HELD_OUT)])
            run.save()
    return run.finish()


def _samplers(
    clips: Sequence[Clip], weights: Sequence[float], options: GeneratorTraining, seed: int
) -> list[Sampler]:
    """Of either stage: two windows, and three of which the middle one is always within the clip."""
    return [
        Sampler(clips, weights, frames=n * WINDOW, batch=options.batch, seed=seed, over=over)
        for n, over in ((2, WINDOW // 4), (3, WINDOW))
    ]


class _Run:
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
    def step(self) -> int:
        """Steps of both stages."""
        return sum(self.steps)

    @property
    def stage(self) -> int:
        """0 while the tokeniser learns, 1 while the transformer does, 2 when both have."""
        return sum(self._done(stage) >= 1.0 for stage in range(2))

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
