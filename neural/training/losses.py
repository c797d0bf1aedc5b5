"""What training minimises: report equations (10) and (11), and terms for legs, contacts and root."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..body import FEET, UPPER, joint_positions, world_from_posed
from ..network import Pallas, Prediction
from .dataset import Batch

__all__ = ["Weights", "invertible_ik_losses", "pose_losses", "total"]

_N_UPPER = len(UPPER)


@dataclass(frozen=True)
class Weights:
    """How much each term counts.

    `motion` and `jitter` are of the first and third differences in time of the rotations' error, `push` of
    the pelvis velocity's; the other names say what is compared.
    """

    rotation: float = 4.0
    position: float = 20.0
    motion: float = 10.0
    jitter: float = 4.0
    contact: float = 0.2
    skate: float = 0.3
    velocity: float = 1.0
    push: float = 0.1
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
    error = prediction.sixd - batch.sixd
    push = (prediction.velocity - batch.velocity).diff(dim=1)
    feet = positions[:, :, list(FEET)]
    # A standing foot's speed is the pelvis' plus its own about the pelvis, in the heading frame.
    foot_velocity = prediction.velocity[:, 1:, None] + feet.diff(dim=1) * fps
    standing = batch.contacts[:, 1:, :, None] * batch.contacts[:, :-1, :, None]
    return {
        "rotation": weights.rotation * error.square().mean(),
        "position": weights.position * (positions - true_positions).norm(dim=-1).mean() * 0.1,
        "motion": weights.motion * error.diff(dim=1).square().mean() * fps,
        "jitter": weights.jitter * error.diff(n=3, dim=1).square().mean() * fps,
        "contact": weights.contact
        * functional.binary_cross_entropy_with_logits(prediction.contacts, batch.contacts),
        "skate": weights.skate * (standing * foot_velocity[..., :2]).abs().mean(),
        "velocity": weights.velocity * (prediction.velocity - batch.velocity).abs().mean(),
        "push": weights.push * push.square().mean() * fps,
        "height": weights.height * (prediction.height - batch.height).abs().mean(),
    }


def invertible_ik_losses(
    network: Pallas, prediction: Prediction, batch: Batch, weights: Weights
) -> dict[str, Tensor]:
    """Equations (10) and (11) for the upper body, both directions; nothing without a solver.

    Equation (7) gives the positions of the true rotations and, solved for the rotations, the analytic
    ones of what was said. Beside the report's own terms the encoder's positions are compared with the
    true ones, and S of the true positions with the true rotations.
    """
    solver = network.invertible_ik
    if solver is None or prediction.positions is None:
        return {}
    true = batch.sixd[..., :_N_UPPER, :]
    positions = solver.positions_of(true)  # equation (7)
    solved = prediction.sixd[..., :_N_UPPER, :]  # equation (8), R = S(P)
    analytic = solver.analytic(prediction.positions.detach())
    forward = weights.alpha * functional.mse_loss(solved, true)  # equation (11)
    forward = forward + (1 - weights.alpha) * functional.mse_loss(solved, analytic)
    forward = forward + functional.mse_loss(solver(positions), true)
    encoder = functional.mse_loss(prediction.positions, positions)
    found = solver.inverse(true)  # equation (9), P = S'(R)
    inverse = functional.mse_loss(found[..., :3], positions[..., :3])  # equation (10)
    return {"forward": weights.forward * (forward + encoder), "inverse": weights.inverse * inverse}


def total(terms: dict[str, Tensor]) -> Tensor:
    """Sum of the terms."""
    return torch.stack(list(terms.values())).sum()
