"""Rooms: four walls, floor and ceiling in drawn materials, windows that shine, lamps, pictures, furniture."""

import bpy
import numpy as np

from ...rig.arrays import Array
from .exposure import expose
from .furniture import furnish
from .made import Surroundings, add_boxes, add_lamp, add_plane, new_world
from .textures import FLOORS, WALLS, plain, surface

__all__ = ["add_room"]

_PICTURES = ("#b23a3a", "#2d3442", "#e3b23c", "#5f8a5a", "#d8d2c6", "#0f6e77", "#1b1b1d", "#c79bb5")

_ROOM_ABOUT = 2.0  # metres within which something keeps the even light away


def add_room(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    reach: float,
    walked: Array,
    cameras: Array,
) -> Surroundings:
    """A room around people and cameras, lit through windows and from above.

    Args:
        random: what it is drawn from.
        scene: where it goes.
        reach: metres that cameras may be from the middle, where `cameras` is empty.
        walked: (N, 2) metres, places of people, which stay free.
        cameras: (K, 2) metres, places of cameras, which stay free too.
    """
    low, high = np.full(2, -reach), np.full(2, reach)
    if len(cameras):
        used = np.concatenate([walked, cameras])
        low, high = used.min(axis=0), used.max(axis=0)
    low = low - random.uniform(0.5, 2.5, 2)
    high = high + random.uniform(0.5, 2.5, 2)
    middle, half = (low + high) / 2.0, np.maximum((high - low) / 2.0, 1.6)
    tall = float(random.uniform(2.5, 3.4) + 0.1 * max(half.max() - 4.0, 0.0))
    before = set(scene.objects)
    floor, wall = str(random.choice(FLOORS)), str(random.choice(WALLS))
    size = (float(half[0]), float(half[1]))
    ground = _shell(random, scene, size, tall, floor, wall)
    background = _light(random, scene, size, tall)
    lamps = [item for item in set(scene.objects) - before if item.type == "LIGHT"]
    exposure = expose(sorted(lamps, key=lambda lamp: lamp.name), ground, background, size)
    for _ in range(int(random.integers(0, 6))):
        _picture(random, scene, size)
    solids = furnish(random, scene, size, walked - middle, cameras - middle)
    for item in set(scene.objects) - before:
        item.location.x += middle[0]
        item.location.y += middle[1]
    about = {
        "size": [2 * size[0], 2 * size[1], tall],
        "floor": floor,
        "wall": wall,
        "exposure": exposure,
    }
    moved = [(x + float(middle[0]), y + float(middle[1]), *rest) for x, y, *rest in solids]
    return Surroundings("room", about, moved)


def _shell(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    half: tuple[float, float],
    high: float,
    floor: str,
    wall: str,
) -> bpy.types.Material:
    """Returns the floor's material."""
    x, y = half
    corners = [(-x, -y), (x, -y), (x, y), (-x, y)]
    ground = surface(random, floor)
    add_plane(scene, "Floor", [(*c, 0.0) for c in corners], ground)
    add_plane(scene, "Ceiling", [(*c, high) for c in corners[::-1]], surface(random, "paint"))
    walls = surface(random, wall)
    other = surface(random, "paint") if random.uniform() < 0.3 else walls
    for number in range(4):
        one, two = corners[number], corners[(number + 1) % 4]
        quad = [(*two, 0.0), (*one, 0.0), (*one, high), (*two, high)]
        add_plane(scene, "Wall", quad, other if number == 0 else walls)
    skirting = plain(random, "Skirting", ("#e8e5de", "#4a3426", "#8a8a86"))
    boards = [
        ((-x, -y, 0.0), (x, 0.02 - y, 0.09)),
        ((-x, y - 0.02, 0.0), (x, y, 0.09)),
        ((-x, -y, 0.0), (0.02 - x, y, 0.09)),
        ((x - 0.02, -y, 0.0), (x, y, 0.09)),
    ]
    add_boxes(scene, "Skirting", boards, skirting)
    return ground


def _light(
    random: np.random.Generator, scene: bpy.types.Scene, half: tuple[float, float], high: float
) -> bpy.types.Node:
    """Even light from everywhere, which is returned, windows, and lamps under the ceiling."""
    _, background = new_world(scene, "Room light")
    background.inputs["Color"].default_value = (*_warmth(random), 1.0)
    background.inputs["Strength"].default_value = float(random.uniform(0.25, 0.6))
    _fill(scene)
    area = 4.0 * half[0] * half[1]
    for _ in range(int(random.integers(1, 4))):
        place = (*(random.uniform(-0.6, 0.6, 2) * half), high - 0.05)
        watts = area * random.uniform(2.0, 7.0)
        add_lamp(
            scene,
            "AREA",
            place,
            (place[0], place[1], 0.0),
            watts,
            random.uniform(0.4, 1.6),
            _warmth(random),
        )
    for _ in range(int(random.integers(0, 3))):
        side = int(random.integers(4))
        turn = side * np.pi / 2.0
        far = half[0] if side % 2 == 0 else half[1]
        way = np.array([np.cos(turn), np.sin(turn)])
        beside = np.array([-way[1], way[0]]) * random.uniform(-0.5, 0.5) * min(half)
        place = (*(way * (far - 0.03) + beside), 1.6)
        watts = area * random.uniform(3.0, 12.0)
        add_lamp(
            scene,
            "AREA",
            place,
            (0.0, 0.0, 1.2),
            watts,
            random.uniform(1.0, 2.0),
            (0.85, 0.93, 1.0),
        )
    return background


def _fill(scene: bpy.types.Scene) -> None:
    """Even light where nothing is near; light that walls throw back would double the time of a frame."""
    scene.cycles.use_fast_gi, scene.cycles.fast_gi_method = True, "REPLACE"
    scene.cycles.ao_bounces_render = 1
    scene.world.light_settings.distance = _ROOM_ABOUT


def _warmth(random: np.random.Generator) -> tuple[float, float, float]:
    """White light from 2,700 K to 7,000 K, roughly."""
    warm = float(random.uniform(0.0, 1.0))
    return (1.0, 1.0 - 0.22 * warm, 1.0 - 0.5 * warm)


def _picture(
    random: np.random.Generator, scene: bpy.types.Scene, half: tuple[float, float]
) -> None:
    """A picture on a wall: a frame with a field of colour."""
    side = int(random.integers(4))
    turn = side * np.pi / 2.0
    far = half[1] if side % 2 == 0 else half[0]
    run = half[0] if side % 2 == 0 else half[1]
    wide, tall = random.uniform(0.2, 0.7, 2)
    x, z = random.uniform(-run + 0.8, run - 0.8), random.uniform(1.2, 1.7)
    for inset, depth in ((0.0, 0.02), (0.04, 0.025)):
        low = (x - wide + inset, far - depth, z - tall + inset)
        box = [(low, (x + wide - inset, far, z + tall - inset))]
        add_boxes(scene, "Picture", box, plain(random, "Picture", _PICTURES), turn)
