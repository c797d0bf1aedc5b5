"""A calibrated camera: where it stands, its lens, and which pixel sees which point."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...rig.arrays import Array, checked, frozen
from ...rig.errors import ShapeError
from .lens import COEFFICIENTS, distorted, undistorted

__all__ = ["Camera"]

_ROTATION = 1e-3  # how far a file's rotation may be from one
_NEAREST = 1e-6  # metres


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera that does not move.

    Its frame is OpenCV's: x right, y down, z ahead. A pixel's coordinates are 0, 0 at the centre of the
    upper left one.

    Attributes:
        name: of the camera.
        matrix: (3, 3) intrinsic matrix, pixels.
        camera_from_world: (3, 3) rotation.
        translation: (3,) metres; a point of the world is seen at `camera_from_world @ point + translation`.
        distortion: (n,) coefficients of the lens, see `lens`.
        fisheye: whether they are those of a fisheye.
        size: width and height of the picture in pixels; None where not known.
    """

    name: str
    matrix: Array
    camera_from_world: Array
    translation: Array
    distortion: Array = field(default_factory=lambda: np.zeros(0))
    fisheye: bool = False
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        matrix = checked(f"the matrix of {self.name}", self.matrix, (3, 3))
        turn = checked(f"the rotation of {self.name}", self.camera_from_world, (3, 3))
        along = checked(f"the translation of {self.name}", self.translation, (3,))
        lens = checked(f"the distortion of {self.name}", self.distortion, (None,))
        if not all(np.isfinite(array).all() for array in (matrix, turn, along, lens)):
            raise ShapeError(f"camera {self.name} has numbers that are not finite")
        if matrix[0, 0] <= 0.0 or matrix[1, 1] <= 0.0 or np.abs(matrix[2] - (0, 0, 1)).max() > 1e-9:
            raise ShapeError(
                f"camera {self.name} has focal lengths {matrix[0, 0]:g} and {matrix[1, 1]:g} and last row "
                f"{matrix[2].tolist()}; expected lengths above 0 and 0, 0, 1"
            )
        if np.abs(turn @ turn.T - np.eye(3)).max() > _ROTATION or np.linalg.det(turn) < 0.0:
            raise ShapeError(f"the rotation of camera {self.name} is no rotation")
        if len(lens) not in COEFFICIENTS or (self.fisheye and len(lens) not in (0, 4)):
            raise ShapeError(
                f"camera {self.name} has {len(lens)} distortion coefficients; expected 4, 5, 8 or 12 "
                "(4 of a fisheye)"
            )
        for name, value in (
            ("matrix", matrix), ("camera_from_world", turn), ("translation", along), ("distortion", lens)
        ):  # fmt: skip
            object.__setattr__(self, name, frozen(value))

    @property
    def position(self) -> Array:
        """(3,) metres, where it stands in the world."""
        return np.asarray(-self.camera_from_world.T @ self.translation)

    @cached_property
    def projection(self) -> Array:
        """(3, 4) from the world in metres to homogeneous pixels, the lens' distortion left out."""
        return frozen(self.matrix @ np.column_stack([self.camera_from_world, self.translation]))

    def project(self, points: Array) -> Array:
        """Pixels (..., 2) where the camera shows points (..., 3) of the world; NaN for those behind it."""
        seen = points @ self.camera_from_world.T + self.translation
        depth = seen[..., 2:]
        with np.errstate(invalid="ignore", divide="ignore"):
            flat = np.where(depth > _NEAREST, seen[..., :2] / depth, np.nan)
        shown = distorted(flat, self.distortion, fisheye=self.fisheye)
        return np.asarray(shown @ self.matrix[:2, :2].T + self.matrix[:2, 2])

    def undistorted(self, pixels: Array) -> Array:
        """Pixels (..., 2) where a camera without distortion would show the same, for `projection`."""
        flat = undistorted(self._flat(pixels), self.distortion, fisheye=self.fisheye)
        shown = flat.reshape(-1, 2) @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        return np.asarray(shown.reshape(flat.shape))

    @property
    def without_lens(self) -> "Camera":
        """The same camera without distortion, for pixels that are `undistorted`."""
        return replace(self, distortion=np.zeros(0), fisheye=False)

    def rays(self, pixels: Array) -> Array:
        """(..., 3) unit vectors in the world, from the camera to what it shows at pixels (..., 2)."""
        return self._through(undistorted(self._flat(pixels), self.distortion, fisheye=self.fisheye))

    def straight_rays(self, pixels: Array) -> Array:
        """The same of pixels that are `undistorted`."""
        return self._through(self._flat(pixels))

    def _through(self, flat: Array) -> Array:
        """Unit vectors in the world to points (..., 2) divided by depth."""
        seen = np.ones((3, flat.size // 2))
        seen[:2] = flat.reshape(-1, 2).T
        ahead = self.camera_from_world.T @ seen
        ahead /= np.sqrt(np.einsum("cn,cn->n", ahead, ahead))
        return np.moveaxis(ahead.reshape(3, *flat.shape[:-1]), 0, -1)

    def _flat(self, pixels: Array) -> Array:
        """Coordinates divided by depth, as the lens shows them."""
        (fx, skew), (_, fy) = self.matrix[:2, :2]
        y = (pixels[..., 1] - self.matrix[1, 2]) / fy
        return np.stack([(pixels[..., 0] - self.matrix[0, 2] - skew * y) / fx, y], axis=-1)
