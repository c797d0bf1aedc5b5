"""How far every measured marker is from its place on the model: curves for the Graph Editor, and colours.

Blender draws empties in the colours of its theme, whatever their object colour. So colours are shown on small
balls, one on every empty; they show in solid views that are set to object colours, and in pictures.
"""

from typing import Final

import bmesh
import bpy
import numpy as np

from ..rig.arrays import Array
from ..rig.errors import SceneError
from .clock import Clock
from .curves import channels_of, new_action, new_channels, read_curve, write_curve
from .markers import checked_marker_set, marker_objects, write_hiding

__all__ = [
    "RESIDUAL_PROPERTY",
    "hide_residuals",
    "residual_colours",
    "residuals_shown",
    "show_residuals",
    "write_residuals",
]

RESIDUAL_PROPERTY: Final[str] = "residual_mm"  # custom property of every marker and of their parent
_PATH: Final[str] = f'["{RESIDUAL_PROPERTY}"]'
_BALL: Final[str] = "pallas_residual"  # custom property of a ball
_SHOWN: Final[str] = "pallas_residuals_shown"  # custom property of the markers' parent
_NAME: Final[str] = "PALLAS residual"
_RADIUS: Final[float] = 0.0125  # metres
# Millimetres, and the colour there, linear RGB; between them it is mixed. OpenSim's advice for a good trial:
# no more than 40 mm, and an RMS below 20 mm.
_LEVELS: Final[Array] = np.array([0.0, 10.0, 20.0, 40.0])
_COLOURS: Final[Array] = np.array(
    [[0.02, 0.15, 0.85], [0.03, 0.6, 0.2], [1.0, 0.72, 0.04], [0.85, 0.01, 0.01]]
)


def residual_colours(millimetres: Array) -> Array:
    """Linear RGB (T, 3) of residuals (T,): blue at 0, green at 10, yellow at 20, red from 40 mm on."""
    return np.stack([np.interp(millimetres, _LEVELS, line) for line in _COLOURS.T], axis=-1)


def write_residuals(
    marker_set: bpy.types.Object, names: tuple[str, ...], errors: Array, start: float
) -> None:
    """Key "residual_mm" on every marker, and the mean of those that are seen on their parent.

    Curves of an earlier solve are replaced, and balls that are shown are coloured anew.

    Args:
        marker_set: the parent.
        names: P markers; the others lose the curves that they had.
        errors: (T, P) metres, NaN where there is none.
        start: seconds, time of the first row.
    """
    clock = Clock.of(checked_marker_set(marker_set))
    first = round((start - clock.start) * clock.fps)
    frames = clock.first + clock.step * (first + np.arange(len(errors)))
    items = marker_objects(marker_set)
    shown = residuals_shown(marker_set)
    if shown:
        hide_residuals(marker_set)
    for name, item in items.items():
        column = errors[:, names.index(name)] if name in names else np.full(len(errors), np.nan)
        _write(marker_set, item, frames, 1000.0 * column)
    seen = np.isfinite(errors)
    total = np.where(seen, errors, 0.0).sum(axis=1)
    mean = np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), np.nan)
    _write(marker_set, marker_set, frames, 1000.0 * mean)
    if shown:
        show_residuals(marker_set)


def _write(
    marker_set: bpy.types.Object, item: bpy.types.Object, frames: Array, values: Array
) -> None:
    """Keys of one object, where the value is known."""
    known = np.isfinite(values)
    channels = channels_of(item)
    if not known.any():
        former = None if channels is None else channels.fcurves.find(_PATH)
        if former is not None:
            channels.fcurves.remove(former)
        item.pop(RESIDUAL_PROPERTY, None)
        return
    item[RESIDUAL_PROPERTY] = float(values[known][0])
    item.id_properties_ui(RESIDUAL_PROPERTY).update(
        description="Distance between the measured marker and the model's, millimetres"
    )
    if channels is None:
        channels = new_channels(_action(marker_set), item)
    write_curve(channels, _PATH, 0, frames[known], values[known], group="Residual")


