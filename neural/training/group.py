"""Several processes as one: what `torchrun` starts share a batch and agree on every step."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from ...rig.errors import ModelError

__all__ = ["Group", "process_group"]


@dataclass(frozen=True)
class Group:
    """This process among those that train together; alone it does nothing."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def rows(self, batch: int) -> slice:
        """The rows of the global batch that are this process' share.

        Raises:
            ModelError: the batch can't be shared evenly.
        """
        if batch % self.size:
            raise ModelError(
                f"a batch of {batch} windows can't be shared by {self.size} processes; "
                f"choose a multiple of {self.size}"
            )
        share = batch // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def average(self, values: Tensor) -> Tensor:
        """The mean over all processes."""
        if self.size > 1:
            distributed.all_reduce(values)
            values = values / self.size
        return values

    def average_gradients(self, network: nn.Module) -> None:
        """Give every process the gradient of the global batch: shares are equal, so it is the mean."""
        if self.size == 1:
            return
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = self.average(torch.cat([gradient.flatten() for gradient in gradients]))
        for gradient, part in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(part.view_as(gradient))

    def agreed(self, value: float) -> float:
        """The first process' value, everywhere."""
        if self.size == 1:
            return value
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        shared = torch.tensor(value, dtype=torch.float64, device=device)
        distributed.broadcast(shared, 0)
        return float(shared)

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def process_group(device: str) -> Iterator[tuple[Group, torch.device]]:
    """Join the group that torchrun's environment tells of, on this process' device; or be alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group(), torch.device(device)
        return
    local = torch.device(device)
    if device == "cuda":
        local = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(local)
    distributed.init_process_group("nccl" if local.type == "cuda" else "gloo")
    try:
        yield Group(distributed.get_rank(), size), local
    finally:
        distributed.destroy_process_group()
