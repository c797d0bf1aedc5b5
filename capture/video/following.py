"""People found and followed by a network that only looks at crops.

Somebody is looked for in overlapping parts of the picture, and from then on where he was a frame before;
whoever is lost is looked for again.
"""

from typing import Final, Protocol

import numpy as np

from ...rig.arrays import Array
from ..keypoints.layout import Layout
from .crops import Box, box_around, tiles
from .detector import Found
from .frames import Picture

__all__ = ["CropNetwork", "FollowingDetector"]

_SURE: Final = 0.3  # a keypoint of less confidence places no crop
_THERE: Final = 0.3  # mean confidence of somebody who is there
_FEWEST: Final = 4  # sure keypoints of somebody
_ROUNDS: Final = 3  # a crop is placed again by what was found in it
_LOOK_AGAIN: Final = 10  # frames after which somebody missing is looked for again
_SAME: Final = 0.25  # of a person's size, mean distance of keypoints of one and the same


class CropNetwork(Protocol):
    """Looks at a part of a picture."""

    def __call__(self, picture: Picture, box: Box) -> tuple[Array, Array]:
        """Keypoints (K, 2) in the picture's pixels, and (K,) confidence."""
        ...


class FollowingDetector:
    """A `Detector` made of a network for crops.

    Args:
        name: of the detector.
        layout: of its keypoints.
        network: looks at crops.
        people: the most that are followed.
    """

    def __init__(self, name: str, layout: Layout, network: CropNetwork, people: int = 1) -> None:
        self.name, self.layout = name, layout
        self._network, self._most = network, people
        self._boxes: list[Box] = []
        self._wait = 0

    def detect(self, picture: Picture) -> Found:
        """The people in a picture: those of the frame before first."""
        people: list[tuple[Array, Array]] = []
        for box in self._boxes:
            self._add(people, *self._network(picture, box))
        if len(people) < self._most:
            self._wait -= 1
            if self._wait < 0 or len(people) < len(self._boxes):
                self._look(picture, people)
                self._wait = _LOOK_AGAIN
        self._boxes = [box_around(points[sure > _SURE]) for points, sure in people]
        if not people:
            return Found(np.empty((0, len(self.layout), 2)), np.empty((0, len(self.layout))))
        points, sures = zip(*people, strict=True)
        return Found(np.stack(points), np.stack(sures))

    def close(self) -> None:
        """Forget who was followed."""
        self._boxes = []

    def _look(self, picture: Picture, people: list[tuple[Array, Array]]) -> None:
        """Look for people all over the picture, the surest first."""
        found = []
        for box in tiles(picture.shape[1], picture.shape[0]):
            points, sure = self._network(picture, box)
            if _there(sure):
                found.append((float(sure.mean()), points, sure))
        for _, points, sure in sorted(found, key=lambda one: -one[0]):
            if len(people) == self._most:
                return
            self._add(people, *self._closer(picture, points, sure))

    def _closer(self, picture: Picture, points: Array, sure: Array) -> tuple[Array, Array]:
        """The same person in crops that fit better and better."""
        for _ in range(_ROUNDS):
            again, surer = self._network(picture, box_around(points[sure > _SURE]))
            if not _there(surer) or surer.mean() < 0.9 * sure.mean():
                break
            points, sure = again, surer
        return points, sure

    def _add(self, people: list[tuple[Array, Array]], points: Array, sure: Array) -> None:
        if _there(sure) and not any(_same(points, sure, *other) for other in people):
            people.append((points, sure))


def _there(sure: Array) -> bool:
    return bool(sure.mean() > _THERE and (sure > _SURE).sum() >= _FEWEST)


def _same(points: Array, sure: Array, other: Array, other_sure: Array) -> bool:
    """Whether two detections are of one person."""
    both = (sure > _SURE) & (other_sure > _SURE)
    if both.sum() < _FEWEST:
        return False
    size = float(np.linalg.norm(np.ptp(points[both], axis=0)))
    away = float(np.linalg.norm(points[both] - other[both], axis=-1).mean())
    return away < _SAME * max(size, 1.0)
