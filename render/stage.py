"""The stage: a scene of its own with floor, lights and camera, made for a render and taken away after.

The user's scene is never changed: the character is linked into the stage's scene, which has its own
frame rate, camera and render settings.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np
from mathutils import Matrix, Vector

__all__ = ["Stage", "open_stage"]

_BACKDROP: Final[tuple[float, float, float]] = (0.56, 0.58, 0.60)
_FLOOR: Final[tuple[float, float, float]] = (0.42, 0.43, 0.44)
_LINES: Final[tuple[float, float, float]] = (0.25, 0.265, 0.28)
# Name, where it hangs from the subject (metres; camera's right, away from it, up), size, watts, colour.
_LIGHTS: Final = (
    ("Key", (-2.6, -3.0, 4.2), 2.2, 230.0, (1.0, 0.95, 0.88)),
    ("Rim", (2.6, 3.4, 3.4), 1.6, 260.0, (0.82, 0.9, 1.0)),
    ("Fill", (4.0, -2.6, 2.0), 3.5, 40.0, (0.9, 0.95, 1.0)),
)
_AMBIENT: Final[float] = 0.36
_ROW_GAIN: Final[float] = 0.3  # more light for each figure in a row, beside the longer lamp
_FEW: Final[int] = 16  # samples below which speed matters more than the last bit of smoothness
_CHEST: Final[Vector] = Vector((0.0, 0.0, 0.95))  # what the lights aim at


@dataclass(frozen=True)
class Stage:
    """What a render turns: the scene, its camera, and the dolly that carries camera and lights."""

    scene: bpy.types.Scene
    camera: bpy.types.Object
    dolly: bpy.types.Object
    floor: bpy.types.Object

    def frame_at(self, frame: float) -> bpy.types.Depsgraph:
        """Go to a frame, whole or not, and return the evaluated scene."""
        whole = int(np.floor(frame))
        self.scene.frame_set(whole, subframe=frame - whole)
        layer = self.scene.view_layers[0]
        layer.update()
        return layer.depsgraph

    def look(self, height: float, distance: float, rise: float) -> None:
        """Stand the camera `distance` metres before the dolly and `rise` over `height`; look there.

        The floor melts into the backdrop from the subject on.
        """
        fade = self.floor.data.materials[0].node_tree.nodes["Fade"]
        fade.inputs["From Min"].default_value = distance - 0.5
        fade.inputs["From Max"].default_value = distance + 6.0
        place = Vector((0.0, -distance, height + rise))
        away = Vector((0.0, 0.0, height)) - place
        turn = away.to_track_quat("-Z", "Y").to_matrix().to_4x4()
        self.camera.matrix_basis = Matrix.Translation(place) @ turn


@contextmanager
def open_stage(
    subjects: Sequence[bpy.types.Object], *, spread: float = 1.0, samples: int = 32
) -> Iterator[Stage]:
    """Build a stage around objects and take it away at the end, with all it added.

    Args:
        subjects: objects of the file to show.
        spread: how many times wider than one figure the light must reach.
        samples: Cycles samples a pixel, before denoising.
    """
    before = {name: set(getattr(bpy.data, name)) for name in _COLLECTIONS}
    scene = bpy.data.scenes.new("PALLAS stage")
    try:
        for subject in subjects:
            scene.collection.objects.link(subject)
        dolly = _added(scene, "Dolly", None)
        camera = _added(scene, "Camera", bpy.data.cameras.new("PALLAS camera"))
        camera.parent = dolly
        scene.camera = camera
        floor = _added(scene, "Floor", _floor())
        _hang_lights(scene, dolly, spread)
        _light_room(scene)
        _settings(scene, samples)
        yield Stage(scene, camera, dolly, floor)
    finally:
        bpy.data.scenes.remove(scene)
        for name in _COLLECTIONS:
            collection = getattr(bpy.data, name)
            bpy.data.batch_remove(set(collection) - before[name])


# What a stage adds to, objects before the data that they use.
_COLLECTIONS: Final = (
    "objects",
    "meshes",
    "curves",
    "lights",
    "cameras",
    "worlds",
    "materials",
    "images",
)


def _added(scene: bpy.types.Scene, name: str, data: bpy.types.ID | None) -> bpy.types.Object:
    item = bpy.data.objects.new(f"PALLAS {name}", data)
    scene.collection.objects.link(item)
    return item


def _hang_lights(scene: bpy.types.Scene, dolly: bpy.types.Object, spread: float) -> None:
    """Soft key from the camera's left, a cool rim from behind, a weak fill from the right."""
    for name, place, size, watts, colour in _LIGHTS:
        lamp = bpy.data.lights.new(f"PALLAS {name}", "AREA")
        # A row of figures takes a bar of light as long as the row.
        lamp.shape, lamp.size, lamp.size_y = "RECTANGLE", size * spread, size
        lamp.energy, lamp.color = watts * (1.0 + _ROW_GAIN * (spread - 1.0)), colour
        light = _added(scene, name, lamp)
        light.parent = dolly
        hung = Vector(place if spread == 1.0 else (0.0, *place[1:]))
        turn = (_CHEST - hung).to_track_quat("-Z", "Y").to_matrix().to_4x4()
        light.matrix_basis = Matrix.Translation(hung) @ turn


