"""The points that tell steps: heels, toes and pelvis, found among markers or keypoints by their names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..arrays import Array, checked, frozen
from ..errors import RecordingError
from ..sides import side_pairs
from ..trajectories import MarkerTrajectories

__all__ = ["GaitPoints", "gait_points"]

# Pieces of names in lower case without signs; the first that a pair of markers has is taken.
_HEELS: Final = ("heel", "hee", "calc")
_TOES: Final = ("toetip", "bigtoe", "toe", "mt2", "footindex", "mt1", "mt5", "meta")
_PELVIS_PAIRS: Final = ("psis", "psi", "asis", "asi", "hjc", "hip")
_PELVIS_ALONE: Final = ("sacr", "s2", "midhip", "pelvis", "hip")


@dataclass(frozen=True, eq=False)
class GaitPoints:
    """Points of a walk over T frames.

    Attributes:
        pelvis: (T, 3) metres, z up; NaN where missing.
        heels: (T, 2, 3), left and right.
        toes: (T, 2, 3), left and right.
        fps: frames per second.
        start: seconds, time of the first frame.
    """

    pelvis: Array
    heels: Array
    toes: Array
    fps: float
    start: float = 0.0

    def __post_init__(self) -> None:
        pelvis = checked("the pelvis' path", self.pelvis, (None, 3))
        object.__setattr__(self, "pelvis", frozen(pelvis))
        for name in ("heels", "toes"):
            value = checked(f"the {name}' paths", getattr(self, name), (len(pelvis), 2, 3))
            object.__setattr__(self, name, frozen(value))

    @property
    def times(self) -> Array:
        """(T,) seconds."""
        return np.asarray(self.start + np.arange(len(self.pelvis)) / self.fps)


def gait_points(
    markers: MarkerTrajectories,
    *,
    heels: tuple[str, str] | None = None,
    toes: tuple[str, str] | None = None,
    pelvis: Sequence[str] | None = None,
) -> GaitPoints:
    """Take the points from markers or keypoints.

    Args:
        markers: over T frames.
        heels: names, left and right; None: found by the usual names.
        toes: likewise.
        pelvis: names whose mean is the pelvis; None: the sacrum, else both PSIS, both ASIS, both hips.

    Raises:
        RecordingError: one of them is not found.
        ShapeError: a name is not among the markers.
    """
    plain = {
        name: re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower()) for name in markers.names
    }
    pairs = _pairs(markers.names)
    heels = heels or _pair(pairs, plain, _HEELS)
    toes = toes or _pair(pairs, plain, _TOES)
    pelvis = pelvis or _pelvis(pairs, plain)
    for what, found in (("heels", heels), ("toes", toes), ("the pelvis", pelvis)):
        if not found:
            raise RecordingError(
                f"no points of {what} among {', '.join(markers.names[:20]) or 'none'}; steps are told by "
                "heels, toes and the pelvis: name them"
            )
    return GaitPoints(
        markers.chosen(list(pelvis or ())).positions.mean(axis=1),
        markers.chosen(list(heels or ())).positions,
        markers.chosen(list(toes or ())).positions,
        markers.fps,
        markers.start,
    )


def _pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """(left, right); some programs write one side's letter small and the other's large."""
    written = {name.lower(): name for name in names}
    if len(written) < len(names):
        return list(side_pairs(names))
    return [(written[left], written[right]) for left, right in side_pairs(list(written))]


def _pair(
    pairs: list[tuple[str, str]], plain: Mapping[str, str], pieces: Sequence[str]
) -> tuple[str, str] | None:
    """The first pair with the first piece that any has; of several the shortest name."""
    for piece in pieces:
        found = [pair for pair in pairs if piece in plain[pair[0]]]
        if found:
            return min(found, key=lambda pair: len(pair[0]))
    return None


def _pelvis(pairs: list[tuple[str, str]], plain: Mapping[str, str]) -> tuple[str, ...] | None:
    sided = {name for pair in pairs for name in pair}
    alone = [name for name in plain if name not in sided]
    sacrum = [name for name in alone if any(piece in plain[name] for piece in _PELVIS_ALONE[:2])]
    if sacrum:
        return (sacrum[0],)
    middle = [name for name in alone if any(piece in plain[name] for piece in _PELVIS_ALONE[2:])]
    return _pair(pairs, plain, _PELVIS_PAIRS) or (tuple(middle[:1]) or None)
