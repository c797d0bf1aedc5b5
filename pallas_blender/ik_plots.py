"""Plots of a marker fit: joint angles and velocities, left and right together; marker errors; limits."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from ..capture.coordinates import angle_coordinates
from ..rig.arrays import Array
from ..rig.sides import side_pairs
from ..rig.solve.marker_ik import MarkerFit
from ..rig.solve.marker_report import at_limits, joint_velocities
from .ik_panels import Panel, groups_of
from .plot_style import LEFT, RIGHT, STYLE

__all__ = ["draw"]

_ALONE, _WEAK, _LIMIT = "#7d7d7d", "#f6e3b4", "#a0a0a0"
_DARK = {LEFT: "#00273d", RIGHT: "#4a2000", _ALONE: "black"}  # of a reference beside it
_DOTS = (0, (1, 1.3))
_COLUMNS, _PANEL, _HEADING = 6, 1.75, 0.26  # inches
_BEYOND = 3.0  # percent of a range that a bar may stand out of it
_NEAR = 1e-3  # radians or metres from a limit
_WORST = 20  # markers in the bar chart
_LEAST = {"deg": 5.0, "m": 0.02, "rad": 0.1}  # that a panel spans, or noise would fill it
_WIDEST = 4.0 * np.pi  # limits further apart say nothing
_STYLE = {**STYLE, "svg.hashsalt": "pallas"}


def draw(folder: Path, fit: MarkerFit, report: dict[str, Any], reference: Array | None) -> None:
    """Write angles, velocities, residuals, worst_markers and limits as PNG into a folder."""
    velocity = joint_velocities(fit.pose, fit.fps)
    slope = None if reference is None else joint_velocities(reference, fit.fps)
    with mpl.rc_context(_STYLE):
        figures = {
            "angles.png": _curves(fit, fit.pose, reference, "Joint coordinates", ""),
            "velocities.png": _curves(fit, velocity, slope, "Joint velocities", "/s"),
            "residuals.png": _residuals(fit, report),
            "worst_markers.png": _worst(report),
            "limits.png": _limits(fit),
        }
        for name, figure in figures.items():
            if figure is not None:
                figure.savefig(folder / name, dpi=120, metadata={"Software": None})


# ---- Curves over time


def _curves(fit: MarkerFit, values: Array, reference: Array | None, title: str, per: str) -> Figure:
    """A panel for each coordinate, or for left and right of it, by parts of the body."""
    groups = groups_of(fit.model)
    columns = min(_COLUMNS, max(map(len, groups.values())))
    heights: list[float] = []
    for panels in groups.values():
        heights += [_HEADING, *[_PANEL] * -(-len(panels) // columns)]
    figure = Figure(figsize=(2.65 * columns + 0.3, sum(heights) + 0.4), layout="constrained")
    grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    row = 0
    for name, panels in groups.items():
        heading = figure.add_subplot(grid[row, :])
        heading.axis("off")
        heading.text(0.0, 0.0, name, fontsize=11, fontweight="bold", color="#3b3b3b")
        for place, panel in enumerate(panels):
            axis = figure.add_subplot(grid[row + 1 + place // columns, place % columns])
            _curve(axis, fit, panel, values, reference, per)
            if place + columns >= len(panels):
                axis.set_xlabel("time [s]", labelpad=1)
        row += 1 + -(-len(panels) // columns)
    figure.suptitle(title, x=0.004, ha="left", fontsize=14)
    figure.legend(
        handles=_legend(fit, reference, limits=not per),
        loc="outside upper right",
        ncols=6,
        frameon=False,
        fontsize=9,
    )
    return figure


def _legend(fit: MarkerFit, reference: Array | None, *, limits: bool) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=LEFT, lw=2.0, label="left"),
        Line2D([], [], color=RIGHT, lw=2.0, label="right"),
        Line2D([], [], color=_ALONE, lw=2.0, label="no side"),
    ]
    if reference is not None:
        handles.append(Line2D([], [], color="black", lw=1.2, ls=_DOTS, label="reference"))
    if limits and at_limits(fit.model, fit.pose):
        handles.append(Line2D([], [], color=_LIMIT, lw=1.0, ls="--", label="limit reached"))
    if fit.weak.any():
        handles.append(Patch(color=_WEAK, label="too few markers"))
    return handles


def _curve(
    axis: Axes, fit: MarkerFit, panel: Panel, values: Array, reference: Array | None, per: str
) -> None:
    factor = 180.0 / np.pi if panel.unit == "deg" else 1.0
    colours = (LEFT, RIGHT) if len(panel.places) == 2 else (_ALONE,)
    for place, colour in zip(panel.places, colours, strict=True):
        axis.plot(fit.times, factor * values[:, place], color=colour, lw=1.5)
        if reference is not None:
            line = factor * reference[:, place]
            axis.plot(fit.times, line, color=_DARK[colour], lw=1.2, ls=_DOTS, zorder=3)
    axis.margins(x=0.0)
    axis.locator_params(axis="x", nbins=5)
    axis.locator_params(axis="y", nbins=5)
    _span(axis, _LEAST[panel.unit] * (10.0 if per else 1.0))
    if not per:
        _draw_limits(axis, fit, panel, factor)
    _mark_weak(axis, fit)
    axis.set_title(panel.title, pad=3)
    axis.set_ylabel(f"{panel.unit}{per}", labelpad=2)


def _span(axis: Axes, least: float) -> None:
    """Let an axis show some range even of what hardly moves."""
    low, high = axis.get_ylim()
    if high - low < least:
        axis.set_ylim(0.5 * (low + high - least), 0.5 * (low + high + least))


def _draw_limits(axis: Axes, fit: MarkerFit, panel: Panel, factor: float) -> None:
    """Lines at the limits that were reached."""
    for place in panel.places:
        values, (low, high) = fit.pose[:, place], fit.model.coordinates[place].limits
        if fit.model.coordinate_names[place] in at_limits(fit.model, fit.pose):
            for limit, away in ((low, values.min() - low), (high, high - values.max())):
                if away < _NEAR:
                    axis.axhline(factor * limit, color=_LIMIT, lw=1.0, ls="--", zorder=1)


def _mark_weak(axis: Axes, fit: MarkerFit) -> None:
    edges = np.flatnonzero(np.diff(fit.weak, prepend=False, append=False)).reshape(-1, 2)
    half = 0.5 / fit.fps
    for first, stop in edges:
        span = (fit.times[first] - half, fit.times[stop - 1] + half)
        axis.axvspan(*span, color=_WEAK, lw=0, zorder=0)


# ---- Markers


def _residuals(fit: MarkerFit, report: dict[str, Any]) -> Figure:
    """The error of every marker in every frame as colour, and that of all markers as a line."""
    names = [row["marker"] for row in report["marker_errors"]]
    errors = 1000.0 * fit.errors[:, [fit.names.index(name) for name in names]]
    figure = Figure(figsize=(12.0, 0.17 * len(names) + 3.2), layout="constrained")
    line, area = figure.subplots(
        2,
        1,
        sharex=True,
        height_ratios=(1.6, 0.17 * len(names) + 0.4),
        gridspec_kw={"hspace": 0.03},
    )
    seen = np.isfinite(errors).any(axis=1)
    middle = np.full(len(errors), np.nan)
    middle[seen] = np.sqrt(np.nanmean(errors[seen] ** 2, axis=1))
    line.plot(fit.times, middle, color=_ALONE, lw=1.5)
    line.set(ylabel="RMS of all [mm]", ylim=(0.0, None))
    line.set_title("Distance between measured and modelled markers", fontsize=12)
    _mark_weak(line, fit)
    half = 0.5 / fit.fps
    extent = (fit.times[0] - half, fit.times[-1] + half, len(names) - 0.5, -0.5)
    shown = area.imshow(
        errors.T,
        extent=extent,
        aspect="auto",
        interpolation="nearest",
        cmap="magma_r",
        vmin=0.0,
        vmax=float(np.nanpercentile(errors, 99.5)),
    )
    area.set_facecolor("#d8d8d8")
    area.grid(visible=False)
    area.set_yticks(range(len(names)), names, fontsize=7.5)
    area.set_xlabel("time [s]")
    _outline_swaps(area, fit, report, names)
    figure.colorbar(shown, ax=[area], label="error [mm]; grey: not seen", fraction=0.03, pad=0.01)
    return figure


def _outline_swaps(axis: Axes, fit: MarkerFit, report: dict[str, Any], names: list[str]) -> None:
    half = 0.5 / fit.fps
    for swap in report["swaps"]:
        first, last = swap["seconds"]
        for name in swap["names"]:
            if name in names:
                corner = (first - half, names.index(name) - 0.5)
                size = (last - first + 2.0 * half, 1.0)
                axis.add_patch(Rectangle(corner, *size, fill=False, ec=LEFT, lw=1.6))


def _worst(report: dict[str, Any]) -> Figure:
    rows = report["marker_errors"][:_WORST][::-1]
    figure = Figure(figsize=(8.0, 0.27 * len(rows) + 1.1), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(rows))
    names = [row["marker"] for row in rows]
    pairs = side_pairs([row["marker"] for row in report["marker_errors"]])
    side = {
        name: colour for pair in pairs for name, colour in zip(pair, (LEFT, RIGHT), strict=True)
    }
    colours = [side.get(name, _ALONE) for name in names]
    axis.barh(places, [row["rms_mm"] for row in rows], color=colours, height=0.62)
    axis.plot([row["max_mm"] for row in rows], places, "|", color="black", ms=9, mew=1.6)
    axis.set_yticks(places, names)
    axis.tick_params(axis="y", length=0, labelcolor="#3b3b3b")
    axis.grid(visible=False, axis="y")
    axis.margins(y=0.01)
    axis.set(xlabel="error [mm]", xlim=(0.0, None))
    axis.set_title("Markers that fit worst", fontsize=12)
    sides = ((LEFT, "left"), (RIGHT, "right"), (_ALONE, "no side"))
    handles: list[Line2D | Patch] = [
        Patch(color=colour, label=f"RMS, {name}") for colour, name in sides if colour in colours
    ]
    largest = Line2D([], [], color="black", ls="", marker="|", ms=9, mew=1.6, label="largest")
    handles.append(largest)
    axis.legend(handles=handles, frameon=False, loc="lower right")
    return figure


# ---- Limits


def _limits(fit: MarkerFit) -> Figure | None:
    """How much of each angle's range was used, as a share of it; None where none has limits."""
    angles, reached = angle_coordinates(fit.model), at_limits(fit.model, fit.pose)
    rows = []
    for place in fit.model.free_coordinates[::-1]:
        coordinate = fit.model.coordinates[place]
        low, high = coordinate.limits
        if angles[place] and coordinate.kind != "ball" and 0.0 < high - low < _WIDEST:
            used = (np.array([fit.pose[:, place].min(), fit.pose[:, place].max()]) - low) / (
                high - low
            )
            rows.append((coordinate.name, np.degrees([low, high]), 100.0 * used))
    if not rows:
        return None
    figure = Figure(figsize=(9.0, 0.25 * len(rows) + 1.2), layout="constrained")
    axis = figure.subplots()
    for row, (name, (low, high), used) in enumerate(rows):
        share = reached.get(name, 0.0)
        colour = RIGHT if share > 0.0 else LEFT
        left, right = np.clip(used, -_BEYOND, 100.0 + _BEYOND)
        axis.barh(row, 100.0, color="#ececec", height=0.62)
        axis.barh(row, max(right - left, 0.4), left=left, color=colour, height=0.62)
        words = {"va": "center", "color": "#6b6b6b", "fontsize": 7}
        axis.text(-_BEYOND - 1.0, row, f"{low:.0f}°", ha="right", **words)
        axis.text(101.0 + _BEYOND, row, f"{high:.0f}°", ha="left", **words)
        if share > 0.0:
            words |= {"color": RIGHT, "fontsize": 8}
            axis.text(117.0, row, f"{100 * share:.0f} %", ha="right", **words)
    axis.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axis.tick_params(axis="y", length=0, labelcolor="#3b3b3b")
    axis.set_xticks([0, 25, 50, 75, 100])
    axis.set(xlim=(-11.0, 118.0), xlabel="share of the range between the limits [%]")
    axis.grid(visible=False)
    axis.margins(y=0.01)
    axis.spines["left"].set_visible(False)
    axis.set_title(
        "Range that was used; orange: a limit was reached, in how many of the frames", fontsize=12
    )
    return figure
