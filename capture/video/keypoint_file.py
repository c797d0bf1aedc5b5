"""Our keypoint file: a COCO data set of one clip, which also says frame rate, layout and detector.

    {"info": {"description": "PALLAS keypoints", "version": 1, "fps": 60.0, "layout": "mediapipe_33", …},
     "images": [{"id": 0, "width": 1080, "height": 1920}, …],
     "annotations": [{"id": 0, "image_id": 0, "category_id": 1, "track_id": 0, "keypoints": [x, y, c, …]}, …],
     "categories": [{"id": 1, "name": "person", "keypoints": ["Nose", …], "skeleton": [[1, 2], …]}]}

Positions are pixels, confidence is the detector's, from 0 to 1 (COCO's own files have 0, 1 or 2 there),
0, 0, 0 is missing; `track_id` is the person, the same over time. COCO's readers read it as it is.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...rig.errors import FormatError
from ..keypoints.keypoints import Keypoints
from ..keypoints.layout import LAYOUTS, Layout, layout_of_names
from ..keypoints.people_table import number, row_of, split_row
from ..output import new_file

__all__ = ["is_own_keypoints", "parse_own_keypoints", "write_keypoints"]

_OURS: Final = "PALLAS keypoints"
_VERSION: Final = 1
_MOST_FRAMES: Final = 2_000_000
_MOST_PEOPLE: Final = 64
_MOST_NUMBERS: Final = 200_000_000


def write_keypoints(
    path: Path | str,
    keypoints: Keypoints,
    about: Mapping[str, Any] | None = None,
    *,
    force: bool = False,
) -> None:
    """Write keypoints of pictures.

    Args:
        path: of the new file.
        keypoints: (T, P, K, 2) in pixels.
        about: more for "info", as the detector's name.
        force: replace what is there.

    Raises:
        OutputError: it can't be written.
        FormatError: they are points in space.
    """
    if keypoints.spatial:
        raise FormatError("these are points in space; this file is for keypoints of pictures")
    text = json.dumps(_document(keypoints, about or {}), separators=(",", ":"))
    with new_file(path, force=force) as temporary:
        temporary.write_text(text.replace('},{"id"', '},\n{"id"') + "\n", encoding="utf-8")


def _document(keypoints: Keypoints, about: Mapping[str, Any]) -> dict[str, Any]:
    layout = keypoints.layout
    width, height = keypoints.image_size or (None, None)
    size = {} if width is None else {"width": width, "height": height}
    numbers = range(keypoints.start, keypoints.start + len(keypoints))
    rows = np.concatenate([keypoints.positions, keypoints.confidence[..., None]], axis=-1)
    rows = np.where(keypoints.seen[..., None], rows, 0.0).round(3)
    people = [(t, p) for t, p in np.argwhere(keypoints.seen.any(axis=-1)).tolist()]
    return {
        "info": {
            "description": _OURS, "version": _VERSION, "fps": keypoints.fps, "layout": layout.key,
            "name": keypoints.name, "people": keypoints.people, **about,
        },
        "images": [{"id": number, **size} for number in numbers],
        "annotations": [
            {
                "id": k, "image_id": numbers[t], "category_id": 1, "track_id": p,
                "keypoints": rows[t, p].ravel().tolist(),
                "score": round(float(keypoints.confidence[t, p].mean()), 4),
            }
            for k, (t, p) in enumerate(people)
        ],
        "categories": [
            {
                "id": 1, "name": "person", "keypoints": list(layout.names),
                "skeleton": [[a + 1, b + 1] for a, b in layout.limbs],
            }
        ],
    }  # fmt: skip


def is_own_keypoints(document: Any) -> bool:  # noqa: ANN401  JSON
    """Whether a JSON document is one of ours."""
    info = document.get("info") if isinstance(document, dict) else None
    return isinstance(info, dict) and info.get("description") == _OURS


def parse_own_keypoints(document: Any, layout: Layout | None = None) -> Keypoints:  # noqa: ANN401  JSON
    """Keypoints of a document that `write_keypoints` wrote.

    Raises:
        FormatError: it is of a later version or damaged.
    """
    info = document["info"]
    if info.get("version") != _VERSION:
        raise FormatError(
            f"it is of version {str(info.get('version'))[:20]}; this PALLAS reads {_VERSION}"
        )
    layout = layout or _layout(document)
    images = _rows(document, "images")
    annotations = _rows(document, "annotations")
    frames = [_whole(image.get("id"), "an image's id") for image in images]
    if not frames:
        raise FormatError("it has no images")
    first, last = min(frames), max(frames)
    people = [_whole(one.get("track_id"), "a track_id") for one in annotations]
    most = max([*people, _whole(info.get("people", 0), "the number of people") - 1, 0]) + 1
    count = last - first + 1
    if count > _MOST_FRAMES or most > _MOST_PEOPLE or count * most * len(layout) > _MOST_NUMBERS:
        raise FormatError(f"{count} frames of {most} people are more than a recording has")
    table = np.zeros((count, most, len(layout), 3))
    for one, person in zip(annotations, people, strict=True):
        frame = _whole(one.get("image_id"), "an image_id")
        if not first <= frame <= last:
            raise FormatError(f"somebody is in frame {frame}; there are frames {first} to {last}")
        rows = split_row(row_of(one.get("keypoints"), "a person").ravel(), 3, "a person")
        if len(rows) != len(layout):
            raise FormatError(f"people have {len(rows)} keypoints; {layout.key} has {len(layout)}")
        table[frame - first, person] = rows
    fps = None if info.get("fps") is None else number(info["fps"], "the frame rate")
    if fps is not None and not 0.0 < fps < 1e5:
        raise FormatError(f"the frame rate is {fps:g}; expected above 0")
    return Keypoints(
        layout,
        table[..., :2],
        np.maximum(table[..., 2], 0.0),
        fps,
        _size(images),
        _name(info),
        first,
    )


def _layout(document: Any) -> Layout:  # noqa: ANN401  JSON
    key = document["info"].get("layout")
    if isinstance(key, str) and key in LAYOUTS:
        return LAYOUTS[key]
    categories = document.get("categories")
    names = categories[0].get("keypoints") if _dicts(categories) and categories else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FormatError(f"its layout is {str(key)[:40]!r}, and it names no keypoints")
    return layout_of_names(names)


def _dicts(rows: Any) -> bool:  # noqa: ANN401  JSON
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _rows(document: Any, key: str) -> list[dict[str, Any]]:  # noqa: ANN401  JSON
    rows = document.get(key)
    if not _dicts(rows):
        raise FormatError(f"its {key!r} is no list of tables; the file is damaged")
    return list(rows)


def _whole(value: Any, what: str) -> int:  # noqa: ANN401  JSON
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**9:
        raise FormatError(f"{what} is {str(value)[:40]!r}; expected a whole number from 0")
    return value


def _name(info: Mapping[str, Any]) -> str:
    name = info.get("name")
    return name if isinstance(name, str) else ""


def _size(images: list[dict[str, Any]]) -> tuple[int, int] | None:
    """Width and height, if all images have the same."""
    sizes = {(str(image.get("width")), str(image.get("height"))) for image in images}
    width, height = images[0].get("width"), images[0].get("height")
    good = all(
        isinstance(s, int) and not isinstance(s, bool) and 0 < s < 10**6 for s in (width, height)
    )
    return (int(width), int(height)) if good and len(sizes) == 1 else None  # type: ignore[arg-type]
