"""BVH in and out.

A BVH file rests with every rotation zero, as `Skeleton` does; what differs are its axes and units, and
those end here. Reading:

- *Axes.* Y up facing +Z unless the rest pose says otherwise: it is taken as Z up where it is more than
  1.5 times taller along Z than along Y. `up` overrides.
- *Unit.* The one of metres, centimetres, millimetres, inches and the CMU library's unit in which the rest
  pose is person-sized (`axes.guess_unit`); centimetres, with a warning, where none is. `unit` overrides.
- *Positions.* A position channel replaces the OFFSET of its joint, as in Blender and MotionBuilder. Below
  the root bones have a constant length here: the mean position becomes the offset, with a warning if
  the positions move more than a millimetre. A root that stands still above a single child that moves
  (a "reference" node) takes over the child's movement.
- *Ends.* The first End Site of a joint becomes its tip, further ones become joints; a zero one is no end.

Writing is in `bvh_writer`.
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from . import axes
from .bvh_hierarchy import CHANNELS, BvhTree, parse_hierarchy
from .bvh_writer import format_bvh, write_bvh
from .textfile import FormatWarning, naming, numbers, read_text

__all__ = ["format_bvh", "parse_bvh", "read_all_bvh", "read_bvh", "write_bvh"]

_MOTION = re.compile(r"^\s*MOTION\s*$", re.IGNORECASE | re.MULTILINE)
_FRAMES = re.compile(r"\s*Frames\s*:?\s*(\d{1,9})\s*?$", re.IGNORECASE | re.MULTILINE)
_FRAME_TIME = re.compile(r"\s*Frame\s*Time\s*:?\s*(\S+)\s*?$", re.IGNORECASE | re.MULTILINE)
_STILL = 1e-3  # metres that a bone's length may vary before the reader speaks of it


@dataclass(frozen=True)
class _Options:
    unit: float | str
    up: str
    fps: float | None


def read_bvh(
    path: Path | str,
    *,
    root: str | None = None,
    unit: float | str = "auto",
    up: str = "auto",
    fps: float | None = None,
) -> Motion:
    """Read one figure of a BVH file.

    Args:
        path: the file.
        root: name of the ROOT to read; the first if None.
        unit: "auto", a name in `axes.UNITS`, or metres per unit.
        up: "auto", "y" or "z", the axis of the file that points up.
        fps: frames per second instead of the file's own.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no BVH, or is cut; the message names the line.
    """
    motions = read_all_bvh(path, unit=unit, up=up, fps=fps)
    return _chosen(motions, root)


def read_all_bvh(
    path: Path | str, *, unit: float | str = "auto", up: str = "auto", fps: float | None = None
) -> tuple[Motion, ...]:
    """Read every figure (ROOT) of a BVH file, in its order. See `read_bvh`."""
    content = read_text(path)
    with naming(path):
        return _parse(content, _Options(unit, up, fps))


def parse_bvh(
    text: str,
    *,
    root: str | None = None,
    unit: float | str = "auto",
    up: str = "auto",
    fps: float | None = None,
) -> Motion:
    """Read one figure from the text of a BVH file. See `read_bvh`."""
    return _chosen(_parse(text, _Options(unit, up, fps)), root)


def _chosen(motions: tuple[Motion, ...], root: str | None) -> Motion:
    if root is None:
        return motions[0]
    roots = [motion.skeleton.names[0] for motion in motions]
    if root not in roots:
        raise FormatError(f"no ROOT {root!r} in the file; it has: {', '.join(roots)}")
    return motions[roots.index(root)]


def _parse(text: str, options: _Options) -> tuple[Motion, ...]:
    start = _MOTION.search(text)
    if start is None:
        raise FormatError("found no MOTION section; expected a BVH file, or the file is cut")
    trees, columns = parse_hierarchy(text[: start.start()])
    values, frame_rate = _motion_section(text, start.end(), columns)
    rate = frame_rate if options.fps is None else options.fps
    return tuple(_motion(tree, values, rate, options) for tree in trees)


def _motion_section(text: str, start: int, columns: int) -> tuple[Array, float]:
    """The values (frames, columns) as the file has them, and frames per second."""
    frames = _FRAMES.match(text, start)
    time = _FRAME_TIME.match(text, frames.end()) if frames else None
    if frames is None or time is None:
        raise FormatError("MOTION is not followed by 'Frames: N' and 'Frame Time: seconds'")
    expected = int(frames.group(1))
    tokens = text[time.end() :].split()
    whole, rest = divmod(len(tokens), columns) if columns else (expected, len(tokens))
    if whole < expected or rest:
        raise FormatError(
            f"the motion has {len(tokens)} values, expected {expected} frames of {columns}: the file "
            "is cut or damaged; record or export it again"
        )
    if not columns and expected:
        raise FormatError("no joint has channels, expected at least the root's")
    if whole > expected:
        _warn(f"the file announces {expected} frames and holds {whole}; all are read")
    try:
        values = numbers(tokens)
    except ValueError:
        _report_bad_line(text, time.end())
        raise
    return values.reshape(whole, columns), _frame_rate(time.group(1))


def _report_bad_line(text: str, start: int) -> None:
    first = text.count("\n", 0, start) + 1
    for line, content in enumerate(text[start:].split("\n"), start=first):
        try:
            numbers(content.split())
        except ValueError as error:
            raise FormatError(f"line {line}: {error}") from None


def _frame_rate(token: str) -> float:
    """Frames per second of a printed frame time: the whole number that it rounds, if it does."""
    try:
        seconds = float(token)
    except ValueError:
        seconds = np.nan
    if not 1e-6 <= seconds <= 1e6:  # NaN too
        raise FormatError(f"Frame Time is {token[:40]!r}, expected seconds per frame above zero")
    nearest = max(round(1.0 / seconds), 1)
    digits = len(token.partition(".")[2]) if "e" not in token.lower() else 17
    rounding = 10.0**-digits * (1.0 + 1e-6)
    is_rounded = abs(1.0 / nearest - seconds) <= min(rounding, 0.005 * seconds)
    return float(nearest) if is_rounded else 1.0 / seconds


def _motion(tree: BvhTree, values: Array, fps: float, options: _Options) -> Motion:
    offsets = np.array([np.zeros(3) if j.offset is None else j.offset for j in tree.joints])
    tips = np.array([np.full(3, np.nan) if j.tip is None else j.tip for j in tree.joints])
    names = tuple(joint.name for joint in tree.joints)
    file_rest = Skeleton(names, tuple(joint.parent for joint in tree.joints), offsets, tips)
    points = _rest_points(file_rest)
    scale = _scale(points, options.unit)
    positions = [_position(tree, joint, offsets, values) for joint in range(len(tree.joints))]
    rotations = np.stack([_rotation(tree, j, values) for j in range(len(names))], axis=1)
    root_position = _follow_reference(tree, offsets, positions, rotations, _STILL / scale)
    for joint, position in enumerate(positions[1:], start=1):
        if position is not None:
            offsets[joint] = _constant(position, offsets[joint], names[joint], _STILL / scale)
    if _is_y_up(points, options.up):
        offsets, tips = axes.z_up_from_y_up(offsets), axes.z_up_from_y_up(tips)
        root_position = axes.z_up_from_y_up(root_position)
        rotations = axes.z_up_from_y_up_rotation(rotations)
    skeleton = Skeleton(names, file_rest.parents, offsets * scale, tips * scale)
    return Motion(skeleton, root_position * scale, quaternion.continuous(rotations), fps)


def _rest_points(skeleton: Skeleton) -> Array:
    joints = skeleton.rest_positions
    ends = joints + skeleton.tips
    return np.concatenate([joints, ends[np.isfinite(ends).all(axis=1)]])


def _scale(points: Array, unit: float | str) -> float:
    if unit != "auto":
        return axes.metres_per(unit)
    guess = axes.guess_unit(points)
    if guess is None:
        extent = float(np.max(np.ptp(points, axis=0)))
        _warn(
            f"the skeleton is {extent:.4g} units large, which is person-sized in no unit; "
            "taken as centimetres: pass the unit if that is wrong"
        )
    return axes.UNITS[guess or "cm"]


def _is_y_up(points: Array, up: str) -> bool:
    if up not in ("auto", "y", "z"):
        raise FormatError(f"up is {up!r}, expected 'auto', 'y' or 'z'")
    extent = np.ptp(points, axis=0)
    return up == "y" or (up == "auto" and bool(extent[2] <= 1.5 * extent[1]))


def _position(tree: BvhTree, index: int, offsets: Array, values: Array) -> Array | None:
    """(T, 3) in the file's unit, relative to the parent; None without position channels."""
    joint = tree.joints[index]
    if not any(channel in CHANNELS[:3] for channel in joint.channels):
        return None
    position = np.tile(offsets[index], (len(values), 1))
    for column, channel in enumerate(joint.channels, start=joint.first):
        if channel in CHANNELS[:3]:
            position[:, CHANNELS.index(channel)] = values[:, column]
    return position


