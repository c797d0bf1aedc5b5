"""Angles, their derivatives and the gait of a fit, and what there is to say of them."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..capture.coordinates import angle_coordinates
from ..rig.anatomy import motion_of_anatomy
from ..rig.arrays import Array
from ..rig.errors import RecordingError
from ..rig.filters import Derivatives, differentiated
from ..rig.gait import GaitSummary, gait_points, gait_summary
from ..rig.motion import Motion
from ..rig.solve.marker_ik import MarkerFit
from ..rig.solve.marker_report import report_of
from .ik_told import told_of
from .kinematics_input import Chain

__all__ = ["Results", "results_of"]

_GAP: Final = 0.25  # seconds of too few markers that angles are bridged over
_STILL: Final = 1e-3  # radians; an angle that changes by less is not drawn over the gait cycle
_HIGHEST: Final = 0.4  # of the frame rate, that a cut-off may be


@dataclass(frozen=True, eq=False)
class Results:
    """What was found.

    Attributes:
        chain: what it was found from.
        fit: as the markers have it, nothing smoothed.
        curves: smoothed angles and their derivatives (T, D), NaN where too few markers were seen.
        gait: of the walk, or None.
        motion: of our 24 joints, of the package's own model; or None.
        report: numbers, ready for JSON.
    """

    chain: Chain
    fit: MarkerFit
    curves: Derivatives
    gait: GaitSummary | None
    motion: Motion | None
    report: dict[str, Any]


def results_of(cutoff: float, chain: Chain, fit: MarkerFit, told: list[str]) -> Results:
    """Differentiate a fit, find steps in its markers, and report.

    Args:
        cutoff: hertz, of the smoothing spline; lowered, and told so, where the frame rate is too low for it.
        chain: what was fitted.
        fit: of T frames.
        told: warnings; more are added.
    """
    if cutoff > _HIGHEST * fit.fps:
        cutoff = _HIGHEST * fit.fps
        told.append(
            f"the cut-off is {cutoff:g} Hz: {fit.fps:g} frames per second allow no higher one"
        )
    pose = np.where(fit.weak[:, None], np.nan, fit.pose)
    curves = differentiated(pose, fit.fps, cutoff, longest_gap=_GAP)
    if not np.isfinite(curves.values).any():
        raise RecordingError(
            "no three frames in a row show enough markers for angles and velocities; expected at least some"
        )
    gait, why = _gait(chain, fit, curves)
    motion = None
    if chain.given.own:
        whole = np.where(np.isfinite(curves.values), curves.values, fit.pose)
        motion = motion_of_anatomy(fit.model, whole, fit.fps)
    report = _report(chain, fit, curves, told)
    report["gait"] = None if gait is None else gait.report()
    report["gait_is"] = why
    return Results(chain, fit, curves, gait, motion, report)


def _gait(chain: Chain, fit: MarkerFit, curves: Derivatives) -> tuple[GaitSummary | None, str]:
    angles = angle_coordinates(fit.model)
    moved = np.nan_to_num(np.ptp(fit.pose, axis=0)) > _STILL
    free = [place for place in fit.model.free_coordinates if angles[place] and moved[place]]
    named = {fit.model.coordinate_names[place]: curves.values[:, place] for place in free}
    try:
        points = gait_points(chain.given.recording)
        return gait_summary(points, named, fit.times), "found"
    except RecordingError as error:
        return None, str(error)


def _report(chain: Chain, fit: MarkerFit, curves: Derivatives, told: list[str]) -> dict[str, Any]:
    given = chain.given
    weights = given.goals.weights if given.goals else dict.fromkeys(fit.names, 1.0)
    wanted = [] if given.own else [name for name, weight in weights.items() if weight > 0.0]
    numbers = report_of(fit, given.recording)
    extra = {
        "unit": given.file.unit,
        "up": given.file.up,
        "up_is": given.file.how_up,
        "markers_left_out": []
        if given.own
        else [n for n in given.recording.names if n not in fit.names],
        "markers_missing": [name for name in wanted if name not in given.recording.names],
        "swaps": [],
    }
    report = {"model": fit.model.name, "steps": list(chain.steps), **numbers, **extra}
    told += told_of(report, given.goals.left_out if given.goals else ())
    report["cutoff_hz"] = curves.cutoff
    report["angles"] = _angles(fit, curves)
    report["points"] = chain.reports
    report["warnings"] = told
    return report


def _angles(fit: MarkerFit, curves: Derivatives) -> dict[str, dict[str, float]]:
    """Of every free angle: least, greatest and mean, degrees; the fastest, degrees per second."""
    angles, found = angle_coordinates(fit.model), {}
    for place in fit.model.free_coordinates:
        values = curves.values[:, place]
        if angles[place] and np.isfinite(values).any():
            found[fit.model.coordinate_names[place]] = {
                "least_deg": float(np.degrees(np.nanmin(values))),
                "greatest_deg": float(np.degrees(np.nanmax(values))),
                "mean_deg": float(np.degrees(np.nanmean(values))),
                "fastest_deg_per_s": float(np.degrees(_largest(curves.velocity[:, place]))),
            }
    return found


def _largest(values: Array) -> float:
    return float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else float("nan")
