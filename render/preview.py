"""Pictures of a take: a sheet of a few frames side by side, and a small film."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import bpy
import numpy as np
from mathutils import Matrix

from ..capture.output import new_file
from ..scene.sensors import add_sensors, sensors_of
from .course import Course, read_course, take_span
from .stage import Stage, open_stage
from .video import encode_video

__all__ = ["render_preview", "render_sheet"]

_SPACING: Final[float] = 1.15  # metres between the figures of a sheet
_TALL: Final[float] = 2.3  # metres from the bottom of a picture to its top, and
_HEADROOM: Final[float] = 0.55  # metres that it has more than the figure: floor and air
_SHEET_FAR: Final[float] = 26.0  # metres to the camera: far, so that all are seen from one side
_FILM_FAR: Final[float] = 7.0
_SENSOR: Final[float] = 36.0  # millimetres, width of Blender's camera
_THREE_QUARTERS: Final[float] = np.radians(52.0)  # how far a figure looks past the camera


def render_sheet(
    path: Path | str,
    armature_object: bpy.types.Object,
    *,
    frames: int = 8,
    height: int = 480,
    samples: int = 28,
    force: bool = False,
) -> None:
    """Render frames of the armature's action side by side into one PNG, evenly over its time.

    Args:
        path: of the PNG.
        armature_object: an animated character on a rig whose bone names are known.
        frames: how many figures stand in the row.
        height: of the picture in pixels; its width follows from `frames`.
        samples: Cycles samples a pixel, before denoising.
        force: replace a file that is there.

    Raises:
        SceneError: no armature, it has no action, or unknown bones.
        OutputError: the file is there already, or can't be written.
    """
    moments = np.linspace(*take_span(armature_object), frames)
    spread = 0.75 * frames
    with (
        new_file(path, force=force) as temporary,
        open_stage(_figure(armature_object), spread=spread, samples=samples) as stage,
    ):
        wardrobe = _dressed(stage, armature_object)
        course = read_course(stage, armature_object, moments)
        for index, moment in enumerate(moments):
            slot = (index - 0.5 * (frames - 1)) * _SPACING
            _freeze(stage, wardrobe, moment, _to_slot(course, index, slot))
        for item in wardrobe:
            stage.scene.collection.objects.unlink(item)
        tall = _tall(course)
        wide = frames * _SPACING + 0.3
        _frame_picture(stage, (round(height * wide / tall), height), wide, _SHEET_FAR)
        stage.look(tall / 2 - 0.24, _SHEET_FAR, 3.2)
        _shoot(stage, temporary)


def render_preview(
    path: Path | str,
    armature_object: bpy.types.Object,
    *,
    fps: float = 12.0,
    size: tuple[int, int] = (320, 256),
    samples: int = 6,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Render the armature's action as a small H.264 film at the speed it plays in the current scene.

    Args:
        path: of the film, ending in .mp4.
        armature_object: an animated character on a rig whose bone names are known.
        fps: pictures a second.
        size: width and height in pixels, both even.
        samples: Cycles samples a pixel, before denoising.
        force: replace a file that is there.
        progress: called with the number of pictures done, and of all.

    Raises:
        SceneError: no armature, it has no action, or unknown bones.
        OutputError: the file is there already, or can't be written.
    """
    first, last = take_span(armature_object)
    render = bpy.context.scene.render
    scene_fps = render.fps / render.fps_base
    moments = first + np.arange(int((last - first) / scene_fps * fps + 1e-6) + 1) * scene_fps / fps
    with (
        new_file(path, force=force) as temporary,
        tempfile.TemporaryDirectory() as folder,
        open_stage(_figure(armature_object), samples=samples) as stage,
    ):
        _dressed(stage, armature_object)
        course = read_course(stage, armature_object, moments)
        tall = _tall(course)
        _frame_picture(stage, size, tall * size[0] / size[1], _FILM_FAR)
        stage.look(tall / 2 - 0.24, _FILM_FAR, 0.9)
        stage.dolly.rotation_euler.z = course.facing + np.pi / 2 - _THREE_QUARTERS
        track = course.calm_track(1.0 / fps)
        for index, moment in enumerate(moments):
            stage.dolly.location = (*track[index], 0.0)
            stage.frame_at(moment)
            _shoot(stage, Path(folder) / f"{index:05d}.png")
            if progress is not None:
                progress(index + 1, len(moments))
        encode_video(sorted(Path(folder).glob("*.png")), temporary, fps, size)


def _figure(armature_object: bpy.types.Object) -> list[bpy.types.Object]:
    """The armature and what hangs on it."""
    return [armature_object, *armature_object.children_recursive]


def _dressed(stage: Stage, armature_object: bpy.types.Object) -> list[bpy.types.Object]:
    """Everything of the figure to see, with sensors, which it gets for the render if it has none."""
    if not sensors_of(armature_object):
        add_sensors(armature_object, collection=stage.scene.collection)
    return [item for item in armature_object.children_recursive if item.type == "MESH"]


def _to_slot(course: Course, index: int, slot: float) -> Matrix:
    """Turn and move one moment of the course so that it stands at x = `slot` in the row."""
    turn = Matrix.Rotation(_THREE_QUARTERS - np.pi / 2 - course.facing, 4, "Z")
    to_origin = Matrix.Translation((*-course.places[index], 0.0))
    return Matrix.Translation((slot, 0.0, 0.0)) @ turn @ to_origin


def _freeze(stage: Stage, wardrobe: list[bpy.types.Object], moment: float, to_slot: Matrix) -> None:
    """Leave a copy of the figure as it is at one frame."""
    evaluated = stage.frame_at(moment)
    for item in wardrobe:
        posed = item.evaluated_get(evaluated)
        mesh = bpy.data.meshes.new_from_object(posed, depsgraph=evaluated)
        copy = bpy.data.objects.new(item.name, mesh)
        copy.matrix_world = to_slot @ posed.matrix_world
        stage.scene.collection.objects.link(copy)


def _tall(course: Course) -> float:
    """Metres that a picture shows from bottom to top: a jump or a raised arm stays inside."""
    return max(_TALL, course.top + _HEADROOM)


def _frame_picture(stage: Stage, size: tuple[int, int], wide: float, far: float) -> None:
    """Choose the lens that sees `wide` metres at `far` metres."""
    stage.scene.render.resolution_x, stage.scene.render.resolution_y = size
    stage.camera.data.sensor_fit = "HORIZONTAL"
    stage.camera.data.sensor_width = _SENSOR
    stage.camera.data.lens = _SENSOR * far / wide


def _shoot(stage: Stage, path: Path) -> None:
    """Render the stage's present frame."""
    stage.scene.render.use_file_extension = False
    stage.scene.render.filepath = str(path)
    # Without the override Blender would render the stage at the frame of the user's scene.
    with bpy.context.temp_override(scene=stage.scene):
        bpy.ops.render.render(write_still=True, scene=stage.scene.name)
