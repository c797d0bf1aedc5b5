"""What a window shows of a motion: the upper body as four sensors sense it, and the lower body in numbers.

The generator knows the upper body by what sensors measure of it, never by features that a trained encoder
computes: so its weights outlive the encoder's, and a motion that no sensor measured is measured by virtual
sensors. The lower body is 54 numbers per frame: legs as 6D rotations relative to the pelvis, the root's
velocity in the pelvis' heading frame, its height, and which feet stand.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ...capture.virtual_imu import virtual_recording
from ...rig import so3
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS
from ..body import LOWER, POSED, bone_basis, leg_scale
from ..contacts import foot_contacts
from ..features import NETWORK_FPS, heading_matrix, sensor_features

__all__ = [
    "LEGS",
    "LOWER_BODY",
    "SENSED",
    "Clip",
    "clip_of",
    "legs_from_pelvis",
    "lower_body",
    "pelvis_from_legs",
    "sensed",
]

LEGS = [BODY_JOINTS.index(name) for name in LOWER]
_LEG_ROWS = [POSED.index(name) for name in LOWER]
_BONES = [BODY_JOINTS.index(name) for name in ("pelvis", "left_elbow", "right_elbow", "neck")]
SENSED = 4 * 12 + 3  # sensor features, and the waist's angular velocity
LOWER_BODY = 6 * len(LOWER) + 3 + 1 + 2  # rotations, velocity, height, contacts


@dataclass(frozen=True)
class Clip:
    """A motion at the network's rate as float32 tensors, for windows to be cut.

    Attributes:
        bones: (T, 4, 4) quaternions world_from_bone under the sensors, in `PLACEMENTS` order.
        acceleration: (T, 4, 3) linear, world frame, m/s^2.
        legs: (T, 8, 4) quaternions world_from_joint of `LOWER`.
        velocity: (T, 3) of the pelvis, world frame, m/s for a body of standard size.
        height: (T, 1) of the pelvis, metres for a body of standard size.
        contacts: (T, 2) one where the left and the right foot stand.
    """

    bones: Tensor
    acceleration: Tensor
    legs: Tensor
    velocity: Tensor
    height: Tensor
    contacts: Tensor

    def __len__(self) -> int:
        return len(self.bones)

    def held(self, start: int, stop: int) -> "Clip":
        """Frames `start` to `stop`; before the first and after the last the body is held still."""
        frames = torch.arange(start, stop)
        outside = (frames < 0) | (frames >= len(self))
        frames = frames.clamp(0, len(self) - 1)
        cut = {f.name: getattr(self, f.name)[frames] for f in fields(self)}
        cut["acceleration"] = cut["acceleration"] * ~outside[:, None, None]
        cut["velocity"] = cut["velocity"] * ~outside[:, None]
        return Clip(**cut)


def clip_of(motion: Motion) -> Clip:
    """A motion of the 24 joints, measured by virtual sensors and resampled to the network's rate."""
    motion = motion.resampled(NETWORK_FPS)
    rotations, positions = motion.world()
    scale = leg_scale(motion.skeleton.offsets)
    still = np.zeros_like(motion.root_position)
    velocity = np.gradient(motion.root_position, axis=0) if len(motion) > 1 else still
    columns = (
        rotations[:, _BONES],
        virtual_recording(motion).acceleration,
        rotations[:, LEGS],
        velocity * NETWORK_FPS / scale,
        motion.root_position[:, 2:] / scale,
        foot_contacts(positions, NETWORK_FPS, scale),
    )
    return Clip(*(torch.tensor(column, dtype=torch.float32) for column in columns))


def sensed(world_from_bone: Tensor, acceleration: Tensor) -> Tensor:
    """The upper body as the generator sees it (..., T, 51).

    Args:
        world_from_bone: (..., T, 4, 3, 3) of the bones under the sensors, the waist first.
        acceleration: (..., T, 4, 3) linear, world frame, m/s^2.

    Returns:
        `features.sensor_features`, then the waist's angular velocity in its heading frame, rad/s.
    """
    waist = world_from_bone[..., 0, :, :]
    turn = so3.log(waist[..., 1:, :, :] @ waist[..., :-1, :, :].transpose(-1, -2)) * NETWORK_FPS
    turn = torch.cat([turn, turn[..., -1:, :]], dim=-2) if turn.shape[-2] else waist[..., 0] * 0.0
    turning = heading_matrix(waist).transpose(-1, -2) @ turn[..., None]
    return torch.cat(
        [sensor_features(world_from_bone, acceleration).flatten(-2), turning.squeeze(-1)], dim=-1
    )


def lower_body(
    world_from_pelvis: Tensor,
    world_from_leg: Tensor,
    velocity: Tensor,
    height: Tensor,
    contacts: Tensor,
) -> Tensor:
    """The lower body in numbers (..., 54); arguments as in `Clip`, rotations as matrices (..., 3, 3)."""
    basis = bone_basis()[_LEG_ROWS].to(world_from_leg)
    pelvis_from_world = world_from_pelvis.transpose(-1, -2)
    sixd = so3.to_sixd(pelvis_from_world[..., None, :, :] @ world_from_leg @ basis)
    heading_from_world = heading_matrix(world_from_pelvis).transpose(-1, -2)
    turned = (heading_from_world @ velocity[..., None]).squeeze(-1)
    return torch.cat([sixd.flatten(-2), turned, height, contacts], dim=-1)


def pelvis_from_legs(lower: Tensor) -> Tensor:
    """Rotations (..., 8, 3, 3) of the legs' joints relative to the pelvis, of numbers (..., 54)."""
    sixd = lower[..., : 6 * len(LOWER)].unflatten(-1, (len(LOWER), 6))
    basis = bone_basis()[_LEG_ROWS].to(lower)
    return so3.from_sixd(sixd) @ basis.transpose(-1, -2)


def legs_from_pelvis(pelvis_from_leg: Tensor, offsets: Tensor) -> Tensor:
    """Origins (..., 8, 3) of the legs' joints in the pelvis' frame, metres.

    Args:
        pelvis_from_leg: (..., 8, 3, 3).
        offsets: (8, 3) of the joints in their parents' frames, metres.
    """
    hips = offsets[:2].expand(*pelvis_from_leg.shape[:-3], 2, 3)
    places = [hips[..., 0, :], hips[..., 1, :]]
    for joint in range(2, len(LOWER)):  # left and right take turns: the parent is two before
        bone = pelvis_from_leg[..., joint - 2, :, :] @ offsets[joint]
        places.append(places[joint - 2] + bone)
    return torch.stack(places, dim=-2)
