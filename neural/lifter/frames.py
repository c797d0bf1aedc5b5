"""Views as the lifter sees them: turned so that the person is straight ahead, and all of one size.

Whatever the lens and wherever in the picture the person stands, what is left is the shape that the keypoints
make, how large they look (perspective is stronger nearby), and where up is.
"""

from dataclasses import dataclass

import numpy as np

from ...rig.arrays import Array, Mask

__all__ = ["RATE", "Seen", "centred", "features"]

RATE = 30.0  # frames per second that the lifter sees
_CENTRE_SECONDS = 0.25  # standard deviation of what smooths the direction to the person ...
_SIZE_SECONDS = 0.5  # ... and how large the person looks
_LEAST_SIZE = 1e-4  # radians; a person never looks smaller
_USUAL_SIZE = -2.2  # logarithm of the size of a person 4 m away
_FARTHEST = 6.0  # sizes; a keypoint farther off is wrong, however far


@dataclass(frozen=True)
class Seen:
    """What the lifter sees of (..., T) frames.

    Attributes:
        points: (..., T, K, 2) keypoints in the turned view, in units of `size`; zero where missing.
        seen: (..., T, K) whether they are there.
        view_from_camera: (..., T, 3, 3) how the view was turned.
        size: (..., T) root mean square distance of the keypoints from their centre, at depth one.
    """

    points: Array
    seen: Mask
    view_from_camera: Array
    size: Array


def centred(flat: Array, seen: Mask) -> Seen:
    """Turn every frame's view to the person, and bring it to one size.

    Args:
        flat: (..., T, K, 2) coordinates divided by depth: x right, y down; at `RATE`, any value where
            missing.
        seen: (..., T, K) where there is a keypoint.
    """
    weight = seen[..., None].astype(np.float64)
    flat = np.where(seen[..., None], flat, 0.0)
    counts = _smoothed(weight.sum(axis=-2), _CENTRE_SECONDS)
    centre = _smoothed((flat * weight).sum(axis=-2), _CENTRE_SECONDS) / np.maximum(counts, 1e-9)
    turn = _turn_ahead(centre)
    rays = np.concatenate([flat, np.ones_like(flat[..., :1])], axis=-1) @ np.swapaxes(turn, -1, -2)
    shown = rays[..., :2] / np.maximum(rays[..., 2:], 0.05)
    squares = ((shown * weight) ** 2).sum(axis=(-1, -2))[..., None]
    counts = _smoothed(weight.sum(axis=-2), _SIZE_SECONDS)
    size = np.sqrt(_smoothed(squares, _SIZE_SECONDS) / np.maximum(counts, 1e-9))[..., 0]
    size = np.maximum(size, _LEAST_SIZE)
    return Seen(shown * weight / size[..., None, None], seen, turn, size)


def _turn_ahead(centre: Array) -> Array:
    """(..., 3, 3) the least turn that brings the directions (x, y, 1) onto the axis of the camera."""
    ahead = np.concatenate([centre, np.ones_like(centre[..., :1])], axis=-1)
    x, y, z = np.moveaxis(ahead / np.linalg.norm(ahead, axis=-1, keepdims=True), -1, 0)
    # Rodrigues' formula for the rotation from (x, y, z) to (0, 0, 1), about their cross product.
    k = 1.0 / (1.0 + z)
    rows = [[1 - k * x * x, -k * x * y, -x], [-k * x * y, 1 - k * y * y, -y], [x, y, z]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _smoothed(values: Array, seconds: float) -> Array:
    """Gaussian sums over time of (..., T, C); what lies outside counts as zero, also in the weights."""
    deviation = seconds * RATE
    reach = min(int(3 * deviation), max(values.shape[-2] - 1, 0))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(values, [(0, 0)] * (values.ndim - 2) + [(reach, reach), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=-2)
    return np.asarray(windows @ kernel)


def features(seen: Seen, up: Array, known: Mask) -> Array:
    """(..., T, F) float32, what goes into the network.

    Args:
        seen: of a view.
        up: (..., T, 3) unit vectors, up in the turned view; any value where not known.
        known: (..., T) whether it is.
    """
    keypoints = np.concatenate([seen.points, seen.seen[..., None]], axis=-1)
    flat = np.clip(keypoints.reshape(*keypoints.shape[:-2], -1), -_FARTHEST, _FARTHEST)
    size = np.log(seen.size)[..., None] - _USUAL_SIZE
    told = np.concatenate([np.where(known[..., None], up, 0.0), known[..., None]], axis=-1)
    return np.concatenate([flat, size, told], axis=-1).astype(np.float32)
