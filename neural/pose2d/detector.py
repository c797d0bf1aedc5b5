"""The detector `paf`: people found in the whole picture, then followed in crops around them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from ...capture.video.crops import Box, box_around
from ...capture.video.detector import DetectorOptions, Found
from ...capture.video.frames import Picture
from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..weights import EMBEDDED
from .decode import decode
from .folded import folded
from .look import averaged_maps
from .network import STRIDE, PafNetwork
from .stored import load_paf

__all__ = ["PafDetector", "looked_at", "paf_detector", "place_to_look"]

_FEWEST: Final = 4  # keypoints of somebody
_LOOK_AGAIN: Final = 15  # frames after which somebody missing is looked for again
_SAME: Final = 0.25  # of a person's size, mean distance of keypoints of one and the same
_NEAR: Final = 0.6  # the same from frame to frame
_WHOLE: Final = (
    1.5,
    3.0,
)  # times the side of a crop, the whole picture: for large people, and small ones
_FEW: Final = 0.6  # of the keypoints; who shows fewer is looked for again now and then ...
_UNSURE: Final = 0.3  # ... and who is as unsure as that, over all keypoints
_SURENESS: Final = 3.0  # power of sureness, beside size: trees may look like large people
_HELD: Final = 2.0  # times as much counts somebody who was followed
_MORE: Final = 3  # than are followed: people whom the search looks at closer
_SHRINK: Final = 0.95  # of the box from frame to frame, at most
_ROOM: Final = 1.15  # around the box of a person, who moves until the next frame


def paf_detector(options: DetectorOptions) -> "PafDetector":
    """The detector of a user's network, or of the one in the package.

    Raises:
        FormatError: its layout is not the one that was asked for.
        FileError, ModelError: the file can't be used.
    """
    path = Path(options.model) if options.model is not None else EMBEDDED / "pose2d.safetensors"
    network = load_paf(path)
    if options.layout not in (None, network.config.layout):
        raise FormatError(f"{path} has the layout {network.config.layout}; leave --layout out")
    return PafDetector(network, options.people, mirrored=options.mirrored)


class _Followed(NamedTuple):
    """Somebody in the frame before, and where to look now."""

    points: Array
    box: Box


class PafDetector:
    """A `Detector` made of a pose network.

    Args:
        network: ready to look.
        people: the most that are followed.
        side: pixels of the longer side of a crop around somebody; None for what the network is used to.
        whole: pixels of the longer side of the whole picture, of each time it is looked at; None for half as
            many again, and in larger pictures three times as many.
        scales: of both; their maps are averaged.
        mirrored: whether mirror images are looked at, too: more exact, in almost twice the time.
    """

    name = "paf"

    def __init__(
        self,
        network: PafNetwork,
        people: int = 1,
        side: int | None = None,
        whole: tuple[int, ...] | None = None,
        scales: tuple[float, ...] = (1.0,),
        *,
        mirrored: bool = False,
    ) -> None:
        self.layout = network.config.paf_layout.layout
        self._network, self._most = folded(network), people
        self._side = side or network.config.side
        self._wholes = whole or tuple(STRIDE * round(w * self._side / STRIDE) for w in _WHOLE)
        self._scales, self._mirrored = scales, mirrored
        self._followed: list[_Followed] = []
        self._wait = 0

    def detect(self, picture: Picture) -> Found:
        """The people in a picture: those of the frame before first."""
        people: list[tuple[Array, Array]] = []
        for before in self._followed:
            found = self._look(picture, before.box, self._side)
            nearest = self._nearest(found, before.points)
            if nearest is not None and not any(_apart(nearest[0], p) < _SAME for p, _ in people):
                people.append(nearest)
        if sum(map(_is_whole, people)) < self._most:
            self._wait -= 1
            if self._wait < 0 or len(people) < len(self._followed):
                people = self._with_others(picture, people)
                self._wait = _LOOK_AGAIN
        self._followed = [self._on(points) for points, _ in people]
        if not people:
            return Found(np.empty((0, len(self.layout), 2)), np.empty((0, len(self.layout))))
        points, sure = zip(*people, strict=True)
        return Found(np.stack(points), np.stack(sure))

    def close(self) -> None:
        """Forget who was followed."""
        self._followed = []

    def _on(self, points: Array) -> "_Followed":
        """Whoever is at `points` now; a box shrinks slowly, lest lost limbs stay lost."""
        box = place_to_look(points)
        before = [one for one in self._followed if _apart(points, one.points) < _NEAR]
        side = max([box.width, *(_SHRINK * one.box.width for one in before[:1])])
        return _Followed(points, Box(box.x, box.y, side, side))

    def _with_others(
        self, picture: Picture, people: list[tuple[Array, Array]]
    ) -> list[tuple[Array, Array]]:
        """Those seen whole, then the largest and surest of those seen in part and those a search finds."""
        found = [one for one in people if _is_whole(one)]
        partly = [one for one in people if not _is_whole(one)]
        weights = [_HELD * _weight(one) for one in partly]
        others = self._searched(picture)
        weights += map(_weight, others)
        rest = sorted(zip(weights, [*partly, *others], strict=True), key=lambda one: -one[0])
        return _different([*found, *(one for _, one in rest)])[: self._most]

    def _searched(self, picture: Picture) -> list[tuple[Array, Array]]:
        """People found in the whole picture, looked at once more from closer by."""
        height, width = picture.shape[:2]
        whole = Box(width / 2, height / 2, width, height)
        first, *others = self._wholes
        sizes = [first, *(size for size in others if max(height, width) > first)]
        found = [one for size in sizes for one in self._look(picture, whole, size)]
        found = _different(sorted(found, key=_weight, reverse=True))[: self._most + _MORE]
        return [self._closer(picture, one) for one in found]

    def _closer(self, picture: Picture, one: tuple[Array, Array]) -> tuple[Array, Array]:
        """Somebody as a crop around them shows them, if it shows as much."""
        closer = self._nearest(self._look(picture, place_to_look(one[0]), self._side), one[0])
        return closer if closer is not None and _count(closer[0]) >= _count(one[0]) else one

    def _look(self, picture: Picture, box: Box, longest: int) -> list[tuple[Array, Array]]:
        """(points (K, 2) in the picture, confidence (K,)) of everybody in a part of it, the surest first."""
        alone = self._most == 1 and longest == self._side
        return looked_at(
            self._network, picture, box, longest, self._scales, alone=alone, mirrored=self._mirrored
        )

    def _nearest(
        self, found: list[tuple[Array, Array]], before: Array
    ) -> tuple[Array, Array] | None:
        """Who of those found was at `before`, if anybody."""
        near = [(_apart(points, before), number) for number, (points, _) in enumerate(found)]
        near = [one for one in near if one[0] < _NEAR]
        return found[min(near)[1]] if near else None


def looked_at(
    network: PafNetwork,
    picture: Picture,
    box: Box,
    longest: int,
    scales: Sequence[float] = (1.0,),
    *,
    alone: bool = False,
    mirrored: bool = False,
) -> list[tuple[Array, Array]]:
    """Everybody in a part of a picture, the surest first.

    Args:
        network: ready to look.
        picture: (H, W, 3).
        box: the part.
        longest: pixels of its longer side as the network sees it, at scale 1.
        scales: whose maps are averaged.
        alone: it is around one person, who is the best body of all peaks.
        mirrored: whether mirror images are averaged, too.

    Returns:
        Of each points (K, 2) in the picture, NaN where missing, and confidence (K,).
    """
    confidence, pafs, seen, size = averaged_maps(
        network, picture, box, longest, scales, mirrored=mirrored
    )
    found = decode(confidence, pafs, network.config.paf_layout, alone=alone)
    cell = np.array(size) / np.array(pafs.shape[:0:-1])
    points = seen.to_picture((found.places + 0.5) * cell - 0.5, size)
    return list(zip(points, found.confidence, strict=True))


def place_to_look(points: Array) -> Box:
    """The square around somebody (K, 2) in which the next frame is looked at."""
    box = box_around(points[np.isfinite(points).all(axis=-1)])
    side = _ROOM * max(box.width, box.height)
    return Box(box.x, box.y, side, side)


def _weight(person: tuple[Array, Array]) -> float:
    """How much somebody counts who is seen for the first time: large in the picture, and sure."""
    points, sure = person
    there = points[np.isfinite(points).all(axis=-1)]
    return float(np.linalg.norm(np.ptp(there, axis=0)) * sure.mean() ** _SURENESS)


def _different(people: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """Without those who are somebody before them."""
    found: list[tuple[Array, Array]] = []
    for one in people:
        if not any(_apart(one[0], other) < _SAME for other, _ in found):
            found.append(one)
    return found


def _is_whole(person: tuple[Array, Array]) -> bool:
    """Whether enough of somebody is seen, and surely enough, to look for nobody else."""
    points, sure = person
    return _count(points) >= _FEW * len(points) and float(sure.mean()) >= _UNSURE


def _count(points: Array) -> int:
    return int(np.isfinite(points).all(axis=-1).sum())


def _apart(points: Array, other: Array) -> float:
    """Mean distance of common keypoints in the person's size; infinite where few are common."""
    both = np.isfinite(points).all(axis=-1) & np.isfinite(other).all(axis=-1)
    if both.sum() < _FEWEST:
        return np.inf
    size = float(np.linalg.norm(np.ptp(other[both], axis=0)))
    return float(np.linalg.norm(points[both] - other[both], axis=-1).mean()) / max(size, 1.0)
