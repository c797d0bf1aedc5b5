"""What the slack u of the invertible solver carries: three numbers per joint that equation (7) leaves free.

A bone's direction is two of a rotation's three degrees of freedom; the third, the turn about the bone,
has to be in u, or S could not be inverted. Whatever else u holds would be positions said twice.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..rig import so3
from ..rig.errors import ModelError
from .body import UPPER, posed_from_world
from .features import heading_matrix
from .invertible_ik import InvertibleIk, PlainRealNvp
from .library import load_library
from .weights import EMBEDDED, load_network

__all__ = ["SlackOfJoint", "poses_of_library", "slack_of_weights", "slack_report"]

_POSES_PER_SECOND = 10.0  # neighbouring frames say the same


@dataclass(frozen=True)
class SlackOfJoint:
    """What one joint's u is worth.

    Attributes:
        joint: its name.
        by_twist: share of u's variance (R squared) that the true second column, the turn about the bone,
            explains by a linear fit.
        by_bones: the same for the directions of all bones, which equation (7) knows without u.
        turns_bone: degrees, root mean square change of the bone's direction when u is another pose's ...
        turns_about_bone: ... and of the rotation about the bone.
    """

    joint: str
    by_twist: float
    by_bones: float
    turns_bone: float
    turns_about_bone: float


def poses_of_library(library: Path, split: str) -> Tensor:
    """(N, 13, 6) upper bodies of a library's clips in the waist's heading frame, ten a second."""
    poses = []
    for clip in load_library(library, split):
        quaternions = clip.motion.resampled(_POSES_PER_SECOND).world()[0]
        world = so3.from_quaternion(torch.tensor(quaternions, dtype=torch.float32))
        heading = heading_matrix(world[:, 0]).transpose(-1, -2)
        poses.append(posed_from_world(heading[:, None] @ world)[:, : len(UPPER)])
    return torch.cat(poses)


def slack_of_weights(poses: Tensor, weights: Path | None = None) -> list[SlackOfJoint]:
    """`slack_report` of the embedded network, or of the one at `weights`.

    Raises:
        ModelError: the weights are missing or have no invertible solver.
    """
    path = EMBEDDED / "pallas" if weights is None else weights.with_suffix("")
    solver = getattr(load_network(path)[0], "invertible_ik", None)
    if not isinstance(solver, InvertibleIk | PlainRealNvp):
        raise ModelError(f"the network {path} has no invertible solver")
    return slack_report(solver, poses)


@torch.no_grad()
def slack_report(solver: InvertibleIk | PlainRealNvp, poses: Tensor) -> list[SlackOfJoint]:
    """Inspect u over poses (N, 13, 6): 6D rotations of the upper body, bone-aligned."""
    positions = solver.inverse(poses)
    bones, slack = positions[..., :3], positions[..., 3:]
    order = torch.randperm(len(poses), generator=torch.Generator().manual_seed(0))
    rows = []
    for joint, name in enumerate(UPPER):
        exchanged = positions.clone()
        exchanged[:, joint, 3:] = slack[order, joint]
        found = so3.from_sixd(solver(exchanged)[:, joint])
        before = so3.from_sixd(solver(positions)[:, joint])
        rows.append(
            SlackOfJoint(
                name,
                _explained(slack[:, joint], poses[:, joint, 3:]),
                _explained(slack[:, joint], bones.flatten(-2)),
                *_turned(before, found),
            )
        )
    return rows


def _explained(values: Tensor, by: Tensor) -> float:
    """R squared of the linear fit of (N, A) values by (N, B) others."""
    values, by = values.double(), by.double()
    centred = values - values.mean(0)
    others = torch.cat([by - by.mean(0), torch.ones_like(by[:, :1])], dim=-1)
    # Some columns hardly vary or say the same: singular values that small count as none.
    fit = torch.linalg.lstsq(others, centred, rcond=1e-6, driver="gelsd").solution
    left = (centred - others @ fit).square().sum()
    return float(1.0 - left / centred.square().sum().clamp_min(1e-12))


def _turned(before: Tensor, after: Tensor) -> tuple[float, float]:
    """Degrees, root mean square: how far the first axis moved, and the rotation about it."""
    change = so3.log(before.transpose(-1, -2) @ after)
    about = change[:, 0]
    across = change[:, 1:].norm(dim=-1)

    def spread(angles: Tensor) -> float:
        return float(torch.rad2deg(angles.square().mean().sqrt()))

    return spread(across), spread(about)
