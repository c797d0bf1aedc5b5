"""Training the generator: first the tokeniser, then the transformer on its tokens; resumable, seeded."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ..library import load_library
from ..training.options import TrainingOptions
from .network import Generator, GeneratorConfig
from .run import GeneratorTraining, Run, Stage
from .sampler import Sampler
from .tokeniser import WINDOW
from .windows import Clip, clip_of

__all__ = ["fit_generator", "load_clips", "schedule", "train_generator"]

Progress = Callable[[int, int, str], None]
GOING = 2.0  # seconds per metre; most frames stand, and walking and running must be learnt too
EXERCISES = 0.5  # how often a frame of the exercise set is drawn against one of everyday motion
_HELD_OUT = 8  # validation batches
_FIRST = 0.4  # of the work is the tokeniser's


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
    run = Run(config or GeneratorConfig(), folder, options)
    samplers = _samplers(training, weights, options, options.seed)
    held_out = _samplers(validation, held_weights, options, options.seed + 1)
    if run.step == 0:
        run.normalise([samplers[1](number) for number in range(_HELD_OUT)])
    while (stage := run.stage) < run.n_stages:
        started = time.perf_counter()
        terms = run.advance(stage, samplers[stage](run.step))
        elapsed = time.perf_counter() - started
        run.spent[stage] += elapsed
        line = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in terms.items())
        progress(run.step, run.expected, f"{elapsed:.2f} s/step {line}")
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
