"""The clip behind a camera: each of its frames at its own time, whatever the scene's frame rate is."""

from pathlib import Path
from typing import NamedTuple

import bpy

from ..rig.errors import FormatError
from .clock import scene_fps

__all__ = ["Clip", "clip_of", "read_clip", "show_clip"]

_EVEN = 1e-4  # of a frame rate, within which two are the same


class Clip(NamedTuple):
    """What Blender says of a video.

    Attributes:
        size: width and height in pixels, as it is shown.
        fps: frames per second.
        frames: how many.
    """

    size: tuple[int, int]
    fps: float
    frames: int


def read_clip(path: Path) -> Clip:
    """Look into a video; nothing of it stays in the file.

    Raises:
        FormatError: Blender can't read it.
    """
    try:
        clip = bpy.data.movieclips.load(str(path))
    except RuntimeError:
        raise FormatError(f"{path} can't be read as a video; check that it plays") from None
    try:
        found = Clip((clip.size[0], clip.size[1]), float(clip.fps), int(clip.frame_duration))
    finally:
        bpy.data.movieclips.remove(clip)
    if min(found.size) <= 0 or found.frames <= 0 or found.fps <= 0.0:
        raise FormatError(f"{path} holds no picture that Blender can read; convert it to H.264 MP4")
    return found


def show_clip(
    item: bpy.types.Object, path: Path, clip: Clip, first: float, scene: bpy.types.Scene
) -> None:
    """Show a video behind a camera.

    Args:
        item: the camera.
        path: of the video.
        clip: what is known of it.
        first: scene frame, perhaps between two, of the video's first frame.
        scene: its frame rate is taken as it is. Where the video's differs, a driver chooses its frame.
    """
    image = bpy.data.images.load(str(path), check_existing=True)
    data = item.data
    data.show_background_images = True
    behind = data.background_images.new()
    behind.source, behind.image = "IMAGE", image
    behind.alpha, behind.display_depth, behind.frame_method = 1.0, "BACK", "FIT"
    user = behind.image_user
    user.frame_duration, user.use_auto_refresh = clip.frames, True
    user.frame_start, user.frame_offset = round(first), 0
    rate = clip.fps / scene_fps(scene)
    if abs(rate - 1.0) < _EVEN:
        return
    # The user counts from its own start on before it adds the offset.
    user.frame_duration = max(clip.frames, round(clip.frames / rate) + 1)
    place = len(data.background_images) - 1
    driver = data.driver_add(f"background_images[{place}].image_user.frame_offset").driver
    driver.type = "SCRIPTED"
    wanted = f"min(max(round((frame-{first:.6f})*{rate:.9f}),0),{clip.frames - 1})"
    driver.expression = f"{wanted}-min(max(frame-{round(first)},-1),{user.frame_duration - 1})"


def clip_of(item: bpy.types.Object) -> bpy.types.CameraBackgroundImage | None:
    """What is shown behind a camera; None where nothing is."""
    shown = item.data.background_images
    return shown[0] if len(shown) else None
