"""Furniture-like things from boxes, which hide parts of people now and then."""

from collections.abc import Sequence
from typing import Final

import bpy
import numpy as np

from ...rig.arrays import Array
from .made import Box, add_boxes
from .textures import plain

__all__ = ["KINDS", "furnish"]

_WOOD: Final = ("#7a5638", "#a97c50", "#4a3426", "#d8d2c6", "#2b2b2c", "#c8a57a")
_SOFT: Final = ("#59616b", "#8a4a42", "#3f5a4b", "#c6bba8", "#2f3a52", "#9a7b4f", "#7d5a8c")
_KEEP: Final = 0.45  # metres between furniture and where people are
_VIEW: Final = 1.3  # metres between what stands in the way and a camera, whose view it would fill
_TRIES: Final = 12

Parts = list[tuple[Sequence[float], Sequence[float]]]


def _table(width: float, deep: float, high: float) -> Parts:
    w, d, leg = width / 2, deep / 2, 0.05
    feet: Parts = [
        (
            (x * w - leg * (x > 0), y * d - leg * (y > 0), 0.0),
            (x * w + leg * (x < 0), y * d + leg * (y < 0), high - 0.04),
        )
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    return [*feet, ((-w, -d, high - 0.04), (w, d, high))]


def _chair(width: float, deep: float, high: float) -> Parts:
    w, d = width / 2, deep / 2
    return [*_table(width, deep, high * 0.5), ((-w, d - 0.04, high * 0.5), (w, d, high))]


def _sofa(width: float, deep: float, high: float) -> Parts:
    w, d = width / 2, deep / 2
    back: Parts = [((-w, d - 0.22, 0.1), (w, d, high))]
    arms: Parts = [
        ((-w, -d, 0.1), (0.18 - w, d, high * 0.75)),
        ((w - 0.18, -d, 0.1), (w, d, high * 0.75)),
    ]
    return [*back, *arms, ((-w, -d, 0.1), (w, d, high * 0.5))]


def _shelf(width: float, deep: float, high: float) -> Parts:
    w, d = width / 2, deep / 2
    sides: Parts = [((-w, -d, 0.0), (0.03 - w, d, high)), ((w - 0.03, -d, 0.0), (w, d, high))]
    boards: Parts = [((-w, -d, z), (w, d, z + 0.03)) for z in np.linspace(0.05, high - 0.03, 5)]
    return [*sides, ((-w, d - 0.02, 0.0), (w, d, high)), *boards]


def _chest(width: float, deep: float, high: float) -> Parts:
    return [((-width / 2, -deep / 2, 0.0), (width / 2, deep / 2, high))]


# Name: parts, then from and to of width, depth and height in metres, and whether it stands at a wall.
KINDS: Final = {
    "table": (_table, (0.8, 1.8), (0.6, 0.95), (0.45, 0.78), False),
    "chair": (_chair, (0.4, 0.5), (0.4, 0.5), (0.8, 1.0), False),
    "stool": (_table, (0.3, 0.45), (0.3, 0.45), (0.4, 0.65), False),
    "crate": (_chest, (0.35, 0.8), (0.35, 0.6), (0.3, 0.7), False),
    "sofa": (_sofa, (1.4, 2.3), (0.8, 1.0), (0.7, 0.95), True),
    "shelf": (_shelf, (0.7, 1.6), (0.28, 0.4), (1.2, 2.1), True),
    "cupboard": (_chest, (0.6, 1.5), (0.4, 0.6), (0.8, 2.0), True),
}


def furnish(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    half: tuple[float, float],
    walked: Array,
    cameras: Array,
    *,
    indoors: bool = True,
) -> list[Box]:
    """Put furniture at the walls, and some in the way.

    Args:
        random: what it is drawn from.
        scene: where it goes.
        half: metres from the middle to the walls along x and y.
        walked: (N, 2) metres, places of people that stay free; if empty, nothing stands near the middle.
        cameras: (K, 2) metres, places of cameras that stay free.
        indoors: whether there are walls to stand at.
    """
    solids: list[Box] = []
    if indoors:
        for _ in range(int(random.integers(2, 7))):
            _at_wall(random, scene, half, solids, np.concatenate([walked, cameras]))
    if len(walked):
        for _ in range(int(random.integers(0, 4))):
            _in_the_way(random, scene, walked, cameras, solids)
    return solids


def _drawn(random: np.random.Generator, *, wall: bool) -> tuple[str, Array]:
    names = [name for name, kind in KINDS.items() if kind[4] == wall]
    name = str(random.choice(names))
    return name, np.array([random.uniform(*KINDS[name][k]) for k in (1, 2, 3)])


def _at_wall(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    half: tuple[float, float],
    solids: list[Box],
    used: Array,
) -> None:
    name, size = _drawn(random, wall=True)
    for _ in range(_TRIES):
        side = int(random.integers(4))  # its back is at the wall, the local +y
        turn = side * np.pi / 2.0
        far = half[1] if side % 2 == 0 else half[0]
        run = half[0] if side % 2 == 0 else half[1]
        along = random.uniform(-run + size[0] / 2, run - size[0] / 2)
        x, y = along, far - size[1] / 2 - 0.02
        place = (x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn))
        own = size[:2] / 2 if side % 2 == 0 else size[1::-1] / 2
        box = (float(place[0]), float(place[1]), float(own[0]), float(own[1]), float(size[2]))
        reach = 0.25 + np.array(box[2:4])
        free = not len(used) or (np.abs(used - np.array(box[:2])) > reach).any(axis=1).all()
        if free and not any(_meet(box, other) for other in solids):
            _build(random, scene, name, size, turn, place, wall=True)
            solids.append(box)
            return


