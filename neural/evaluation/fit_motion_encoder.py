"""Training of the motion encoder: an autoencoder over windows of the training split."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...rig.arrays import Array
from ...rig.errors import ModelError
from ...rig.motion import Motion
from ..library import load_library
from .motion_encoder import CHANNELS, FRAMES, LATENT, WIDTH, MotionEncoder, motion_windows

__all__ = ["STEPS", "fit_motion_encoder", "train_motion_encoder"]

STEPS = 3000
BATCH = 128
RATE = 2e-3
Progress = Callable[[int, int, str], None]


def train_motion_encoder(library: Path, out: Path, seed: int, progress: Progress) -> Path:
    """Fit to the clips of a library's training split that are nobody's retargeting.

    Args:
        library: folder that `pallas library build` wrote.
        out: folder for `motion_encoder.safetensors`.
        seed: of weights and order.
        progress: told (done, all, one line).

    Returns:
        The file.
    """
    clips = load_library(library, "train")
    motions = []
    for number, clip in enumerate(clips):
        progress(number, len(clips), f"reading {clip.name}")
        if not clip.retargeted:
            motions.append(clip.motion)
    path = out / "motion_encoder.safetensors"
    explained = fit_motion_encoder(motions, path, progress, seed=seed)
    progress(STEPS, STEPS, f"explains {100.0 * explained:.1f} % of the windows' variance")
    return path


def fit_motion_encoder(
    motions: Iterable[Motion], path: Path, progress: Progress, *, steps: int = STEPS, seed: int = 0
) -> float:
    """Fit to motions and write the encoder's weights; the same weights for the same input on one machine.

    Args:
        motions: of the training split.
        path: of the safetensors file to write.
        progress: told (step, steps, one line).
        steps: of Adam, 128 windows each; the rate falls to zero along a cosine.
        seed: of weights and order.

    Returns:
        The share of the windows' variance that the autoencoder explains, in its last hundred steps.

    Raises:
        ModelError: no motion is long enough for a window.
    """
    windows = [motion_windows(motion) for motion in motions]
    data = np.concatenate(windows) if windows else np.empty((0, CHANNELS, FRAMES))
    if len(data) <= LATENT:
        raise ModelError(f"{len(data)} windows to train on, expected more than {LATENT}")
    torch.manual_seed(seed)
    encoder = MotionEncoder()
    encoder.mean = torch.from_numpy(data.mean(axis=(0, 2)))[:, None]
    encoder.deviation = torch.from_numpy(data.std(axis=(0, 2)) + 1e-3)[:, None]
    lost = _descend(encoder, torch.from_numpy(data), steps, seed, progress)
    _whiten(encoder, data)
    encoder.save(path)
    return 1.0 - lost


def _descend(
    encoder: MotionEncoder, data: Tensor, steps: int, seed: int, progress: Progress
) -> float:
    decoder = _decoder()
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimiser = torch.optim.Adam(parameters, RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    random = np.random.default_rng(seed)
    losses = []
    for step in range(steps):
        batch = data[torch.from_numpy(random.integers(len(data), size=BATCH))]
        loss = functional.mse_loss(decoder(encoder.latent(batch)), encoder.standardised(batch))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        progress(step + 1, steps, f"loss {losses[-1]:.4f}")
    return float(np.mean(losses[-100:]))


def _decoder() -> nn.Module:
    return nn.Sequential(
        nn.Linear(LATENT, WIDTH * FRAMES // 4),
        nn.SiLU(),
        nn.Unflatten(1, (WIDTH, FRAMES // 4)),
        nn.ConvTranspose1d(WIDTH, WIDTH, 4, stride=2, padding=1),
        nn.SiLU(),
        nn.ConvTranspose1d(WIDTH, CHANNELS, 4, stride=2, padding=1),
    )


def _whiten(encoder: MotionEncoder, data: Array) -> None:
    """Make the features' covariance over the training split the identity: all directions count alike."""
    with torch.no_grad():
        latent = torch.cat([encoder.latent(part) for part in torch.from_numpy(data).split(1024)])
    centred = (latent - latent.mean(0)).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / (len(centred) - 1))
    encoder.centre = latent.mean(0)
    encoder.whitening = (vectors / values.clamp_min(1e-9).sqrt()).float()
