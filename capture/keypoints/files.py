"""Any file of keypoints, by what is in it: which program wrote it, and in which layout."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ...rig.errors import FileError, FormatError
from ..textfile import naming, read_bytes
from ..video.keypoint_file import is_own_keypoints, parse_own_keypoints
from .coco import is_coco, parse_coco
from .deeplabcut import is_deeplabcut, parse_deeplabcut
from .deeplabcut_hdf import parse_deeplabcut_hdf
from .freemocap import is_npy, parse_freemocap
from .keypoints import Keypoints
from .layout import Layout, named_layout
from .mediapipe import is_mediapipe_json, parse_mediapipe_json
from .mediapipe_csv import is_mediapipe_csv, parse_mediapipe_csv
from .members import Member, is_archive, members
from .mmpose import is_mmpose, parse_mmpose
from .openpose import is_openpose, parse_openpose
from .people_table import parse_json
from .yolo import is_yolo_json, parse_yolo_json, parse_yolo_labels

__all__ = ["KNOWN", "parse_keypoints", "read_keypoints", "read_views"]

KNOWN: Final = (
    "our own JSON, OpenPose's JSON (a folder, zip or tar of frames), COCO results, AlphaPose, MMPose, "
    "MediaPipe (JSON, CSV), FreeMoCap's npy, DeepLabCut's CSV and .h5, YOLO-pose (labels, JSON)"
)
_FRAMES: Final = (".json", ".txt")
_NOWHERE: Final = "frame.json"
_HDF: Final = b"\x89HDF"
_NO_FRAMES: Final = ("classes.txt", "notes.txt", "labels.txt")  # beside YOLO's labels, and none


def read_keypoints(
    path: Path | str,
    *,
    layout: str | None = None,
    fps: float | None = None,
    image_size: tuple[int, int] | None = None,
) -> Keypoints:
    """Read the keypoints of one camera, or of points in space.

    Args:
        path: a file, a folder of frames, or a zip or tar of such a folder.
        layout: key of its layout (`layout.LAYOUTS`), where the data don't tell.
        fps: frames per second, where the file does not say.
        image_size: width and height, where the file has fractions of the picture.

    Raises:
        FileError: it can't be read.
        FormatError: it is damaged, holds no keypoints, or several cameras.
    """
    views = read_views([path], layout=layout, fps=fps, image_size=image_size)
    if len(views) > 1:
        names = ", ".join(view.name for view in views)
        raise FormatError(f"{path} holds {len(views)} cameras ({names[:100]}); expected one")
    return views[0]


def read_views(
    paths: Sequence[Path | str],
    *,
    layout: str | None = None,
    fps: float | None = None,
    image_size: tuple[int, int] | None = None,
) -> tuple[Keypoints, ...]:
    """Read the keypoints of several cameras: a path for each, or one folder that holds them all.

    Args and errors as of `read_keypoints`.
    """
    known = named_layout(layout) if layout is not None else None
    views = [view for path in paths for view in _views(Path(path), known, image_size)]
    if fps is None and image_size is None:
        return tuple(views)
    return tuple(
        replace(
            view, fps=fps if fps is not None else view.fps, image_size=view.image_size or image_size
        )
        for view in views
    )


def _views(path: Path, layout: Layout | None, size: tuple[int, int] | None) -> list[Keypoints]:
    if not path.exists():
        raise FileError(f"{path} does not exist; check the spelling of the path")
    with naming(path):
        if path.is_dir():
            return _folder(path, layout, size)
        content = read_bytes(path)
        if is_archive(content[:512]):
            return _frames(_stem(path), members(path, _FRAMES), layout, size)
        views = parse_keypoints(content, layout, size)
    several = len(views) > 1
    return [
        replace(v, name=f"{path.stem}-{k + 1}" if several else path.stem)
        for k, v in enumerate(views)
    ]


def _stem(path: Path) -> str:
    return path.name.partition(".")[0] if not path.name.startswith(".") else path.stem


def _folder(path: Path, layout: Layout | None, size: tuple[int, int] | None) -> list[Keypoints]:
    """Frames of one camera; or a folder, an archive or a file for each camera."""
    found = members(path, _FRAMES)
    with os.scandir(path) as entries:
        others = [path / e.name for e in entries if not e.name.lower().endswith(_FRAMES)]
    archives = sorted(p for p in others if p.is_file() and is_archive(_start(p)))
    if archives:
        return [view for archive in archives for view in _views(archive, layout, size)]
    return _frames(path.name, found, layout, size)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)


def _frames(
    name: str, every: list[Member], layout: Layout | None, size: tuple[int, int] | None
) -> list[Keypoints]:
    """Cameras, the files of each in a folder of their own; or one camera."""
    groups: dict[str, list[Member]] = defaultdict(list)
    for member in every:
        folder, _, file = member.path.rpartition("/")
        if file.lower() not in _NO_FRAMES:
            groups[folder].append(member)
    if not groups:
        raise FormatError(f"it holds no .json and no .txt of a frame; expected {KNOWN}")
    views = []
    for folder, files in groups.items():
        told = name if len(groups) == 1 else folder.rpartition("/")[2] or name
        found = _camera(told, files, layout, size)
        views += [v if v.name else replace(v, name=told) for v in found]
    return views


def _camera(
    name: str, files: list[Member], layout: Layout | None, size: tuple[int, int] | None
) -> list[Keypoints]:
    frames = [file for file in files if file.path.lower().endswith(".json")]
    if not frames:
        return [parse_yolo_labels(files, size, layout)]
    files = frames
    filled = next((file for file in files if file.content.strip()), files[0])
    with naming(filled.path):
        document = parse_json(filled.content)
    if is_openpose(document):
        return [parse_openpose(files, layout, name)]
    if is_yolo_json(document) or (document == [] and len(files) > 1):
        return [parse_yolo_json(files, layout)]
    views = []
    for file in files:  # a file for each camera
        with naming(file.path):
            views.append(
                replace(_document(parse_json(file.content), file, layout, size), name=file.stem)
            )
    return views


def parse_keypoints(
    content: bytes, layout: Layout | None = None, image_size: tuple[int, int] | None = None
) -> tuple[Keypoints, ...]:
    """Keypoints of the bytes of one file; one for each camera that it holds.

    Raises:
        FormatError: it is damaged, or of no program that is known.
    """
    if is_npy(content):
        return parse_freemocap(content)
    if content.startswith(_HDF):
        return (parse_deeplabcut_hdf(content),)
    text = content.removeprefix(b"\xef\xbb\xbf")
    if text.lstrip()[:1] in (b"{", b"["):
        return (_document(parse_json(text), Member(_NOWHERE, text), layout, image_size),)
    try:
        table = text.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise FormatError(f"it is no text and no known array; expected {KNOWN}") from None
    if is_deeplabcut(table):
        return (parse_deeplabcut(table),)
    if is_mediapipe_csv(table):
        return (parse_mediapipe_csv(table, image_size),)
    raise FormatError(f"it is of no program that is known; expected {KNOWN}")


def _document(
    document: Any,  # noqa: ANN401  JSON
    file: Member,
    layout: Layout | None,
    size: tuple[int, int] | None,
) -> Keypoints:
    if is_openpose(document):
        return parse_openpose([file], layout)
    if is_own_keypoints(document):
        return parse_own_keypoints(document, layout)
    if is_coco(document):
        return parse_coco(document, layout)
    if is_mmpose(document):
        return parse_mmpose(document, layout)
    if is_yolo_json(document):
        return parse_yolo_json([file], layout)
    if is_mediapipe_json(document):
        return parse_mediapipe_json(document, size)
    holds = (
        ", ".join(map(str, document))[:80]
        if isinstance(document, dict)
        else f"{len(document)} things"
    )
    raise FormatError(f"the JSON is of another program (it holds {holds}); expected {KNOWN}")
