"""Films from pictures, through the FFmpeg inside Blender: no other program is needed."""

from collections.abc import Sequence
from pathlib import Path

import bpy

from ..rig.errors import SceneError

__all__ = ["encode_video"]


def encode_video(pictures: Sequence[Path], path: Path, fps: float, size: tuple[int, int]) -> None:
    """Encode pictures as H.264 in MP4.

    Args:
        pictures: files of one folder, in their order.
        path: of the film.
        fps: pictures a second.
        size: width and height in pixels, both even.

    Raises:
        SceneError: this Blender was built without FFmpeg.
    """
    if not bpy.app.build_options.codec_ffmpeg:
        raise SceneError("this Blender can't write films (built without FFmpeg); use another build")
    scene = bpy.data.scenes.new("PALLAS film")
    try:
        _splice(scene, pictures)
        _settings(scene, path, fps, size)
        bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)


def _splice(scene: bpy.types.Scene, pictures: Sequence[Path]) -> None:
    """One strip with all pictures, one a frame."""
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image("film", str(pictures[0]), channel=1, frame_start=1)
    for picture in pictures[1:]:
        strip.elements.append(picture.name)
    scene.frame_start, scene.frame_end = 1, len(pictures)


def _settings(scene: bpy.types.Scene, path: Path, fps: float, size: tuple[int, int]) -> None:
    """The pictures as they are, in a file that every browser plays."""
    render = scene.render
    render.resolution_x, render.resolution_y = size
    render.fps = max(round(fps), 1)
    render.fps_base = render.fps / fps
    render.use_sequencer = True
    render.use_file_extension = False
    render.filepath = str(path)
    if hasattr(render.image_settings, "media_type"):  # since 5.0 films are a kind of their own
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format = "MPEG4"
    render.ffmpeg.codec = "H264"
    render.ffmpeg.constant_rate_factor = "HIGH"
    render.ffmpeg.audio_codec = "NONE"
    scene.view_settings.view_transform = "Standard"  # the pictures are developed already