def _action(marker_set: bpy.types.Object) -> bpy.types.Action:
    """The Action in which the markers are keyed."""
    for item in marker_objects(marker_set).values():
        if item.animation_data is not None and item.animation_data.action is not None:
            return item.animation_data.action
    return new_action(f"{marker_set.name} markers")


def residuals_shown(marker_set: bpy.types.Object | None) -> bool:
    """Whether there are balls on the markers."""
    return marker_set is not None and bool(marker_set.get(_SHOWN))


def _balls(marker_set: bpy.types.Object) -> list[bpy.types.Object]:
    return [ball for item in marker_set.children for ball in item.children if _BALL in ball]


def show_residuals(marker_set: bpy.types.Object) -> int:
    """Put a ball on every marker that has residuals, coloured by them over time.

    Returns:
        How many there are.

    Raises:
        SceneError: no marker has residuals.
    """
    curves = {}
    for name, item in marker_objects(checked_marker_set(marker_set)).items():
        channels = channels_of(item)
        curve = None if channels is None else channels.fcurves.find(_PATH)
        if curve is not None:
            curves[name] = read_curve(curve)
    if not curves:
        raise SceneError(f"the markers of {marker_set.name!r} have no residuals; solve first")
    hide_residuals(marker_set)
    mesh = _ball_mesh()
    clock = Clock.of(marker_set)
    samples = [clock.samples(points[:, 0]) for points in curves.values()]
    first = min(int(numbers[0]) for numbers in samples)
    count = max(int(numbers[-1]) for numbers in samples) - first + 1
    frames = clock.first + clock.step * (first + np.arange(count))
    for (name, points), numbers in zip(curves.items(), samples, strict=True):
        ball = _ball(mesh, marker_objects(marker_set)[name])
        channels = new_channels(_action(marker_set), ball)
        colours = residual_colours(points[:, 1])
        for column in range(3):
            write_curve(
                channels, "color", column, points[:, 0], colours[:, column], group="Residual"
            )
        seen = np.zeros(count, dtype=bool)
        seen[numbers - first] = True
        write_hiding(channels, frames, seen)
    marker_set[_SHOWN] = 1
    return len(curves)


def hide_residuals(marker_set: bpy.types.Object) -> None:
    """Take the balls away; the curves stay."""
    marker_set.pop(_SHOWN, None)
    for ball in _balls(marker_set):
        mesh, animation = ball.data, ball.animation_data
        if animation is not None and animation.action is not None:
            animation.action.slots.remove(animation.action_slot)
        bpy.data.objects.remove(ball)
        if mesh.users == 0:
            materials = list(mesh.materials)
            bpy.data.meshes.remove(mesh)
            for material in materials:
                if material.users == 0:
                    bpy.data.materials.remove(material)


def _ball(mesh: bpy.types.Mesh, item: bpy.types.Object) -> bpy.types.Object:
    ball = bpy.data.objects.new(f"{item.name} residual", mesh)
    ball[_BALL] = 1
    ball.parent = item
    for collection in item.users_collection:
        collection.objects.link(ball)
    return ball


def _ball_mesh() -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(_NAME)
    shape = bmesh.new()
    bmesh.ops.create_icosphere(shape, subdivisions=2, radius=_RADIUS)
    shape.to_mesh(mesh)
    shape.free()
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    mesh.materials.append(_object_colour())
    return mesh


def _object_colour() -> bpy.types.Material:
    """A material in the colour of the object that wears it."""
    material = bpy.data.materials.new(_NAME)
    if material.node_tree is None:  # 5.0 gives every material nodes and deprecates the switch
        material.use_nodes = True
    tree = material.node_tree
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = 0.5
    colour = tree.nodes.new("ShaderNodeObjectInfo").outputs["Color"]
    tree.links.new(colour, shader.inputs["Base Color"])
    return material
