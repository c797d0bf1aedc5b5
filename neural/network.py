"""PALLAS itself: encoder, invertible IK for the upper body, and the deterministic head for the rest."""

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from .body import LOWER, UPPER, sensed_pose
from .encoder import Encoder, EncoderCache, EncoderConfig
from .invertible_ik import SOLVERS, InvertibleIkConfig, build_solver

__all__ = ["Pallas", "PallasConfig", "Prediction", "read_outputs"]


@dataclass(frozen=True)
class PallasConfig:
    """Everything needed to rebuild the network; saved as JSON beside its weights.

    `solver` is a switch for the ablation table: "invertible" ships, "realnvp" is the flow without
    preconditioning, "direct" has none: the upper body's head says rotations.
    """

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    invertible_ik: InvertibleIkConfig = field(default_factory=InvertibleIkConfig)
    hidden: int = 384  # of the heads
    solver: str = "invertible"

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise ValueError(f"solver is {self.solver!r}; there are: {', '.join(SOLVERS)}")


@dataclass(frozen=True)
class Prediction:
    """What a network says of (B, T) frames, in the waist's heading frame.

    Attributes:
        positions: (B, T, 13, 6) bone directions and twists of the upper body, the solver's input; None
            without one.
        sixd: (B, T, 21, 6) 6D rotations of the posed joints, upper body first.
        contacts: (B, T, 2) logits that the left and the right foot stand.
        velocity: (B, T, 3) of the pelvis, m/s.
        height: (B, T) of the pelvis above the floor, metres, for a body 1.70 m tall.
    """

    positions: Tensor | None
    sixd: Tensor
    contacts: Tensor
    velocity: Tensor
    height: Tensor


class Pallas(nn.Module):
    """(B, T, S, 12) sensor features to a `Prediction`; causal, so it streams with a cache."""

    def __init__(self, config: PallasConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        self.upper = _head(config, 6 * len(UPPER))
        self.invertible_ik = build_solver(config.solver, config.invertible_ik)
        self.lower = _head(config, 6 * len(LOWER) + ROOT_OUTPUTS)

    def forward(self, sensors: Tensor, cache: EncoderCache | None = None) -> Prediction:
        """Pose every frame; with a cache the frames continue those it has seen."""
        return self.decode(self.encoder(sensors, cache), sensors)

    def decode(self, features: Tensor, sensors: Tensor) -> Prediction:
        """What the encoder's features (B, T, features) of these sensors (B, T, S, 12) say of each frame."""
        stiff = sensed_pose(sensors.float())
        upper, legs = stiff.split([len(UPPER), len(LOWER)], dim=-2)
        said = self.upper(features).unflatten(-1, (len(UPPER), 6)).float()
        prediction = read_outputs(self.lower(features).float())
        lower = prediction.sixd + legs
        if self.invertible_ik is None:
            return replace(prediction, sixd=torch.cat([said + upper, lower], dim=-2))
        positions = said + self.invertible_ik.positions_of(upper)
        sixd = torch.cat([self.invertible_ik(positions), lower], dim=-2)
        return replace(prediction, positions=positions, sixd=sixd)

    def stream(self) -> EncoderCache:
        """An empty cache for one stream."""
        return EncoderCache(self.config.encoder)


ROOT_OUTPUTS = 6  # two contacts, three of velocity, one of height


def read_outputs(outputs: Tensor) -> Prediction:
    """Split a head's numbers (B, T, 6N + 6): rotations, contacts, velocity, height."""
    n_rotations = outputs.shape[-1] - ROOT_OUTPUTS
    sixd = outputs[..., :n_rotations].unflatten(-1, (-1, 6))
    root = outputs[..., n_rotations:]
    return Prediction(None, sixd, root[..., :2], root[..., 2:5], 0.9 + root[..., 5])


def _head(config: PallasConfig, outputs: int) -> nn.Sequential:
    """Two layers that say nothing before training, so that the body starts as stiff as its sensors."""
    last = nn.Linear(config.hidden, outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(config.encoder.features, config.hidden), nn.SiLU(), last)
