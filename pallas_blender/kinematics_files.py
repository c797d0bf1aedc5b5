"""The folder of `pallas kinematics`: tables, model, motion, pictures and one page, all or nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..capture.coordinates import angle_coordinates
from ..capture.csvtable import format_table
from ..capture.formats import write_motion
from ..capture.osim_writer import write_osim
from ..capture.storage import CoordinateTable, write_storage
from ..rig.arrays import Array
from ..rig.errors import OutputError
from .console import plain
from .ik_files import beside
from .kinematics_results import Results
from .report_page import report_page
from .report_plots import PICTURES, pictures

__all__ = ["FILES", "Outputs", "check_outputs", "write_outputs"]

_TABLES: Final = ("angles", "velocities", "accelerations")
FILES: Final = (
    *(f"{name}.{suffix}" for name in _TABLES for suffix in ("mot", "csv")),
    "report.html",
    "report.json",
    "model.osim",
    "motion.npz",
    "motion.bvh",
    "points.trc",
    "markers.trc",
    *PICTURES,
)


def check_outputs(folder: Path, *, force: bool) -> None:
    """Tell before the work starts what would stop the writing after it.

    Raises:
        OutputError: the folder is a file, can't be made, or holds such files and `force` is off.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, expected a folder for the results")
    if not folder.parent.is_dir():
        raise OutputError(f"the folder {folder.parent} does not exist; create it first")
    there = [name for name in FILES if (folder / name).exists()]
    if there and not force:
        raise OutputError(
            f"{folder} holds {', '.join(there[:6])} already; choose another folder or pass --force"
        )


@dataclass(frozen=True)
class Outputs:
    """A folder to work in, whose files go to their place in the end.

    Attributes:
        folder: beside the wanted one.
        made: names of the files so far.
    """

    folder: Path
    made: list[str]

    def write(self, results: Results, progress: Callable[[float], None]) -> list[str]:
        """All files of some results; their names."""
        place = self.folder
        _write_tables(place, results)
        lasting = {name: value for name, value in results.report.items() if name != "seconds"}
        text = json.dumps(plain(lasting), indent=2, ensure_ascii=False)
        (place / "report.json").write_text(text + "\n", encoding="utf-8")
        if results.motion is not None:
            write_osim(place / "model.osim", results.fit.model)
            write_motion(place / "motion.npz", results.motion)
            write_motion(place / "motion.bvh", results.motion)
        progress(0.2)
        drawn = pictures(results)
        for name, text in drawn.items():
            (place / name).write_text(text, encoding="utf-8", newline="\n")
        progress(0.8)
        (place / "report.html").write_text(report_page(results, drawn), encoding="utf-8")
        self.made.extend(name for name in FILES if (place / name).exists())
        progress(1.0)
        return list(self.made)


@contextmanager
def write_outputs(folder: Path, *, force: bool) -> Iterator[Outputs]:
    """Give a folder beside `folder`; what was made there goes to its place when all went well.

    Raises:
        OutputError: see `check_outputs`.
    """
    with beside(folder) as place:
        outputs = Outputs(place, [])
        yield outputs
        check_outputs(folder, force=force)
        folder.mkdir(exist_ok=True)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        for name in outputs.made:
            (place / name).replace(folder / name)


def _write_tables(place: Path, results: Results) -> None:
    curves = results.curves
    for name, values, per in zip(
        _TABLES,
        (curves.values, curves.velocity, curves.acceleration),
        ("", "/s", "/s^2"),
        strict=True,
    ):
        table, units = _in_degrees(results, values)
        title = f"{name}, smoothing spline, cut-off {curves.cutoff:g} Hz"
        names, times = results.fit.model.coordinate_names, results.fit.times
        write_storage(place / f"{name}.mot", CoordinateTable(names, times, table, True, title))
        heads = [f"{column} [{unit}{per}]" for column, unit in zip(names, units, strict=True)]
        rows = np.column_stack([times, np.round(table, 6)])
        text = format_table([], ["time", *heads], rows)
        (place / f"{name}.csv").write_text(text, encoding="utf-8", newline="\n")


def _in_degrees(results: Results, values: Array) -> tuple[Array, list[Any]]:
    angles = angle_coordinates(results.fit.model)
    table = np.array(values)
    table[:, angles] = np.degrees(table[:, angles])
    kinds = [coordinate.kind for coordinate in results.fit.model.coordinates]
    return table, [
        "deg" if angle else "m" if kind == "translation" else "rad"
        for angle, kind in zip(angles, kinds, strict=True)
    ]
