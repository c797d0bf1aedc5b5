"""The pictures of `pallas kinematics`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..capture.coordinates import angle_coordinates
from .filter_plots import FilteredCurves, draw_filtered
from .gait_plots import draw_gait
from .ik_plots import draw_curves, draw_residuals
from .kinematics_results import Results

__all__ = ["draw_pictures"]


def draw_pictures(
    folder: Path, results: Results, progress: Callable[[float], None]
) -> dict[str, str]:
    """Draw what there is to draw.

    Returns:
        The heading of each picture, by the name of its file.
    """
    curves, fit = results.curves, replace(results.fit, pose=results.curves.values)
    made: dict[str, str] = {}
    if results.gait is not None:
        draw_gait(folder / "gait.png", results.gait)
        made["gait.png"] = "Angles over the gait cycle"
    progress(0.15)
    for name, values, per in (
        ("angles", curves.values, ""),
        ("velocities", curves.velocity, "/s"),
        ("accelerations", curves.acceleration, "/s²"),
    ):
        draw_curves(folder / f"{name}.png", fit, values, f"Joint {name}", per)
        made[f"{name}.png"] = f"Joint {name} over time"
        progress(0.15 + 0.2 * len(made))
    draw_filtered(
        folder / "filter.png",
        _angles_before_and_after(results),
        title=f"Spline of {curves.cutoff:g} Hz",
        cutoff=curves.cutoff,
    )
    made["filter.png"] = "What the smoothing changed"
    draw_residuals(folder / "residuals.png", results.fit, results.report)
    made["residuals.png"] = "How well the model fits the markers"
    progress(1.0)
    return made


def _angles_before_and_after(results: Results) -> FilteredCurves:
    fit, angles = results.fit, angle_coordinates(results.fit.model)
    free = [place for place in fit.model.free_coordinates if angles[place]]
    before = np.where(fit.weak[:, None], np.nan, fit.pose)[:, free]
    return FilteredCurves(
        fit.times,
        tuple(fit.model.coordinate_names[place] for place in free),
        np.degrees(before)[..., None],
        np.degrees(results.curves.values[:, free])[..., None],
        axes=("",),
        unit="deg",
    )
