"""What there is to say of a marker fit: errors by marker and frame, velocities, coordinates at limits."""

from typing import Any

import numpy as np

from ..arrays import Array
from ..model.model import KinematicModel
from .marker_ik import MarkerFit

__all__ = ["at_limits", "joint_velocities", "marker_table", "report_of"]

_AT_LIMIT = 1e-4  # radians or metres from a limit
_OFTEN = 0.05  # fraction of the frames; a coordinate that is at a limit for longer is told
_MANY = 10  # worst markers that are told


def _rms(errors: Array, axis: int) -> Array:
    """Root mean square of what was seen, NaN where nothing was."""
    seen = np.isfinite(errors).sum(axis=axis)
    total = np.nansum(errors**2, axis=axis)
    return np.sqrt(np.where(seen > 0, total / np.maximum(seen, 1), np.nan))


def marker_table(fit: MarkerFit) -> list[dict[str, Any]]:
    """Per marker, the worst first: name, weight, RMS and largest error in millimetres, fraction seen."""
    rms = _rms(fit.errors, 0)
    rows = [
        {
            "marker": name,
            "weight": float(fit.weights[place]),
            "rms_mm": 1000.0 * float(rms[place]),
            "max_mm": 1000.0 * float(np.nanmax(fit.errors[:, place], initial=0.0)),
            "seen": float(np.isfinite(fit.errors[:, place]).mean()),
        }
        for place, name in enumerate(fit.names)
    ]
    return sorted(rows, key=lambda row: -np.nan_to_num(row["rms_mm"]))


def at_limits(model: KinematicModel, pose: Array) -> dict[str, float]:
    """Fraction of the frames (T, D) in which each free coordinate is at, or beyond, one of its limits."""
    found = {}
    for place in model.free_coordinates:
        coordinate = model.coordinates[place]
        low, high = coordinate.limits
        value = pose[:, place]
        share = float(((value <= low + _AT_LIMIT) | (value >= high - _AT_LIMIT)).mean())
        if share > 0.0 and coordinate.kind != "ball":
            found[coordinate.name] = share
    return found


def joint_velocities(pose: Array, fps: float) -> Array:
    """(T, D) radians and metres per second, by central differences; one-sided at both ends."""
    if len(pose) < 2:
        return np.zeros_like(pose)
    return np.asarray(np.gradient(pose, 1.0 / fps, axis=0))


def report_of(fit: MarkerFit) -> dict[str, Any]:
    """Numbers of a fit, ready for JSON: frames, errors in millimetres, worst markers, limits, weak frames."""
    table = marker_table(fit)
    frames = 1000.0 * _rms(fit.errors, 1)
    limits = {
        name: share for name, share in at_limits(fit.model, fit.pose).items() if share > _OFTEN
    }
    scales = {
        body: [float(s) for s in fit.scales[place]]
        for place, body in enumerate(fit.model.bodies)
        if place and not np.allclose(fit.scales[place], 1.0)
    }
    return {
        "frames": len(fit.pose),
        "fps": fit.fps,
        "markers": len(fit.names),
        "weighted_rms_mm": 1000.0 * fit.rms,
        "rms_mm": 1000.0 * float(_rms(fit.errors.reshape(-1), 0)),
        "max_mm": 1000.0 * float(np.nanmax(fit.errors, initial=0.0)),
        "frame_rms_mm": {
            "median": float(np.nanmedian(frames)),
            "worst": float(np.nanmax(frames)),
            "worst_time": float(fit.times[int(np.nanargmax(frames))]),
        },
        "worst_markers": table[:_MANY],
        "coordinates_at_limits": limits,
        "weak_frames": int(fit.weak.sum()),
        "scales": scales,
    }
