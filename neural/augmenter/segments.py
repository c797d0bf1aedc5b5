"""Where markers are by anatomy alone: frames on the body made of keypoints, and markers fixed in them."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from .points import KEYPOINTS, MARKERS, MID_HIP, SEGMENTS, Segment, mirrored

__all__ = ["FixedMarkers", "segment_frames"]

_LEAST: Final = 1e-4
_SPANS: Final = (2, 6, 30)  # frames to either side that means are taken over


def _both_sides() -> dict[str, Segment]:
    """Every marker with its segment."""
    found = {}
    for segment in SEGMENTS:
        for name in segment.markers:
            found[name] = segment
            if mirrored(name) != name:
                found[mirrored(name)] = segment.mirrored()
    return found


_OF_MARKER: Final = _both_sides()


def _place(name: str) -> int:
    """Index of a keypoint; the mid-hip, which all windows are relative to, comes after the last."""
    return len(KEYPOINTS) if name == MID_HIP else KEYPOINTS.index(name)


def _places(which: str) -> Tensor:
    return torch.tensor([_place(getattr(_OF_MARKER[name], which)) for name in MARKERS])


def segment_frames(keypoints: Tensor) -> tuple[Tensor, Tensor]:
    """The frames of all markers' segments.

    Args:
        keypoints: (..., 19, 3) in a window's terms.

    Returns:
        Origins (..., 43, 3), and window_from_segment (..., 43, 3, 3), left-handed on the right side, so that
        a body alike on both sides has the same numbers there.
    """
    points = torch.cat([keypoints, torch.zeros_like(keypoints[..., :1, :])], dim=-2)
    z = _unit(points[..., _places("end"), :] - points[..., _places("start"), :])
    hint = points[..., _places("other"), :] - points[..., _places("one"), :]
    x = _unit(hint - (hint * z).sum(-1, keepdim=True) * z)
    y = torch.linalg.cross(z, x) * _HANDS.to(z)[:, None]
    return points[..., _places("at"), :], torch.stack([x, y, z], dim=-1)


_HANDS: Final = torch.tensor([-1.0 if name[0] in "rR" else 1.0 for name in MARKERS])


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
        origins, frames = segment_frames(keypoints)
        return origins + (frames * self.offsets[:, None]).sum(-1)

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
