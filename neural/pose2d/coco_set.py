"""COCO's data sets: pictures with people's keypoints and masks, as COCO and `pallas render` write them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...capture.video.frames import Picture, read_frames
from ...rig.arrays import Array, Mask
from ...rig.errors import FileError, FormatError
from .masks import mask_of

__all__ = ["Labelled", "labelled_pictures", "read_picture"]

_FILES: Final = ("people.json", "person_keypoints_{split}2017.json")
_SPLITS: Final = {"validation": "val"}
_HELD_OUT: Final = "held-out"
_POINTS, _FEET = 17, 6
_EVERY: Final = 12  # one group of pictures in so many is held out


@dataclass(frozen=True, eq=False)
class Labelled:
    """One picture and who is in it.

    Attributes:
        path: of the picture.
        size: width and height.
        points: (P, 17, 2) COCO's keypoints, pixels whose centres are whole numbers, NaN where unlabelled.
        seen: (P, 17) whether nothing hides them.
        feet: (P, 6, 2) the same of the feet.
        feet_known: whether somebody looked for feet.
        people: masks of the P people, as the file has them.
        unknown: masks of crowds and of people without keypoints.
        group: pictures of the same clip have the same.
    """

    path: Path
    size: tuple[int, int]
    points: Array
    seen: Mask
    feet: Array
    feet_known: bool
    people: tuple[Any, ...]
    unknown: tuple[Any, ...]
    group: str

    def mask(self, which: str) -> Mask:
        """The union (H, W) of the masks of `people` or `unknown`."""
        union = np.zeros((self.size[1], self.size[0]), dtype=bool)
        for segmentation in getattr(self, which):
            union |= mask_of(segmentation, self.size[1], self.size[0])
        return union


def labelled_pictures(root: Path, split: str) -> list[Labelled]:
    """The pictures with people of a folder: of `train` or of `validation`.

    With `annotations/people.json` (of `pallas render`) whole clips are held out; COCO's own
    `annotations/person_keypoints_train2017.json` and `…val2017.json` are split already. A folder of several
    such folders is taken as one; if one of them is called `held-out`, it is the validation.

    Raises:
        FileError: there is no such folder or file.
        FormatError: it is no COCO data set with keypoints, or nobody is in it.
    """
    path = _annotations(root, split)
    if path is not None:
        return _of_split(_pictures(root, path), path, split)
    pieces = sorted(folder for folder in root.glob("*") if _annotations(folder, split))
    if not pieces:
        names = [name.format(split=_SPLITS.get(split, split)) for name in _FILES]
        raise FileError(f"{root} holds no annotations/{names[0]} and no annotations/{names[1]}")
    held = root / _HELD_OUT
    if held in pieces:
        pieces = [held] if split == "validation" else [piece for piece in pieces if piece != held]
    found = []
    for piece in pieces:
        path = _annotations(piece, split)
        if path is not None:
            own = _pictures(piece, path)
            own = own if held.is_dir() else _of_split(own, path, split)
            found += [replace(one, group=f"{piece.name}/{one.group}") for one in own]
    return found


def _annotations(root: Path, split: str) -> Path | None:
    names = [name.format(split=_SPLITS.get(split, split)) for name in _FILES]
    return next((p for p in (root / "annotations" / n for n in names) if p.is_file()), None)


def _of_split(found: list[Labelled], path: Path, split: str) -> list[Labelled]:
    if path.name == _FILES[0]:
        groups = sorted({one.group for one in found})
        held = set(groups[::_EVERY]) if len(groups) > 1 else set(groups)
        among = held if split == "validation" else (set(groups) - held or held)
        found = [one for one in found if one.group in among]
    if not found:
        raise FormatError(f"{path} has no picture with a person and keypoints")
    return found


def _pictures(root: Path, path: Path) -> list[Labelled]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        of_image: dict[Any, list[Mapping[str, Any]]] = {}
        for annotation in document["annotations"]:
            of_image.setdefault(annotation["image_id"], []).append(annotation)
        folders = (root, root / "images", root / path.stem.rsplit("_", 1)[-1])
        first = document["images"][0]["file_name"] if document["images"] else ""
        folder = next((f for f in folders if (f / first).is_file()), root)
        found = [
            _labelled(folder, image, of_image.get(image["id"], [])) for image in document["images"]
        ]
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(
            f"{path} is no COCO data set with keypoints ({type(error).__name__}: {str(error)[:80]})"
        ) from error
    return [one for one in found if len(one.points)]


def _labelled(folder: Path, image: Mapping[str, Any], people: list[Mapping[str, Any]]) -> Labelled:
    known = [p for p in people if not p.get("iscrowd") and _has_points(p)]
    unknown = [p for p in people if p.get("iscrowd") or not _has_points(p)]
    width, height = int(image["width"]), int(image["height"])
    return Labelled(
        path=folder / image["file_name"],
        size=(width, height),
        points=_rows([p["keypoints"] for p in known], _POINTS),
        seen=np.array([p["keypoints"][2::3] for p in known]).reshape(-1, _POINTS) > 1,
        feet=_rows([p.get("foot_kpts") or [0.0] * 3 * _FEET for p in known], _FEET),
        feet_known=all("foot_kpts" in p for p in known),
        people=tuple(p.get("segmentation") or _box(p) for p in known),
        unknown=tuple(p.get("segmentation") or _box(p) for p in unknown),
        group=str(image.get("clip", image["id"])),
    )


def _has_points(person: Mapping[str, Any]) -> bool:
    return bool(person.get("num_keypoints", any(person["keypoints"][2::3])))


def _box(person: Mapping[str, Any]) -> list[list[float]]:
    """A box as a polygon."""
    if len(person.get("bbox", ())) != 4:
        return []
    x, y, width, height = person["bbox"]
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def _rows(rows: list[list[float]], count: int) -> Array:
    """(P, count, 2), NaN where the flag is 0."""
    values = np.array(rows, dtype=np.float64).reshape(len(rows), count, 3)
    return np.where(values[..., 2:] > 0, values[..., :2], np.nan)


def read_picture(one: Labelled) -> Picture:
    """The picture (H, W, 3).

    Raises:
        FileError, FormatError: it can't be read, or has another size than the file states.
    """
    frame = next(iter(read_frames(one.path)))
    if frame.picture.shape[1::-1] != one.size:
        shape = frame.picture.shape
        raise FormatError(
            f"{one.path} is {shape[1]}x{shape[0]}; its annotations say {one.size[0]}x{one.size[1]}"
        )
    return frame.picture
