"""Bodies in motion: from joint rotations to keypoints and markers, in batches of windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...rig.skeleton import BODY_PARENTS
from .bodies import MarkedBody

__all__ = ["Crowd", "crowd_of", "moved"]


@dataclass(frozen=True, eq=False)
class Crowd:
    """N marked bodies in tensors, see `MarkedBody`.

    Attributes:
        size: (N, 2) height in metres and mass in kilograms.
        joints: (N, 24, 3).
        points: (N, P, 3).
        influences: (N, P, 4).
        weights: (N, P, 4).
        video: (N, K, 3).
    """

    size: Tensor
    joints: Tensor
    points: Tensor
    influences: Tensor
    weights: Tensor
    video: Tensor

    def __len__(self) -> int:
        return len(self.size)

    def chosen(self, rows: Tensor) -> "Crowd":
        """The bodies of these numbers, one after the other."""
        return Crowd(
            self.size[rows],
            self.joints[rows],
            self.points[rows],
            self.influences[rows],
            self.weights[rows],
            self.video[rows],
        )


def crowd_of(bodies: Sequence[MarkedBody]) -> Crowd:
    """All bodies in one."""

    def stacked(name: str) -> Tensor:
        return torch.as_tensor(np.stack([getattr(body, name) for body in bodies])).float()

    size = torch.tensor([[body.height, body.mass] for body in bodies])
    influences = torch.as_tensor(np.stack([body.influences for body in bodies])).long()
    return Crowd(
        size, stacked("joints"), stacked("points"), influences, stacked("weights"), stacked("video")
    )


def moved(
    bodies: Crowd, points: Tensor, world_from_joint: Tensor, scales: Tensor | None = None
) -> Tensor:
    """Where points on the skin are while the bodies move: linear blend skinning, the pelvis at the origin.

    Args:
        bodies: B of them.
        points: (B, P, 3) metres in T-pose, carried as the bodies' own points are.
        world_from_joint: (B, T, 24, 3, 3); the identity in T-pose.
        scales: (B, 24, 3) of every joint's bone along x, y, z of the T-pose, or None.

    Returns:
        (B, T, P, 3) metres.
    """
    offsets = bodies.joints.clone()
    parents = list(BODY_PARENTS)
    offsets[:, 1:] -= bodies.joints[:, parents[1:]]
    if scales is not None:
        offsets[:, 1:] *= scales[:, parents[1:]]
    origins = [torch.zeros_like(world_from_joint[:, :, 0, :, 0])]
    for joint, parent in enumerate(parents[1:], start=1):
        turned = (world_from_joint[:, :, parent] * offsets[:, None, joint, None]).sum(-1)
        origins.append(origins[parent] + turned)
    origin = torch.stack(origins, dim=2)  # (B, T, 24, 3)
    frames_and_origins = torch.cat([world_from_joint, origin[..., None]], -1)
    by_joint = frames_and_origins.transpose(1, 2).flatten(2, 3)  # (B, 24, T * 3, 4)
    rows, one = torch.arange(len(points))[:, None], torch.ones(*points.shape[:2], 1)
    result = torch.zeros(*points.shape[:2], by_joint.shape[2])
    for slot in range(bodies.influences.shape[-1]):
        own = bodies.influences[:, :, slot]
        local = points - bodies.joints[rows, own]
        if scales is not None:
            local = local * scales[rows, own]
        weight = bodies.weights[:, :, slot, None]
        frames = by_joint[rows, own]  # (B, P, T * 3, 4)
        result += torch.matmul(frames, (torch.cat([local, one], -1) * weight)[..., None])[..., 0]
    return result.unflatten(-1, (-1, 3)).transpose(1, 2)
