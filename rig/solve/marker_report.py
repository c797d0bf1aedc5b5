"""What there is to say of a marker fit: errors by marker and frame, velocities, coordinates at limits."""

from typing import Any

import numpy as np
import torch

from ..arrays import Array, Mask
from ..model.kinematics import bodies_in_world, markers_in_world
from ..model.model import KinematicModel
from ..trajectories import MarkerTrajectories
from .marker_ik import MarkerFit

__all__ = [
    "at_limits",
    "differences",
    "joint_velocities",
    "marker_offsets",
    "marker_table",
    "report_of",
    "stretches",
]

_AT_LIMIT = 1e-3  # radians or metres from a limit
_OFTEN = 0.05  # fraction of the frames; a coordinate that is at a limit for longer is told
_MANY = 10  # worst markers that are told
_MILLIMETRES = 1000.0


def _rms(errors: Array, axis: int) -> Array:
    """Root mean square of what was seen, NaN where nothing was."""
    seen = np.isfinite(errors).sum(axis=axis)
    total = np.nansum(errors**2, axis=axis)
    return np.sqrt(np.where(seen > 0, total / np.maximum(seen, 1), np.nan))


def marker_offsets(fit: MarkerFit, markers: MarkerTrajectories) -> Array:
    """(P, 3) metres in each marker's body, from its place on the model to where it was on average.

    A large one says that the marker sits elsewhere than the model has it; NaN if it was never seen.

    Args:
        fit: of T frames.
        markers: the same frames, with at least the markers of the fit.
    """
    index = [fit.model.marker_index(name) for name in fit.names]
    bodies = [fit.model.body_index(fit.model.markers[place].body) for place in index]
    pose = torch.as_tensor(fit.pose)
    turns = bodies_in_world(fit.model, pose)[0].numpy()[:, bodies]
    away = (
        markers.chosen(list(fit.names)).positions
        - markers_in_world(fit.model, pose).numpy()[:, index]
    )
    local = np.einsum("tpji,tpj->tpi", turns, away)
    seen = np.isfinite(local).all(-1).sum(0)[:, None]
    return np.where(seen > 0, np.nansum(local, axis=0) / np.maximum(seen, 1), np.nan)


def marker_table(fit: MarkerFit, markers: MarkerTrajectories | None = None) -> list[dict[str, Any]]:
    """Per marker, the worst first: name, body, weight, fraction seen, errors in millimetres.

    Args:
        fit: of T frames.
        markers: the same frames; given, the mean offset along the body's x, y and z is told too.
    """
    rms, offsets = _rms(fit.errors, 0), None if markers is None else marker_offsets(fit, markers)
    rows = []
    for place, name in enumerate(fit.names):
        errors = fit.errors[:, place]
        seen = np.isfinite(errors)
        worst = int(np.argmax(np.where(seen, errors, -1.0)))
        row = {
            "marker": name,
            "body": fit.model.markers[fit.model.marker_index(name)].body,
            "weight": float(fit.weights[place]),
            "seen": float(seen.mean()),
            "rms_mm": _MILLIMETRES * float(rms[place]),
            "mean_mm": _MILLIMETRES * float(errors[seen].mean()) if seen.any() else np.nan,
            "max_mm": _MILLIMETRES * float(errors[worst]),
            "max_at_s": float(fit.times[worst]) if seen.any() else np.nan,
        }
        if offsets is not None:
            row["offset_mm"] = [_MILLIMETRES * float(x) for x in offsets[place]]
        rows.append(row)
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
    """(T, D) radians and metres per second: central differences, nothing smoothed; one-sided at both ends.

    Of a ball joint, how fast its rotation vector changes.
    """
    if len(pose) < 2:
        return np.zeros_like(pose)
    return np.asarray(np.gradient(pose, 1.0 / fps, axis=0))


def differences(pose: Array, reference: Array, angles: Mask) -> Array:
    """(D,) root mean square of the difference of two poses (T, D), radians and metres; NaN where unknown.

    Args:
        pose: one.
        reference: the other, NaN where it has no value.
        angles: (D,) which coordinates are angles, whose whole turns do not count.
    """
    away = pose - reference
    turned = (away + np.pi) % (2.0 * np.pi) - np.pi
    return _rms(np.where(angles, turned, away), 0)


def stretches(frames: Mask, times: Array) -> list[tuple[float, float]]:
    """First and last second of every run of True."""
    edges = np.flatnonzero(np.diff(frames, prepend=False, append=False)).reshape(-1, 2)
    return [(float(times[first]), float(times[stop - 1])) for first, stop in edges]


def report_of(fit: MarkerFit, markers: MarkerTrajectories | None = None) -> dict[str, Any]:
    """Numbers of a fit, ready for JSON: frames, errors in millimetres, limits, weak frames, sizes.

    Args:
        fit: of T frames.
        markers: the same frames; given, each marker's mean offset is told too.
    """
    table = marker_table(fit, markers)
    limits = at_limits(fit.model, fit.pose)
    scales = {
        body: [float(s) for s in fit.scales[place]]
        for place, body in enumerate(fit.model.bodies)
        if place and not np.allclose(fit.scales[place], 1.0)
    }
    return {
        "frames": len(fit.pose),
        "fps": fit.fps,
        "start": float(fit.times[0]),
        "end": float(fit.times[-1]),
        "markers": len(fit.names),
        "weighted_rms_mm": _MILLIMETRES * fit.rms,
        "rms_mm": _MILLIMETRES * float(_rms(fit.errors.reshape(-1), 0)),
        "max_mm": _MILLIMETRES * float(np.nanmax(fit.errors, initial=0.0)),
        "frame_rms_mm": _frame_errors(fit),
        "worst_markers": [row["marker"] for row in table[:_MANY]],
        "marker_errors": table,
        "coordinates_at_limits": {name: s for name, s in limits.items() if s > _OFTEN},
        "weak_frames": int(fit.weak.sum()),
        "weak_seconds": stretches(fit.weak, fit.times),
        "scales": scales,
    }


def _frame_errors(fit: MarkerFit) -> dict[str, float]:
    frames = _MILLIMETRES * _rms(fit.errors, 1)
    worst = int(np.nanargmax(frames))
    return {
        "median": float(np.nanmedian(frames)),
        "worst": float(frames[worst]),
        "worst_time": float(fit.times[worst]),
    }
