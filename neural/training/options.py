"""How a network is trained: everything that decides what comes out, beside the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .augmentation import Augmentation
from .losses import Weights

__all__ = ["Plan", "TrainingOptions"]

CLOCKS = ("wall", "processor")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class TrainingOptions:
    """The schedule; every network of a comparison gets the same.

    Attributes:
        steps: optimiser steps in all, unless there are minutes.
        minutes: a budget of time instead: the learning rate follows the time done, so a network that
            computes faster takes more steps. Such a run is not the same twice.
        clock: what minutes count: "wall", or "processor" (this process' own time, fair on a shared CPU).
        batch: windows per step, over all processes.
        frames: frames per window.
        learning_rate: at its peak; linear warm-up, then a cosine to a hundredth.
        warm_up: steps.
        averaging: how much of the averaged weights is kept at every step.
        seed: of the weights and the windows.
        checkpoint_every: steps between checkpoints; no more than that is lost when a run is killed.
        validation: windows that are looked at at every checkpoint, always the same ones.
        device: "cpu" or "cuda"; of several GPUs each process of torchrun takes its own.
        threads: torch threads on the CPU.
        precision: "float32", "bfloat16" (automatic mixed precision) or "auto": bfloat16 on a GPU, float32
            on a CPU, where it is the faster one.
        compiled: fuse operations by torch.compile; needs a C++ compiler.
        start: weights to start from, a path without suffix as `load_network` takes it; none if empty.
    """

    steps: int = 6000
    minutes: float = 0.0
    clock: str = "wall"
    batch: int = 8
    frames: int = 256
    learning_rate: float = 1.5e-3
    warm_up: int = 200
    averaging: float = 0.998
    seed: int = 0
    checkpoint_every: int = 200
    validation: int = 48
    device: str = "cpu"
    threads: int = 1
    precision: str = "auto"
    compiled: bool = False
    start: str = ""

    def __post_init__(self) -> None:
        if self.clock not in CLOCKS:
            raise ValueError(f"clock is {self.clock!r}; there are: {', '.join(CLOCKS)}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; there are: {', '.join(PRECISIONS)}")
        for name in ("batch", "checkpoint_every", "validation", "threads", "warm_up"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 1 or more")
        if self.frames < 3:
            raise ValueError(f"frames is {self.frames}; expected 3 or more")
        if self.minutes < 0 or (self.steps < 1 and not self.minutes):
            raise ValueError("expected steps of 1 or more, or minutes above 0")

    @property
    def mixed(self) -> bool:
        """Whether the network computes in bfloat16."""
        if self.precision == "auto":
            return self.device.startswith("cuda")
        return self.precision == "bfloat16"


@dataclass(frozen=True)
class Plan:
    """One training run.

    Attributes:
        name: of the run; its weights are NAME.safetensors and NAME.json.
        kind: of the network, as `weights.build` knows them.
        network: the network's config where it differs from the default, as nested tables.
        training: the schedule.
        augmentation: what varies from window to window.
        losses: how much each term counts.
        variation: of pose2d what varies from crop to crop, fields of `pose2d.variation.Variation`.
    """

    name: str = "pallas"
    kind: str = "pallas"
    network: Mapping[str, Any] = field(default_factory=dict)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    augmentation: Augmentation = field(default_factory=Augmentation)
    losses: Weights = field(default_factory=Weights)
    variation: Mapping[str, Any] = field(default_factory=dict)
