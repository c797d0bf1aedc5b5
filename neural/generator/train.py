"""Training the generator: first the tokeniser, then the transformer on its tokens; resumable, seeded."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...rig.errors import ModelError
from ..library import load_library
from ..weights import read_tensors, write_tensors
from .losses import TokeniserWeights
from .network import Generator, GeneratorConfig
from .sampler import Sampler, Windows
from .stages import next_scale_terms, tokeniser_terms
from .stored import save_generator
from .tokeniser import WINDOW
from .windows import Clip, clip_of

__all__ = ["GeneratorTraining", "fit_generator", "load_clips", "train_generator"]

Progress = Callable[[int, int, str], None]
GOING = 2.0  # seconds per metre; most frames stand, and walking and running must be learnt too
EXERCISES = 0.5  # how often a frame of the exercise set is drawn against one of everyday motion
_HELD_OUT = 8  # validation batches


@dataclass(frozen=True)
class GeneratorTraining:
    """How the generator is trained.

    Attributes:
        tokeniser_steps: of the first stage.
        steps: of the second stage.
        batch: windows per step.
        tokeniser_rate: learning rate at its peak; linear warm-up, then a cosine to a hundredth.
        rate: likewise, of the transformer.
        warm_up: steps of either stage.
        slip: how often a token is misread while the transformer learns.
        seed: of weights and windows.
        checkpoint_every: steps between checkpoints and validations.
        threads: torch threads.
    """

    tokeniser_steps: int = 4000
    steps: int = 3200
    batch: int = 32
    tokeniser_rate: float = 1e-3
    rate: float = 8e-4
    warm_up: int = 100
    slip: float = 0.1
    seed: int = 0
    checkpoint_every: int = 200
    threads: int = 1

    @property
    def total(self) -> int:
        """Steps of both stages."""
        return self.tokeniser_steps + self.steps


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

    def sampler(clips: Sequence[Clip], share: Sequence[float], windows: int, seed: int) -> Sampler:
        return Sampler(clips, share, frames=windows * WINDOW, batch=options.batch, seed=seed)

    samplers = [sampler(training, weights, n, options.seed) for n in (2, 3)]
    held_out = [sampler(validation, held_weights, n, options.seed + 1) for n in (2, 3)]
    if run.step == 0:
        run.normalise([samplers[1](-1 - n & 0xFFFF) for n in range(_HELD_OUT)])
    while run.step < options.total:
        started = time.perf_counter()
        stage = run.stage
        terms = run.advance(samplers[stage](run.step))
        elapsed = time.perf_counter() - started
        line = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in terms.items())
        progress(run.step, options.total, f"{elapsed:.2f} s/step {line}")
        ends = run.step in (options.tokeniser_steps, options.total)
        if run.step % options.checkpoint_every == 0 or ends:
            run.validate(stage, terms, [held_out[stage](n) for n in range(_HELD_OUT)])
            run.save()
    return run.finish()


class _Run:
    """The networks and their optimisers at one step."""

    def __init__(self, config: GeneratorConfig, folder: Path, options: GeneratorTraining) -> None:
        self.folder, self.options = folder, options
        self.network = Generator(config)
        self.parts: tuple[nn.Module, nn.Module] = (self.network.tokeniser, self.network.next_scale)
        rates = (options.tokeniser_rate, options.rate)
        self.optimisers = [
            torch.optim.AdamW(part.parameters(), rate, betas=(0.9, 0.95), weight_decay=decay)
            for part, rate, decay in zip(self.parts, rates, (1e-4, 0.05), strict=True)
        ]
        self.best = {n: t.clone() for n, t in self.network.next_scale.state_dict().items()}
        self.least = torch.tensor(math.inf)
        self.step = 0
        self._resume()

    @property
    def stage(self) -> int:
        """0 while the tokeniser learns, 1 while the transformer does."""
        return int(self.step >= self.options.tokeniser_steps)

    def normalise(self, batches: Sequence[Windows]) -> None:
        """Take means and deviations from windows."""
        self.network.tokeniser.normalise_by(torch.cat([b.lower.flatten(0, 1) for b in batches]))
        self.network.next_scale.normalise_by(torch.cat([b.sensed.flatten(0, 1) for b in batches]))

    def advance(self, windows: Windows) -> dict[str, Tensor]:
        """One optimiser step of the stage."""
        # Dropout draws from the global source, so its seed is the step's: a resumed run draws the same.
        torch.manual_seed(self.options.seed * 1_000_003 + self.step)
        stage, options = self.stage, self.options
        part, optimiser = self.parts[stage].train(), self.optimisers[stage]
        for group in optimiser.param_groups:
            group["lr"] = self._rate()
        terms, latents = self._terms(stage, windows)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        nn.utils.clip_grad_norm_(part.parameters(), 1.0)
        optimiser.step()
        if latents is not None:
            random = torch.Generator().manual_seed(options.seed * 1_000_003 + self.step)
            self.network.tokeniser.quantiser.learn(latents, random)
        self.step += 1
        return terms

    def _terms(self, stage: int, windows: Windows) -> tuple[dict[str, Tensor], Tensor | None]:
        if stage == 0:
            return tokeniser_terms(self.network.tokeniser, windows, TokeniserWeights())
        random = torch.Generator().manual_seed(self.options.seed * 1_000_003 + self.step)
        return next_scale_terms(self.network, windows, random, self.options.slip), None

    def _rate(self) -> float:
        options = self.options
        first, peak, steps = (
            (0, options.tokeniser_rate, options.tokeniser_steps)
            if self.stage == 0
            else (options.tokeniser_steps, options.rate, options.steps)
        )
        done = self.step - first
        warm = min(1.0, (done + 1) / options.warm_up)
        return peak * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done / steps)))

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
            "stage": ("tokeniser", "transformer")[stage],
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
        tensors |= {"least": self.least, "step": torch.tensor(self.step)}
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
            self.least, self.step = tensors["least"], int(tensors["step"])
        except (ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"{path} is not a checkpoint of this generator; move it away to start afresh"
            ) from error

    def finish(self) -> Generator:
        """Write the weights as they are shipped: the tokeniser's last, the transformer's best."""
        self.network.next_scale.load_state_dict(self.best)
        extra = {"training": asdict(self.options), "steps": self.step, "least": float(self.least)}
        save_generator(self.folder / "generator", self.network, extra)
        return self.network.eval()


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
