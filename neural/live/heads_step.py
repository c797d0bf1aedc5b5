"""One frame through the network's heads and its invertible IK: the rest of what a live stream does."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..body import POSED, UPPER, bone_basis, nearest_sensors
from ..invertible_ik import InvertibleIk
from ..network import ROOT_OUTPUTS, Pallas
from .encoder_step import Floats, laid, numbers, product, silu

__all__ = ["FramePrediction", "HeadsStep"]

_N_UPPER, _N_POSED = len(UPPER), len(POSED)
_HEIGHT = 0.9  # metres, as `network.read_outputs` adds


@dataclass(frozen=True, eq=False, slots=True)
class FramePrediction:
    """What the network says of one frame, in the waist's heading frame; as `Prediction`, without its axes.

    Attributes:
        sixd: (21, 6) 6D rotations of the posed joints, upper body first.
        contacts: (2,) logits that the left and the right foot stand.
        velocity: (3,) of the pelvis, m/s.
        height: of the pelvis above the floor, metres, for a body 1.70 m tall.
    """

    sixd: Floats
    contacts: Floats
    velocity: Floats
    height: float


class HeadsStep:
    """The same sums as `Pallas.decode` for one frame; networks with another solver are asked themselves.

    Args:
        network: its weights are copied.
    """

    def __init__(self, network: Pallas) -> None:
        self._network = network
        solver = network.invertible_ik
        self._flow = _FlowStep(solver) if isinstance(solver, InvertibleIk) else None
        self._upper, self._lower = _layers(network.upper), _layers(network.lower)
        self._sensors = np.array(nearest_sensors())
        self._basis = numbers(bone_basis())

    def __call__(self, features: Floats, sensors: Floats) -> FramePrediction:
        """What features (features,) of sensors (S, n_features) say."""
        if self._flow is None:
            return self._asked(features, sensors)
        stiff = self._stiff(sensors)
        positions = _through(features, self._upper).reshape(_N_UPPER, 6) + stiff[:_N_UPPER]
        lower = _through(features, self._lower)
        legs, root = lower[:-ROOT_OUTPUTS].reshape(-1, 6), lower[-ROOT_OUTPUTS:]
        upper = self._flow(positions.reshape(1, -1)).reshape(_N_UPPER, 6)
        sixd = np.concatenate([upper, legs + stiff[_N_UPPER:]])
        return FramePrediction(sixd, root[:2], root[2:5], _HEIGHT + float(root[5]))

    def _stiff(self, sensors: Floats) -> Floats:
        """`body.sensed_pose` of one frame: (21, 6)."""
        turns = sensors[:, 3:].reshape(-1, 3, 3)[self._sensors] @ self._basis
        return turns[:, :, :2].transpose(0, 2, 1).reshape(_N_POSED, 6)

    def _asked(self, features: Floats, sensors: Floats) -> FramePrediction:
        with torch.inference_mode():
            rows = [torch.from_numpy(row)[None, None] for row in (features, sensors)]
            said = self._network.decode(*rows)
        sixd, contacts, velocity = (
            part[0, 0].numpy() for part in (said.sixd, said.contacts, said.velocity)
        )
        return FramePrediction(sixd, contacts, velocity, float(said.height))


class _FlowStep:
    """`InvertibleIk.forward` of one row, neighbouring permutations in one."""

    def __init__(self, solver: InvertibleIk) -> None:
        self._kept = solver.config.size // 2
        self._bound = np.float32(solver.config.largest_log_scale)
        self._orders, self._couplings = [], []
        order = np.arange(solver.config.size)
        for coupling in solver.couplings:
            permutation, unpermutation = (
                coupling.get_buffer(name).cpu().numpy() for name in ("permutation", "unpermutation")
            )
            self._orders.append(order[permutation].copy())
            self._couplings.append(
                [_layer(coupling.get_submodule(n)) for n in ("first", "middle", "last")]
            )
            order = unpermutation
        self._last = order.copy()

    def __call__(self, x: Floats) -> Floats:
        """(1, 6J) to the same shape."""
        for order, (first, middle, last) in zip(self._orders, self._couplings, strict=True):
            x = x[:, order]
            kept, changed = x[:, : self._kept], x[:, self._kept :]
            hidden = silu(product(kept, first[0]) + first[1])
            hidden = silu(product(hidden, middle[0]) + middle[1])
            said = product(hidden, last[0]) + last[1]
            half = said.shape[1] // 2
            scale = np.exp(np.tanh(said[:, :half]) * self._bound)
            x = np.concatenate([kept, said[:, half:] + changed * scale], axis=1)
        return x[:, self._last]


def _layer(layer: nn.Module) -> tuple[Tensor, Floats]:
    """(in, out) weights and (out,) bias, laid as products with one row want them."""
    assert isinstance(layer, nn.Linear)
    return laid(layer.weight), numbers(layer.bias)


def _layers(head: nn.Sequential) -> list[tuple[Tensor, Floats]]:
    return [_layer(head[0]), _layer(head[2])]


def _through(row: Floats, layers: list[tuple[Tensor, Floats]]) -> Floats:
    """(out,) of a row (in,)."""
    first, last = layers
    hidden = silu(product(row[None], first[0]) + first[1])
    out: Floats = (product(hidden, last[0]) + last[1])[0]
    return out
