"""A plot of joint angles over the gait cycle, left and right together."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..capture.output import new_file
from ..rig.gait import GaitSummary, MeanCycle
from ..rig.sides import side_pairs
from .plot_style import LEFT, RIGHT, STYLE

__all__ = ["draw_gait"]

_COLUMNS = 4


def draw_gait(
    path: Path, summary: GaitSummary, *, title: str = "Gait cycle", force: bool = False
) -> None:
    """Draw mean and standard deviation of every angle from heel strike to heel strike, in degrees.

    Dashed lines are the mean toe-offs, of walkers. What has no whole cycle is left out.

    Args:
        path: .png, .svg or .pdf.
        summary: with angles.
        title: of the picture.
        force: replace a file that is there.

    Raises:
        OutputError: the file is there already, or can't be written.
    """
    panels = _panels(summary)
    columns = min(_COLUMNS, max(len(panels), 1))
    rows = -(-max(len(panels), 1) // columns)
    with mpl.rc_context(STYLE), new_file(path, force=force) as place:
        figure = Figure(figsize=(2.9 * columns + 0.3, 2.1 * rows + 1.0), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, (name, curves) in zip(grid, panels, strict=False):
            _panel(axis, name, curves, summary)
        for axis in grid[len(panels) :]:
            axis.axis("off")
        figure.suptitle(f"{title}: {_told(summary)}", x=0.004, ha="left", fontsize=11)
        handles = [
            Line2D([], [], color=colour, lw=2.0, label=f"{name}, {_strides(len(side.cycles))}")
            for name, side, colour in (
                ("left", summary.left, LEFT),
                ("right", summary.right, RIGHT),
            )
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False)
        figure.savefig(place, dpi=120)


def _strides(count: int) -> str:
    return "1 stride" if count == 1 else f"{count} strides"


def _told(summary: GaitSummary) -> str:
    sides = (summary.left, summary.right)
    lengths = np.concatenate([side.stride_lengths for side in sides])
    shares = np.concatenate([side.stance_shares for side in sides])
    words = [f"{summary.cadence:.0f} steps/min"]
    if np.isfinite(lengths).any():
        words += [f"stride {np.nanmean(lengths):.2f} m", f"{summary.speed:.2f} m/s"]
    if np.isfinite(shares).any():
        words.append(f"stance {100.0 * np.nanmean(shares):.0f} %")
    return " · ".join(words)


def _panels(summary: GaitSummary) -> list[tuple[str, list[tuple[MeanCycle, str]]]]:
    """Titles and curves with their colours; left and right of an angle together."""
    left, right = summary.left.angles, summary.right.angles
    names = list(dict.fromkeys([*left, *right]))
    pairs = {name: pair for pair in side_pairs(names) for name in pair}
    panels: dict[str, list[tuple[MeanCycle, str]]] = {}
    for name in names:
        title = " ".join(w for w in name.split("_") if name not in pairs or w.lower() not in "lr")
        for curves, colour in ((left, LEFT), (right, RIGHT)):
            if name in curves and curves[name].count:
                panels.setdefault(title, []).append((curves[name], colour))
    return list(panels.items())


def _panel(
    axis: Axes, title: str, curves: list[tuple[MeanCycle, str]], summary: GaitSummary
) -> None:
    for curve, colour in curves:
        share = np.linspace(0.0, 100.0, len(curve.mean))
        mean, sd = np.degrees(curve.mean), np.degrees(curve.sd)
        axis.plot(share, mean, color=colour, lw=1.6)
        if curve.count > 1:
            axis.fill_between(share, mean - sd, mean + sd, color=colour, alpha=0.22, lw=0)
    for side, colour in ((summary.left, LEFT), (summary.right, RIGHT)):
        if np.isfinite(side.stance_shares).any():
            axis.axvline(
                100.0 * float(np.nanmean(side.stance_shares)), color=colour, lw=0.9, ls="--"
            )
    axis.set_title(title, pad=3)
    axis.set(xlim=(0.0, 100.0), xlabel="gait cycle [%]", ylabel="deg")