def _light_room(scene: bpy.types.Scene) -> None:
    """Even grey light; the camera sees the backdrop's own brightness."""
    scene.world = bpy.data.worlds.new("PALLAS room")
    if scene.world.node_tree is None:
        scene.world.use_nodes = True
    tree = scene.world.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputWorld")
    background = tree.nodes.new("ShaderNodeBackground")
    path = tree.nodes.new("ShaderNodeLightPath")
    strength = tree.nodes.new("ShaderNodeMapRange")
    strength.inputs["To Min"].default_value = _AMBIENT
    background.inputs["Color"].default_value = (*_BACKDROP, 1.0)
    tree.links.new(path.outputs["Is Camera Ray"], strength.inputs["Value"])
    tree.links.new(strength.outputs["Result"], background.inputs["Strength"])
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])


def _floor() -> bpy.types.Mesh:
    """A wide floor with lines a metre apart that melts into the backdrop."""
    mesh = bpy.data.meshes.new("PALLAS floor")
    corners = [(-150, -150, 0), (150, -150, 0), (150, 150, 0), (-150, 150, 0)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("PALLAS floor")
    if material.node_tree is None:
        material.use_nodes = True
    mesh.materials.append(material)
    tree = material.node_tree
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    surface = tree.nodes.new("ShaderNodeBsdfPrincipled")
    surface.inputs["Roughness"].default_value = 0.55
    backdrop = tree.nodes.new("ShaderNodeEmission")
    backdrop.inputs["Color"].default_value = (*_BACKDROP, 1.0)
    fade = tree.nodes.new("ShaderNodeMapRange")
    fade.name, fade.interpolation_type = "Fade", "SMOOTHSTEP"
    mix = tree.nodes.new("ShaderNodeMixShader")
    view = tree.nodes.new("ShaderNodeCameraData")
    tree.links.new(_metre_lines(tree), surface.inputs["Base Color"])
    tree.links.new(view.outputs["View Distance"], fade.inputs["Value"])
    tree.links.new(fade.outputs["Result"], mix.inputs[0])
    tree.links.new(surface.outputs[0], mix.inputs[1])
    tree.links.new(backdrop.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs["Surface"])
    return mesh


def _metre_lines(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    """Colour of the floor: bricks of one metre without offset, their mortar the lines."""
    place = tree.nodes.new("ShaderNodeNewGeometry")
    bricks = tree.nodes.new("ShaderNodeTexBrick")
    bricks.offset, bricks.squash = 0.0, 1.0
    values = {"Scale": 1.0, "Brick Width": 1.0, "Row Height": 1.0, "Mortar Size": 0.008}
    for name, value in values.items():
        bricks.inputs[name].default_value = value
    for name, colour in (("Color1", _FLOOR), ("Color2", _FLOOR), ("Mortar", _LINES)):
        bricks.inputs[name].default_value = (*colour, 1.0)
    tree.links.new(place.outputs["Position"], bricks.inputs["Vector"])
    return bricks.outputs["Color"]


def _settings(scene: bpy.types.Scene, samples: int) -> None:
    """Cycles on the processor: the one engine that renders without a window or a graphics card."""
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.seed = 0
    # With so few samples, deciding where to spend them costs more than it saves.
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_light_tree = False
    scene.cycles.max_bounces = 1
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.cycles.use_denoising = True
    if samples < _FEW:
        scene.cycles.denoising_quality = "FAST"
        scene.cycles.denoising_prefilter = "NONE"
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
