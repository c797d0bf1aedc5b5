"""Where markers are by anatomy alone: frames on the body made of keypoints, and markers fixed in them."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from .points import KEYPOINTS, MARKERS, MID_HIP, SEGMENTS, Segment

__all__ = ["FixedMarkers", "segment_frames"]

_LEAST: Final = 1e-4
_SPANS: Final = (2, 6, 30)  # frames to either side that means are taken over


def _both_sides() -> tuple[tuple[Segment, ...], tuple[float, ...], dict[str, int]]:
    """Segments of both sides, whether each is right- or left-handed, and which carries each marker."""
    segments: list[Segment] = []
    hands: list[float] = []
    carrier: dict[str, int] = {}
    for segment in SEGMENTS:
        for side in (segment, segment.mirrored()):
            for name in side.markers:
                carrier.setdefault(name, len(segments))
            segments.append(side)
            hands.append(1.0 if side is segment else -1.0)
    return tuple(segments), tuple(hands), carrier


_BOTH, _HANDS, _CARRIER = _both_sides()
_OF_MARKER: Final = torch.tensor([_CARRIER[name] for name in MARKERS])


def _places(which: str) -> Tensor:
    """Indices of keypoints; the mid-hip, which all windows are relative to, comes after the last."""
    names = (*KEYPOINTS, MID_HIP)
    return torch.tensor([names.index(getattr(segment, which)) for segment in _BOTH])


_PLACES: Final = {which: _places(which) for which in ("at", "start", "end", "one", "other")}


def _axes(keypoints: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Origins (..., S, 3) of all segments and their three axes, each (..., S, 3)."""
    points = torch.cat([keypoints, torch.zeros_like(keypoints[..., :1, :])], dim=-2)
    at, start, end, one, other = (points[..., place, :] for place in _PLACES.values())
    z = _unit(end - start)
    hint = other - one
    x = _unit(hint - (hint * z).sum(-1, keepdim=True) * z)
    return at, (x, torch.linalg.cross(z, x) * torch.tensor(_HANDS)[:, None], z)


def segment_frames(keypoints: Tensor) -> tuple[Tensor, Tensor]:
    """The frames of all markers' segments.

    Args:
        keypoints: (..., 19, 3) in a window's terms.

    Returns:
        Origins (..., 43, 3), and window_from_segment (..., 43, 3, 3), left-handed on one side, so that
        a body alike on both sides has the same numbers there.
    """
    origins, axes = _axes(keypoints)
    frames = torch.stack(axes, dim=-1)
    return origins[..., _OF_MARKER, :], frames[..., _OF_MARKER, :, :]


def _unit(vector: Tensor) -> Tensor:
    return vector / vector.norm(dim=-1, keepdim=True).clamp_min(_LEAST)


class FixedMarkers(nn.Module):
    """Markers at fixed places in their segments, and a linear map of the window for what that leaves.

    Both are fitted in closed form. The map sees every frame beside means around it, so that it can weigh
    what is new in a frame against what stays.
    """

    offsets: Tensor
    weights: Tensor

    def __init__(self, n_inputs: int) -> None:
        super().__init__()
        n_rows = n_inputs * (1 + len(_SPANS)) + 1
        self.register_buffer("offsets", torch.zeros(len(MARKERS), 3))
        self.register_buffer("weights", torch.zeros(n_rows, 3 * len(MARKERS)))

    def forward(self, keypoints: Tensor, inputs: Tensor) -> Tensor:
        """Markers (B, T, 43, 3) from keypoints (B, T, 19, 3) and standardised inputs (B, T, n_inputs)."""
        linear = _courses(inputs) @ self.weights[:-1] + self.weights[-1]
        return self._fixed(keypoints) + linear.unflatten(-1, (-1, 3))

    def _fixed(self, keypoints: Tensor) -> Tensor:
        origins, axes = _axes(keypoints)
        found = origins[..., _OF_MARKER, :]
        for number, axis in enumerate(axes):
            found = found + axis[..., _OF_MARKER, :] * self.offsets[:, number, None]
        return found

    def fit(self, keypoints: Tensor, inputs: Tensor, markers: Tensor, ridge: float = 1e-3) -> None:
        """Take the mean places, and the ridge regression of what is left, from B windows."""
        origins, frames = segment_frames(keypoints)
        local = (frames * (markers - origins)[..., :, None]).sum(-2)
        self.offsets.copy_(local.mean((0, 1)))
        rest = (markers - self._fixed(keypoints)).flatten(2).flatten(0, 1)
        courses = _courses(inputs).flatten(0, 1)
        rows = torch.cat([courses, torch.ones(len(courses), 1)], dim=1)
        square = (rows.T @ rows).double() + ridge * len(rows) * torch.eye(rows.shape[1])
        self.weights.copy_(torch.linalg.solve(square, (rows.T @ rest).double()))


def _courses(inputs: Tensor) -> Tensor:
    """(B, T, n) to (B, T, n * (1 + spans)): each frame, and means over some frames to either side of it."""
    frames = inputs.shape[1]
    total = functional.pad(inputs.cumsum(1), (0, 0, 1, 0))
    place = torch.arange(frames)
    found = [inputs]
    for span in _SPANS:
        first, stop = (place - span).clamp_min(0), (place + span + 1).clamp_max(frames)
        found.append((total[:, stop] - total[:, first]) / (stop - first)[:, None])
    return torch.cat(found, dim=-1)
