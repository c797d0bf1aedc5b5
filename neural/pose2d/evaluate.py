"""A pose network measured: on rendered pictures, whose keypoints are known, and beside other detectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...capture.keypoints.keypoints import Keypoints
from ...capture.keypoints.layout import Layout
from ...capture.video.crops import Box
from ...capture.video.frames import Picture
from ...rig.arrays import Array
from .coco_set import Labelled, read_picture
from .detector import looked_at, place_to_look
from .masks import mask_of
from .network import PafNetwork
from .scores import COCO_POINTS, average_precision, correct, oks, torso

__all__ = ["Agreement", "Measured", "agreement", "found_in_crop", "in_coco", "measured"]


@dataclass(frozen=True)
class Measured:
    """What a network finds of people whose keypoints are known.

    Attributes:
        people: that were looked at.
        pck: part of all labelled keypoints within 0.2 of the torso, in crops around each person.
        seen: the same of keypoints that nothing hides.
        points: the same of each of COCO's 17, hidden ones included.
        precision: COCO's AP over OKS, in whole pictures.
    """

    people: int
    pck: float
    seen: float
    points: Array
    precision: float


def measured(
    network: PafNetwork,
    pictures: Sequence[Labelled],
    side: int = 256,
    whole: int = 256,
    *,
    mirrored: bool = False,
) -> Measured:
    """Measure a network on pictures with labels.

    Args:
        network: ready to look.
        pictures: of `labelled_pictures`.
        side: pixels of the crops.
        whole: pixels of the longer side of whole pictures.
        mirrored: whether mirror images are averaged, too.
    """
    right, seen, similar = [], [], []
    for one in pictures:
        picture = read_picture(one)
        for person, shown in zip(one.points, one.seen, strict=True):
            found = found_in_crop(network, picture, person, side, mirrored=mirrored)
            row = correct(found, person, np.asarray(torso(person)))
            right.append(row)
            seen.append(np.where(shown, row, np.nan))
        similar.append(_in_whole(network, picture, one, whole, mirrored=mirrored))
    rows = np.array(right)
    counted = np.isfinite(rows).any(axis=1)
    return Measured(
        int(counted.sum()),
        float(np.nanmean(rows)),
        float(np.nanmean(np.array(seen))),
        np.nanmean(rows[counted], axis=0),
        average_precision(similar),
    )


def found_in_crop(
    network: PafNetwork, picture: Picture, person: Array, side: int, *, mirrored: bool = False
) -> Array:
    """(17, 2) of who is most like a person (17, 2) in the crop in which it is followed; NaN if nobody is."""
    box = place_to_look(person)
    found = looked_at(network, picture, box, side, alone=True, mirrored=mirrored)
    if not found:
        return np.full((len(COCO_POINTS), 2), np.nan)
    points = np.stack([in_coco(own, network.config.paf_layout.layout) for own, _ in found])
    area = np.array([max(box.width**2 / 4.0, 1.0)])
    return np.asarray(points[oks(points, person[None], area)[:, 0].argmax()])


def _in_whole(
    network: PafNetwork, picture: Picture, one: Labelled, longest: int, *, mirrored: bool
) -> tuple[Array, Array]:
    height, width = picture.shape[:2]
    box = Box(width / 2, height / 2, width, height)
    found = looked_at(network, picture, box, longest, mirrored=mirrored)
    area = np.array([float(mask_of(m, height, width).sum()) for m in one.people])
    layout = network.config.paf_layout.layout
    points = np.array([in_coco(own, layout) for own, _ in found]).reshape(-1, len(COCO_POINTS), 2)
    score = np.array([float(sure.sum()) for _, sure in found])
    return oks(points, one.points, area), score


def in_coco(points: Array, layout: Layout) -> Array:
    """(..., 17, 2) COCO's keypoints of another layout's (..., K, 2); NaN where it lacks one."""
    names = {name: k for k, name in enumerate(layout.names)}
    rows = [
        points[..., names[name], :] if name in names else np.full((*points.shape[:-2], 2), np.nan)
        for name in COCO_POINTS
    ]
    return np.stack(rows, axis=-2)


@dataclass(frozen=True)
class Agreement:
    """How far one detector agrees with another on a clip.

    Attributes:
        frames: in which the other saw somebody.
        pck: part of the other's keypoints within 0.2 of its torso, and the median distance of those found ...
        distance: ... in parts of the torso.
        points: the first, of each of COCO's 17.
    """

    frames: int
    pck: float
    distance: float
    points: Array


def agreement(found: Keypoints, reference: Keypoints) -> Agreement:
    """Compare the first person of two detectors' keypoints of the same clip, frame by frame.

    Args:
        found: of the one that is measured.
        reference: of the other, one person.
    """
    count = min(len(found), len(reference))
    theirs = in_coco(reference.positions[:count, 0], reference.layout)
    ours = in_coco(found.positions[:count, 0], found.layout)
    size = torso(theirs)
    rows = correct(ours, theirs, size)
    apart = np.linalg.norm(ours - theirs, axis=-1) / size[:, None]
    seen = np.isfinite(rows).any(axis=1)
    points = np.array(
        [np.nanmean(rows[:, k]) if np.isfinite(rows[:, k]).any() else np.nan for k in range(17)]
    )
    return Agreement(int(seen.sum()), float(np.nanmean(rows)), float(np.nanmedian(apart)), points)
