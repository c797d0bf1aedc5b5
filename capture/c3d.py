"""C3D: markers as the measuring programs of gait laboratories write them, in a binary file.

A header block, the parameters (`c3d_parameters`), then frame after frame: for every point x, y, z and a word
that is negative where the point was not seen, then the analog samples of the frame. Numbers are those of
Intel, DEC or MIPS machines, whole numbers with a scale or floats. See the C3D file format user guide,
https://www.c3d.org. Nothing is made before its size is known to be in the file.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ..rig.arrays import Array
from ..rig.errors import FormatError
from .c3d_parameters import BLOCK, Parameters, parse_parameters
from .marker_file import MarkerFile, RawMarkers, different_names, in_our_world
from .textfile import LARGEST, FormatWarning, naming, read_bytes

__all__ = ["C3D_MARK", "parse_c3d", "read_c3d"]

C3D_MARK: Final = 0x50  # the second byte of every C3D file
_NO_MARKERS: Final = (
    "ANGLES",
    "FORCES",
    "MOMENTS",
    "POWERS",
    "SCALARS",
)  # points that are no places
_FULL_WORD: Final = 65535  # a count or frame number that did not fit its word


def read_c3d(path: Path | str, *, up: str | None = None, unit: str | None = None) -> MarkerFile:
    """Read the markers of a C3D file; see `in_our_world` for `up` and `unit`.

    Points that are angles, forces, moments or powers are left out. The name of the subject, as in
    "Ada:LASI", is left out where it is the same before all.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no C3D, is damaged, or its unit makes of the markers no person.
    """
    content = read_bytes(path)
    with naming(path):
        return in_our_world(parse_c3d(content), up=up, unit=unit)


def parse_c3d(content: bytes) -> RawMarkers:
    """Parse the bytes of a C3D file. See `read_c3d`."""
    if len(content) < BLOCK or content[1] != C3D_MARK:
        raise FormatError(
            "found no C3D header; expected a C3D file of at least one block of 512 bytes"
        )
    parameters = parse_parameters(content, content[0])
    layout = _layout(content, parameters)
    columns, names = _markers(parameters, layout.points)
    positions = _positions(content, parameters, layout)[:, columns]
    unit = parameters.texts("POINT:UNITS")
    return RawMarkers(
        names,
        positions,
        layout.rate,
        max(layout.first - 1, 0) / layout.rate,
        unit[0] if unit else "",
        _up(parameters),
        usual_up="z",
    )


@dataclass(frozen=True)
class _Layout:
    """Where the frames are: T frames of P points and A analog samples.

    `first` is the number of the first frame, counted from 1; `scale` is that of whole numbers, negative
    where the numbers are floats.
    """

    start: int  # byte
    frames: int
    points: int
    analog: int
    first: int
    rate: float
    scale: float

    @property
    def number_bytes(self) -> int:
        return 4 if self.scale < 0 else 2

    @property
    def frame_bytes(self) -> int:
        return (4 * self.points + self.analog) * self.number_bytes


def _layout(content: bytes, parameters: Parameters) -> _Layout:
    """What the header and the parameters say, the first that fits into the file where they differ."""
    words = parameters.processor.words(content[:24]).astype(int).tolist()
    floats = parameters.processor.floats(content[12:16] + content[20:24])
    points = _whole(parameters.number("POINT:USED"), words[1])
    rate = _positive(parameters.number("POINT:RATE")) or _positive(float(floats[1]))
    scale = parameters.number("POINT:SCALE") or float(floats[0])
    start = (words[8] or _whole(parameters.number("POINT:DATA_START"), 0)) - 1
    if not points or rate is None or not (scale and np.isfinite(scale)) or start < 1:
        raise FormatError(
            f"the header tells of {points} points at {rate or 0:g} frames per second, scale {scale:g}, from "
            f"block {start + 1}; expected all of them above zero: the file holds no markers, or is damaged"
        )
    told = [
        _Layout(start * BLOCK, frames, points, analog, first, rate, scale)
        for analog in _analog(parameters, words[2], rate)
        for first, frames in _frames(parameters, words[3], words[4])
    ]
    for layout in told:
        if layout.start + layout.frames * layout.frame_bytes <= len(content):
            if layout != told[0]:
                _warn(
                    f"the header and the parameters differ; {layout.frames} frames fit, and are read"
                )
            return layout
    there = max(len(content) - told[0].start, 0) // told[0].frame_bytes
    raise FormatError(
        f"the file should hold {told[0].frames} frames of {told[0].frame_bytes} bytes, and ends after "
        f"{there}: it is cut; copy it again"
    )


def _whole(value: float | None, otherwise: int) -> int:
    return otherwise if value is None or not 0 <= value < LARGEST else int(value)


def _positive(value: float | None) -> float | None:
    return value if value is not None and 0 < value < LARGEST else None


def _analog(parameters: Parameters, in_header: int, rate: float) -> list[int]:
    """Analog samples per frame: those of the parameters, then those of the header."""
    used = _whole(parameters.number("ANALOG:USED"), 0)
    analog_rate = _positive(parameters.number("ANALOG:RATE"))
    told = [used * round(analog_rate / rate)] if used and analog_rate else []
    return list(dict.fromkeys([*told, in_header]))


def _frames(parameters: Parameters, first: int, last: int) -> list[tuple[int, int]]:
    """First frame and count of frames: the header's, then those of the parameters, which can be larger."""
    told = []
    if first <= last < _FULL_WORD:
        told.append((first, last - first + 1 if last else 0))
    actual = [parameters.numbers(f"TRIAL:ACTUAL_{end}_FIELD") for end in ("START", "END")]
    if all(len(words) == 2 for words in actual):
        begin, end = (int(words[0] + 65536 * words[1]) for words in actual)
        told.append((begin, end - begin + 1))
    told.append((first, _whole(parameters.number("POINT:LONG_FRAMES"), 0)))
    told.append((first, _whole(parameters.number("POINT:FRAMES"), 0)))
    likely = [(begin, count) for begin, count in told if count > 0]
    if not likely:
        raise FormatError("the file holds no frame; expected a recorded C3D file")
    return likely


