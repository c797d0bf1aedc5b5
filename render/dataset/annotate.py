"""What is told about one frame seen by one camera."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...capture.cameras.camera import Camera
from ...capture.run_lengths import box_of, encoded_parts
from ...rig.arrays import Array, Mask
from .body_parts import PARTS
from .clip import Clip
from .exr import exr_bytes
from .landmarks import SETS, Landmarks
from .passes import Passes
from .visibility import inside

__all__ = ["camera_told", "pass_files", "people_told", "points_told"]

_PIXELS, _METRES = 3, 5  # decimals
_WIDEST: Final = 1e5  # pixels; further outside of the picture nothing is told


def camera_told(camera: Camera, clip: Clip, view: int) -> dict[str, Any]:
    """Intrinsic matrix in pixels, and the world as the camera sees it (OpenCV's axes)."""
    data = clip.cameras[view].data
    return {
        "view": view,
        "matrix": np.round(camera.matrix, 6).tolist(),
        "camera_from_world": np.round(camera.camera_from_world, 9).tolist(),
        "translation": np.round(camera.translation, 7).tolist(),
        "size": list(camera.size or ()),
        "lens_mm": round(float(data.lens), 6),
        "sensor_mm": float(data.sensor_width),
    }


def points_told(places: Array) -> dict[str, list[list[float]]]:
    """A person's points in the world, metres, by the sets of `SETS`."""
    found, at = {}, 0
    for name, names in SETS.items():
        found[name] = np.round(places[at : at + len(names)], _METRES).tolist()
        at += len(names)
    return found


def people_told(
    clip: Clip,
    camera: Camera,
    passes: Passes,
    landmarks: list[Landmarks],
    places: list[Array],
    seen: list[Mask],
) -> list[dict[str, Any]]:
    """Everyone of whom the picture shows at least a pixel: box, masks, points in pixels with visibility."""
    told = []
    wanted = clip.spec.annotations
    masks = encoded_parts(passes.person) if wanted.masks else {}
    parts = _parts_told(passes) if wanted.parts else {}
    for actor, own, visible in zip(clip.actors, places, seen, strict=True):
        mask = passes.person == actor.number + 1
        area = int(np.count_nonzero(mask))
        if area == 0:
            continue
        person: dict[str, Any] = {
            "person": actor.number,
            "area": area,
            "bbox": list(box_of(mask)),
            "points": _pixels_told(camera, own, visible),
        }
        if wanted.masks:
            person["mask"] = masks[actor.number + 1]
        if wanted.parts:
            person["parts"] = parts.get(actor.number + 1, {})
        told.append(person)
    return told


def _pixels_told(camera: Camera, places: Array, visible: Mask) -> dict[str, list[list[float]]]:
    """By set, each point's pixel and COCO's flag: 0 outside of the picture, 1 hidden, 2 seen."""
    pixels = camera.project(places)
    shown_there = inside(camera, pixels)
    with np.errstate(invalid="ignore"):
        near = shown_there | (np.abs(pixels) < _WIDEST).all(axis=-1)
    flags = np.where(shown_there, np.where(visible, 2, 1), 0)
    shown = np.round(np.where(near[:, None], np.nan_to_num(pixels), 0.0), _PIXELS)
    found, at = {}, 0
    for name, names in SETS.items():
        rows = slice(at, at + len(names))
        found[name] = [
            [*pixel, int(flag)]
            for pixel, flag in zip(shown[rows].tolist(), flags[rows], strict=True)
        ]
        at += len(names)
    return found


def _parts_told(passes: Passes) -> dict[int, dict[str, Any]]:
    """RLE of every part that is seen, by the person's number from 1."""
    known = np.where(passes.part <= len(PARTS), passes.part, 0)
    each = len(PARTS) + 1
    told: dict[int, dict[str, Any]] = {}
    for number, rle in encoded_parts(np.where(known, passes.person * each + known, 0)).items():
        told.setdefault(number // each, {})[PARTS[number % each - 1]] = rle
    return told


def pass_files(passes: Passes, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The passes as EXR: depth in metres ("Z"), normals (X, Y, Z), flow in pixels right and down (X, Y)."""
    made = {}
    if "depth" in wanted:
        made["depth"] = exr_bytes({"Z": _shortened(passes.depth.astype(np.float32))}, effort=1)
    if "normal" in wanted:
        normal = passes.normal.astype(np.float16)
        made["normal"] = exr_bytes({n: normal[..., k] for k, n in enumerate("XYZ")}, effort=1)
    if "flow" in wanted:
        flow = passes.flow.astype(np.float32)
        # ZIP takes as long as all the rest of a frame's files, and an eighth away.
        made["flow"] = exr_bytes({n: flow[..., k] for k, n in enumerate("XY")}, effort=0)
    return made


def _shortened(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """To 16 bits beside the exponent, as OpenEXR's PXR24 does: the last eight cost most of a file."""
    bits = np.ascontiguousarray(numbers).view(np.uint32)
    return ((bits + np.uint32(0x80)) & np.uint32(0xFFFFFF00)).view(np.float32)
