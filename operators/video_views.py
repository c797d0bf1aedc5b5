"""The rows of the panel: a camera each, its keypoints, its clip, or both."""

import re
from pathlib import Path
from typing import Final

import bpy
from bpy.props import BoolProperty, CollectionProperty, IntProperty, StringProperty

from ..rig.errors import SceneError
from .common import PallasOperator

__all__ = [
    "KEYPOINT_SUFFIXES",
    "VIDEO_SUFFIXES",
    "PALLAS_OT_add_views",
    "PALLAS_OT_remove_view",
    "add_views",
]

VIDEO_SUFFIXES: Final = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".mts")
KEYPOINT_SUFFIXES: Final = (".json", ".csv", ".npy", ".zip", ".tar", ".xz", ".gz", ".tgz")
_DEPTH: Final = 2  # of folders in a folder that are looked into
_MOST_CAMERAS: Final = 32
_CALIBRATIONS: Final = (".toml", ".qca.txt", ".qca", ".xml")


class PALLAS_OT_add_views(PallasOperator, bpy.types.Operator):
    """Add a row for each chosen clip, file or folder of keypoints: choose several files, or go into a folder and choose none; a calibration among them is taken too"""  # noqa: E501  a tooltip

    bl_idname = "pallas.add_views"
    bl_label = "Add Clips or Keypoints"
    bl_options = {"REGISTER", "UNDO"}

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context, event):
        if self.directory and any(file.name for file in self.files):  # dropped onto the view
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def run(self, context):
        folder = Path(bpy.path.abspath(self.directory))
        chosen = [folder / file.name for file in self.files if file.name] or [folder]
        return add_views(context.scene.pallas.video, chosen)


class PALLAS_OT_remove_view(PallasOperator, bpy.types.Operator):
    """Take a row away; the files stay"""

    bl_idname = "pallas.remove_view"
    bl_label = "Remove"
    bl_options = {"REGISTER", "UNDO"}

    place: IntProperty(default=-1, options={"HIDDEN", "SKIP_SAVE"})
    every: BoolProperty(name="All", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context):
        if not len(context.scene.pallas.video.views):
            cls.poll_message_set("Add clips or keypoints first")
            return False
        return True

    def run(self, context):
        settings = context.scene.pallas.video
        if self.every:
            settings.views.clear()
            return "All rows are gone"
        place = settings.active_view if self.place < 0 else self.place
        if not 0 <= place < len(settings.views):
            raise SceneError("no row is chosen; choose one")
        name = settings.views[place].name
        settings.views.remove(place)
        settings.active_view = min(place, max(len(settings.views) - 1, 0))
        return f"Removed {name}"


def add_views(settings: bpy.types.PropertyGroup, paths: list[Path]) -> str:
    """Add rows for files and folders; a clip and keypoints of the same camera share one.

    Args:
        settings: of the panel.
        paths: clips, keypoints, folders of them, and perhaps a calibration.

    Returns:
        What was added.

    Raises:
        SceneError: a file is none of these.
    """
    found = [one for path in paths for one in _inside(path)]
    strange = [path for path in found if _kind(path) is None]
    if strange or not found:
        what = strange[0].name if strange else paths[0].name
        raise SceneError(
            f"{what!r} is no clip, no keypoints and no calibration; expected "
            f"{', '.join(VIDEO_SUFFIXES)}, {', '.join(KEYPOINT_SUFFIXES)}, a folder of JSON, or .toml"
        )
    for path in found:
        if _kind(path) == "calibration":
            settings.calibration = str(path)
        else:
            _add(settings, path, _kind(path))
    counts = {kind: sum(_kind(path) == kind for path in found) for kind in ("clip", "keypoints")}
    named = [f"{n} {kind}{'s' * (kind == 'clip' and n != 1)}" for kind, n in counts.items() if n]
    if any(_kind(path) == "calibration" for path in found):
        named.append("a calibration")
    return f"Added {' and '.join(named)}"


def _add(settings: bpy.types.PropertyGroup, path: Path, kind: str) -> None:
    """Into the row of the same camera that lacks just this, else into a new one."""
    numbers = _numbers(path.name)
    row = next(
        (
            row
            for row in settings.views
            if not getattr(row, kind) and numbers and _numbers(row.name) == numbers
        ),
        None,
    )
    if row is None:
        row = settings.views.add()
        row.name = _stem(path.name)
        settings.active_view = len(settings.views) - 1
    setattr(row, kind, str(path))


def _inside(path: Path, depth: int = _DEPTH) -> list[Path]:
    """The path, or of a folder of cameras what is in it, also in folders of its own."""
    if not path.is_dir():
        return [path]
    children = sorted(child for child in path.iterdir() if not child.name.startswith("."))
    if _holds_frames(children):
        return [path]
    files = [child for child in children if child.is_file() and _kind(child) is not None]
    folders = [child for child in children if child.is_dir()] if depth else []
    return [*files, *(one for folder in folders for one in _inside(folder, depth - 1))]


def _holds_frames(children: list[Path]) -> bool:
    """Whether a folder holds the frames of one camera: more text than one file for each camera."""
    frames = [child for child in children if child.suffix.lower() in (".json", ".txt")]
    return len(frames) > _MOST_CAMERAS or (bool(frames) and len(frames) == len(children))


def _kind(path: Path) -> str | None:
    name = path.name.lower()
    if path.is_dir():
        return "keypoints"
    if name.endswith(VIDEO_SUFFIXES):
        return "clip"
    if name.endswith(_CALIBRATIONS):
        return "calibration"
    return "keypoints" if name.endswith(KEYPOINT_SUFFIXES) else None


def _stem(name: str) -> str:
    return name.partition(".")[0] or name


def _numbers(name: str) -> tuple[int, ...]:
    """The numbers in a name: cam1_json and cam01.mp4 are of one camera."""
    return tuple(int(number) for number in re.findall(r"\d{1,6}", _stem(name)))
