"""A plot of what a filter did: curves before and after, what was bridged, and the power that is left."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..capture.output import new_file
from ..rig.arrays import Array, Mask, checked
from .plot_style import AFTER, BEFORE, GAP, RIGHT, STYLE
from .spectra import changed_most, power_density

__all__ = ["FilteredCurves", "draw_filtered"]

_DECADES = 8  # of power that are shown below the highest


@dataclass(frozen=True, eq=False)
class FilteredCurves:
    """Points before and after a filter.

    Attributes:
        times: (T,) seconds, evenly spaced.
        names: of M points or angles.
        before: (T, M, D), NaN where missing.
        after: (T, M, D).
        axes: names of the D numbers; of angles one alone: ("",).
        unit: of the values.
    """

    times: Array
    names: tuple[str, ...]
    before: Array
    after: Array
    axes: tuple[str, ...] = ("x", "y", "z")
    unit: str = "m"

    def __post_init__(self) -> None:
        checked("times", self.times, (None,))
        shape = (len(self.times), len(self.names), len(self.axes))
        checked("values before", self.before, shape)
        checked("values after", self.after, shape)


def draw_filtered(
    path: Path,
    curves: FilteredCurves,
    *,
    title: str = "Before and after the filter",
    cutoff: float | None = None,
    most: int = 6,
    force: bool = False,
) -> None:
    """Draw the points that changed most, a row each: a panel for each axis, and the power at each frequency.

    Args:
        path: .png, .svg or .pdf.
        curves: before and after.
        title: of the picture.
        cutoff: hertz, marked among the frequencies.
        most: rows at the most.
        force: replace a file that is there.

    Raises:
        OutputError: the file is there already, or can't be written.
    """
    times, names, axes = curves.times, curves.names, curves.axes
    before, after, unit = curves.before, curves.after, curves.unit
    rows = changed_most(before, after)[:most]
    with mpl.rc_context(STYLE), new_file(path, force=force) as place:
        size = (2.9 * (len(axes) + 1) + 0.4, 1.55 * max(len(rows), 1) + 0.9)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(max(len(rows), 1), len(axes) + 1, squeeze=False)
        for row, point in enumerate(rows):
            for k, axis in enumerate(axes):
                _curve(grid[row, k], times, before[:, point, k], after[:, point, k])
                grid[row, k].set_title(f"{names[point]} {axis}".strip(), pad=3)
            grid[row, 0].set_ylabel(unit, labelpad=2)
            _power(grid[row, -1], times, before[:, point], after[:, point], cutoff)
        for axis in grid[-1, :-1]:
            axis.set_xlabel("time [s]", labelpad=1)
        grid[-1, -1].set_xlabel("frequency [Hz]", labelpad=1)
        grid[0, -1].set_title(f"power [{unit}²/Hz]", pad=3)
        shown = (
            f"; the {len(rows)} of {len(names)} that changed most" if len(rows) < len(names) else ""
        )
        figure.suptitle(f"{title}{shown}", x=0.004, ha="left", fontsize=12)
        figure.legend(
            handles=_legend(before, after), loc="outside lower left", ncols=4, frameon=False
        )
        figure.savefig(place, dpi=120)


def _legend(before: Array, after: Array) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=BEFORE, lw=2.0, label="before"),
        Line2D([], [], color=AFTER, lw=1.3, label="after"),
    ]
    if (_missing(before) & ~_missing(after)).any():
        handles.append(Line2D([], [], color=RIGHT, lw=2.0, label="bridged"))
    if _missing(after).any():
        handles.append(Patch(color=GAP, label="missing"))
    return handles


def _missing(values: Array) -> Mask:
    return ~np.isfinite(values)


def _curve(axis: Axes, times: Array, before: Array, after: Array) -> None:
    axis.plot(times, before, color=BEFORE, lw=2.2)
    axis.plot(times, after, color=AFTER, lw=1.1)
    bridged = _missing(before) & ~_missing(after)
    beside = bridged | np.roll(bridged, 1) | np.roll(bridged, -1)
    axis.plot(times, np.where(beside, after, np.nan), color=RIGHT, lw=2.0)
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    for first, stop in np.flatnonzero(
        np.diff(_missing(after), prepend=False, append=False)
    ).reshape(-1, 2):
        axis.axvspan(times[first] - step / 2, times[stop - 1] + step / 2, color=GAP, lw=0, zorder=0)
    axis.margins(x=0.0)
    axis.locator_params(axis="x", nbins=5)
    axis.locator_params(axis="y", nbins=4)


def _power(axis: Axes, times: Array, before: Array, after: Array, cutoff: float | None) -> None:
    """Power spectral density over the longest stretch that was measured throughout."""
    found = power_density(times, before, after)
    if found is None:
        axis.text(0.5, 0.5, "too short to tell", ha="center", transform=axis.transAxes)
        return
    frequencies, *powers = found
    highest = 0.0
    for power, colour, width in zip(powers, (BEFORE, AFTER), (2.2, 1.1), strict=True):
        axis.semilogy(frequencies, power.sum(axis=1), color=colour, lw=width)
        highest = max(highest, float(power.sum(axis=1).max()))
    if highest > 0.0:
        axis.set_ylim(highest * 10.0**-_DECADES, 3.0 * highest)
    if cutoff is not None:
        axis.axvline(cutoff, color=RIGHT, lw=1.0, ls="--")
        axis.text(
            cutoff,
            0.97,
            f" {cutoff:g} Hz",
            color=RIGHT,
            va="top",
            transform=axis.get_xaxis_transform(),
        )
    axis.margins(x=0.0)
