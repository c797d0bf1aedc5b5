"""The pictures of `pallas kinematics`, as SVG."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ..capture.coordinates import angle_coordinates
from ..rig.arrays import Array
from ..rig.gait import GaitSummary
from ..rig.sides import side_pairs
from ..rig.solve.marker_ik import MarkerFit
from ..rig.solve.marker_report import at_limits
from .ik_panels import Panel as Coordinates
from .ik_panels import groups_of
from .kinematics_results import Results
from .plot_style import AFTER, BEFORE, GAP, LEFT, RIGHT
from .report_heat import heat_map
from .report_svg import Curve, Panel, figure
from .spectra import changed_most, power_density

__all__ = ["PICTURES", "gait_picture", "pictures"]

PICTURES: Final[Mapping[str, str]] = {
    "gait.svg": "Angles over the gait cycle",
    "angles.svg": "Joint angles over time",
    "velocities.svg": "Joint velocities over time",
    "accelerations.svg": "Joint accelerations over time",
    "filter.svg": "What the smoothing changed",
    "residuals.svg": "How well the model fits the markers",
}
_ALONE: Final = "#7d7d7d"
_SIDES: Final = (("left", LEFT, ""), ("right", RIGHT, ""))
_LEAST: Final = {"deg": 5.0, "m": 0.02, "rad": 0.1}  # that a panel spans, or noise would fill it
_SHOWN: Final = 6  # angles before and after smoothing
_NEAR: Final = 1e-3  # radians or metres from a limit
_DECADES: Final = 8.0  # of power that are shown below the highest
_ALL: Final = "all (RMS)"


def pictures(results: Results) -> dict[str, str]:
    """What there is to draw, by the names of files, in the order of a page."""
    fit, curves = results.fit, results.curves
    drawn = {} if results.gait is None else {"gait.svg": gait_picture(results.gait)}
    for name, values, per in (
        ("angles", curves.values, ""),
        ("velocities", curves.velocity, "/s"),
        ("accelerations", curves.acceleration, "/s²"),
    ):
        drawn[f"{name}.svg"] = _over_time(fit, values, f"Joint {name}", per)
    drawn["filter.svg"] = _smoothing(results)
    drawn["residuals.svg"] = _residuals(fit)
    return drawn


def gait_picture(summary: GaitSummary) -> str:
    """Mean and standard deviation of every angle from heel strike to heel strike, in degrees.

    Dashed lines are the mean toe-offs, of walkers. What has no whole cycle is left out.
    """
    sides = ((summary.left, LEFT), (summary.right, RIGHT))
    names = list(dict.fromkeys([*summary.left.angles, *summary.right.angles]))
    pairs = {name: pair for pair in side_pairs(names) for name in pair}
    toes = [
        (100.0 * float(np.nanmean(side.stance_shares)), colour)
        for side, colour in sides
        if np.isfinite(side.stance_shares).any()
    ]
    found: dict[str, list[Curve]] = {}
    for name in names:
        title = " ".join(w for w in name.split("_") if name not in pairs or w.lower() not in "lr")
        for side, colour in sides:
            cycle = side.angles.get(name)
            if cycle is None or not cycle.count:
                continue
            share = np.linspace(0.0, 100.0, len(cycle.mean))
            spread = np.degrees(cycle.sd) if cycle.count > 1 else None
            curve = Curve(share, np.degrees(cycle.mean), colour, 1.6, spread)
            found.setdefault(title, []).append(curve)
    panels = [
        Panel(title, "deg", tuple(lines), "gait cycle [%]", marks=tuple(toes), least=_LEAST["deg"])
        for title, lines in found.items()
    ]
    keys = [
        (f"{name}, {_strides(len(side.cycles))}", colour, "")
        for name, (side, colour) in zip(("left", "right"), sides, strict=True)
    ]
    return figure(f"Gait cycle: {_told(summary)}", {"": panels}, keys)


def _strides(count: int) -> str:
    return "1 stride" if count == 1 else f"{count} strides"


def _told(summary: GaitSummary) -> str:
    sides = (summary.left, summary.right)
    lengths = np.concatenate([side.stride_lengths for side in sides])
    shares = np.concatenate([side.stance_shares for side in sides])
    told = [f"{summary.cadence:.0f} steps/min"]
    if np.isfinite(lengths).any():
        told += [f"stride {np.nanmean(lengths):.2f} m", f"{summary.speed:.2f} m/s"]
    if np.isfinite(shares).any():
        told.append(f"stance {100.0 * np.nanmean(shares):.0f} %")
    return " · ".join(told)


def _over_time(fit: MarkerFit, values: Array, title: str, per: str) -> str:
    """A panel for each coordinate, or for left and right of it, by parts of the body."""
    reached = {} if per else at_limits(fit.model, fit.pose)
    weak = _stretches(fit.weak, fit.times, fit.fps)
    groups = {
        name: [_coordinates(fit, one, values, per, reached, weak) for one in panels]
        for name, panels in groups_of(fit.model).items()
    }
    keys = [*_SIDES, ("no side", _ALONE, "")]
    keys += [("limit reached", "#a0a0a0", "5 3")] if reached else []
    keys += [("too few markers", GAP, "area")] if weak else []
    return figure(title, groups, keys)


def _coordinates(
    fit: MarkerFit,
    panel: Coordinates,
    values: Array,
    per: str,
    reached: Mapping[str, float],
    weak: tuple[tuple[float, float], ...],
) -> Panel:
    factor = 180.0 / np.pi if panel.unit == "deg" else 1.0
    colours = (LEFT, RIGHT) if len(panel.places) == 2 else (_ALONE,)
    levels: list[float] = []
    for place in panel.places:
        if fit.model.coordinate_names[place] in reached:
            pose, (low, high) = fit.pose[:, place], fit.model.coordinates[place].limits
            levels += [factor * low] if pose.min() - low < _NEAR else []
            levels += [factor * high] if high - pose.max() < _NEAR else []
    lines = tuple(
        Curve(fit.times, factor * values[:, place], colour)
        for place, colour in zip(panel.places, colours, strict=True)
    )
    least = _LEAST[panel.unit] * (10.0 if per else 1.0)
    return Panel(
        panel.title, f"{panel.unit}{per}", lines, levels=tuple(levels), spans=weak, least=least
    )


def _stretches(there: Array, times: Array, fps: float) -> tuple[tuple[float, float], ...]:
    edges = np.flatnonzero(np.diff(there, prepend=False, append=False)).reshape(-1, 2).tolist()
    half = 0.5 / fps
    return tuple((times[first] - half, times[stop - 1] + half) for first, stop in edges)


def _smoothing(results: Results) -> str:
    """The angles that changed most, before and after, and the power at each of their frequencies."""
    fit, names = results.fit, results.fit.model.coordinate_names
    angles = angle_coordinates(fit.model)
    free = [place for place in fit.model.free_coordinates if angles[place]]
    before = np.degrees(np.where(fit.weak[:, None], np.nan, fit.pose)[:, free])
    after = np.degrees(results.curves.values[:, free])
    panels = []
    for one in changed_most(before[..., None], after[..., None])[:_SHOWN]:
        pair = ((before[:, one], BEFORE, 2.4), (after[:, one], AFTER, 1.1))
        lines = tuple(Curve(fit.times, values, colour, width) for values, colour, width in pair)
        panels.append(Panel(names[free[one]], "deg", lines, least=_LEAST["deg"]))
        panels.append(_power(pair, fit.times, results.curves.cutoff))
    title = f"Spline of {results.curves.cutoff:g} Hz"
    if len(free) > _SHOWN:
        title += f"; the {_SHOWN} of {len(free)} angles that changed most"
    keys = [("before", BEFORE, ""), ("after", AFTER, ""), ("cut-off", RIGHT, "5 3")]
    return figure(title, {"": panels}, keys)


def _power(pair: tuple[tuple[Array, str, float], ...], times: Array, cutoff: float) -> Panel:
    both = np.stack([values for values, _, _ in pair], axis=-1)
    lines = []
    found = power_density(times, both)
    if found is not None:
        frequencies, power = found
        with np.errstate(divide="ignore"):
            logs = np.log10(power)
        logs = np.where(logs > logs.max() - _DECADES, logs, np.nan)
        lines = [
            Curve(frequencies, logs[:, k], colour, width)
            for k, (_, colour, width) in enumerate(pair)
        ]
    return Panel(
        "power" if lines else "too short to tell frequencies",
        "deg²/Hz",
        tuple(lines),
        "frequency [Hz]",
        marks=((cutoff, RIGHT),) if lines else (),
        powers=True,
    )


def _residuals(fit: MarkerFit) -> str:
    """The error of every marker in every frame, the worst marker first, and that of all."""
    errors = 1000.0 * fit.errors
    seen = np.isfinite(errors)
    count = seen.sum(axis=1)
    squares = np.where(seen, errors, 0.0) ** 2
    together = np.where(count > 0, np.sqrt(squares.sum(axis=1) / np.maximum(count, 1)), np.nan)
    order = np.argsort(-squares.sum(axis=0) / np.maximum(seen.sum(axis=0), 1), kind="stable")
    order = order[seen.any(axis=0)[order]]
    names = [_ALL, *(fit.names[place] for place in order)]
    values = np.column_stack([together, errors[:, order]])
    title = "Distance between measured and modelled markers"
    return heat_map(title, names, fit.times, values, "mm")
