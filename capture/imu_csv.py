"""IMU recordings as CSV, to look at in a spreadsheet or to bring in from a device of one's own.

    # pallas imu,1
    # pose,npose,waist,1.0,0.0,0.0,0.0
    # mounting,waist,1.0,0.0,0.0,0.0
    time,waist.qw,waist.qx,waist.qy,waist.qz,waist.ax,waist.ay,waist.az
    0.0,1.0,0.0,0.0,0.0,0.1,0.0,0.0

`time` is in seconds; q is world_from_sensor, world z up; a is the linear acceleration (gravity removed)
in m/s^2 in the world frame. An empty cell is a missing value. The lines that start with "#" may be left
out: calibration poses, and how each sensor is mounted on its bone. Other columns are ignored.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import FormatError
from .csvtable import CsvTable, format_table, parse_table
from .imu import ImuRecording
from .textfile import naming, numbers, read_text, write_text

__all__ = [
    "format_imu_csv",
    "parse_imu_csv",
    "read_imu_csv",
    "unit_quaternions",
    "write_imu_csv",
]

_ROTATION = ("qw", "qx", "qy", "qz")
_ACCELERATION = ("ax", "ay", "az")
_EXACT = 1e-6  # a quaternion this near to unit length is kept as it is
_ROUNDED = 0.1  # one this far from it is no orientation


def read_imu_csv(path: Path | str) -> ImuRecording:
    """Read a recording.

    Raises:
        FileError: the file can't be read.
        FormatError: it lacks columns, or a line is wrong; the message names the line.
    """
    content = read_text(path)
    with naming(path):
        return parse_imu_csv(content)


def parse_imu_csv(text: str) -> ImuRecording:
    """Parse the text of an IMU CSV. See `read_imu_csv`."""
    return _from_table(parse_table(text))


def _from_table(table: CsvTable) -> ImuRecording:
    """The recording that a parsed CSV holds."""
    placements = tuple(
        name.removesuffix(".qw") for name in table.columns if name.endswith(".qw") and name != ".qw"
    )
    if not placements:
        raise FormatError(
            "found no column that ends in '.qw'; expected time, then NAME.qw .qx .qy .qz .ax .ay .az "
            "for every sensor"
        )
    times = table.select(["time"])[:, 0]
    table.check_clock(times)
    rotations = [table.select([f"{p}.{axis}" for axis in _ROTATION]) for p in placements]
    unit = [unit_quaternions(q, table.lines, p) for p, q in zip(placements, rotations, strict=True)]
    acceleration = [table.select([f"{p}.{axis}" for axis in _ACCELERATION]) for p in placements]
    mounting, poses = _calibration(table, placements)
    return ImuRecording(
        times,
        np.stack(unit, axis=1),
        np.stack(acceleration, axis=1),
        placements,
        mounting,
        poses,
    )


def unit_quaternions(values: Array, lines: Sequence[int], name: str) -> Array:
    """Rows (T, 4) brought to unit length; all zero is missing.

    Raises:
        FormatError: a row is far from unit length; the message names its line.
    """
    length = np.linalg.norm(values, axis=1)
    wrong = np.flatnonzero((length > 0) & (np.abs(length - 1.0) > _ROUNDED))
    if len(wrong):
        row = int(wrong[0])
        raise FormatError(
            f"line {lines[row]}: the quaternion of {name[:40]!r} has length {length[row]:.4g}, "
            "expected 1: w, x, y, z of a rotation, not angles"
        )
    exact = (np.abs(length - 1.0) <= _EXACT)[:, None]
    return np.where(exact, values, quaternion.normalised(values))


def _calibration(
    table: CsvTable, placements: tuple[str, ...]
) -> tuple[Array | None, dict[str, Array]]:
    mounting = np.full((len(placements), 4), np.nan)
    poses: dict[str, Array] = {}
    for line, (kind, *fields) in table.notes:
        if kind == "mounting":
            _set_row(mounting, fields, placements, line)
        elif kind == "pose" and fields:
            pose = poses.setdefault(fields[0], np.full((len(placements), 4), np.nan))
            _set_row(pose, fields[1:], placements, line)
    return (mounting if np.isfinite(mounting).any() else None), poses


def _set_row(rows: Array, fields: list[str], placements: tuple[str, ...], line: int) -> None:
    name, *words = fields or [""]
    if name not in placements or len(words) != 4:
        raise FormatError(f"line {line}: expected the name of a sensor and w, x, y, z")
    try:
        values = numbers([word or "nan" for word in words], missing=True)
    except ValueError as error:
        raise FormatError(f"line {line}: {error}") from None
    rows[placements.index(name)] = unit_quaternions(values[None], [line], name)[0]


def write_imu_csv(path: Path | str, recording: ImuRecording, *, force: bool = False) -> None:
    """Write a recording.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
    """
    write_text(path, format_imu_csv(recording), force=force)


def format_imu_csv(recording: ImuRecording) -> str:
    """The text of an IMU CSV."""
    notes: list[list[str | float]] = [["pallas imu", "1"]]
    for pose, rows in recording.poses.items():
        for name, row in zip(recording.placements, rows.tolist(), strict=True):
            notes.append(["pose", pose, name, *row])
    if recording.bone_from_sensor is not None:
        for name, row in zip(
            recording.placements, recording.bone_from_sensor.tolist(), strict=True
        ):
            notes.append(["mounting", name, *row])
    columns = [f"{p}.{a}" for p in recording.placements for a in (*_ROTATION, *_ACCELERATION)]
    sensors = np.concatenate([recording.world_from_sensor, recording.acceleration], axis=2)
    values = np.concatenate(
        [recording.times[:, None], sensors.reshape(len(recording), len(columns))], axis=1
    )
    return format_table(notes, ["time", *columns], values)
