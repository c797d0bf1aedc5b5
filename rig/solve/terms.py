"""Terms of a fit: points, nearness to a motion, smoothness.

Weights are inverse standard deviations: 100 on a marker says that it is known to a centimetre, 1 on a
rotation that it is known to a radian.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .. import so3
from ..arrays import Array, checked
from ..errors import ShapeError
from ..motion import Motion
from .problem import Linear, Pair, Pose

__all__ = ["Points", "SmoothChange", "Smoothness", "StayNear", "inverse_right_jacobian"]


class _Unshared:
    """A term without values shared over all frames."""

    def initial(self) -> Tensor:
        """None."""
        return torch.zeros(0, dtype=torch.float64)

    def anchor(self, own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Nothing."""
        return own.sum(), own, own


class Points:
    """Points on joints at places in the world: markers, contacts, pinned joints.

    Args:
        joints: P joint names, the bone that each point is fixed to.
        targets: (T, P, 3) metres in the world; NaN where a point has no target.
        offsets: (P, 3) metres in the joint's frame; the joint itself if None.
        weights: one, (P,) or (T, P): 1 / metres.
        robust: metres; residuals that are longer count linearly (Huber 1964). None for squares.
        free: (P,) 1 / metres; given, the offsets are unknowns too, kept near their first values by these
            weights, once per frame.
    """

    def __init__(
        self,
        joints: Sequence[str],
        targets: Array,
        offsets: Array | None = None,
        weights: npt.ArrayLike = 100.0,
        robust: float | None = None,
        free: npt.ArrayLike | None = None,
    ) -> None:
        count = len(joints)
        self.joints = tuple(joints)
        self.targets = torch.tensor(checked("targets", targets, (None, count, 3)))
        start = np.zeros((count, 3)) if offsets is None else checked("offsets", offsets, (count, 3))
        self.offsets = torch.tensor(start)
        frames = len(self.targets)
        try:
            weight = np.broadcast_to(np.asarray(weights, dtype=np.float64), (frames, count))
        except ValueError as error:
            raise ShapeError(
                f"weights: {error}; expected one, ({count},) or (T, {count})"
            ) from error
        seen = torch.isfinite(self.targets).all(-1)
        self.weights = torch.tensor(weight) * seen
        self.targets = torch.nan_to_num(self.targets)
        self.robust = robust
        self.free = None if free is None else torch.tensor(np.broadcast_to(free, (count,)).copy())

    def initial(self) -> Tensor:
        """The offsets, if they are unknown."""
        return self.offsets.flatten() if self.free is not None else torch.zeros(0).double()

    def anchor(self, own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Keep free offsets near where they were placed."""
        if self.free is None:
            return own.sum(), own, own
        stiffness = (self.free**2).repeat_interleave(3)
        away = own - self.offsets.flatten()
        return 0.5 * (stiffness * away * away).sum(), stiffness * away, stiffness

    def _errors(self, pose: Pose, own: Tensor) -> tuple[list[int], Tensor, Tensor, Tensor]:
        index = [pose.problem.skeleton.index(name) for name in self.joints]
        local = own.unflatten(0, (-1, 3)) if self.free is not None else self.offsets
        arms = torch.einsum("tpij,pj->tpi", pose.world[:, index], local)
        places = pose.origins[:, index] + arms
        return index, places, places - self.targets[pose.frames], self.weights[pose.frames]

    def cost(self, pose: Pose, own: Tensor) -> Tensor:
        """(T,)."""
        _, _, error, weight = self._errors(pose, own)
        squared = (error * error).sum(-1)
        if self.robust is not None:
            length = squared.sqrt()
            far = self.robust * (2.0 * length - self.robust)
            squared = torch.where(length > self.robust, far, squared)
        return 0.5 * (weight * weight * squared).sum(-1)

    def linearise(self, pose: Pose, own: Tensor) -> Linear:
        """(T, 3P) residual and its derivatives."""
        index, places, error, weight = self._errors(pose, own)
        if self.robust is not None:
            length = error.norm(dim=-1).clamp(min=self.robust)
            weight = weight * (self.robust / length).sqrt()
        scale = weight[..., None, None]
        frame = scale * self._by_frame(pose, index, places)
        by_scales = scale * self._by_scales(pose, index) if pose.problem.shape is not None else None
        by_own = scale * _block_diagonal(pose.world[:, index]) if self.free is not None else None

        def rows(block: Tensor | None) -> Tensor | None:
            return None if block is None else block.flatten(1, 2)

        residual = (weight[..., None] * error).flatten(1)
        return Linear(residual, frame.flatten(1, 2), rows(by_scales), rows(by_own))

    def _by_frame(self, pose: Pose, index: list[int], places: Tensor) -> Tensor:
        """(T, P, 3, D): a turn by w in the joint's frame moves the point by (R w) x (point - origin)."""
        moving = pose.problem.joints
        reach = pose.problem.ancestors[index][:, moving]  # (P, N)
        arms = places[:, :, None] - pose.origins[:, None, moving]  # (T, P, N, 3)
        # Columns of -[arm]x R, written out: the cross product of R's columns with the arm.
        axes = pose.world[:, None, moving] * reach[None, :, :, None, None]  # (T, P, N, 3, 3)
        x, y, z = arms[..., 0, None], arms[..., 1, None], arms[..., 2, None]
        ax, ay, az = axes.unbind(-2)  # rows of R: (T, P, N, 3) over the three columns
        turned = torch.stack([ay * z - az * y, az * x - ax * z, ax * y - ay * x], dim=2)
        turned = turned.flatten(-2)  # (T, P, 3, 3N)
        if not pose.problem.moves_root:
            return turned
        shift = torch.eye(3, dtype=torch.float64).expand(*turned.shape[:2], 3, 3)
        return torch.cat([shift, turned], dim=-1)

    @staticmethod
    def _by_scales(pose: Pose, index: list[int]) -> Tensor:
        """(T, P, 3, G)."""
        parents = list(pose.problem.skeleton.parents)
        groups = pose.problem.group_offsets.clone()
        groups[:, 0] = 0.0  # the root's offset places nothing
        parent_world = pose.world[:, [max(parent, 0) for parent in parents]]
        steps = torch.einsum("tjik,gjk->tjig", parent_world, groups)
        return torch.einsum("pj,tjig->tpig", pose.problem.ancestors[index], steps)


def _block_diagonal(blocks: Tensor) -> Tensor:
    """(T, P, 3, 3P) with block p in place p of row p."""
    frames, count = blocks.shape[:2]
    result = torch.zeros(frames, count, 3, count, 3, dtype=blocks.dtype)
    every = torch.arange(count)
    result[:, every, :, every, :] = blocks.transpose(0, 1)
    return result.flatten(-2)


def inverse_right_jacobian(vector: Tensor) -> Tensor:
    """(..., 3, 3) by which log(R exp(w)) changes with w at w = 0, where log(R) is `vector`."""
    squared = (vector * vector).sum(-1)
    small = squared < 1e-6
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    half = 0.5 * angle
    closed = (1.0 - half * half.cos() / half.sin().clamp(min=1e-9)) / (angle * angle)
    factor = torch.where(small, 1.0 / 12.0 + squared / 720.0, closed)[..., None, None]
    cross = so3.skew(vector)
    return torch.eye(3, dtype=vector.dtype) + 0.5 * cross + factor * (cross @ cross)


class StayNear(_Unshared):
    """Stay near the local rotations and root positions of a motion.

    Args:
        motion: T frames of the same skeleton.
        rotation_weight: one, (J,), (J, 3) about the joint's axes, or (T, J, 3): 1 / radians.
        root_weight: 1 / metres.
    """

    def __init__(
        self, motion: Motion, rotation_weight: npt.ArrayLike = 1.0, root_weight: float = 0.0
    ) -> None:
        self.rotations, self.root = _tensors(motion)
        self.weights = _axis_weights(rotation_weight, self.rotations)
        self.root_weight = root_weight

    def cost(self, pose: Pose, own: Tensor) -> Tensor:
        """(T,)."""
        away, shift, weights = self._state(pose)
        turned = (weights * away).square().sum((-1, -2))
        return 0.5 * (
            turned + (self.root_weight * shift).square().sum(-1) * pose.problem.moves_root
        )

    def linearise(self, pose: Pose, own: Tensor) -> Linear:
        """(T, D) residual: one row per unknown, three by three."""
        away, shift, weights = self._state(pose)
        residual, blocks = weights * away, weights[..., None] * inverse_right_jacobian(away)
        if pose.problem.moves_root:
            eye = self.root_weight * torch.eye(3, dtype=torch.float64).expand(len(away), 1, 3, 3)
            residual = torch.cat([self.root_weight * shift[:, None], residual], dim=1)
            blocks = torch.cat([eye, blocks], dim=1)
        return Linear(residual.flatten(1), blocks)

    def _state(self, pose: Pose) -> tuple[Tensor, Tensor, Tensor]:
        joints = pose.problem.joints
        reference = self.rotations[pose.frames][:, joints].transpose(-1, -2)
        away = so3.log(reference @ pose.state.rotations[:, joints])
        shift = pose.state.root - self.root[pose.frames]
        return away, shift, self.weights[pose.frames][:, joints]


class SmoothChange:
    """Change a motion evenly: the difference from it varies little from frame to frame.

    Args:
        motion: T frames of the same skeleton.
        rotation_weight: one, (J,) or (J, 3): 1 / radians per frame.
        root_weight: 1 / metres per frame.
    """

    def __init__(
        self, motion: Motion, rotation_weight: npt.ArrayLike = 1.0, root_weight: float = 0.0
    ) -> None:
        self.rotations, self.root = _tensors(motion)
        self.weights = _axis_weights(rotation_weight, self.rotations)
        self.root_weight = root_weight

    def linearise_pairs(self, pose: Pose) -> Pair:
        """(T-1, D) residual."""
        away, turn = _away(pose, self.rotations[pose.frames])
        shift = pose.state.root - self.root[pose.frames]
        weights = self.weights[pose.frames][:, pose.problem.joints]
        residual, jacobian = _rows(pose, away, turn, shift, weights, self.root_weight)
        return Pair(residual[1:] - residual[:-1], -jacobian[:-1], jacobian[1:])


class Smoothness:
    """Move little from frame to frame.

    Args:
        rotation_weight: 1 / radians per frame.
        root_weight: 1 / metres per frame.
    """

    def __init__(self, rotation_weight: float = 1.0, root_weight: float = 0.0) -> None:
        self.rotation_weight, self.root_weight = rotation_weight, root_weight

    def linearise_pairs(self, pose: Pose) -> Pair:
        """(T-1, D) residual."""
        joints = pose.problem.joints
        local = pose.state.rotations[:, joints]
        away = so3.log(local[:-1].transpose(-1, -2) @ local[1:])
        after = inverse_right_jacobian(away)
        # The left Jacobian is the right one of the opposite vector.
        before = -inverse_right_jacobian(-away)
        shift = pose.state.root[1:] - pose.state.root[:-1]
        weights = torch.full(away.shape, self.rotation_weight, dtype=torch.float64)
        residual, by_after = _rows(pose, away, after, shift, weights, self.root_weight)
        _, by_before = _rows(pose, away, before, shift, weights, -self.root_weight)
        return Pair(residual, by_before, by_after)


def _axis_weights(weight: npt.ArrayLike, rotations: Tensor) -> Tensor:
    """(T, J, 3), a view where frames or axes share a weight."""
    given = np.asarray(weight, dtype=np.float64)
    given = given[:, None] if given.ndim == 1 else given
    shape = tuple(rotations.shape[:3])
    try:
        full = np.broadcast_to(given, shape)
    except ValueError as error:
        raise ShapeError(
            f"rotation_weight: {error}; expected one, (J,), (J, 3) or {shape}"
        ) from error
    return torch.tensor(given).expand(shape) if given.ndim else torch.tensor(full.copy())


def _tensors(motion: Motion) -> tuple[Tensor, Tensor]:
    rotations = so3.from_quaternion(torch.tensor(np.array(motion.rotations)))
    return rotations, torch.tensor(np.array(motion.root_position))


def _away(pose: Pose, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Rotation vectors (T, N, 3) from a reference to the pose, and their derivatives (T, N, 3, 3)."""
    joints = pose.problem.joints
    away = so3.log(reference[:, joints].transpose(-1, -2) @ pose.state.rotations[:, joints])
    return away, inverse_right_jacobian(away)


def _rows(
    pose: Pose, away: Tensor, turn: Tensor, shift: Tensor, weights: Tensor, root_weight: float
) -> tuple[Tensor, Tensor]:
    """Residual (T, D) and its derivatives (T, D, D), block by block."""
    first = 3 * pose.problem.moves_root
    residual = torch.zeros(len(away), pose.problem.size, dtype=torch.float64)
    jacobian = torch.zeros(len(away), pose.problem.size, pose.problem.size, dtype=torch.float64)
    if first:
        residual[:, :3] = abs(root_weight) * shift
        jacobian[:, range(3), range(3)] = root_weight
    residual[:, first:] = (weights * away).flatten(1)
    for block in range(away.shape[1]):
        rows = slice(first + 3 * block, first + 3 * block + 3)
        jacobian[:, rows, rows] = weights[:, block, :, None] * turn[:, block]
    return residual, jacobian
