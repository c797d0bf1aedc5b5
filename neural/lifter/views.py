"""Windows of motion as random cameras and imperfect detectors see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ...capture.keypoints.layout import LAYOUTS
from ...rig.arrays import Array, Mask
from .frames import RATE, centred, features
from .options import Views
from .points import INPUTS, MIRRORED, POINTS, SUMS

__all__ = ["Clip", "ViewBatch", "ViewSampler"]

_NAMES: Final = tuple(INPUTS)
_POINTS_IN: Final = list(INPUTS.values())
_DETECTORS: Final = (
    "body_25", "body_25b", "coco_17", "coco_18", "halpe_26", "mediapipe_33", "h36m_17", "mpii_16",
)  # fmt: skip
_LAYOUT_MASKS: Final = np.array([[n in LAYOUTS[key].names for n in _NAMES] for key in _DETECTORS])
_HEAD, _LEG = ("Nose", "Ear", "Head"), ("Knee", "Ankle", "Heel", "Toe")
_PARTS: Final = np.array(
    [
        *([n[0] == side and n.endswith(("Elbow", "Wrist")) for n in _NAMES] for side in "LR"),
        *([n[0] == side and n.endswith(_LEG) for n in _NAMES] for side in "LR"),
        [n.endswith(_HEAD) for n in _NAMES],
        [n.endswith(_LEG) for n in _NAMES],
        [n.endswith((*_LEG, "Hip")) for n in _NAMES],
    ]
)
_SWAPPED: Final = np.array(
    [_NAMES.index(n) for n in (("R" if n[0] == "L" else "L") + n[1:]
     if n[0] in "LR" else n for n in _NAMES)]
)  # fmt: skip
_LEGS: Final = np.array([n.endswith((*_LEG, "Hip")) and n != "Hip" for n in _NAMES])
_FLIPPED = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Clip:
    """One motion at `frames.RATE`, in the size of the standard body, float32.

    Attributes:
        path: (T, 3) of the pelvis, floor at z = 0.
        vectors: (T, P, 3) as `points.point_vectors` makes them.
        contacts: (T, 2) left and right foot.
        weight: how often a frame is drawn.
    """

    path: Array
    vectors: Array
    contacts: Array
    weight: float = 1.0


@dataclass(frozen=True)
class ViewBatch:
    """(B, T) frames: what goes in, and what should come out in the turned views."""

    features: Tensor  # (B, T, F)
    points: Tensor  # (B, T, P, 3) metres, relative to the pelvis
    contacts: Tensor  # (B, T, 2)
    up: Tensor  # (B, T, 3)
    flat: Array  # (B, T, K, 2) keypoints, divided by depth, in the turned view
    seen: Mask  # (B, T, K)


class ViewSampler:
    """Draws windows of clips; the same for the same seed and number.

    Args:
        clips: to cut windows from; shorter ones hold their last frame.
        frames: of a window.
        batch: windows.
        seed: of all draws.
        views: what varies.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        *,
        frames: int,
        batch: int,
        seed: int,
        views: Views | None = None,
    ) -> None:
        self.clips, self.frames, self.batch, self.seed = clips, frames, batch, seed
        self.views = views or Views()
        share = np.array([clip.weight * len(clip.path) for clip in clips])
        self.share = share / share.sum()

    def __call__(self, number: int) -> ViewBatch:
        """Batch `number`."""
        draw = np.random.default_rng((self.seed, number))
        path, points, contacts = self._bodies(draw)
        turn, place = _cameras(draw, path, self.views)
        root = np.einsum("bij,btj->bti", turn, path - place[:, None])
        relative = np.einsum("bij,btpj->btpi", turn, points)
        flat, seen = _detected(draw, root, relative, self.views)
        shown = centred(flat, seen)
        view_up = shown.view_from_camera @ turn[:, None, :, 2, None]
        up = view_up[..., 0]
        known = np.broadcast_to((draw.random(len(up)) < self.views.up_known)[:, None], up.shape[:2])
        given = up + draw.normal(0.0, self.views.up_error, (len(up), 1, 3))
        turned = np.einsum("btij,btpj->btpi", shown.view_from_camera, relative)

        def tensor(values: Array) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))

        return ViewBatch(
            tensor(features(shown, given, known)), tensor(turned), tensor(contacts), tensor(up),
            shown.points * shown.size[..., None, None], seen,
        )  # fmt: skip

    def _bodies(self, draw: np.random.Generator) -> tuple[Array, Array, Array]:
        """Paths (B, T, 3), points relative to the pelvis (B, T, P, 3) and contacts (B, T, 2)."""
        chosen = draw.choice(len(self.clips), self.batch, p=self.share)
        rows = [self._window(draw, self.clips[k]) for k in chosen]
        path, vectors, contacts = (np.stack(part) for part in zip(*rows, strict=True))
        lengths = np.exp(draw.normal(0.0, self.views.proportions, (self.batch, len(POINTS))))
        lengths = np.sqrt(lengths * lengths[:, MIRRORED])  # both sides alike
        points = np.einsum("pq,btqd,bq->btpd", SUMS, vectors, lengths, optimize=True)
        flip = draw.random(self.batch) < self.views.mirror
        path[flip] *= _FLIPPED
        points[flip] = points[flip][:, :, list(MIRRORED)] * _FLIPPED
        contacts[flip] = contacts[flip][..., ::-1]
        return path, points, contacts

    def _window(self, draw: np.random.Generator, clip: Clip) -> tuple[Array, Array, Array]:
        start = int(draw.integers(0, max(1, len(clip.path) - self.frames + 1)))
        rows = np.minimum(np.arange(start, start + self.frames), len(clip.path) - 1)
        return clip.path[rows].astype(float), clip.vectors[rows], clip.contacts[rows]


