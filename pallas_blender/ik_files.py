"""The folder of a marker fit's report: tables of numbers, and plots where matplotlib is installed."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..capture.coordinates import angle_coordinates, write_coordinates
from ..capture.output import new_file
from ..rig.arrays import Array
from ..rig.solve.marker_ik import MarkerFit
from ..rig.solve.marker_report import joint_velocities, marker_table

__all__ = ["reference_errors", "write_report"]

_MILLIMETRES = 1000.0


def write_report(
    folder: Path, fit: MarkerFit, report: dict[str, Any], reference: Array | None, *, force: bool
) -> list[str]:
    """Write report.json, markers.csv, residuals.csv, angles.csv, velocities.csv and the plots.

    Returns:
        Names of the files; without matplotlib there are no plots.

    Raises:
        OutputError: a file is there already and `force` is off, or can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    times = fit.times
    write_coordinates(folder / "angles.csv", fit.model, fit.pose, times, force=force)
    _table(folder / "velocities.csv", *_velocities(fit), force=force)
    residuals = np.column_stack([times, _MILLIMETRES * fit.errors])
    names = ["time [s]", *(f"{name} [mm]" for name in fit.names)]
    _table(folder / "residuals.csv", names, residuals, force=force)
    with new_file(folder / "markers.csv", force=force) as path:
        rows = [",".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in row.values())
                for row in marker_table(fit)]  # fmt: skip
        head = "marker,weight,rms [mm],max [mm],seen"
        path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    with new_file(folder / "report.json", force=force) as path:
        path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    made = ["report.json", "markers.csv", "residuals.csv", "angles.csv", "velocities.csv"]
    try:
        import matplotlib  # noqa: F401  only whether it is there
    except ImportError:
        return made
    from . import ik_plots

    return [*made, *ik_plots.draw(folder, fit, reference, force=force)]


def _velocities(fit: MarkerFit) -> tuple[list[str], Array]:
    velocity = joint_velocities(fit.pose, fit.fps)
    angles = angle_coordinates(fit.model)
    velocity[:, angles] = np.degrees(velocity[:, angles])
    units = ["deg/s" if angle else "m/s" for angle in angles]
    names = [f"{c} [{u}]" for c, u in zip(fit.model.coordinate_names, units, strict=True)]
    return ["time [s]", *names], np.column_stack([fit.times, velocity])


def _table(path: Path, names: list[str], values: Array, *, force: bool) -> None:
    with new_file(path, force=force) as temporary:
        rows = (",".join("" if np.isnan(v) else f"{v:.9g}" for v in row) for row in values)
        temporary.write_text("\n".join([",".join(names), *rows, ""]), encoding="utf-8")


def reference_errors(fit: MarkerFit, reference: Array) -> dict[str, float]:
    """RMS difference of every free coordinate from a reference (T, D), degrees and metres."""
    angles = angle_coordinates(fit.model)
    away = np.sqrt(np.nanmean((fit.pose - reference) ** 2, axis=0))
    return {
        fit.model.coordinate_names[place]: float(
            np.degrees(away[place]) if angles[place] else away[place]
        )
        for place in fit.model.free_coordinates
        if np.isfinite(away[place])
    }
