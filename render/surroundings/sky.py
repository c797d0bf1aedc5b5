"""Open air: ground to the horizon, a sky, the sun or clouds, and things that stand about."""

import bpy
import numpy as np

from ...rig.arrays import Array
from .exposure import expose
from .furniture import furnish
from .made import Box, Surroundings, add_boxes, add_lamp, add_plane, new_world
from .textures import GROUNDS, plain, surface

__all__ = ["add_sky"]

_FAR = 200.0  # metres, the ground's half
_FACADES = ("#8c8c88", "#b8aa97", "#a55a41", "#d8d2c6", "#6f7f8f", "#c9b6a2", "#5b5b5e")
_LEAVES = ("#3d5a2a", "#4f6b2f", "#2f4a2a", "#6b7a3a")


def add_sky(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    reach: float,
    walked: Array,
    cameras: Array,
) -> Surroundings:
    """Ground under a drawn sky, with houses and trees beyond the cameras.

    Args:
        random: what it is drawn from.
        scene: where it goes.
        reach: metres, how far cameras are from the middle.
        walked: (N, 2) metres, places of people, which stay free.
        cameras: (K, 2) metres, places of cameras, which stay free too.
    """
    ground = str(random.choice(GROUNDS))
    corners = [(-_FAR, -_FAR, 0.0), (_FAR, -_FAR, 0.0), (_FAR, _FAR, 0.0), (-_FAR, _FAR, 0.0)]
    soil = surface(random, ground)
    add_plane(scene, "Ground", corners, soil)
    overcast = float(random.uniform() ** 1.5)
    height = float(np.radians(random.uniform(12.0, 75.0)))
    heading = float(random.uniform(0.0, 2.0 * np.pi))
    background, even = _dome(random, scene, overcast, height)
    low = 1.0 - height / (np.pi / 2)
    colour = (1.0, 1.0 - 0.25 * low**2, 1.0 - 0.5 * low**2)
    place = np.array(
        [np.cos(height) * np.cos(heading), np.cos(height) * np.sin(heading), np.sin(height)]
    )
    energy = 6.0 * (1.0 - 0.92 * overcast)
    angle = float(np.radians(0.5 + 25.0 * overcast))
    sun = add_lamp(scene, "SUN", tuple(20.0 * place), (0.0, 0.0, 0.0), energy, angle, colour)
    exposure = expose([sun], soil, background, (0.0, 0.0), even)
    solids = _about(random, scene, reach)
    solids += furnish(random, scene, (reach, reach), walked, cameras, indoors=False)
    about = {
        "ground": ground, "overcast": overcast, "sun_height": height, "sun_heading": heading,
        "exposure": exposure,
    }  # fmt: skip
    return Surroundings("sky", about, solids)


def _dome(
    random: np.random.Generator, scene: bpy.types.Scene, overcast: float, height: float
) -> tuple[bpy.types.Node, Array]:
    """Blue above, paler at the horizon, with clouds of noise; returns the light, and its colour overall."""
    nodes, background = new_world(scene, "Sky")
    way = nodes.add("TexCoord").outputs["Generated"]
    up = nodes.add("SeparateXYZ", {"Vector": way}).outputs["Z"]
    day = np.sin(height) ** 0.5
    grey = np.array([0.62, 0.65, 0.70])
    blue = np.array([0.10, 0.24, 0.62]) * (1 - overcast) + grey * overcast
    pale = np.array([0.55, 0.68, 0.85]) * (1 - overcast) + 1.1 * grey * overcast
    clear = nodes.mixed(nodes.ramp(up, 0.0, 0.55), pale * (1.0, day**0.3, day**0.6), blue)
    scale = float(random.uniform(1.5, 4.0))
    stretched = nodes.add("Mapping", {"Vector": way, "Scale": (1.0, 1.0, 2.5)})
    noise = nodes.add("TexNoise", {"Vector": stretched.outputs[0], "Scale": scale, "Detail": 3.0})
    edge = float(random.uniform(0.48, 0.72)) - 0.15 * overcast
    cloud = nodes.mixed(nodes.ramp(noise.outputs[0], edge, edge + 0.18), clear, (0.85, 0.86, 0.88))
    nodes.tree.links.new(cloud, background.inputs["Color"])
    background.inputs["Strength"].default_value = float((1.1 + 0.7 * overcast) * (0.6 + 0.4 * day))
    return background, (pale + blue) / 2.0


