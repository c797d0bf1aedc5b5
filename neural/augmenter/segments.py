"""Where markers are by anatomy alone: frames on the body made of keypoints, and markers fixed in them."""

from functools import cache
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from .points import KEYPOINTS, MARKERS, MID_HIP, SEGMENTS, Segment

__all__ = ["FixedMarkers", "segment_frames"]

_LEAST: Final = 1e-4
_STRAIGHT: Final = (0.1, 0.4)  # sines of bends that tell nothing, and all, of where a limb points
_AROUND: Final = 3.0  # frames
_FORWARD: Final = 1e-3  # the cube of a bend's sine that counts as much
_TRUNK: Final = tuple(KEYPOINTS.index(name) for name in ("RHip", "LHip", "Neck"))
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
_CARRIED: Final = functional.one_hot(_OF_MARKER, len(_BOTH)).float().T  # (S, 43)


def _places(which: str) -> Tensor:
    """(19, S) ones where a segment has its keypoint; the mid-hip, where all windows start, is no row."""
    names = (*KEYPOINTS, MID_HIP)
    found = torch.tensor([names.index(getattr(segment, which)) for segment in _BOTH])
    return functional.one_hot(found, len(names)).float().T[:-1]


# Origins of segments, where their third axes point and where their first ones lean, from keypoints.
_LINES: Final = torch.cat(
    [_places("at"), _places("end") - _places("start"), _places("other") - _places("one")], dim=1
)


def _axes(keypoints: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Origins and the three axes of all segments, each (3, ..., T, S): coordinates come first."""
    points = keypoints.movedim(-1, 0)
    at, along, towards = (points @ _LINES).chunk(3, dim=-1)
    z = _unit(along)
    x = _unit(_leaning(_across(_unit(towards), z), z, points))
    return at, x, torch.linalg.cross(z, x, dim=0) * torch.tensor(_HANDS), z


def _across(vector: Tensor, z: Tensor) -> Tensor:
    """What a vector has across a segment."""
    return vector - (vector * z).sum(0) * z


def _leaning(across: Tensor, z: Tensor, points: Tensor) -> Tensor:
    """Where first axes lean (3, ..., T, S), also while a limb is straight.

    A straight arm does not tell where its elbow points, and errors of a centimetre turn it around. The
    length of `across` is the sine of the bend: the less it is, and the less it agrees with the frames
    around it (elbows do not bend backwards), the more is taken from those that are bent most. A limb
    that never bends points forward.
    """
    bend = across.square().sum(0).sqrt()
    right, left, neck = (points[..., place] for place in _TRUNK)
    forward = _unit(torch.linalg.cross(left - right, neck, dim=0))[..., None]
    around = _near(across.shape[-2]) @ (bend.square() * across) + _FORWARD * forward
    around = _unit(_across(around, z))
    told = 0.5 * (bend + (across * around).sum(0))
    share = ((told - _STRAIGHT[0]) / (_STRAIGHT[1] - _STRAIGHT[0])).clamp(0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    return share * across + (1.0 - share) * bend * around


@cache
def _near(frames: int) -> Tensor:
    """(T, T) how much each frame counts for the others."""
    apart = (torch.arange(frames)[:, None] - torch.arange(frames)).abs()
    return torch.exp(-apart / _AROUND)


def segment_frames(keypoints: Tensor) -> tuple[Tensor, Tensor]:
    """The frames of all markers' segments.

    Args:
        keypoints: (..., 19, 3) in a window's terms.

    Returns:
        Origins (..., 43, 3), and window_from_segment (..., 43, 3, 3), left-handed on one side, so that
        a body alike on both sides has the same numbers there.
    """
    at, *axes = (part[..., _OF_MARKER] for part in _axes(keypoints))
    return at.movedim(0, -1), torch.stack(axes, dim=-1).movedim(0, -2)


def _unit(vector: Tensor) -> Tensor:
    return vector / vector.square().sum(0).sqrt().clamp_min(_LEAST)


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
        carried = [_CARRIED, *(_CARRIED * self.offsets[:, axis] for axis in range(3))]
        found = torch.cat(_axes(keypoints), dim=-1) @ torch.cat(carried)
        return found.movedim(0, -1)

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
    found = _means(frames) @ inputs
    return found.unflatten(1, (-1, frames)).transpose(1, 2).flatten(2)


@cache
def _means(frames: int) -> Tensor:
    """((1 + spans) * T, T): each frame itself, and every mean."""
    apart = (torch.arange(frames)[:, None] - torch.arange(frames)).abs()
    near = torch.cat([(apart <= span).float() for span in (0, *_SPANS)])
    return near / near.sum(1, keepdim=True)
