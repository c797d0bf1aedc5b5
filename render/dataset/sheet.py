"""A contact sheet: pictures of a dataset beside the same with their annotations drawn."""

from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import numpy.typing as npt

from ...capture.keypoints.layout import LAYOUTS
from ...capture.run_lengths import decoded
from ...rig.arrays import Array
from ...rig.errors import OutputError
from .body_parts import PARTS
from .exr import read_exr
from .finish import records
from .frames import picture_name
from .pictures import developed, png_bytes
from .spec import Spec
from .store import Store

__all__ = ["SHEET", "write_sheet"]

SHEET: Final = "sheet.png"
_GAP: Final = 4
_CELL: Final = 384  # pixels, of the longer side of a picture on the sheet, about
_SEEN, _HIDDEN = (60, 255, 90), (255, 150, 40)
_MARKER, _BOX = (90, 200, 255), (255, 255, 255)
Pixels = npt.NDArray[Any]


def write_sheet(spec: Spec, store: Store, pictures: int = 8) -> Path:
    """Draw pictures spread evenly over the dataset, each with limbs, boxes and masks beside it.

    Returns:
        Where the sheet is.

    Raises:
        OutputError: no frame is done yet, or it can't be written.
    """
    found = [
        (record, view) for record in records(spec, store) for view in range(len(record["views"]))
    ]
    if not found:
        raise OutputError(f"{store.folder} has no frame yet; render some first")
    chosen = [found[int(k)] for k in np.unique(np.linspace(0, len(found) - 1, pictures).round())]
    cells = [_cell(spec, store, record, view) for record, view in chosen]
    columns = max(int(np.ceil(np.sqrt(len(cells) / 2.0))), 1)
    store.write(SHEET, png_bytes(_tiled(cells, columns)))
    return store.folder / SHEET


def _cell(spec: Spec, store: Store, record: dict[str, Any], view: int) -> Pixels:
    told = record["views"][view]
    name = picture_name(
        record["clip"], record["frame"], told["camera"]["view"], "images", spec.image.suffix
    )
    plain = _read(store.folder / name)
    scale = max(round(_CELL / max(plain.shape[:2])), 1)
    plain = plain.repeat(scale, axis=0).repeat(scale, axis=1)
    drawn, shown = plain.copy(), plain.copy()
    for person in told["people"]:
        _draw_person(drawn, person, scale)
        _draw_parts(shown, person, scale)
    return np.concatenate([plain, drawn, shown], axis=1)


def _tiled(cells: list[Pixels], columns: int) -> Pixels:
    height, width, _ = cells[0].shape
    rows = -(-len(cells) // columns)
    sheet = np.full((rows * (height + _GAP), columns * (width + _GAP), 3), 24, dtype=np.uint8)
    for number, cell in enumerate(cells):
        top, left = number // columns * (height + _GAP), number % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = cell
    return sheet


def _read(path: Path) -> Pixels:
    """(H, W, 3) bytes of a picture of the dataset."""
    if path.suffix == ".exr":
        channels = read_exr(path)
        light = np.stack([channels[c] for c in "RGB"], axis=-1)
        return developed(light, 0.0, np.random.default_rng(0))
    image = bpy.data.images.load(str(path))
    try:
        width, height = image.size
        values = np.empty(width * height * 4, dtype=np.float32)
        image.pixels.foreach_get(values)
    finally:
        bpy.data.images.remove(image)
    picture = values.reshape(height, width, 4)[::-1, :, :3]
    return np.round(255.0 * picture).astype(np.uint8)


def _draw_person(picture: Pixels, person: dict[str, Any], scale: int) -> None:
    left, top, wide, tall = (value * scale for value in person["bbox"])
    _outline(picture, left, top, left + wide, top + tall)
    points = person["points"]
    places = {"coco_17": np.array(points["coco_17"]), "feet": np.array(points["feet_6"])}
    keypoints = places["coco_17"]
    for a, b in LAYOUTS["coco_17"].limbs:
        if keypoints[a, 2] and keypoints[b, 2]:
            side = "left" if a % 2 else "right"
            colour = (70, 140, 255) if side == "left" else (255, 90, 90)
            _line(picture, _at(keypoints[a], scale), _at(keypoints[b], scale), colour)
    for x, y, flag in points["markers_43"]:
        if flag == 2:
            _dot(picture, _at(np.array([x, y]), scale), 1.2, _MARKER)
    for rows in places.values():
        for point in rows:
            if point[2]:
                _dot(picture, _at(point, scale), 2.6, _SEEN if point[2] == 2 else _HIDDEN)


def _draw_parts(picture: Pixels, person: dict[str, Any], scale: int) -> None:
    shares = person.get("parts") or ({"": person["mask"]} if "mask" in person else {})
    for name, rle in shares.items():
        mask = decoded(rle).repeat(scale, axis=0).repeat(scale, axis=1)
        number = PARTS.index(name) if name else person["person"]
        hue = (number * 0.381966 + 0.13 * person["person"]) % 1.0
        colour = 127.5 + 127.5 * np.cos(2.0 * np.pi * (hue + np.array([0.0, 1 / 3, 2 / 3])))
        picture[mask] = (0.35 * picture[mask] + 0.65 * colour).astype(np.uint8)


def _at(point: Array, scale: int) -> Array:
    """The middle of a pixel on the enlarged picture."""
    return (np.asarray(point[:2]) + 0.5) * scale - 0.5


def _dot(picture: Pixels, place: Array, radius: float, colour: tuple[int, int, int]) -> None:
    height, width, _ = picture.shape
    x0, y0 = np.floor(place - radius).astype(int)
    for y in range(max(y0, 0), min(y0 + int(2 * radius) + 3, height)):
        for x in range(max(x0, 0), min(x0 + int(2 * radius) + 3, width)):
            if (x - place[0]) ** 2 + (y - place[1]) ** 2 <= radius**2:
                picture[y, x] = colour


def _line(picture: Pixels, start: Array, end: Array, colour: tuple[int, int, int]) -> None:
    height, width, _ = picture.shape
    steps = int(np.ceil(np.abs(end - start).max() * 2)) + 1
    places = np.linspace(start, end, min(steps, 8000))
    for shift in ((0.0, 0.0), (0.7, 0.0), (0.0, 0.7)):
        x, y = np.round(places + shift).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        picture[y[inside], x[inside]] = colour


def _outline(picture: Pixels, left: float, top: float, right: float, bottom: float) -> None:
    corners = (
        np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]) - 0.5
    )
    for start, end in pairwise(corners):
        _line(picture, start, end, _BOX)
