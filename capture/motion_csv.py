"""Motions as CSV: every joint's rotation in columns, the skeleton in the lines that start with "#".

    # pallas motion,1
    # fps,60.0
    # joint,pelvis,,0.0,0.0,0.9,,,
    # joint,head,pelvis,0.0,0.0,0.7,0.0,0.0,0.2
    time,root.px,root.py,root.pz,pelvis.qw,pelvis.qx,pelvis.qy,pelvis.qz,head.qw,…

A joint's line holds its name, its parent's name, its offset from the parent and the end of its bone (empty
where unknown), metres. q is parent_from_joint; the root's is world_from_root. z is up. Where confidence
is known a column NAME.confidence follows.
"""

from pathlib import Path

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from .csvtable import CsvTable, format_table, parse_table
from .imu_csv import unit_quaternions
from .textfile import naming, numbers, read_text, write_text

__all__ = [
    "format_motion_csv",
    "parse_motion_csv",
    "read_motion_csv",
    "write_motion_csv",
]

_POSITION = ("root.px", "root.py", "root.pz")
_ROTATION = ("qw", "qx", "qy", "qz")
_JOINT_FIELDS = 8  # name, parent, offset, tip


def read_motion_csv(path: Path | str) -> Motion:
    """Read a motion.

    Raises:
        FileError: the file can't be read.
        FormatError: it lacks the skeleton or columns, or a line is wrong; the message names the line.
    """
    content = read_text(path)
    with naming(path):
        return parse_motion_csv(content)


def parse_motion_csv(text: str) -> Motion:
    """Parse the text of a motion CSV. See `read_motion_csv`."""
    return _from_table(parse_table(text))


def _from_table(table: CsvTable) -> Motion:
    """The motion that a parsed CSV holds."""
    skeleton = _skeleton(table)
    rotations = [
        unit_quaternions(table.select([f"{name}.{axis}" for axis in _ROTATION]), table.lines, name)
        for name in skeleton.names
    ]
    confidence = [f"{name}.confidence" for name in skeleton.names]
    known = confidence[0] in table.columns
    return Motion(
        skeleton,
        table.select(_POSITION),
        np.stack(rotations, axis=1),
        _fps(table),
        table.select(confidence) if known else None,
    )


def _skeleton(table: CsvTable) -> Skeleton:
    joints = [(line, fields[1:]) for line, fields in table.notes if fields[0] == "joint"]
    if not joints:
        raise FormatError("found no lines '# joint,…'; expected a motion written by PALLAS")
    names: dict[str, int] = {}
    parents, rows = [], []
    for line, fields in joints:
        if len(fields) != _JOINT_FIELDS:
            raise FormatError(
                f"line {line}: a joint has {len(fields)} fields, expected {_JOINT_FIELDS}"
            )
        name, parent, *words = fields
        if name in names or (parent not in names) == bool(names):
            raise FormatError(
                f"line {line}: joint {name[:40]!r} has parent {parent[:40]!r}; expected one root, "
                "different names, and parents before their children"
            )
        parents.append(names.get(parent, -1))
        names[name] = len(names)
        rows.append(_vectors(line, words))
    vectors = np.array(rows)
    return Skeleton(tuple(names), tuple(parents), vectors[:, :3], vectors[:, 3:])


def _vectors(line: int, words: list[str]) -> Array:
    """Offset and tip (6,); the offset must be known."""
    try:
        values = numbers([word or "nan" for word in words], missing=True)
    except ValueError as error:
        raise FormatError(f"line {line}: {error}") from None
    if np.isnan(values[:3]).any():
        raise FormatError(f"line {line}: the joint has no offset, expected three numbers in metres")
    return values


def _fps(table: CsvTable) -> float:
    """As noted; else from the clock."""
    for line, fields in table.notes:
        if fields[0] == "fps":
            try:
                fps = float(numbers(fields[1:2])[0])
            except (ValueError, IndexError):
                fps = 0.0
            if not fps > 0:
                raise FormatError(f"line {line}: expected frames per second above zero")
            return fps
    times = table.select(["time"])[:, 0]
    table.check_clock(times)
    if len(times) < 2:
        raise FormatError("found no line '# fps,…' and too few lines to tell the rate")
    return float(1.0 / np.median(np.diff(times)))


def write_motion_csv(path: Path | str, motion: Motion, *, force: bool = False) -> None:
    """Write a motion.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
    """
    write_text(path, format_motion_csv(motion), force=force)


def format_motion_csv(motion: Motion) -> str:
    """The text of a motion CSV."""
    skeleton = motion.skeleton
    notes: list[list[str | float]] = [["pallas motion", "1"], ["fps", motion.fps]]
    for joint, name in enumerate(skeleton.names):
        parent = "" if joint == 0 else skeleton.names[skeleton.parents[joint]]
        notes.append(
            [
                "joint",
                name,
                parent,
                *skeleton.offsets[joint].tolist(),
                *skeleton.tips[joint].tolist(),
            ]
        )
    columns = ["time", *_POSITION, *(f"{n}.{axis}" for n in skeleton.names for axis in _ROTATION)]
    rotations = motion.rotations.reshape(len(motion), 4 * len(skeleton))
    parts = [motion.times[:, None], motion.root_position, rotations]
    if motion.confidence is not None:
        columns += [f"{name}.confidence" for name in skeleton.names]
        parts.append(motion.confidence)
    return format_table(notes, columns, np.concatenate(parts, axis=1))
