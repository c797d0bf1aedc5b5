"""COCO results and AlphaPose: one list of people, `[{"image_id": …, "keypoints": [x, y, c, …]}, …]`.

AlphaPose's image_id is the picture's name ("12.jpg"). COCO-WholeBody's feet, face and hands stand in
lists of their own or in the one. A COCO data set (`{"images": …, "annotations": …}`) is read too; its
visibilities are 0, 1, 2.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError
from .keypoints import Keypoints
from .layout import Layout
from .openpose import frame_numbers
from .people_table import Seen, collected, row_of, split_row

__all__ = ["is_coco", "parse_coco"]

_WHOLE_BODY: Final = ("foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts")
_LAYOUTS: Final = ("coco_17", "coco_133", "halpe_26", "coco_18", "body_25", "body_25b", "mpii_16")


def is_coco(document: Any) -> bool:  # noqa: ANN401  JSON
    """Whether a JSON document is a list of COCO results, or a data set of COCO's."""
    if isinstance(document, dict):
        return isinstance(document.get("annotations"), list)
    people = (
        [one for one in document[:1] if isinstance(one, dict)] if isinstance(document, list) else []
    )
    return bool(people) and "keypoints" in people[0] and "image_id" in people[0]


def parse_coco(document: Any, layout: Layout | None = None) -> Keypoints:  # noqa: ANN401  JSON
    """Keypoints of a list of COCO results or of a data set.

    Raises:
        FormatError: a person lacks what it needs, or has a number of keypoints that no layout has.
    """
    size, listed = None, []
    if isinstance(document, dict):
        listed = [one for one in document.get("images") or [] if isinstance(one, dict)]
        size = _size(listed)
        document = document["annotations"]
    numbers = _frames(
        [_image(one) for one in (*document, *({"image_id": i.get("id")} for i in listed))]
    )
    people = [
        Seen(number, _points(one))
        for one, number in zip(document, numbers, strict=False)
        if isinstance(one, dict) and "keypoints" in one
    ]
    return collected(people, layouts=_LAYOUTS, layout=layout, frames=numbers, image_size=size)


def _image(person: Any) -> int | str:  # noqa: ANN401  JSON
    image = person.get("image_id") if isinstance(person, dict) else None
    if isinstance(image, bool) or not isinstance(image, (int, str)):
        raise FormatError(
            f"a person's image_id is {str(image)[:40]!r}; expected a number or a name"
        )
    return image


def _frames(images: list[int | str]) -> list[int]:
    """The frame of every image: its number if it has one, else its place in the order of names."""
    if all(isinstance(image, int) for image in images):
        numbers = [int(image) for image in images]
        if max(numbers, default=0) - min(numbers, default=0) < 10**6:
            return numbers
    names = list(dict.fromkeys(str(image) for image in images))
    stems = [name.rsplit("/", 1)[-1].rsplit(".", 1)[0] for name in names]
    places: Mapping[str, int] = dict(zip(names, frame_numbers(stems), strict=True))
    return [places[str(image)] for image in images]


def _points(person: Mapping[str, Any]) -> Array:
    rows = [person["keypoints"], *(person[key] for key in _WHOLE_BODY if key in person)]
    parts = [split_row(row_of(row, "a person").ravel(), 3, "a person") for row in rows]
    return np.concatenate(parts)


def _size(images: list[dict[str, Any]]) -> tuple[int, int] | None:
    """Width and height, if all images have the same."""
    sizes = {(image.get("width"), image.get("height")) for image in images}
    width, height = sizes.pop() if len(sizes) == 1 else (None, None)
    if (
        isinstance(width, int)
        and isinstance(height, int)
        and 0 < width < 10**6
        and 0 < height < 10**6
    ):
        return width, height
    return None