def _positions(content: bytes, parameters: Parameters, layout: _Layout) -> Array:
    """(T, P, 3) in the file's unit, NaN where a point was not seen."""
    size = layout.frames * layout.frame_bytes
    data = np.frombuffer(content, np.uint8, size, layout.start).reshape(layout.frames, -1)
    points = np.ascontiguousarray(data[:, : 4 * layout.points * layout.number_bytes]).tobytes()
    if layout.scale < 0:
        with np.errstate(invalid="ignore"):  # damaged floats are found below
            values = parameters.processor.floats(points)
    else:
        values = np.frombuffer(points, f"{parameters.processor.order}i2").astype(np.float64)
    values = values.reshape(layout.frames, layout.points, 4)
    positions = values[..., :3] * (1.0 if layout.scale < 0 else layout.scale)
    seen = (values[..., 3] >= 0) & np.isfinite(positions).all(axis=-1)
    if np.any(np.abs(positions[seen]) > LARGEST):
        raise FormatError(
            "a marker is farther away than any laboratory is large: the file is damaged"
        )
    return np.where(seen[..., None], positions, np.nan)


def _markers(parameters: Parameters, points: int) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Which points are markers, and their names."""
    labels = parameters.long_texts("POINT:LABELS")[:points]
    others = {name for kind in _NO_MARKERS for name in parameters.long_texts(f"POINT:{kind}")}
    columns = [column for column, name in enumerate(labels) if name and name not in others]
    if not columns:
        raise FormatError(
            f"none of the {points} points is a marker with a name; expected POINT:LABELS"
        )
    unnamed = points - sum(map(bool, labels))
    if unnamed:
        _warn(f"{unnamed} of {points} points have no name; they are left out")
    names = [labels[column] for column in columns]
    names = list(different_names(names, [f"point {column + 1}" for column in columns]))
    prefixes = {name.partition(":")[0] for name in names}
    if len(prefixes) == 1 and all(name.partition(":")[2] for name in names):
        names = [name.partition(":")[2] for name in names]
    return np.array(columns), tuple(names)


def _up(parameters: Parameters) -> str | None:
    """The axis that programs should show upwards on the screen."""
    written = (
        "".join(parameters.texts("POINT:Y_SCREEN")[:1]).lower().replace(" ", "").removeprefix("+")
    )
    return written if written.removeprefix("-") in ("x", "y", "z") else None


def _warn(message: str) -> None:
    warnings.warn(message, FormatWarning, stacklevel=4)
