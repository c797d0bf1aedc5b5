"""ASF/AMC in: Acclaim's skeleton and motion pair, the CMU library's native format.

A joint carries the name of the bone it moves and sits at that bone's start, so `ltibia` is the left knee
and the wrist, the end of `lwrist`, is the joint `lhand`; the end of a leaf bone is its tip. The angles of a
bone with axis rotation C turn it by C R C^-1 in the axes of the world at rest, so every joint frame
is aligned with the world when all angles are zero. Y up becomes z up (`axes.z_up_from_y_up`).

The length unit of a file is 1 / length inches: 0.056444 m for the CMU library's 0.45.
"""

import warnings
from pathlib import Path

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from . import axes
from .asf import AsfBone, AsfFigure, fixed_axes_rotation, parse_asf
from .textfile import FormatWarning, naming, numbers, read_text

__all__ = ["parse_amc", "read_amc", "read_asf"]

_INCH = 0.0254  # metres


def read_asf(path: Path | str, *, unit: float | None = None) -> Skeleton:
    """Read the skeleton of an ASF file.

    Args:
        path: the file.
        unit: metres per unit instead of what the file says.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no ASF.
    """
    return _skeleton(_figure(path), unit)


def read_amc(
    asf_path: Path | str, amc_path: Path | str, *, fps: float = 120.0, unit: float | None = None
) -> Motion:
    """Read a motion and the skeleton it belongs to.

    Args:
        asf_path: the skeleton.
        amc_path: the motion.
        fps: frames per second, which the format doesn't say.
        unit: metres per unit of both files instead of what the ASF says.

    Raises:
        FileError: a file can't be read.
        FormatError: one is no ASF or AMC, is cut, or they don't belong together.
    """
    figure, text = _figure(asf_path), read_text(amc_path)
    with naming(amc_path):
        return parse_amc(figure, text, fps=fps, unit=unit)


def parse_amc(
    figure: AsfFigure, text: str, *, fps: float = 120.0, unit: float | None = None
) -> Motion:
    """Parse the text of an AMC file that moves `figure`. See `read_amc`."""
    degrees, values = _frames(figure, text)
    frames = len(values["root"])
    turn = np.pi / 180.0 if degrees else 1.0
    axis_turn = np.pi / 180.0 if figure.degrees else 1.0
    rotations = np.stack(
        [
            _rotation(bone, values[name] * turn, bone.axis * axis_turn, frames)
            for name, bone in figure.bones.items()
        ],
        axis=1,
    )
    position = np.tile(figure.position, (frames, 1))
    for column, dof in enumerate(figure.bones["root"].dofs):
        if dof in ("tx", "ty", "tz"):
            position[:, "xyz".index(dof[1])] += values["root"][:, column]
    return Motion(
        _skeleton(figure, unit),
        axes.z_up_from_y_up(position) * _metres(figure, unit),
        quaternion.continuous(axes.z_up_from_y_up_rotation(rotations)),
        fps,
    )


def _figure(path: Path | str) -> AsfFigure:
    text = read_text(path)
    with naming(path):
        return parse_asf(text)


def _metres(figure: AsfFigure, unit: float | None) -> float:
    return _INCH / figure.length_unit if unit is None else axes.metres_per(unit)


def _skeleton(figure: AsfFigure, unit: float | None) -> Skeleton:
    names = tuple(figure.bones)
    ends = {name: bone.direction * bone.length for name, bone in figure.bones.items()}
    offsets = [ends[parent] if parent else figure.position for parent in figure.parents.values()]
    has_child = set(figure.parents.values())
    nowhere = np.full(3, np.nan)
    tips = [nowhere if name in has_child or not ends[name].any() else ends[name] for name in names]
    scale = _metres(figure, unit)
    parents = (names.index(parent) if parent else -1 for parent in figure.parents.values())
    return Skeleton(
        names,
        tuple(parents),
        axes.z_up_from_y_up(np.array(offsets)) * scale,
        axes.z_up_from_y_up(np.array(tips)) * scale,
    )


def _rotation(bone: AsfBone, values: Array, axis: Array, frames: int) -> Array:
    """(T, 4) rotation relative to the parent in the file's world axes at rest."""
    columns = [column for column, dof in enumerate(bone.dofs) if dof.startswith("r")]
    order = "".join(bone.dofs[column][1].upper() for column in columns)
    own = fixed_axes_rotation(values[:, columns], order)
    if not columns:
        own = np.tile(quaternion.IDENTITY, (frames, 1))
    rest_from_own = fixed_axes_rotation(axis, bone.axis_order)
    turned = quaternion.multiply(rest_from_own, own)
    return quaternion.multiply(turned, quaternion.conjugate(rest_from_own))


