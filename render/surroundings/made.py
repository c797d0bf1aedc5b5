"""What every kind of surroundings is made with: boxes, planes, lamps and the world's light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ..shading import Nodes

__all__ = ["Surroundings", "add_boxes", "add_lamp", "add_plane", "new_world"]

Box = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Surroundings:
    """What was built.

    Attributes:
        kind: of surroundings.
        about: what was drawn, as plain values.
        solids: boxes (x, y, half x, half y, height) in metres that stand on the floor.
    """

    kind: str
    about: Mapping[str, Any] = field(default_factory=dict)
    solids: Sequence[Box] = ()


def add_boxes(
    scene: bpy.types.Scene,
    name: str,
    boxes: Sequence[tuple[Sequence[float], Sequence[float]]],
    material: bpy.types.Material,
    turn: float = 0.0,
    place: Sequence[float] = (0.0, 0.0, 0.0),
) -> bpy.types.Object:
    """Boxes as one mesh object, each from its lowest to its highest corner, metres."""
    corners = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=float)
    sides = np.array(
        [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
    )
    places, faces = [], []
    for number, (low, high) in enumerate(boxes):
        places.append(np.asarray(low) + corners * (np.asarray(high) - np.asarray(low)))
        faces.append(sides + 8 * number)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.concatenate(places).tolist(), [], np.concatenate(faces).tolist())
    mesh.materials.append(material)
    item = bpy.data.objects.new(name, mesh)
    item.location, item.rotation_euler = place, (0.0, 0.0, turn)
    scene.collection.objects.link(item)
    return item


def add_plane(
    scene: bpy.types.Scene,
    name: str,
    corners: Sequence[Sequence[float]],
    material: bpy.types.Material,
) -> bpy.types.Object:
    """One quad (4, 3), metres."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(corner) for corner in corners], [], [(0, 1, 2, 3)])
    mesh.materials.append(material)
    item = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(item)
    return item


def add_lamp(
    scene: bpy.types.Scene,
    kind: str,
    place: Sequence[float],
    target: Sequence[float],
    energy: float,
    size: float,
    colour: Sequence[float] = (1.0, 1.0, 1.0),
) -> bpy.types.Object:
    """A lamp that shines at a target.

    Args:
        scene: where it goes.
        kind: "AREA", "SUN" or "POINT".
        place: (3,) metres.
        target: (3,) metres.
        energy: watts; of a sun W/m2.
        size: metres; of a sun radians.
        colour: linear RGB.
    """
    data = bpy.data.lights.new(f"{kind.title()} lamp", kind)
    data.energy, data.color = energy, colour
    if kind == "AREA":
        data.size = size
    elif kind == "SUN":
        data.angle = size
    else:
        data.shadow_soft_size = size
    item = bpy.data.objects.new(data.name, data)
    item.location = place
    item.rotation_euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(item)
    return item


def new_world(scene: bpy.types.Scene, name: str) -> tuple[Nodes, bpy.types.Node]:
    """A new world for the scene: its nodes, and the background that gives the light."""
    world = bpy.data.worlds.new(name)
    scene.world = world
    if world.node_tree is None:  # 5.0 gives every world nodes and deprecates the switch
        world.use_nodes = True
    world.cycles.sampling_method = "NONE"  # to look for bright places costs more than a frame
    background = next(n for n in world.node_tree.nodes if n.type == "BACKGROUND")
    return Nodes(world.node_tree), background
