"""What others would build from the same data, each sized to as many parameters as PALLAS has.

Their published code is not used; each is the idea in its plainest form, behind the interface of `network`.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .body import POSED
from .features import NETWORK_FPS
from .network import ROOT_OUTPUTS, Prediction, read_outputs

__all__ = [
    "LstmConfig",
    "LstmPoser",
    "LstmTransformer",
    "LstmTransformerConfig",
    "MeanPose",
    "PlainTransformer",
    "PlainTransformerConfig",
]

_OUTPUTS = 6 * len(POSED) + ROOT_OUTPUTS


@dataclass(frozen=True)
class LstmConfig:
    """Everything needed to rebuild the network; sized to as many parameters as `PallasConfig`."""

    n_sensors: int = 4
    n_features: int = 12
    hidden: int = 182
    n_layers: int = 2
    fps: float = NETWORK_FPS


class LstmPoser(nn.Module):
    """Two bidirectional LSTM layers; sees the future.

    As in DIP (Huang et al. 2018) and TransPose (Yi et al. 2021).
    """

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.n_sensors * config.n_features, config.hidden)
        self.lstm = nn.LSTM(
            config.hidden, config.hidden, config.n_layers, batch_first=True, bidirectional=True
        )
        self.out = nn.Linear(2 * config.hidden, _OUTPUTS)

    def forward(self, sensors: Tensor) -> Prediction:
        """(B, T, S, 12) sensor features to a pose per frame."""
        hidden, _ = self.lstm(self.embed(sensors.flatten(-2)).relu())
        return read_outputs(self.out(hidden).float())


@dataclass(frozen=True)
class LstmTransformerConfig:
    """Everything needed to rebuild the network."""

    n_sensors: int = 4
    n_features: int = 12
    width: int = 128
    n_heads: int = 4
    n_layers: int = 3  # each one LSTM over time and one transformer layer over sensors
    hidden: int = 384
    head: int = 720
    fps: float = NETWORK_FPS


class LstmTransformer(nn.Module):
    """An LSTM per sensor over time, a transformer over sensors, in turns; causal.

    The idea of HMD-Poser (Dai et al. 2024), which estimates poses from a headset and sensors live.
    """

    def __init__(self, config: LstmTransformerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.embed = nn.Linear(config.n_features, width)
        self.which = nn.Parameter(torch.randn(config.n_sensors, width) * 0.1)
        self.over_time = nn.ModuleList(
            nn.LSTM(width, width, batch_first=True) for _ in range(config.n_layers)
        )
        self.over_sensors = nn.ModuleList(
            _transformer_layer(width, config.n_heads, config.hidden) for _ in range(config.n_layers)
        )
        self.out = nn.Sequential(
            nn.Linear(config.n_sensors * width, config.head),
            nn.ReLU(),
            nn.Linear(config.head, _OUTPUTS),
        )

    def forward(self, sensors: Tensor) -> Prediction:
        """(B, T, S, 12) sensor features to a pose per frame."""
        batch, frames, count, _ = sensors.shape
        x = self.embed(sensors) + self.which
        for lstm, transformer in zip(self.over_time, self.over_sensors, strict=True):
            rows = x.transpose(1, 2).flatten(0, 1)  # (B * S, T, width)
            rows = rows + lstm(rows)[0]
            x = rows.unflatten(0, (batch, count)).transpose(1, 2)
            x = transformer(x.flatten(0, 1)).unflatten(0, (batch, frames))
        return read_outputs(self.out(x.flatten(-2)).float())


@dataclass(frozen=True)
class PlainTransformerConfig:
    """Everything needed to rebuild the network.

    Attributes:
        frames: of a window that is seen as a whole; longer takes are cut into overlapping ones.
    """

    n_sensors: int = 4
    n_features: int = 12
    width: int = 216
    n_heads: int = 8
    n_layers: int = 3
    hidden: int = 544
    head: int = 256
    frames: int = 256
    fps: float = NETWORK_FPS


class PlainTransformer(nn.Module):
    """A transformer encoder over the frames of a window, all sensors of a frame in one token.

    The idea of AvatarPoser (Jiang et al. 2022); like the LSTM it sees the future within its window.
    """

    def __init__(self, config: PlainTransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.n_sensors * config.n_features, config.width)
        self.layers = nn.ModuleList(
            _transformer_layer(config.width, config.n_heads, config.hidden)
            for _ in range(config.n_layers)
        )
        self.out = nn.Sequential(
            nn.Linear(config.width, config.head), nn.ReLU(), nn.Linear(config.head, _OUTPUTS)
        )

    def forward(self, sensors: Tensor) -> Prediction:
        """(B, T, S, 12) sensor features to a pose per frame."""
        frames, total = self.config.frames, sensors.shape[1]
        if total <= frames:
            return read_outputs(self._window(sensors).float())
        # Windows half a window apart; of each its middle half counts.
        quarter = frames // 4
        padded = sensors[:, torch.arange(-quarter, total + frames).clamp(0, total - 1)]
        outputs = [
            self._window(padded[:, start : start + frames])[:, quarter : frames - quarter]
            for start in range(0, total, frames - 2 * quarter)
        ]
        return read_outputs(torch.cat(outputs, dim=1)[:, :total].float())

    def _window(self, sensors: Tensor) -> Tensor:
        x = self.embed(sensors.flatten(-2))
        x = x + _sinusoids(x.shape[1], self.config.width).to(x)
        for layer in self.layers:
            x = layer(x)
        out: Tensor = self.out(x)
        return out


def _sinusoids(frames: int, width: int) -> Tensor:
    """(T, width) absolute positions (Vaswani et al. 2017)."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    phase = torch.arange(frames)[:, None] * rate
    return torch.stack([phase.sin(), phase.cos()], dim=-1).flatten(-2)


def _transformer_layer(width: int, n_heads: int, hidden: int) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        width, n_heads, hidden, dropout=0.0, batch_first=True, norm_first=True
    )


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
