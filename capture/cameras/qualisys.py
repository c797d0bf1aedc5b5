"""Qualisys Track Manager's calibration: XML with `<camera serial=…>`, its `<transform>` and `<intrinsic>`.

Positions are millimetres. The matrix r11 … r33 turns the world into a camera that looks along -z with y
up; half a turn about x makes it ours. Focal lengths, centre and distortions are in 64ths, of a pixel or,
as Pose2Sim reads them, of OpenCV's coefficient.
"""

import math
import xml.etree.ElementTree as ET
from typing import Final

import numpy as np

from ...rig.errors import FormatError, ShapeError
from ..textfile import LARGEST
from ..xmlfile import parse_xml
from .camera import Camera

__all__ = ["is_qualisys", "parse_qualisys"]

_PARTS: Final = 64.0  # of a pixel
_TURN: Final = np.diag([1.0, -1.0, -1.0])
_MOST_CAMERAS: Final = 256


def is_qualisys(text: str) -> bool:
    """Whether a text is a calibration of Qualisys."""
    return text.lstrip()[:1] == "<"


def parse_qualisys(text: str) -> tuple[Camera, ...]:
    """The active cameras of the text of a calibration.

    Raises:
        FormatError: it is damaged, or a camera lacks what it needs.
    """
    declared = text.partition("?>")[2] if text.lstrip().startswith("<?xml") else text
    root = parse_xml(declared)
    cameras = [element for element in root.iter("camera") if element.get("active", "1") != "0"]
    if not 0 < len(cameras) <= _MOST_CAMERAS:
        raise FormatError(
            f"<{root.tag[:40]}> has {len(cameras)} active cameras; expected a calibration of Qualisys"
        )
    return tuple(_camera(element, place) for place, element in enumerate(cameras, start=1))


def _camera(element: ET.Element, place: int) -> Camera:
    name = element.get("serial") or f"camera {place}"
    transform, intrinsic = element.find("transform"), element.find("intrinsic")
    if transform is None or intrinsic is None:
        raise FormatError(
            f"camera {name[:40]!r} has no <transform> or no <intrinsic>; expected both"
        )

    def of(part: ET.Element, key: str, default: float | None = None) -> float:
        return _number(name, part, key, default)

    turn = _TURN @ np.array(
        [[of(transform, f"r{row}{column}") for column in (1, 2, 3)] for row in (1, 2, 3)]
    )
    position = np.array([of(transform, axis) for axis in "xyz"]) / 1000.0
    keys = (
        "radialDistortion1",
        "radialDistortion2",
        "tangentalDistortion1",
        "tangentalDistortion2",
    )
    lens = np.array([of(intrinsic, key, 0.0) for key in (*keys, "radialDistortion3")]) / _PARTS
    matrix = np.array(
        [
            [
                of(intrinsic, "focalLengthU"),
                of(intrinsic, "skew", 0.0),
                of(intrinsic, "centerPointU"),
            ],
            [0.0, of(intrinsic, "focalLengthV"), of(intrinsic, "centerPointV")],
            [0.0, 0.0, _PARTS],
        ]
    )
    try:
        return Camera(name, matrix / _PARTS, turn, -turn @ position, lens, size=_size(element))
    except ShapeError as error:
        raise FormatError(str(error)) from None


def _number(name: str, element: ET.Element, key: str, default: float | None) -> float:
    text = element.get(key)
    if text is None and default is not None:
        return default
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not abs(value) < LARGEST:
        raise FormatError(
            f"{key} of camera {name[:40]!r} is {str(text)[:40]!r}; expected a number of sensible size"
        )
    return value


def _size(element: ET.Element) -> tuple[int, int] | None:
    """Width and height of the video's picture, where it is told."""
    view = element.find("fov_video")
    try:
        ends = (
            [int(view.get(side, "")) for side in ("left", "right", "top", "bottom")]
            if view is not None
            else []
        )
    except ValueError:
        ends = []
    if len(ends) != 4:
        return None
    width, height = ends[1] - ends[0] + 1, ends[3] - ends[2] + 1
    return (width, height) if 0 < width < 10**5 and 0 < height < 10**5 else None
