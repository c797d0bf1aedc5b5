"""The plainest people, surroundings and cameras that a clip can have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np

from ...rig.arrays import Array
from ...scene.character import add_character
from .draws import between
from .spec import Spec

__all__ = ["CameraPath", "Person", "add_person", "add_surroundings", "camera_path"]


@dataclass(frozen=True)
class Person:
    """One figure at rest, at the origin, facing -Y.

    Attributes:
        armature: with its bones.
        meshes: what is skinned to it or hangs on it, the body first.
        body: name of the body.
        parameters: numbers that made the body.
        look: what it wears, as plain values.
    """

    armature: bpy.types.Object
    meshes: tuple[bpy.types.Object, ...]
    body: str
    parameters: Mapping[str, float] = field(default_factory=dict)
    look: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CameraPath:
    """Where a camera is at M moments: places (M, 3) metres, what it looks at (M, 3), and its lens."""

    places: Array
    targets: Array
    lens: float


def add_person(random: np.random.Generator, spec: Spec, collection: bpy.types.Collection) -> Person:
    """The embedded character in a suit of a drawn colour."""
    armature = add_character("Person", collection)
    meshes = tuple(item for item in armature.children_recursive if item.type == "MESH")
    colour = [float(c) for c in random.uniform(0.02, 0.7, 3)]
    shader = next(
        n for n in meshes[0].data.materials[0].node_tree.nodes if n.type == "BSDF_PRINCIPLED"
    )
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    return Person(armature, meshes, "embedded", {"height": 1.70}, {"suit": colour})


def add_surroundings(
    random: np.random.Generator, spec: Spec, scene: bpy.types.Scene
) -> dict[str, Any]:
    """A floor, even light from around and one lamp."""
    mesh = bpy.data.meshes.new("Floor")
    mesh.from_pydata([(-20, -20, 0), (20, -20, 0), (20, 20, 0), (-20, 20, 0)], [], [(0, 1, 2, 3)])
    scene.collection.objects.link(bpy.data.objects.new("Floor", mesh))
    world = bpy.data.worlds.new("World")
    scene.world = world
    if world.node_tree is None:
        world.use_nodes = True
    background = next(n for n in world.node_tree.nodes if n.type == "BACKGROUND")
    background.inputs["Color"].default_value = (*random.uniform(0.5, 1.0, 3), 1.0)
    lamp = bpy.data.lights.new("Sun", "SUN")
    lamp.energy = between(random, (1.5, 4.0))
    light = bpy.data.objects.new("Sun", lamp)
    light.rotation_euler = (between(random, (0.2, 1.0)), 0.0, between(random, (0.0, 6.28)))
    scene.collection.objects.link(light)
    return {"kind": "plain"}


def camera_path(
    random: np.random.Generator, spec: Spec, view: int, centres: Array, fps: float
) -> CameraPath:
    """Around the people at a drawn distance, slowly; a rig's cameras evenly around them."""
    count = len(centres)
    angle = between(random, (0.0, 2.0 * np.pi))
    around = angle + np.linspace(0.0, between(random, (-0.6, 0.6)), count)
    distance, height = between(random, spec.camera.distance), between(random, spec.camera.height)
    middle = centres.mean(axis=0)
    offset = np.stack([np.cos(around), np.sin(around), np.zeros(count)], axis=-1)
    places = middle * (1.0, 1.0, 0.0) + distance * offset + np.array([0.0, 0.0, height])
    targets = np.repeat(middle[None], count, axis=0)
    return CameraPath(places, targets, between(random, spec.camera.lens))