def _cameras(draw: np.random.Generator, path: Array, views: Views) -> tuple[Array, Array]:
    """Cameras that see the whole path: camera_from_world (B, 3, 3) and where they stand (B, 3)."""
    count = len(path)
    middle = path.mean(axis=1)
    reach = np.linalg.norm(path - middle[:, None], axis=-1).max(axis=1)
    away = np.exp(draw.uniform(np.log(views.nearest), np.log(views.farthest), count)) + reach
    angle = draw.uniform(0.0, 2 * np.pi, count)
    place = middle + away[:, None] * np.stack(
        [np.cos(angle), np.sin(angle), np.zeros(count)], axis=-1
    )
    place[:, 2] = draw.uniform(views.lowest, views.highest, count)
    ahead = middle - place + away[:, None] * draw.normal(0.0, views.aim, (count, 3))
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    down = np.cross(ahead, right)
    roll = draw.normal(0.0, views.roll, (count, 1))
    x = np.cos(roll) * right + np.sin(roll) * down
    return np.stack([x, np.cross(ahead, x), ahead], axis=1), place


def _detected(
    draw: np.random.Generator, root: Array, relative: Array, views: Views
) -> tuple[Array, Mask]:
    """Keypoints (B, T, K, 2) divided by depth, with a detector's errors, and which are there."""
    batch, frames = root.shape[:2]
    depth = np.maximum(root[..., 2], 0.3)[..., None, None]
    points = root[..., None, :] + relative[:, :, _POINTS_IN]
    flat = points[..., :2] / np.maximum(points[..., 2:], 0.2)
    level = draw.uniform(0.0, views.worst, (batch, 1, 1, 1))
    shape = (batch, frames, len(_NAMES), 2)
    error = draw.normal(0.0, views.noise, shape) + draw.normal(
        0.0, views.bias, (batch, 1, *shape[2:])
    )
    error += _wandering(draw, shape, views)
    flat += level * error / depth
    wrong = draw.random(shape[:3]) < views.outliers
    flat[wrong] += (draw.normal(0.0, 0.3, shape) / depth)[wrong]
    flat *= np.exp(draw.normal(0.0, views.focal, (batch, 1, 1, 1)))
    exchanged = _stretches(draw, (batch, 1), frames, views.swaps)[:, 0]
    legs = draw.random((batch, 1, 1)) < 0.7
    moved = exchanged[..., None] & (_LEGS | ~legs)
    flat = np.where(moved[..., None], flat[:, :, _SWAPPED], flat)
    return flat, _there(draw, batch, frames, views) & (points[..., 2] > 0.2)


def _wandering(draw: np.random.Generator, shape: tuple[int, ...], views: Views) -> Array:
    keep = float(np.exp(-1.0 / (views.wander_time * RATE)))
    steps = draw.normal(0.0, views.wander, shape)
    steps[:, 1:] *= np.sqrt(1.0 - keep * keep)
    for frame in range(1, shape[1]):
        steps[:, frame] += keep * steps[:, frame - 1]
    return steps


def _there(draw: np.random.Generator, batch: int, frames: int, views: Views) -> Mask:
    """(B, T, K) what a layout has and no gap hides."""
    count = len(_NAMES)
    layout = _LAYOUT_MASKS[draw.integers(0, len(_DETECTORS), batch)]
    layout |= draw.random((batch, 1)) < views.whole
    there = np.repeat(layout[:, None], frames, axis=1)
    there &= ~_stretches(draw, (batch, count), frames, views.gaps).transpose(0, 2, 1)
    hidden = _stretches(draw, (batch, 1), frames, views.limbs)[:, 0]
    part = _PARTS[draw.integers(0, len(_PARTS), batch)]
    return np.asarray(there & ~(hidden[..., None] & part[:, None]))


def _stretches(
    draw: np.random.Generator, shape: tuple[int, int], frames: int, probability: float
) -> Mask:
    """(*shape, T) True for one stretch of each row, in a share of the rows."""
    start = draw.integers(-frames // 2, frames, (*shape, 1))
    stop = start + draw.integers(1, frames + 1, (*shape, 1))
    frame = np.arange(frames)
    chosen = draw.random((*shape, 1)) < probability
    return np.asarray(chosen & (frame >= start) & (frame < stop))
