"""Forward kinematics: joint rotations in, world poses out.

`a_from_b` maps coordinates in frame b to frame a, so neighbours cancel:
`world_from_child = world_from_parent @ parent_from_child`.
"""

import torch
from torch import Tensor

from .errors import ShapeError
from .skeleton import Skeleton

__all__ = ["forward_kinematics", "local_rotations"]


def forward_kinematics(
    skeleton: Skeleton,
    parent_from_joint: Tensor,
    root_position: Tensor,
    offsets: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Pose every joint in the world.

    Args:
        skeleton: J joints, parents first.
        parent_from_joint: (..., J, 3, 3) rotation of each joint relative to its parent.
        root_position: (..., 3) root origin in the world, metres.
        offsets: (..., J, 3) bone offsets in metres instead of the skeleton's, for a gradient in body size.

    Returns:
        world_from_joint (..., J, 3, 3), and joint origins in the world (..., J, 3) in metres.

    Raises:
        ShapeError: the joint axis does not match the skeleton.
    """
    if parent_from_joint.shape[-3:] != (len(skeleton), 3, 3) or root_position.shape[-1:] != (3,):
        raise ShapeError(
            f"rotations {tuple(parent_from_joint.shape)} and root {tuple(root_position.shape)} "
            f"do not fit {len(skeleton)} joints; expected (..., {len(skeleton)}, 3, 3) and (..., 3)"
        )
    if offsets is None:
        offsets = torch.as_tensor(
            skeleton.offsets.copy(), dtype=root_position.dtype, device=root_position.device
        )
    rotations = [parent_from_joint[..., 0, :, :]]
    origins = [root_position]
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        step = (rotations[parent] @ offsets[..., joint, :, None]).squeeze(-1)
        origins.append(origins[parent] + step)
        rotations.append(rotations[parent] @ parent_from_joint[..., joint, :, :])
    return torch.stack(rotations, dim=-3), torch.stack(origins, dim=-2)


def local_rotations(skeleton: Skeleton, world_from_joint: Tensor) -> Tensor:
    """parent_from_joint (..., J, 3, 3) of world rotations: the inverse of the rotation half of FK."""
    parents = torch.tensor(skeleton.parents[1:], device=world_from_joint.device)
    parent_from_world = world_from_joint.index_select(-3, parents).transpose(-1, -2)
    local = parent_from_world @ world_from_joint[..., 1:, :, :]
    return torch.cat([world_from_joint[..., :1, :, :], local], dim=-3)
