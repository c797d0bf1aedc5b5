"""YOLO-pose: labels as text, one file for each frame, or the JSON of its results.

A line is `class x y w h  px py (v)  px py (v) … (confidence) (track)`, all as fractions of the picture,
whose size the user has to say. The JSON (`Results.to_json`) has `{"keypoints": {"x": […], "y": […],
"visible": […]}}` in pixels.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..textfile import numbers
from .keypoints import Keypoints
from .layout import Layout
from .members import Member
from .openpose import frame_numbers
from .people_table import Seen, collected, parse_json, row_of

__all__ = ["is_yolo_json", "parse_yolo_json", "parse_yolo_labels"]

_BOX: Final = 5  # class, x, y, width, height
_COUNTS: Final = (17, 26, 133, 33)  # what models are trained for; 17 nearly always
_LAYOUTS: Final = ("coco_17", "halpe_26", "coco_133", "mediapipe_33")


def is_yolo_json(document: Any) -> bool:  # noqa: ANN401  JSON
    """Whether a JSON document holds the results of one picture."""
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and isinstance(first.get("keypoints"), dict)


def parse_yolo_labels(
    files: Sequence[Member], image_size: tuple[int, int] | None, layout: Layout | None = None
) -> Keypoints:
    """Keypoints of the label files of one camera, a frame each.

    Raises:
        FormatError: no image size is told, or a line is none of YOLO-pose.
    """
    if image_size is None:
        raise FormatError(
            "YOLO's labels are fractions of the picture; give its width and height, as --image-size 1920x1080"
        )
    places = frame_numbers([file.stem for file in files])
    people = [
        Seen(place, points)
        for place, file in zip(places, files, strict=True)
        for points in _labels(file, image_size, layout)
    ]
    return collected(people, layouts=_LAYOUTS, layout=layout, frames=places, image_size=image_size)


def _labels(file: Member, image_size: tuple[int, int], layout: Layout | None) -> Iterator[Array]:
    lines = file.content.decode("utf-8", "replace").splitlines()
    for line, text in enumerate(lines, start=1):
        fields = text.split()
        if not fields:
            continue
        try:
            values = numbers(fields)[_BOX:]
            points = _shaped(values, layout)
        except ValueError as error:
            raise FormatError(f"{file.path}, line {line}: {error}") from None
        points[:, :2] *= image_size
        yield points


def _shaped(values: Array, layout: Layout | None) -> Array:
    """(K, 3): the values after the box, with a confidence and a track behind them or not."""
    counts = _COUNTS if layout is None else (len(layout),)
    for count in counts:
        for width in (3, 2):
            if count * width <= len(values) <= count * width + 2:
                points = values[: count * width].reshape(count, width).copy()
                return points if width == 3 else np.column_stack([points, np.ones(count)])
    raise FormatError(
        f"found {len(values)} numbers after the box; expected 2 or 3 for each of {counts[0]} keypoints"
    )


def parse_yolo_json(files: Sequence[Member], layout: Layout | None = None) -> Keypoints:
    """Keypoints of results as JSON, a picture each.

    Raises:
        FormatError: a person lacks what it needs.
    """
    places = frame_numbers([file.stem for file in files]) if len(files) > 1 else [0]
    people = []
    for place, file in zip(places, files, strict=True):
        document = parse_json(file.content)
        if not isinstance(document, list):
            raise FormatError(f"{file.path} has no list of people; expected results of YOLO-pose")
        people += [Seen(place, _person(one)) for one in document]
    return collected(people, layouts=_LAYOUTS, layout=layout, frames=places)


def _person(one: Any) -> Array:  # noqa: ANN401  JSON
    table = one.get("keypoints") if isinstance(one, dict) else None
    if not isinstance(table, dict) or not {"x", "y"} <= set(table):
        raise FormatError("a person has no keypoints with x and y; expected results of YOLO-pose")
    x, y = row_of(table["x"], "x"), row_of(table["y"], "y")
    sure = row_of(table["visible"], "visible") if "visible" in table else np.ones_like(x)
    if not (x.shape == y.shape == sure.shape and x.ndim == 1):
        raise FormatError(
            f"a person has {x.size} x, {y.size} y and {sure.size} visible; expected as many"
        )
    return np.column_stack([x, y, sure])
