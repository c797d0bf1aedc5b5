"""What all trainings share: the learning rate over the budget, averaged weights, files to go on from."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ...rig.errors import ModelError
from ..weights import read_tensors, write_tensors
from .options import TrainingOptions

__all__ = [
    "average_towards",
    "check_losses",
    "checked_checkpoint",
    "learning_rate",
    "read_checkpoint",
    "used_up",
    "write_checkpoint",
]

_FILE = "checkpoint.safetensors"
_EARLY = 10  # steps; the average of the first ones forgets as quickly as it must to follow


def used_up(options: TrainingOptions, step: int, seconds: float) -> float:
    """Part of the budget, of minutes if there are any, of steps otherwise; 1 where it is used up."""
    used = seconds / (60.0 * options.minutes) if options.minutes else step / options.steps
    return min(1.0, used)


def learning_rate(options: TrainingOptions, step: int, done: float) -> float:
    """Warm-up, then a cosine to a hundredth over the budget, of which `done` (0 to 1) is used up."""
    warm = min(1.0, (step + 1) / options.warm_up)
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))
    return options.learning_rate * warm * (0.01 + 0.99 * cosine)


def average_towards(averaged: nn.Module, network: nn.Module, most: float, step: int) -> None:
    """Move the averaged weights, and what layers counted, towards the network's after a step.

    Args:
        averaged: of the same kind as the network; changed in place.
        network: whose weights are averaged.
        most: share of the average that a step leaves, once there were many.
        step: number of steps so far.
    """
    keep = min(most, step / (step + _EARLY))
    fast = network.state_dict()
    with torch.no_grad():
        for name, slow in averaged.state_dict().items():
            if slow.is_floating_point():
                slow.lerp_(fast[name], 1.0 - keep)
            else:
                slow.copy_(fast[name])


def check_losses(losses: Iterable[float], step: int) -> None:
    """Stop a run that diverged, before its checkpoint replaces one from which it could go on.

    Raises:
        ModelError: a loss is no number.
    """
    if not all(math.isfinite(loss) for loss in losses):
        raise ModelError(
            f"the loss is no number at step {step}; lower learning_rate and start afresh"
        )


def write_checkpoint(
    folder: Path,
    network: nn.Module,
    averaged: nn.Module,
    optimiser: torch.optim.Optimizer,
    numbers: Mapping[str, float],
) -> None:
    """Write everything from which a run goes on as if never stopped; `numbers` are its own counts."""
    tensors = {f"network.{n}": t for n, t in network.state_dict().items()}
    tensors |= {f"averaged.{n}": t for n, t in averaged.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{n}": t for n, t in state.items()}
    for name, number in numbers.items():
        tensors[name] = torch.tensor(float(number), dtype=torch.float64)
    write_tensors(folder / _FILE, tensors)


def checked_checkpoint(
    folder: Path,
    network: nn.Module,
    averaged: nn.Module,
    optimiser: torch.optim.Optimizer,
    numbers: Mapping[str, float],
    losses: tuple[Mapping[str, Tensor], Mapping[str, float]],
) -> dict[str, float]:
    """Write a checkpoint if training's and validation's losses are numbers; what the log is to say of them.

    Raises:
        ModelError: a loss is no number.
    """
    training, validation = losses
    values = {f"training_{name}": float(value.detach()) for name, value in training.items()}
    values |= {f"validation_{name}": value for name, value in validation.items()}
    check_losses(values.values(), int(numbers["step"]))
    write_checkpoint(folder, network, averaged, optimiser, numbers)
    return {"seconds": numbers["seconds"], **values}


def read_checkpoint(
    folder: Path,
    network: nn.Module,
    averaged: nn.Module,
    optimiser: torch.optim.Optimizer,
    names: tuple[str, ...],
) -> dict[str, float] | None:
    """Take up what `write_checkpoint` wrote.

    Returns:
        The run's own counts of these names; None where the folder has no checkpoint.

    Raises:
        ModelError: the file is of another network, or damaged.
    """
    path = folder / _FILE
    if not path.exists():
        return None
    try:
        tensors = read_tensors(path)
        network.load_state_dict(_under(tensors, "network."))
        averaged.load_state_dict(_under(tensors, "averaged."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under(tensors, "optimiser.").items():
            index, key = name.split(".")
            state.setdefault(int(index), {})[key] = tensor
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
        return {name: float(tensors[name]) for name in names}
    except (ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{path} is not a checkpoint of this network; move it away to start afresh"
        ) from error


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
