"""What others would build from the same data: a mean pose, and a bidirectional LSTM of equal size."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .body import POSED
from .features import NETWORK_FPS
from .network import ROOT_OUTPUTS, Prediction, read_outputs

__all__ = ["LstmConfig", "LstmPoser", "MeanPose"]


@dataclass(frozen=True)
class LstmConfig:
    """Everything needed to rebuild the network; sized to as many parameters as `PallasConfig`."""

    n_sensors: int = 4
    n_features: int = 12
    hidden: int = 182
    n_layers: int = 2
    fps: float = NETWORK_FPS


class LstmPoser(nn.Module):
    """Two bidirectional LSTM layers, the pose network of DIP (Huang et al. 2018); sees the future."""

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.n_sensors * config.n_features, config.hidden)
        self.lstm = nn.LSTM(
            config.hidden, config.hidden, config.n_layers, batch_first=True, bidirectional=True
        )
        self.out = nn.Linear(2 * config.hidden, 6 * len(POSED) + ROOT_OUTPUTS)

    def forward(self, sensors: Tensor) -> Prediction:
        """(B, T, S, 12) sensor features to a pose per frame."""
        hidden, _ = self.lstm(self.embed(sensors.flatten(-2)).relu())
        return read_outputs(self.out(hidden).float())


class MeanPose(nn.Module):
    """The training set's mean pose, whatever the sensors say; only its heading follows the waist."""

    outputs: Tensor

    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.register_buffer("outputs", outputs)

    def forward(self, sensors: Tensor) -> Prediction:
        """(B, T, S, 12) sensor features to the same pose for every frame."""
        return read_outputs(self.outputs.expand(*sensors.shape[:2], -1))

    @classmethod
    def fitted(cls, sixd: Tensor, height: Tensor) -> "MeanPose":
        """Of poses (N, 21, 6) and pelvis heights (N,) drawn from the training set."""
        root = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, float(height.mean()) - 0.9])
        return cls(torch.cat([sixd.mean(0).flatten(), root]))
