"""Points that are known only to each other, put where a camera sees them."""

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Array
from .first_poses import body_height

if TYPE_CHECKING:
    from .evidence import Evidence

__all__ = ["placed"]


def placed(evidence: "Evidence", relative: Array, height: float | None) -> Array:
    """(T, P, 3) metres: relative points shifted so that the cameras see them where they did.

    With X + t seen at u, (u p3 - p1) (X + t, 1) = 0 and (v p3 - p2) (X + t, 1) = 0, three unknowns per frame.

    Args:
        evidence: with at least one view.
        relative: (T, P, 3) metres, NaN where missing.
        height: metres, of the person, to which the points are scaled first; None leaves them.
    """
    measured = body_height(evidence.names, relative)
    if height is not None and measured:
        relative = relative * (height / measured)
    matrices = np.broadcast_to(evidence.projections, (len(evidence.pixels), len(relative), 3, 4))
    u = evidence.pixels[..., None]  # (C, T, P, 2, 1)
    rows = u * matrices[:, :, None, 2:] - matrices[:, :, None, :2]  # (C, T, P, 2, 4)
    sure = np.where(np.isfinite(relative).all(axis=-1), evidence.sure, 0.0)
    rows = np.where(sure[..., None, None] > 0.0, rows * sure[..., None, None], 0.0)
    right = -(np.einsum("ctpij,tpj->ctpi", rows[..., :3], np.nan_to_num(relative)) + rows[..., 3])
    square = np.einsum("ctpij,ctpik->tjk", rows[..., :3], rows[..., :3])
    pulled = np.einsum("ctpij,ctpi->tj", rows[..., :3], right)
    good = (sure > 0.0).sum(axis=(0, 2)) >= 3
    shift = np.full((len(relative), 3), np.nan)
    shift[good] = np.linalg.solve(square[good], pulled[good][..., None])[..., 0]
    return np.asarray(relative + shift[:, None])
