"""From a table of a model's coordinates to a pose, and back: names, degrees, and what the table lacks."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ..rig.arrays import Array, Mask, checked
from ..rig.errors import FormatError
from ..rig.model import KinematicModel, Linear
from .csvtable import format_table
from .storage import CoordinateTable, write_storage
from .textfile import FormatWarning, write_text

__all__ = [
    "COORDINATE_SUFFIXES",
    "angle_coordinates",
    "pose_from_table",
    "table_from_pose",
    "write_coordinates",
]

COORDINATE_SUFFIXES: Final = (".mot", ".sto", ".csv")
_VALUE: Final = "value"  # the end of a coordinate's column in OpenSim's tables of states
_LISTED: Final = 8
_RADIANS: Final = 10.0  # an angle beyond this is in degrees


def angle_coordinates(model: KinematicModel) -> Mask:
    """(D,) which coordinates are angles, and so are in degrees where a table is.

    As OpenSim has it: those that a rotation axis follows one to one, and parts of a rotation vector. A
    coordinate that drives axes only through other functions keeps its own unit.
    """
    angles: set[str | None] = set()
    for joint in model.joints:
        angles.update(joint.ball or ())
        for axis in joint.rotations:
            if isinstance(axis.function, Linear) and abs(axis.function.gradient) == 1.0:
                angles.add(axis.coordinate)
    return np.array([name in angles for name in model.coordinate_names])


def pose_from_table(table: CoordinateTable, model: KinematicModel) -> Array:
    """The model's coordinates over the table's times.

    A column is called after its coordinate, or as in OpenSim's states
    "/jointset/ground_pelvis/pelvis_tilt/value". Other columns are ignored. A coordinate without a column is
    at its default, or where its coupling puts it.

    Args:
        table: T rows.
        model: D coordinates.

    Returns:
        (T, D) radians and metres, NaN where the table has no value.

    Raises:
        FormatError: the table has none of the model's coordinates.
    """
    columns = _columns(table.names)
    pose = np.tile(model.default_pose, (len(table), 1))
    known = [name in columns for name in model.coordinate_names]
    if not any(known):
        raise FormatError(
            f"none of the columns is a coordinate of {model.name!r}: found {_some(table.names)}; expected "
            f"{_some(model.coordinate_names)}"
        )
    for index, name in enumerate(model.coordinate_names):
        if known[index]:
            pose[:, index] = table.values[:, columns[name]]
    angles = angle_coordinates(model) & np.array(known)
    if _is_in_degrees(table, pose[:, angles]):
        pose[:, angles] = np.radians(pose[:, angles])
    for coupling in model.couplings:
        index = model.coordinate_index(coupling.coordinate)
        if not known[index]:
            pose[:, index] = coupling.function(pose[:, model.coordinate_index(coupling.driver)])
    lacking = [model.coordinate_names[i] for i in model.free_coordinates if not known[i]]
    if lacking:
        warnings.warn(
            f"the table lacks {_some(lacking)}; taken at their defaults",
            FormatWarning,
            stacklevel=2,
        )
    return pose


def _columns(names: Sequence[str]) -> dict[str, int]:
    """The column of each coordinate; a full path counts where no column has the bare name."""
    columns = {name: place for place, name in enumerate(names)}
    for place, name in enumerate(names):
        parts = name.split("/")
        if len(parts) > 1 and parts[-1] == _VALUE:
            columns.setdefault(parts[-2], place)
    return columns


def _is_in_degrees(table: CoordinateTable, angles: Array) -> bool:
    if table.in_degrees is not None or not angles.size:
        return bool(table.in_degrees)
    found = bool(np.nanmax(np.abs(angles), initial=0.0) > _RADIANS)
    warnings.warn(
        f"the table does not say whether it is in degrees; taken as {'degrees' if found else 'radians'} from "
        "the size of its angles",
        FormatWarning,
        stacklevel=3,
    )
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (" …" if len(names) > _LISTED else "")


def table_from_pose(
    model: KinematicModel, pose: Array, times: Array, *, in_degrees: bool = True
) -> CoordinateTable:
    """A table with a column for each of the model's coordinates.

    Args:
        model: D coordinates.
        pose: (T, D) radians and metres.
        times: (T,) seconds.
        in_degrees: write angles in degrees, as OpenSim does.

    Raises:
        ShapeError: the arrays do not fit, or the times do not increase.
    """
    values = checked("pose", pose, (None, len(model.coordinates))).copy()
    if in_degrees:
        angles = angle_coordinates(model)
        values[:, angles] = np.degrees(values[:, angles])
    return CoordinateTable(model.coordinate_names, np.asarray(times), values, in_degrees)


def write_coordinates(
    path: Path | str,
    model: KinematicModel,
    pose: Array,
    times: Array,
    *,
    force: bool = False,
) -> None:
    """Write a pose (T, D) in radians and metres as `.mot`, `.sto` or `.csv`, angles in degrees.

    The columns of the CSV say their unit: "knee_angle_r [deg]".

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
        FormatError: the suffix is none of these.
        ShapeError: the arrays do not fit.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in COORDINATE_SUFFIXES:
        raise FormatError(
            f"coordinates can't be written as {Path(path).suffix or 'a file without suffix'!r}; expected "
            f"one of: {', '.join(COORDINATE_SUFFIXES)}"
        )
    table = table_from_pose(model, pose, times)
    if suffix != ".csv":
        write_storage(path, table, force=force)
        return
    names = [
        f"{coordinate.name} [{_unit(coordinate.kind, is_angle)}]"
        for coordinate, is_angle in zip(model.coordinates, angle_coordinates(model), strict=True)
    ]
    values = np.column_stack([table.times, table.values])
    write_text(path, format_table([], ["time", *names], values), force=force)


def _unit(kind: str, is_angle: bool) -> str:
    if is_angle:
        return "deg"
    return "m" if kind == "translation" else "rad" if kind == "rotation" else "-"
