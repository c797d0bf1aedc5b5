"""Plots of a marker fit: joint angles, left and right together, and marker errors."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..capture.coordinates import angle_coordinates
from ..capture.output import new_file
from ..rig.arrays import Array
from ..rig.sides import side_pairs
from ..rig.solve.marker_ik import MarkerFit
from ..rig.solve.marker_report import marker_table

__all__ = ["draw"]

_LEFT, _RIGHT, _ALONE, _WEAK = "#1f6fb4", "#d1495b", "#3b3b3b", "#f3d9a4"
_COLUMNS = 4
_WORST = 12  # markers in the bar chart
_LEAST_DEGREES, _LEAST_METRES = 2.0, 0.01  # that a panel spans, or noise would fill it
_STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
}


def draw(folder: Path, fit: MarkerFit, reference: Array | None, *, force: bool) -> list[str]:
    """Write angles.png, errors.png and worst_markers.png; names of the files."""
    with mpl.rc_context(_STYLE):
        figures = {
            "angles.png": _angles(fit, reference),
            "errors.png": _errors(fit),
            "worst_markers.png": _worst(fit),
        }
        for name, figure in figures.items():
            with new_file(folder / name, force=force) as path:
                figure.savefig(path, dpi=110)
    return list(figures)


def _panels(fit: MarkerFit) -> list[tuple[int, ...]]:
    """Free coordinates, left and right of a joint in one panel."""
    names = fit.model.coordinate_names
    free = [names[place] for place in fit.model.free_coordinates]
    partner = {a: b for pair in side_pairs(tuple(free)) for a, b in (pair, pair[::-1])}
    panels, done = [], set()
    for name in free:
        if name not in done:
            both = [name, partner[name]] if name in partner else [name]
            done.update(both)
            panels.append(tuple(names.index(n) for n in both))
    return panels


def _title(name: str) -> str:
    words = name.replace("_", " ").split()
    return " ".join(word for word in words if word not in ("l", "r"))


def _angles(fit: MarkerFit, reference: Array | None) -> Figure:
    panels, angles = _panels(fit), angle_coordinates(fit.model)
    rows = -(-len(panels) // _COLUMNS)
    left = {pair[0] for pair in side_pairs(fit.model.coordinate_names)}
    figure = Figure(figsize=(14, 2.3 * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False, sharex=True).ravel()
    for axis, places in zip(axes, panels, strict=False):
        for place in places:
            name = fit.model.coordinate_names[place]
            paired = len(places) > 1
            colour = (_LEFT if name in left else _RIGHT) if paired else _ALONE
            factor = 180.0 / np.pi if angles[place] else 1.0
            axis.plot(fit.times, factor * fit.pose[:, place], color=colour, lw=1.4)
            if reference is not None:
                axis.plot(fit.times, factor * reference[:, place], color="#111111", lw=1.1, ls=":")
        axis.set_title(_title(fit.model.coordinate_names[places[0]]), loc="left", fontsize=10)
        axis.set_ylabel("degrees" if angles[places[0]] else "metres")
        _mark_weak(axis, fit)
        low, high = axis.get_ylim()
        least = _LEAST_DEGREES if angles[places[0]] else _LEAST_METRES
        if high - low < least:
            axis.set_ylim(0.5 * (low + high - least), 0.5 * (low + high + least))
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[max(0, len(panels) - _COLUMNS) : len(panels)]:
        axis.set_xlabel("seconds")
        axis.tick_params(labelbottom=True)
    title = "Joint coordinates: blue left, red right"
    if reference is not None:
        title += "; dotted the reference"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    return figure


def _mark_weak(axis: Axes, fit: MarkerFit) -> None:
    edges = np.flatnonzero(np.diff(fit.weak, prepend=False, append=False)).reshape(-1, 2)
    for first, stop in edges:
        axis.axvspan(fit.times[first], fit.times[stop - 1], color=_WEAK, lw=0)


def _errors(fit: MarkerFit) -> Figure:
    figure = Figure(figsize=(11, 4), layout="constrained")
    axis = figure.subplots()
    errors = 1000.0 * fit.errors
    axis.plot(fit.times, errors, color="#9aa7b5", lw=0.6, alpha=0.6)
    seen = np.isfinite(errors).any(axis=1)
    middle = np.full(len(errors), np.nan)
    middle[seen] = np.sqrt(np.nanmean(errors[seen] ** 2, axis=1))
    axis.plot(fit.times, middle, color=_RIGHT, lw=1.8, label="root mean square of all markers")
    axis.plot([], [], color="#9aa7b5", lw=0.8, label="each marker")
    _mark_weak(axis, fit)
    axis.set(xlabel="seconds", ylabel="millimetres", ylim=(0, None))
    axis.set_title("Distance between measured and modelled markers", loc="left")
    axis.legend(frameon=False)
    return figure


def _worst(fit: MarkerFit) -> Figure:
    rows = marker_table(fit)[:_WORST][::-1]
    figure = Figure(figsize=(8, 0.34 * len(rows) + 1.2), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(rows))
    axis.barh(places, [row["rms_mm"] for row in rows], color=_LEFT, height=0.6, label="RMS")
    axis.plot(
        [row["max_mm"] for row in rows], places, "|", color=_RIGHT, ms=11, mew=2, label="largest"
    )
    axis.set_yticks(places, [row["marker"] for row in rows])
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("millimetres")
    axis.set_title("Markers that fit worst", loc="left")
    axis.legend(frameon=False, loc="lower right")
    return figure
