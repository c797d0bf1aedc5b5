"""OpenPose: one JSON for each frame, `{"people": [{"pose_keypoints_2d": [x, y, c, …]}]}`.

BODY_25, BODY_25B and COCO's 18 are told apart by the number of keypoints and by how long limbs would be.
Other programs write the same with other layouts (Pose2Sim, RTMPose: 17, 26, 133). An unseen keypoint is
0, 0, 0.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from ...rig.errors import FormatError
from .keypoints import Keypoints
from .layout import Layout
from .members import Member
from .people_table import Seen, collected, parse_json, row_of, split_row, tabled
from .plain import plain_people

__all__ = ["frame_numbers", "is_openpose", "parse_openpose"]

_LAYOUTS: Final = (
    "body_25", "body_25b", "coco_18", "coco_17", "halpe_26", "coco_133", "mediapipe_33", "mpii_16"
)  # fmt: skip
_NUMBER: Final = re.compile(r"\d{1,9}")
Places = npt.NDArray[np.int64]

_BLOCK: Final = 40  # files whose people become an array at once: what fits the cache
_KEYS: Final = ("pose_keypoints_2d", "pose_keypoints")  # the latter in versions before 1.2


def is_openpose(document: Any) -> bool:  # noqa: ANN401  JSON
    """Whether a JSON document is a frame of OpenPose."""
    return isinstance(document, dict) and isinstance(document.get("people"), list)


def parse_openpose(
    files: Sequence[Member], layout: Layout | None = None, name: str = ""
) -> Keypoints:
    """Keypoints of the files of one camera called `name`, a frame each.

    Raises:
        FormatError: a file is none of OpenPose's, or people have a number of keypoints that no layout has.
    """
    numbers = frame_numbers([file.stem for file in files])
    every = list(zip(numbers, files, strict=True))
    blocks = [_block(every[k : k + _BLOCK]) for k in range(0, len(every), _BLOCK)]
    seen = [one for block in blocks if isinstance(block, list) for one in block]
    arrays = [block for block in blocks if not isinstance(block, list)]
    if seen or len({points.shape[1] for _, points in arrays}) != 1:
        seen += [
            Seen(int(n), one)
            for places, points in arrays
            for n, one in zip(places, points, strict=True)
        ]
        return collected(seen, layouts=_LAYOUTS, layout=layout, frames=numbers, name=name)
    places, points = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
    return tabled(places, points, layouts=_LAYOUTS, layout=layout, frames=numbers, name=name)


def _block(files: list[tuple[int, Member]]) -> tuple[Places, Array] | list[Seen]:
    """People of some frames: places (N,) and keypoints (N, K, 3), or one by one where they differ."""
    quick = plain_people(file.content for _, file in files)
    if quick is not None:
        return np.repeat([number for number, _ in files], quick[0]), quick[1]
    people = [(number, file, one) for number, file in files for one in _people(file)]
    values = [one for _, _, one in people]
    sizes = {len(one) if isinstance(one, list) else 0 for one in values}
    if len(sizes) == 1:
        try:
            rows = row_of(values, "people")
        except FormatError:
            rows = np.zeros(0)  # one of them is no list of numbers
        if rows.ndim == 2 and not rows.shape[1] % 3:
            return np.array([number for number, _, _ in people]), rows.reshape(len(rows), -1, 3)
    return [Seen(number, _points(file, one)) for number, file, one in people]


def frame_numbers(stems: Sequence[str]) -> list[int]:
    """The number of each frame: the last in its file's name, or its place where those are not different."""
    found = [_NUMBER.findall(stem) for stem in stems]
    numbers = [int(digits[-1]) for digits in found if digits]
    if (
        len(set(numbers)) == len(stems)
        and max(numbers, default=0) - min(numbers, default=0) < 10**6
    ):
        return numbers
    return list(range(len(stems)))


def _people(file: Member) -> Iterator[Any]:
    """The keypoints of a frame's people, as they are in the JSON."""
    if not file.content.strip():
        raise FormatError(f"{file.path} is empty; expected a frame of OpenPose")
    try:
        document = parse_json(file.content)
        if not is_openpose(document):
            raise FormatError('it has no list of "people"; expected a frame of OpenPose')
        for person in document["people"]:
            values = _values(person)
            if values:  # a face or a hand alone is nobody
                yield values
    except FormatError as error:
        raise FormatError(f"{file.path}: {error}") from None


def _points(file: Member, values: Any) -> Array:  # noqa: ANN401  JSON
    """(K, 3) of one person, or what is wrong with them."""
    try:
        return split_row(row_of(values, "a person"), 3, "a person")
    except FormatError as error:
        raise FormatError(f"{file.path}: {error}") from None


def _values(person: Any) -> Any:  # noqa: ANN401  JSON
    if not isinstance(person, dict):
        raise FormatError(f"a person is {str(person)[:40]!r}; expected its keypoints")
    for key in _KEYS:
        if key in person:
            return person[key]
    raise FormatError(f"a person has no {_KEYS[0]!r}; expected a frame of OpenPose")
