"""Where cameras stand and how they move: around people, in a hand, fixed, or as a rig of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rig.arrays import Array

__all__ = ["CameraPath", "Choices", "clear", "draw_path"]

_SWAY: Final = ((0.35, 0.012), (1.1, 0.006), (3.2, 0.0022))  # hertz, metres of a calm hand


@dataclass(frozen=True)
class CameraPath:
    """Where a camera is at M moments.

    Attributes:
        places: (M, 3) metres.
        targets: (M, 3) metres, what it looks at.
        lens: millimetres, of a sensor 36 mm wide.
    """

    places: Array
    targets: Array
    lens: float


@dataclass(frozen=True)
class Choices:
    """What cameras may be drawn.

    Attributes:
        kind: "orbit", "handheld", "fixed" or "rig".
        distance: metres from the people, from and to.
        height: metres over the floor, from and to.
        lens: millimetres, from and to.
        shake: of a handheld camera, times the usual.
        views: cameras of a rig.
    """

    kind: str = "orbit"
    distance: tuple[float, float] = (2.5, 5.0)
    height: tuple[float, float] = (0.6, 2.2)
    lens: tuple[float, float] = (28.0, 50.0)
    shake: float = 1.0
    views: int = 1


def draw_path(
    random: np.random.Generator, choices: Choices, centres: Array, fps: float, view: int = 0
) -> CameraPath:
    """Draw one camera's path.

    Args:
        random: of its own for every view and every try.
        choices: what may be drawn.
        centres: (M, 3) metres, where the people are at each moment.
        fps: moments a second.
        view: number of the camera in a rig, whose cameras stand evenly around.

    Returns:
        Its path over the same moments. A fixed camera and a rig never move, an orbit goes slowly around, a
        handheld one follows with a hand's sway (three sines of 0.35, 1.1 and 3.2 Hz).
    """
    count = len(centres)
    middle = centres.mean(axis=0)
    around = random.uniform(0.0, 2.0 * np.pi)
    if choices.kind == "rig":
        around = 2.0 * np.pi * (view + random.uniform(-0.15, 0.15)) / max(choices.views, 1)
    distance, height = random.uniform(*choices.distance), random.uniform(*choices.height)
    lens = float(random.uniform(*choices.lens))
    aim = middle + random.normal(0.0, (0.10, 0.10, 0.06))
    turning = around + np.zeros(count)
    if choices.kind == "orbit":
        turning = around + np.linspace(0.0, random.uniform(-0.6, 0.6), count)
    level = np.zeros((count, 1))
    offset = np.stack([np.cos(turning), np.sin(turning)], axis=-1) * distance
    places = np.concatenate([middle[:2] + offset, level + height], axis=1)
    targets = np.repeat(aim[None], count, axis=0)
    if choices.kind == "handheld":
        places = places + choices.shake * _sway(random, count, fps)
        places[:, 2] = np.maximum(places[:, 2], 0.05)
        followed = _followed(centres, fps) - middle
        targets = targets + followed + choices.shake * 1.5 * _sway(random, count, fps)
    return CameraPath(places, targets, lens)


def clear(
    path: CameraPath,
    joints: Sequence[Array],
    solids: Sequence[Sequence[float]] = (),
    nearest: float = 0.45,
) -> bool:
    """Whether a camera keeps out of bodies and furniture.

    Args:
        path: of M moments.
        joints: for every person (M, J, 3) metres.
        solids: boxes as (x, y, half x, half y, height) in metres, standing on the floor.
        nearest: metres to any joint, at least.
    """
    for places in joints:
        if np.linalg.norm(places - path.places[:, None], axis=-1).min() < nearest:
            return False
    for x, y, half_x, half_y, height in solids:
        over = np.abs(path.places - np.array([x, y, 0.0])) < (
            half_x + 0.1,
            half_y + 0.1,
            height + 0.1,
        )
        if over.all(axis=1).any():
            return False
    return True


def _sway(random: np.random.Generator, count: int, fps: float) -> Array:
    """(M, 3) metres, a hand's."""
    times = np.arange(count)[:, None] / fps
    sway = np.zeros((count, 3))
    for hertz, metres in _SWAY:
        phase, rate = random.uniform(0.0, 2.0 * np.pi, 3), hertz * random.uniform(0.8, 1.25, 3)
        sway += metres * np.sin(2.0 * np.pi * rate * times + phase)
    return sway


def _followed(centres: Array, fps: float) -> Array:
    """(M, 3) the people's way as one follows it, half a second smoothed."""
    reach = max(int(0.5 * fps), 1)
    padded = np.concatenate(
        [np.repeat(centres[:1], reach, 0), centres, np.repeat(centres[-1:], reach, 0)]
    )
    box = np.ones(2 * reach + 1) / (2 * reach + 1)
    return np.stack([np.convolve(column, box, mode="valid") for column in padded.T], axis=-1)
