"""One frame through the network's heads and its invertible IK: the rest of what a live stream does."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..body import UPPER, sensed_pose
from ..invertible_ik import InvertibleIk
from ..network import Pallas, Prediction, read_outputs

__all__ = ["HeadsStep"]

_N_UPPER = len(UPPER)


class HeadsStep:
    """The same sums as `Pallas.decode` for one frame; others are asked themselves.

    Args:
        network: its weights are copied.
    """

    def __init__(self, network: Pallas) -> None:
        self._network = network
        solver = network.invertible_ik
        self._flow = _FlowStep(solver) if isinstance(solver, InvertibleIk) else None
        self._upper, self._lower = _layers(network.upper), _layers(network.lower)

    def __call__(self, features: Tensor, sensors: Tensor) -> Prediction:
        """What features (features,) of sensors (S, n_features) say: a prediction of (1, 1) frames."""
        if self._flow is None:
            return self._network.decode(features[None, None], sensors[None, None])
        stiff = sensed_pose(sensors)
        row = features[None]
        positions = _through(row, self._upper).view(_N_UPPER, 6) + stiff[:_N_UPPER]
        lower = read_outputs(_through(row, self._lower)[None])
        upper = self._flow(positions.view(1, -1)).view(1, 1, _N_UPPER, 6)
        sixd = torch.cat([upper, lower.sixd + stiff[_N_UPPER:]], dim=-2)
        return Prediction(positions[None, None], sixd, lower.contacts, lower.velocity, lower.height)


class _FlowStep:
    """`InvertibleIk.forward` of one row, neighbouring permutations in one."""

    def __init__(self, solver: InvertibleIk) -> None:
        self._kept = solver.config.size // 2
        self._bound = solver.config.largest_log_scale
        self._orders, self._couplings = [], []
        order = torch.arange(solver.config.size)
        for coupling in solver.couplings:
            permutation, unpermutation = (
                coupling.get_buffer(name) for name in ("permutation", "unpermutation")
            )
            self._orders.append(order[permutation].clone())
            self._couplings.append(
                [_layer(coupling.get_submodule(n)) for n in ("first", "middle", "last")]
            )
            order = unpermutation
        self._last = order.clone()

    def __call__(self, x: Tensor) -> Tensor:
        """(1, 6J) to the same shape."""
        for order, (first, middle, last) in zip(self._orders, self._couplings, strict=True):
            x = x.index_select(1, order)
            kept, changed = x[:, : self._kept], x[:, self._kept :]
            hidden = functional.silu(torch.addmm(first[1], kept, first[0]))
            hidden = functional.silu(torch.addmm(middle[1], hidden, middle[0]))
            log_scale, shift = torch.addmm(last[1], hidden, last[0]).chunk(2, dim=-1)
            scale = log_scale.tanh().mul_(self._bound).exp_()
            x = torch.cat([kept, torch.addcmul(shift, changed, scale)], dim=-1)
        return x.index_select(1, self._last)


def _layer(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """(in, out) weights and (out,) bias, laid as products with one row want them."""
    assert isinstance(layer, nn.Linear)
    return layer.weight.detach().T.contiguous().clone(), layer.bias.detach().clone()


def _layers(head: nn.Sequential) -> list[tuple[Tensor, Tensor]]:
    return [_layer(head[0]), _layer(head[2])]


def _through(row: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    first, last = layers
    hidden = functional.silu(torch.addmm(first[1], row, first[0]))
    return torch.addmm(last[1], hidden, last[0])
