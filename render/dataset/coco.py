"""COCO's files: people with keypoints, feet as in COCO-WholeBody, and the parts of bodies."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

from ...capture.keypoints.layout import LAYOUTS
from ...capture.run_lengths import box_of, decoded
from .body_parts import PARTS
from .frames import picture_name, record_name
from .landmarks import COCO, FEET, MARKERS
from .plan import tasks_of
from .spec import Spec
from .store import Store

__all__ = ["write_coco"]

_KEYS: Final = 1 + len(PARTS)  # annotation ids that one person of one image may use
_MOST_PEOPLE: Final = 16


def write_coco(spec: Spec, store: Store) -> None:
    """Write `annotations/people.json` and, where asked for, `annotations/parts.json`, record by record."""
    _write(spec, store, "annotations/people.json", [_person_category()], _people)
    if spec.annotations.parts:
        categories = [
            {"id": number, "name": name, "supercategory": "person"}
            for number, name in enumerate(PARTS, 1)
        ]
        _write(spec, store, "annotations/parts.json", categories, _parts)


def _person_category() -> dict[str, Any]:
    limbs = LAYOUTS["coco_17"].limbs
    return {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(COCO),
        "skeleton": [[a + 1, b + 1] for a, b in limbs],
        "foot_keypoints": list(FEET),
        "markers": list(MARKERS),
    }


def _write(
    spec: Spec,
    store: Store,
    name: str,
    categories: list[dict[str, Any]],
    listed: Callable[[dict[str, Any]], Iterator[dict[str, Any]]],
) -> None:
    about = {"description": "Rendered by PALLAS", "version": "1", "seed": spec.dataset.seed}
    with store.writing(name) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(f'{{"info":{json.dumps(about, sort_keys=True)},"licenses":[],')
        file.write(f'"categories":{json.dumps(categories, sort_keys=True)},"images":[\n')
        _list(file, (image for record in _records(spec, store) for image in _images(spec, record)))
        file.write('\n],"annotations":[\n')
        _list(file, (entry for record in _records(spec, store) for entry in listed(record)))
        file.write("\n]}\n")


def _list(file: TextIO, entries: Iterator[dict[str, Any]]) -> None:
    for number, entry in enumerate(entries):
        file.write(",\n" if number else "")
        file.write(json.dumps(entry, sort_keys=True, separators=(",", ":")))


def _records(spec: Spec, store: Store) -> Iterator[dict[str, Any]]:
    for task in tasks_of(spec):
        for frame in range(task.start, task.stop):
            name = record_name(task.clip, frame)
            if store.has(name):
                yield store.read_json(name)


def _images(spec: Spec, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for view in record["views"]:
        camera = view["camera"]
        name = picture_name(
            record["clip"], record["frame"], camera["view"], "images", spec.image.suffix
        )
        yield {
            "id": view["image_id"],
            "file_name": name,
            "width": spec.image.width,
            "height": spec.image.height,
            "clip": record["clip"],
            "frame": record["frame"],
            "view": camera["view"],
            "camera": camera,
        }


def _people(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for view in record["views"]:
        for person in view["people"]:
            points = person["points"]
            keypoints, feet = points["coco_17"], points["feet_6"]
            yield {
                "id": _id(view["image_id"], person["person"], 0),
                "image_id": view["image_id"],
                "category_id": 1,
                "person": person["person"],
                "iscrowd": 0,
                "area": person["area"],
                "bbox": person["bbox"],
                "segmentation": person.get("mask", []),
                "keypoints": _flat(keypoints),
                "num_keypoints": sum(flag > 0 for *_, flag in keypoints),
                "foot_kpts": _flat(feet),
                "foot_valid": any(flag > 0 for *_, flag in feet),
                "joints_24": _flat(points["joints_24"]),
                "markers_43": _flat(points["markers_43"]),
            }


def _parts(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for view in record["views"]:
        for person in view["people"]:
            for name, rle in person["parts"].items():
                mask = decoded(rle)
                number = PARTS.index(name) + 1
                yield {
                    "id": _id(view["image_id"], person["person"], number),
                    "image_id": view["image_id"],
                    "category_id": number,
                    "person": person["person"],
                    "iscrowd": 0,
                    "area": int(mask.sum()),
                    "bbox": list(box_of(mask)),
                    "segmentation": rle,
                }


def _id(image: int, person: int, part: int) -> int:
    return ((image - 1) * _MOST_PEOPLE + person) * _KEYS + part + 1


def _flat(points: list[list[float]]) -> list[float]:
    """COCO's row of x, y, flag; zeros where the point is outside of the picture."""
    return [value for x, y, flag in points for value in ((x, y, flag) if flag else (0, 0, 0))]
