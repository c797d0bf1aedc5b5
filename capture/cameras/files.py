"""Calibrations: Pose2Sim's `Calib.toml` and Qualisys' XML (`.qca.txt`), told apart by what is in them.

Pose2Sim writes a table for each camera, in metres:

    [cam_01]
    name = "cam_01"
    size = [1088.0, 1920.0]
    matrix = [[1681.2, 0.0, 532.9], [0.0, 1681.0, 948.1], [0.0, 0.0, 1.0]]
    distortions = [-0.00072, 0.00218, 9.5e-06, 1.07e-05]
    rotation = [1.688, 1.048, -0.419]        # axis times angle, from the world to the camera
    translation = [0.321, 0.956, 2.890]
    fisheye = false
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import FormatError, ShapeError
from ..textfile import LARGEST, naming, read_text
from ..up_axis import to_world
from .camera import Camera
from .qualisys import is_qualisys, parse_qualisys

__all__ = ["parse_calibration", "parse_calibration_toml", "read_calibration"]

_MOST_CAMERAS: Final = 256
_LARGEST_PICTURE: Final = 100_000


def read_calibration(path: Path | str, *, up: str = "z") -> tuple[Camera, ...]:
    """Read calibrated cameras.

    Args:
        path: of a `Calib.toml` or of a calibration of Qualisys.
        up: the axis of the calibration's world that points up, a key of `up_axis.UP_AXES`.

    Raises:
        FileError: it can't be read.
        FormatError: it is none of these, or damaged.
    """
    text = read_text(path)
    with naming(path):
        cameras = parse_calibration(text)
    return tuple(_upright(camera, up) for camera in cameras) if up != "z" else cameras


@lru_cache(maxsize=8)  # many takes have the same calibration; cameras do not change
def parse_calibration(text: str) -> tuple[Camera, ...]:
    """Cameras of the text of a calibration. See `read_calibration`."""
    cameras = parse_qualisys(text) if is_qualisys(text) else parse_calibration_toml(text)
    names = [camera.name for camera in cameras]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise FormatError(f"two cameras are called {double[:40]!r}; rename one")
    return cameras


def _upright(camera: Camera, up: str) -> Camera:
    """The same camera in a world that was turned until its axis `up` is z."""
    file_from_world = to_world(np.eye(3), up)  # row k is where the file's axis k is in our world
    turn = camera.camera_from_world @ file_from_world
    return Camera(
        camera.name,
        camera.matrix,
        turn,
        camera.translation,
        camera.distortion,
        camera.fisheye,
        camera.size,
    )


def parse_calibration_toml(text: str) -> tuple[Camera, ...]:
    """Cameras of the text of Pose2Sim's `Calib.toml`.

    Raises:
        FormatError: it is no TOML, or a camera lacks what it needs.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"no TOML, the file is cut or damaged: {str(error)[:100]}") from None
    found = {
        key: table for key, table in tables.items() if isinstance(table, dict) and "matrix" in table
    }
    if not found or len(found) > _MOST_CAMERAS:
        holds = ", ".join(tables)[:80] or "nothing"
        raise FormatError(
            f"found {len(found)} cameras (it holds {holds}); expected Pose2Sim's tables with a matrix each"
        )
    return tuple(_camera(key, table) for key, table in found.items())


def _camera(key: str, table: Mapping[str, Any]) -> Camera:
    name = table.get("name", key)
    name = name if isinstance(name, str) and name.strip() else key
    rotation = _array(name, table, "rotation")
    turn = (
        quaternion.to_matrix(quaternion.from_rotation_vector(rotation))
        if rotation.shape == (3,)
        else rotation
    )
    lens = _array(name, table, "distortions") if "distortions" in table else np.zeros(0)
    size = _array(name, table, "size") if "size" in table else np.zeros(0)
    try:
        return Camera(
            name,
            _array(name, table, "matrix"),
            turn,
            _array(name, table, "translation").ravel(),
            np.pad(lens, (0, max(4 - len(lens), 0))) if lens.ndim == 1 else lens,
            fisheye=bool(table.get("fisheye", False)),
            size=_size(size),
        )
    except ShapeError as error:
        raise FormatError(str(error)) from None


def _array(name: str, table: Mapping[str, Any], key: str) -> Array:
    try:
        array = np.array(table[key], dtype=np.float64)
    except KeyError:
        raise FormatError(f"camera {name[:40]!r} has no {key}; expected one") from None
    except (TypeError, ValueError, OverflowError):
        raise FormatError(
            f"{key} of camera {name[:40]!r} holds something else than numbers"
        ) from None
    if not (np.abs(array) < LARGEST).all():
        raise FormatError(f"{key} of camera {name[:40]!r} has a number that is not sensible")
    return array


def _size(size: Array) -> tuple[int, int] | None:
    if size.shape != (2,) or not ((size > 0) & (size < _LARGEST_PICTURE)).all():
        return None
    return int(size[0]), int(size[1])