def _frames(figure: AsfFigure, text: str) -> tuple[bool, dict[str, Array]]:
    """Whether angles are in degrees, and (T, dofs) values of every bone in the file's units."""
    body, degrees = _without_header(text, figure.degrees)
    _check_dofs(figure)
    rows = _regular_frames(figure, body)
    if rows is None:
        rows = _frame_by_frame(figure, text)
    return degrees, rows


def _without_header(text: str, degrees: bool) -> tuple[str, bool]:
    """The frames; and the unit that `:DEGREES` or `:RADIANS` says, the ASF's where neither is there."""
    start = 0
    for line in text.splitlines(keepends=True):
        word = line.strip().lower()
        if word in (":degrees", ":radians"):
            degrees = word == ":degrees"
        if word and word[0] not in "#:":
            break
        start += len(line)
    return text[start:], degrees


def _check_dofs(figure: AsfFigure) -> None:
    for name, bone in figure.bones.items():
        if name != "root" and not all(dof.startswith("r") for dof in bone.dofs):
            message = f"bone {name!r} stretches or slides; only its rotation is read"
            warnings.warn(message, FormatWarning, stacklevel=2)


def _regular_frames(figure: AsfFigure, body: str) -> dict[str, Array] | None:
    """The values where every frame names the same bones in the same order, else None: fast."""
    tokens = body.split()
    sequence, width = [], 1
    while width < len(tokens) and tokens[width] in figure.bones and tokens[width] not in sequence:
        sequence.append(tokens[width])
        width += 1 + len(figure.bones[tokens[width]].dofs)
    if len(tokens) % width or not {n for n, b in figure.bones.items() if b.dofs} <= set(sequence):
        return None
    values = {name: np.zeros((len(tokens) // width, 0)) for name in figure.bones}
    column = 1
    for name in sequence:
        if set(tokens[column::width]) != {name}:
            return None
        after = column + 1 + len(figure.bones[name].dofs)
        try:
            columns = [numbers(tokens[i::width]) for i in range(column + 1, after)]
        except ValueError:
            return None
        values[name] = np.stack(columns, axis=1) if columns else values[name]
        column = after
    return values if all(token.isdigit() for token in tokens[::width]) else None


def _frame_by_frame(figure: AsfFigure, text: str) -> dict[str, Array]:
    """The same for any other layout, line by line; names the line that is wrong."""
    needed = {name: len(bone.dofs) for name, bone in figure.bones.items()}
    frames: list[dict[str, Array]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        name, *words = line.split() or [""]
        if not name or name[0] in "#:":
            continue
        if not words and name.isdigit():
            _check_complete(frames, needed, number)
            frames.append({})
        elif not frames:
            raise FormatError(f"line {number}: found {name[:40]!r}, expected a frame number")
        elif name not in needed:
            raise FormatError(f"line {number}: no bone {name[:40]!r} in the ASF file")
        else:
            frames[-1][name] = _line_values(number, name, words, needed[name])
    _check_complete(frames, needed, text.count("\n") + 1)
    if not frames:
        raise FormatError("found no frames; expected an AMC file, or the file is cut")
    none = np.zeros(0)
    return {name: np.stack([frame.get(name, none) for frame in frames]) for name in needed}


def _line_values(number: int, name: str, words: list[str], needed: int) -> Array:
    if len(words) != needed:
        raise FormatError(
            f"line {number}: bone {name!r} has {len(words)} values, expected {needed}: the file is cut "
            "or belongs to another ASF"
        )
    try:
        return numbers(words)
    except ValueError as error:
        raise FormatError(f"line {number}: {error}") from None


def _check_complete(frames: list[dict[str, Array]], needed: dict[str, int], number: int) -> None:
    """The frame that ends before line `number` must name every bone that moves."""
    if not frames:
        return
    lacking = [name for name, count in needed.items() if count and name not in frames[-1]]
    if lacking:
        raise FormatError(
            f"line {number}: frame {len(frames)} lacks {', '.join(lacking)}: the file is cut or belongs "
            "to another ASF"
        )