def _about(random: np.random.Generator, scene: bpy.types.Scene, reach: float) -> list[Box]:
    """Houses, hedges and trees in a ring beyond the cameras."""
    solids: list[Box] = []
    turns = np.arange(14) / 14 * 2.0 * np.pi + random.uniform(0.0, 1.0)
    for turn in turns:
        kind = random.uniform()
        if kind < 0.35:
            continue
        far = reach + random.uniform(4.0, 25.0)
        place = (float(far * np.cos(turn)), float(far * np.sin(turn)), 0.0)
        if kind < 0.65:
            wide, deep, tall = (
                random.uniform(2.0, 6.0),
                random.uniform(2.0, 4.0),
                random.uniform(3.0, 12.0),
            )
            _house(random, scene, place, turn, (wide, deep, tall))
        else:
            _tree(random, scene, place, float(random.uniform(2.5, 7.0)))
    return solids


def _house(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    place: tuple[float, float, float],
    turn: float,
    size: tuple[float, float, float],
) -> None:
    """A block with windows on the side that looks at the middle."""
    wide, deep, tall = size
    add_boxes(
        scene,
        "House",
        [((0.0, -wide, 0.0), (2 * deep, wide, tall))],
        plain(random, "Facade", _FACADES),
        turn,
        place,
    )
    across, up = np.arange(-wide + 0.8, wide - 1.0, 2.0), np.arange(0.9, tall - 1.4, 2.7)
    windows = [((-0.03, y, z), (0.02, y + 1.0, z + 1.4)) for y in across for z in up]
    if windows:
        add_boxes(
            scene, "Windows", windows, plain(random, "Glass", ("#2d3442", "#5b6f8f")), turn, place
        )


def _tree(
    random: np.random.Generator,
    scene: bpy.types.Scene,
    place: tuple[float, float, float],
    tall: float,
) -> None:
    """A trunk, and a crown of a few lumps."""
    trunk = [((-0.12, -0.12, 0.0), (0.12, 0.12, 0.6 * tall))]
    add_boxes(scene, "Trunk", trunk, plain(random, "Bark", ("#4a3426", "#5b4a3a")), 0.0, place)
    leaves = plain(random, "Leaves", _LEAVES)
    mesh = bpy.data.meshes.new("Crown")
    places, faces = [], []
    turn, rise = np.linspace(0, 2 * np.pi, 10, endpoint=False), np.linspace(-1.5, 1.5, 6)
    for number in range(5):
        middle = random.normal((0.0, 0.0, 0.7 * tall), 0.16 * tall)
        radius = 0.22 * tall * random.uniform(0.7, 1.2)
        ball = np.stack(
            [
                np.outer(np.cos(rise), np.cos(turn)),
                np.outer(np.cos(rise), np.sin(turn)),
                np.outer(np.sin(rise), np.ones(10)),
            ],
            axis=-1,
        ).reshape(-1, 3)
        places.append(middle + radius * ball * random.uniform(0.85, 1.15, (60, 1)))
        ring = np.arange(10)
        for row in range(5):
            one, two = row * 10 + ring, row * 10 + np.roll(ring, -1)
            faces.append(60 * number + np.stack([one, two, two + 10, one + 10], axis=-1))
    mesh.from_pydata(np.concatenate(places).tolist(), [], np.concatenate(faces).tolist())
    mesh.materials.append(leaves)
    item = bpy.data.objects.new("Crown", mesh)
    item.location = place
    scene.collection.objects.link(item)
