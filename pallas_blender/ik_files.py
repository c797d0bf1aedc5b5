"""The folder of a marker fit's report: tables of numbers, and plots where matplotlib is installed."""

import csv
import io
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..capture.coordinates import angle_coordinates, write_coordinates
from ..capture.csvtable import format_table
from ..rig.arrays import Array
from ..rig.errors import OutputError
from ..rig.solve.marker_ik import MarkerFit
from ..rig.solve.marker_report import differences, joint_velocities, marker_table
from ..rig.trajectories import MarkerTrajectories
from .console import plain

__all__ = ["FILES", "PLOTS", "beside", "check_folder", "reference_errors", "write_report"]

FILES = ("report.json", "markers.csv", "residuals.csv", "angles.csv", "velocities.csv")
PLOTS = ("angles.png", "velocities.png", "residuals.png", "worst_markers.png", "limits.png")
_MILLIMETRES = 1000.0


def check_folder(folder: Path, *, force: bool) -> None:
    """Tell before the work starts what would stop the report after it.

    Raises:
        OutputError: the folder is a file, can't be made, or holds a report and `force` is off.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, expected a folder for the report")
    if not folder.parent.is_dir():
        raise OutputError(f"the folder {folder.parent} does not exist; create it first")
    there = [name for name in (*FILES, *PLOTS) if (folder / name).exists()]
    if there and not force:
        raise OutputError(
            f"{folder} holds {', '.join(there)} already; choose another folder or pass --force"
        )


def write_report(
    folder: Path,
    fit: MarkerFit,
    markers: MarkerTrajectories,
    report: dict[str, Any],
    reference: Array | None,
    *,
    force: bool,
) -> list[str]:
    """Write the tables, and the plots if matplotlib is installed; all or nothing.

    Args:
        folder: made if need be.
        fit: of T frames.
        markers: that were fitted.
        report: what report.json says; how long it took is left out, so that the same input gives the same.
        reference: (T, D) coordinates to draw beside, or None.
        force: replace a report that is there.

    Returns:
        Names of the files; without matplotlib there are no plots.

    Raises:
        OutputError: a file is there already and `force` is off, or can't be written.
    """
    check_folder(folder, force=force)
    with beside(folder) as place:
        _tables(place, fit, markers)
        lasting = {name: value for name, value in report.items() if name != "solve_seconds"}
        text = json.dumps(plain(lasting), indent=2, ensure_ascii=False)
        (place / "report.json").write_text(text + "\n", encoding="utf-8")
        if _has_matplotlib():
            from . import ik_plots

            ik_plots.draw(place, fit, report, reference)
        made = [name for name in (*FILES, *PLOTS) if (place / name).exists()]
        folder.mkdir(exist_ok=True)
        for name in (*FILES, *PLOTS):
            (folder / name).unlink(missing_ok=True)
        for name in made:
            (place / name).replace(folder / name)
    return made


def _has_matplotlib() -> bool:
    try:
        import matplotlib  # noqa: F401  only whether it is there
    except ImportError:
        return False
    return True


@contextmanager
def beside(folder: Path) -> Iterator[Path]:
    """A folder to work in, gone afterwards."""
    place = folder.with_name(f".{folder.name[:100]}.{uuid.uuid4().hex[:8]}")
    try:
        place.mkdir()
        yield place
    except OSError as error:
        raise OutputError(f"{folder} can't be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _tables(place: Path, fit: MarkerFit, markers: MarkerTrajectories) -> None:
    write_coordinates(place / "angles.csv", fit.model, fit.pose, fit.times)
    angles = angle_coordinates(fit.model)
    velocity = joint_velocities(fit.pose, fit.fps)
    velocity[:, angles] = np.degrees(velocity[:, angles])
    names = [
        f"{coordinate.name} [{_unit(coordinate.kind, is_angle=bool(angle))}/s]"
        for coordinate, angle in zip(fit.model.coordinates, angles, strict=True)
    ]
    _write_numbers(place / "velocities.csv", ["time", *names], fit.times, velocity)
    names = [f"{name} [mm]" for name in fit.names]
    _write_numbers(place / "residuals.csv", ["time", *names], fit.times, _MILLIMETRES * fit.errors)
    head = ["marker", "body", "weight", "seen", "rms [mm]", "mean [mm]", "max [mm]", "max at [s]"]
    head += [f"offset {axis} [mm]" for axis in "xyz"]
    rows = []
    for row in marker_table(fit, markers):
        offset = row.pop("offset_mm")
        rows.append([*row.values(), *offset])
    _write_rows(place / "markers.csv", [head, *rows])


def _unit(kind: str, *, is_angle: bool) -> str:
    if is_angle:
        return "deg"
    return "m" if kind == "translation" else "rad"


def _write_numbers(path: Path, names: Sequence[str], times: Array, values: Array) -> None:
    text = format_table([], names, np.column_stack([times, np.round(values, 6)]))
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_rows(path: Path, rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow(
            ["" if v != v else f"{v:.6g}" if isinstance(v, float) else v for v in row]  # noqa: PLR0124  NaN
        )
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def reference_errors(fit: MarkerFit, reference: Array) -> dict[str, dict[str, Any]]:
    """Root mean square difference of every free coordinate from a reference (T, D), with its unit."""
    angles = angle_coordinates(fit.model)
    away = differences(fit.pose, reference, angles)
    found = {}
    for place in fit.model.free_coordinates:
        if np.isfinite(away[place]):
            factor, unit = (180.0 / np.pi, "deg") if angles[place] else (_MILLIMETRES, "mm")
            if (
                fit.model.coordinates[place].kind not in ("translation", "ball")
                and not angles[place]
            ):
                factor, unit = 1.0, "rad"
            found[fit.model.coordinate_names[place]] = {
                "rms": factor * float(away[place]),
                "unit": unit,
            }
    return found