def _in_the_way(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    walked: Array,
    cameras: Array,
    solids: list[Box],
) -> None:
    name, size = _drawn(random, wall=False)
    reach = float(np.hypot(*size[:2])) / 2
    for _ in range(_TRIES):
        start = walked[int(random.integers(len(walked)))]
        angle, far = random.uniform(0.0, 2.0 * np.pi), reach + _KEEP + random.uniform(0.1, 1.2)
        place = start + far * np.array([np.cos(angle), np.sin(angle)])
        box = (float(place[0]), float(place[1]), reach, reach, float(size[2]))
        free = _away(walked, place) > reach + _KEEP and _away(cameras, place) > reach + _VIEW
        if free and not any(_meet(box, other) for other in solids):
            turn = float(random.uniform(0.0, 2.0 * np.pi))
            _build(random, scene, name, size, turn, (float(place[0]), float(place[1])), wall=False)
            solids.append(box)
            return


def _away(others: Array, place: Array) -> float:
    """Metres to the nearest of places (N, 2)."""
    return float(np.linalg.norm(others - place, axis=1).min(initial=np.inf))


def _meet(one: Box, other: Box) -> bool:
    return abs(one[0] - other[0]) < one[2] + other[2] and abs(one[1] - other[1]) < one[3] + other[3]


def _build(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    name: str,
    size: Array,
    turn: float,
    place: Sequence[float],
    *,
    wall: bool,
) -> None:
    material = plain(random, name.title(), _SOFT if name == "sofa" else _WOOD)
    parts = KINDS[name][0](*size)
    add_boxes(scene, name.title(), parts, material, turn, (*place, 0.0))
    if name == "shelf":
        _books(random, scene, size, turn, place)


def _books(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    size: Array,
    turn: float,
    place: Sequence[float],
) -> None:
    """Things on the boards of a shelf."""
    width, deep, high = size
    for _ in range(3):
        material = plain(random, "Books", (*_SOFT, "#d8d2c6", "#b23a3a", "#e3b23c"))
        boxes = []
        for board in np.linspace(0.05, high - 0.03, 5)[:-1]:
            x = random.uniform(-width / 2 + 0.05, width / 2 - 0.25)
            run, tall = random.uniform(0.05, 0.2), random.uniform(0.1, 0.22)
            boxes.append(
                (
                    (x, -deep / 2 + 0.03, board + 0.03),
                    (x + run, deep / 2 - 0.05, board + 0.03 + tall),
                )
            )
        add_boxes(scene, "Books", boxes, material, turn, (*place, 0.0))