def _rotation(tree: BvhTree, index: int, values: Array) -> Array:
    """(T, 4) parent_from_joint in the file's axes."""
    joint = tree.joints[index]
    turning = [i for i, channel in enumerate(joint.channels) if channel in CHANNELS[3:]]
    order = "".join(joint.channels[i][0].upper() for i in turning)
    columns = [joint.first + i for i in turning]
    return np.array(quaternion.from_euler(np.radians(values[:, columns]), order))


def _follow_reference(
    tree: BvhTree, offsets: Array, positions: list[Array | None], rotations: Array, still: float
) -> Array:
    """The root's path (T, 3); a root that stands still takes over the path of its only child."""
    path = positions[0]
    if path is None:
        path = np.tile(offsets[0], (len(rotations), 1))
    children = [index for index, joint in enumerate(tree.joints) if joint.parent == 0]
    if len(children) != 1 or not len(path) or np.ptp(path, axis=0).max() > still:
        return path
    child = positions[children[0]]
    if child is None or np.ptp(child, axis=0).max() <= still:
        return path
    positions[children[0]] = None
    return path + quaternion.rotate(rotations[:, 0], child - offsets[children[0]])


def _constant(position: Array, offset: Array, name: str, still: float) -> Array:
    """The one offset that stands for a joint's positions (T, 3)."""
    if not len(position):
        return offset
    mean = position.mean(axis=0)
    if np.linalg.norm(mean) < np.linalg.norm(mean - offset):
        # Some programs write the difference from the offset instead: values about zero.
        mean, position = mean + offset, position + offset
    if np.abs(position - mean).max() > still:
        _warn(f"the length of the bone that ends in {name!r} changes over time; its mean is used")
    return np.asarray(mean)


def _warn(message: str) -> None:
    warnings.warn(message, FormatWarning, stacklevel=2)
