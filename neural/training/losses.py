"""What training minimises: report equations (10) and (11), and terms for legs, contacts and root."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..body import FEET, UPPER, joint_positions, world_from_posed
from ..invertible_ik import InvertibleIk
from ..network import Prediction
from .dataset import Batch

__all__ = ["Weights", "invertible_ik_losses", "pose_losses", "total"]

_N_UPPER = len(UPPER)


@dataclass(frozen=True)
class Weights:
    """How much each term counts."""

    rotation: float = 4.0
    position: float = 20.0
    motion: float = 10.0
    contact: float = 0.2
    skate: float = 0.3
    velocity: float = 1.0
    height: float = 1.0
    forward: float = 2.0
    inverse: float = 1.0
    alpha: float = 0.8  # equation (11): ground truth against the analytic solution


def pose_losses(
    prediction: Prediction, batch: Batch, fps: float, weights: Weights
) -> dict[str, Tensor]:
    """Terms that every network is trained with.

    Args:
        prediction: of (B, T) frames.
        batch: what it should have been.
        fps: frames per second, for velocities.
        weights: of the terms.
    """
    rotations = world_from_posed(prediction.sixd)
    positions = joint_positions(rotations, batch.offsets)
    true_positions = joint_positions(batch.rotations, batch.offsets)
    change = prediction.sixd.diff(dim=1) - batch.sixd.diff(dim=1)
    feet = positions[:, :, list(FEET)]
    # A standing foot's speed is the pelvis' plus its own about the pelvis, in the heading frame.
    foot_velocity = prediction.velocity[:, 1:, None] + feet.diff(dim=1) * fps
    standing = batch.contacts[:, 1:, :, None] * batch.contacts[:, :-1, :, None]
    return {
        "rotation": weights.rotation * functional.mse_loss(prediction.sixd, batch.sixd),
        "position": weights.position * (positions - true_positions).norm(dim=-1).mean() * 0.1,
        "motion": weights.motion * change.square().mean() * fps,
        "contact": weights.contact
        * functional.binary_cross_entropy_with_logits(prediction.contacts, batch.contacts),
        "skate": weights.skate * (standing * foot_velocity[..., :2]).abs().mean(),
        "velocity": weights.velocity * (prediction.velocity - batch.velocity).abs().mean(),
        "height": weights.height * (prediction.height - batch.height).abs().mean(),
    }


def invertible_ik_losses(
    solver: InvertibleIk, prediction: Prediction, batch: Batch, weights: Weights
) -> dict[str, Tensor]:
    """Equations (10) and (11) for the upper body.

    Both sides of S are six numbers per joint in the bone-aligned basis, where equation (7) reads "the
    first three numbers are the bone's direction". The analytic solution of a position input is therefore
    the input itself, orthonormalised by whoever turns six numbers into a matrix.
    """
    if prediction.positions is None:
        raise ValueError("these losses are for a network with the invertible solver")
    true = batch.sixd[..., :_N_UPPER, :]
    solved = prediction.sixd[..., :_N_UPPER, :]
    analytic = prediction.positions.detach()
    forward = weights.alpha * functional.mse_loss(solved, true)
    forward = forward + (1 - weights.alpha) * functional.mse_loss(solved, analytic)
    # Ground truth both ways: S'(R) must give the bones of equation (7), S of them must give R.
    inverse = functional.mse_loss(solver.inverse(true)[..., :3], true[..., :3])
    forward = forward + functional.mse_loss(solver(true), true)
    encoder = functional.mse_loss(prediction.positions, true)
    return {"forward": weights.forward * (forward + encoder), "inverse": weights.inverse * inverse}


def total(terms: dict[str, Tensor]) -> Tensor:
    """Sum of the terms."""
    return torch.stack(list(terms.values())).sum()
