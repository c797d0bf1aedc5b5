"""A term of 3D points whose place in the world is not known: only how they lie to each other counts."""

from torch import Tensor

from .. import so3
from .equations import Equations
from .growth import by_scales
from .points import Markers
from .problem import At

__all__ = ["RelativeMarkers"]


class RelativeMarkers(Markers):
    """Markers of the model that lie to each other as measured, wherever in the world: a lifter's points.

    Every frame's targets may be shifted freely; the turn counts. Arguments as of `Markers`.
    """

    def _shares(self, at: At) -> Tensor:
        """(P, T) of each point in the centroid that is taken out."""
        squared = self._measured(at)[1]
        return squared / squared.sum(0).clamp(min=1e-12)

    def _residual(self, at: At, places: Tensor) -> Tensor:
        apart = places - self._measured(at)[0]
        return apart - (apart * self._shares(at)).sum(1, keepdim=True)

    def gather(self, at: At, equations: Equations) -> None:
        """Add the rows of the points less their centroid."""
        weight = self._squared_weights(at).T[..., None, None]  # (T, P, 1, 1)
        slopes = self._centred(at, self._slopes(at))
        residual = self.residual(at).permute(2, 1, 0)[..., None]
        rows, pulled = (weight * slopes).flatten(1, 2), (weight * residual).flatten(1, 2)
        slopes = slopes.flatten(1, 2)
        equations.own.add_(rows.mT @ slopes)
        equations.pull.add_((slopes.mT @ pulled).squeeze(-1))
        if len(at.problem.shared):
            moves = self._centred(at, self._by_shape(at)).flatten(1, 2)
            equations.border.add_(rows.mT @ moves)
            weighed = (weight.expand(-1, -1, 3, 1).flatten(1, 2) * moves).flatten(0, 1)
            equations.shared.add_(weighed.T @ moves.flatten(0, 1))
            equations.shared_gradient.add_(moves.flatten(0, 1).T @ pulled.flatten())

    def _centred(self, at: At, slopes: Tensor) -> Tensor:
        """(T, P, 3, N) less those of the centroid."""
        shares = self._shares(at).T[..., None, None]
        return slopes - (shares * slopes).sum(1, keepdim=True)

    def _slopes(self, at: At) -> Tensor:
        """(T, P, 3, U) of the points by the unknowns of their frames."""
        unknowns = at.problem.unknowns
        levers = (self.places(at) - at.reference[:, None]).permute(2, 1, 0)  # (T, P, 3)
        carried = at.problem.tables.subtree[unknowns.bodies][:, self.bodies(at)].T  # (P, C)
        angular, linear = at.twists.permute(2, 0, 1).split(3, dim=1)  # (T, 3, C)
        slopes = linear[:, None] - so3.skew(levers) @ angular[:, None]
        slopes = slopes * carried[:, None]
        return slopes if unknowns.merge is None else slopes @ unknowns.merge

    def _by_shape(self, at: At) -> Tensor:
        """(T, P, 3, S) of the points by the shape's unknowns."""
        shared, bodies = at.problem.shared, self.bodies(at)
        scales = by_scales(at, bodies, self.offsets(at)).permute(3, 1, 0, 2)
        entries, points = self.shifted(at)
        axes, own = shared.axes[entries], bodies[points]
        along = at.posed.rotations[:, own, :, axes].movedim(0, 1)  # (T, E, 3)
        if at.scales is not None:
            along = along * at.scales[own, axes][:, None]
        moves = scales.new_zeros(*scales.shape[:3], len(shared))
        moves[..., : scales.shape[-1]] = scales
        moves[:, points, :, shared.scale_count + entries] = along.movedim(1, 0)
        return moves
