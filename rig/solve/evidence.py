"""What was seen of a person, by cameras and in space, and the terms that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..arrays import Array, Mask, checked
from ..errors import ShapeError
from ..triangulation.robust import Triangulation, triangulate
from .placing import placed
from .points import Markers
from .problem import Term
from .relative import RelativeMarkers
from .sightings import Sightings

if TYPE_CHECKING:
    from .views import BodyOptions

__all__ = ["Evidence", "SpacePoints", "View", "gathered"]

_ANGLE = 0.0044  # radians, a quarter of a degree: how exact a sure keypoint is
_FAR = 0.009  # radians, mean error above which a camera is left out of a first triangulation


@dataclass(frozen=True, eq=False)
class View:
    """What one camera saw.

    Attributes:
        pixels: (T, P, 2), the lens' distortion taken out; NaN where a point was not seen.
        projection: (3, 4) or, of a camera that moves, (T, 3, 4): from the world in metres to homogeneous
            pixels.
        confidence: (T, P) of the detector, 0 to 1; None where it says nothing.
    """

    pixels: Array
    projection: Array
    confidence: Array | None = None


@dataclass(frozen=True, eq=False)
class SpacePoints:
    """Points in space.

    Attributes:
        positions: (T, P, 3) metres, z up; NaN where missing.
        confidence: (T, P) 0 to 1; None where nothing is said.
        placed: whether their place in the world is known; a lifter's are turned as in the world, but every
            frame may be shifted.
    """

    positions: Array
    confidence: Array | None = None
    placed: bool = True


@dataclass(frozen=True, eq=False)
class Evidence:
    """T frames of P points on the body.

    Attributes:
        names: P keypoints or joints.
        pixels: (C, T, P, 2).
        projections: (C, T or 1, 3, 4).
        sure: (C, T, P) confidence, 0 where not seen.
        points: (T, P, 3) metres given, NaN where missing; None where none are.
        points_sure: (T, P).
        placed: whether the points' place in the world is known.
        known: (T, P, 3) metres, as good as they are known before the fit.
        spreads: (C,) pixels.
    """

    names: tuple[str, ...]
    pixels: Array
    projections: Array
    sure: Array
    points: Array | None
    points_sure: Array
    placed: bool
    known: Array
    spreads: Array

    def __len__(self) -> int:
        return len(self.known)

    @property
    def count(self) -> npt.NDArray[np.intp]:
        """(T,) points known in space."""
        return np.asarray(np.isfinite(self.known).all(axis=-1).sum(axis=-1))

    def taken(self, frames: npt.NDArray[np.intp]) -> "Evidence":
        """Only these frames."""
        moving = self.projections.shape[1] > 1
        return replace(
            self,
            pixels=self.pixels[:, frames],
            projections=self.projections[:, frames] if moving else self.projections,
            sure=self.sure[:, frames],
            points=None if self.points is None else self.points[frames],
            points_sure=self.points_sure[frames],
            known=self.known[frames],
        )

    def terms(self, options: "BodyOptions") -> list[Term]:
        """Everything that was seen, weighted."""
        found: list[Term] = []
        if len(self.pixels):
            weights = self.sure / self.spreads[:, None, None]
            found.append(
                Sightings(self.names, self.pixels, self.projections, weights, options.robust)
            )
        if self.points is not None:
            kind = Markers if self.placed else RelativeMarkers
            spread = options.point_spread if self.placed else options.relative_spread
            found.append(
                kind(self.names, self.points, self.points_sure / spread, options.robust * spread)
            )
        return found

    def errors_px(self, places: Array) -> Array:
        """(C, T, P) pixels, of points (T, P, 3) where each camera saw them; NaN where it did not."""
        seen = _projected(places, self.projections)
        errors: Array = np.linalg.norm(seen - self.pixels, axis=-1)
        return np.where(self.sure > 0.0, errors, np.nan)


def _projected(places: Array, projections: Array) -> Array:
    """(C, T, P, 2) pixels of points (T, P, 3) under projections (C, T or 1, 3, 4); NaN behind a camera."""
    ahead = np.einsum("ctij,tpj->ctpi", np.broadcast_to(
        projections[..., :3], (len(projections), len(places), 3, 3)), places)  # fmt: skip
    ahead = ahead + projections[:, :, None, :, 3]
    with np.errstate(invalid="ignore", divide="ignore"):
        depth = np.where(ahead[..., 2:] > 1e-3, ahead[..., 2:], np.nan)
        return np.asarray(ahead[..., :2] / depth)


def gathered(
    names: Sequence[str],
    kept: Sequence[int],
    views: Sequence[View],
    points: SpacePoints | None,
    options: "BodyOptions",
    met: Triangulation | None = None,
) -> Evidence:
    """Check what was given, keep the points of the body, and place them in space as far as can be.

    Args:
        names: P of all points.
        kept: those on the body.
        views: of the same frames.
        points: of the same frames.
        options: how much is believed.
        met: all points triangulated, where that was done before.

    Raises:
        ShapeError: arrays don't fit each other, or there are none.
    """
    measured = [view.pixels for view in views]
    measured += [points.positions] if points is not None else []
    if not measured:
        raise ShapeError("nothing was seen: expected views or points in space")
    shape = (len(measured[0]), len(names))
    pixels, sure, projections = _pictures(views, shape, kept)
    focal = np.array([_focal(matrix[0]) for matrix in projections])
    spreads = np.full(len(views), options.pixel_spread) if options.pixel_spread else _ANGLE * focal
    given, given_sure = None, np.zeros((shape[0], len(kept)))
    if points is not None:
        given = checked("points", points.positions, (*shape, 3))[:, list(kept)]
        given_sure = _sure("points", points.confidence, shape, given, kept)
    evidence = Evidence(
        names=tuple(names[k] for k in kept),
        pixels=pixels,
        projections=projections,
        sure=sure,
        points=given,
        points_sure=given_sure,
        placed=points is None or points.placed,
        known=np.full((shape[0], len(kept), 3), np.nan),
        spreads=spreads,
    )
    if met is not None:
        checked("triangulated points", met.points, (*shape, 3))
        some = list(kept)
        met = Triangulation(
            met.points[:, some], met.errors[:, some], met.used[:, some], met.left_out[:, some]
        )
    return _placed(evidence, focal, options, met)


def _pictures(
    views: Sequence[View], shape: tuple[int, int], kept: Sequence[int]
) -> tuple[Array, Array, Array]:
    """Pixels (C, T, P, 2), confidence (C, T, P) and projections (C, T or 1, 3, 4) of points on the body."""
    pixels = np.full((len(views), shape[0], len(kept), 2), np.nan)
    sure = np.zeros(pixels.shape[:3])
    matrices = []
    for c, view in enumerate(views):
        pixels[c] = checked(f"pixels of view {c + 1}", view.pixels, (*shape, 2))[:, list(kept)]
        sure[c] = _sure(f"view {c + 1}", view.confidence, shape, pixels[c], kept)
        matrix = np.asarray(view.projection, dtype=np.float64)
        if matrix.shape not in {(3, 4), (shape[0], 3, 4)} or not np.isfinite(matrix).all():
            raise ShapeError(
                f"the projection of view {c + 1} has shape {matrix.shape}; expected finite numbers (3, 4) "
                f"or ({shape[0]}, 3, 4)"
            )
        matrices.append(matrix if matrix.ndim == 3 else matrix[None])
    longest = max((len(matrix) for matrix in matrices), default=1)
    spread = [np.broadcast_to(matrix, (longest, 3, 4)) for matrix in matrices]
    return pixels, sure, np.array(spread).reshape(len(views), longest, 3, 4)


def _sure(
    what: str, sure: Array | None, shape: tuple[int, int], values: Array, columns: Sequence[int]
) -> Array:
    """(T, P) confidence from 0 to 1, 0 where nothing was seen."""
    seen = np.isfinite(values).all(axis=-1)
    if sure is None:
        return seen.astype(np.float64)
    told = checked(f"confidence of {what}", sure, shape)[:, list(columns)]
    return np.where(seen & np.isfinite(told), told.clip(0.0, 1.0), 0.0)


def _focal(projection: Array) -> float:
    """Pixels, of a projection (3, 4) in any scale."""
    first, ahead = projection[0, :3], projection[2, :3]
    size = np.linalg.norm(ahead)
    across = first / size - (first @ ahead) / size**3 * ahead
    return float(np.linalg.norm(across))


def _placed(
    evidence: Evidence, focal: Array, options: "BodyOptions", met: Triangulation | None
) -> Evidence:
    """With the points known in space: given, triangulated, or relative ones put where they are seen.

    What a camera saw where it disagrees with others that agree is not believed.
    """
    known, sure = evidence.known, evidence.sure
    points = evidence.points
    if points is not None and evidence.placed:
        known = np.where(evidence.points_sure[..., None] > 0.0, points, np.nan)
    if len(evidence.pixels) > 1:
        if met is None:
            found, left_out = _triangulated(evidence, _FAR * float(focal.mean()))
        else:
            found, left_out = met.points, np.moveaxis(met.left_out, 2, 0)
        known = np.where(np.isfinite(known), known, found)
        sure = np.where(left_out, 0.0, sure)
    if points is not None and not evidence.placed and len(evidence.pixels):
        put = placed(evidence, points, options.height)
        known = np.where(np.isfinite(known), known, put)
    return replace(evidence, known=known, sure=sure)


def _triangulated(evidence: Evidence, threshold: float) -> tuple[Array, Mask]:
    """Points (T, P, 3), and cameras that disagree (C, T, P)."""
    pixels, sure = np.moveaxis(evidence.pixels, 0, 2), np.moveaxis(evidence.sure, 0, 2)
    matrices = evidence.projections
    if matrices.shape[1] == 1:
        all_at_once = triangulate(pixels, sure, matrices[:, 0], threshold=threshold)
        return all_at_once.points, np.moveaxis(all_at_once.left_out, 2, 0)
    each = [
        triangulate(pixels[t], sure[t], matrices[:, t], threshold=threshold)
        for t in range(len(pixels))
    ]
    left_out = np.array([found.left_out for found in each])
    return np.array([found.points for found in each]), np.moveaxis(left_out, 2, 0)
