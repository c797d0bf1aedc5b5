"""From a calibrated recording to what the network reads, and from what it says back to the world."""

import numpy as np
import torch
from torch import Tensor

from ..rig import quaternion
from ..rig.arrays import Array

__all__ = ["ACCELERATION_UNIT", "NETWORK_FPS", "heading_matrix", "heading_of", "sensor_features"]

NETWORK_FPS = 60.0  # frames per second that every network reads and writes
ACCELERATION_UNIT = 10.0  # m/s^2; keeps the network's inputs near one
_UP = np.array([0.0, 0.0, 1.0])


def heading_of(world_from_waist: Array) -> Array:
    """The waist's turn about the vertical (..., 4): world_from_heading, gravity direction kept."""
    return quaternion.swing_twist(world_from_waist, _UP)[1]


def sensor_features(world_from_bone: Tensor, acceleration: Tensor) -> Tensor:
    """What the network reads of every sensor, in the waist's heading frame.

    Args:
        world_from_bone: (..., S, 3, 3) rotations of the bones the sensors sit on, the waist first.
        acceleration: (..., S, 3) linear, world frame, m/s^2.

    Returns:
        (..., S, 12): acceleration in units of 10 m/s^2, then the rotation matrix row by row.
    """
    heading_from_world = heading_matrix(world_from_bone[..., 0, :, :]).transpose(-1, -2)
    rotation = heading_from_world[..., None, :, :] @ world_from_bone
    turned = (heading_from_world[..., None, :, :] @ acceleration[..., None]).squeeze(-1)
    return torch.cat([turned / ACCELERATION_UNIT, rotation.flatten(-2)], dim=-1)


def heading_matrix(world_from_waist: Tensor) -> Tensor:
    """`heading_of` for matrices (..., 3, 3): the twist about the vertical."""
    m = world_from_waist
    # tan(yaw) of the twist about z is (m10 - m01) / (m00 + m11).
    yaw = torch.atan2(m[..., 1, 0] - m[..., 0, 1], m[..., 0, 0] + m[..., 1, 1])
    cosine, sine, zero = yaw.cos(), yaw.sin(), torch.zeros_like(yaw)
    rows = [cosine, -sine, zero, sine, cosine, zero, zero, zero, torch.ones_like(yaw)]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
