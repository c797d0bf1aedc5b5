"""Our own motion encoder: about a second of whole-body motion to 32 numbers, for the Fréchet distance.

It is the first half of a small convolutional autoencoder that `pallas train motion_encoder` fits to the
training split. Its weights are part of the package, because a distance measured with other weights is
another distance.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import ModelError
from ...rig.motion import Motion
from ..body import leg_scale
from ..contacts import ANKLES, TOES
from ..features import heading_of
from ..weights import read_tensors, write_tensors

__all__ = ["CHANNELS", "FRAMES", "LATENT", "MotionEncoder", "load_motion_encoder", "motion_windows"]

FPS = (
    30.0  # enough for what bodies do; the encoder judges posture and gait, jerk has its own metric
)
FRAMES = 32  # of a window, 1.07 seconds
EVERY = 16  # frames between the starts of windows
CHANNELS = 3 * 23 + 1 + 3 + 3 * 4
LATENT = 32
WIDTH = 64
WEIGHTS = Path(__file__).resolve().parent / "motion_encoder.safetensors"


def motion_windows(motion: Motion) -> Array:
    """Cut a motion into what the encoder reads: (N, 85, 32), float32; none of a motion that is shorter.

    Per frame, in the heading frame of that frame's root and for a body of standard size: joints 1 to 23
    relative to the root, the root's height, its velocity, and the velocities of ankles and balls of the
    feet; in metres and seconds.
    """
    motion = motion.resampled(FPS)
    if len(motion) < FRAMES:
        return np.empty((0, CHANNELS, FRAMES), dtype=np.float32)
    positions = motion.world()[1] / leg_scale(motion.skeleton.offsets)
    heading_from_world = quaternion.conjugate(heading_of(motion.rotations[:, 0]))[:, None]
    velocity = np.gradient(positions, 1.0 / FPS, axis=0)[:, [0, *ANKLES, *TOES]]
    relative = quaternion.rotate(heading_from_world, positions[:, 1:] - positions[:, :1])
    turned = quaternion.rotate(heading_from_world, velocity)
    frames = np.concatenate(
        [relative.reshape(len(motion), -1), positions[:, 0, 2:], turned.reshape(len(motion), -1)],
        axis=1,
    )
    windows = np.lib.stride_tricks.sliding_window_view(frames, FRAMES, axis=0)[::EVERY]
    return np.ascontiguousarray(windows, dtype=np.float32)


class MotionEncoder(nn.Module):
    """(N, 85, 32) windows to (N, 32) features whose covariance over the training split is the identity."""

    mean: Tensor
    deviation: Tensor
    centre: Tensor
    whitening: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(CHANNELS, 1))
        self.register_buffer("deviation", torch.ones(CHANNELS, 1))
        self.layers = nn.Sequential(
            nn.Conv1d(CHANNELS, WIDTH, 5, stride=2, padding=2),
            nn.SiLU(),
            nn.Conv1d(WIDTH, WIDTH, 5, stride=2, padding=2),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(WIDTH * FRAMES // 4, LATENT),
        )
        self.register_buffer("centre", torch.zeros(LATENT))
        self.register_buffer("whitening", torch.eye(LATENT))

    def standardised(self, windows: Tensor) -> Tensor:
        """Every channel with mean 0 and deviation 1 over the training split."""
        return (windows - self.mean) / self.deviation

    def latent(self, windows: Tensor) -> Tensor:
        """(N, 32) before whitening, from which the decoder of the training rebuilds the window."""
        result: Tensor = self.layers(self.standardised(windows))
        return result

    def forward(self, windows: Tensor) -> Tensor:
        """(N, 85, 32) windows to (N, 32)."""
        return (self.latent(windows) - self.centre) @ self.whitening

    def features(self, motion: Motion) -> Array:
        """(N, 32) float64 features of a motion's windows."""
        with torch.inference_mode():
            result: Array = self(torch.from_numpy(motion_windows(motion))).double().numpy()
        return result

    def save(self, path: Path) -> None:
        """Write the weights in half precision."""
        write_tensors(path, {name: tensor.half() for name, tensor in self.state_dict().items()})


def load_motion_encoder(path: Path = WEIGHTS) -> MotionEncoder:
    """The encoder that ships, or another that was trained.

    Raises:
        ModelError: the file is missing or damaged.
    """
    encoder = MotionEncoder()
    try:
        tensors = {name: tensor.float() for name, tensor in read_tensors(path).items()}
        encoder.load_state_dict(tensors)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"the motion encoder {path} can't be used ({reason}); train it: "
            "pallas train motion_encoder, or install PALLAS again"
        ) from error
    return encoder.eval()
