"""Whether feet stand when they should, stay where they stand, and keep above the floor."""

import numpy as np

from ...rig.arrays import Array, Mask
from ..contacts import ANKLES, TOES
from ..root import SOLES
from .comparison import Comparison

__all__ = ["contact_f1", "foot_metrics"]

LOW = 0.025  # metres, H of Zhang et al. 2018
DEEP = 0.01  # metres under the floor


def foot_metrics(pair: Comparison) -> dict[str, float]:
    """Contacts, skating in cm/s, depth in cm; where it says "true", of the true motion itself.

    - contact_f1: see `contact_f1`; the predicted contacts against those that the rule of
      `neural/contacts.py` finds in the true motion (heel or ball low and slower than 0.35 m/s).
    - foot_skate: mean horizontal speed of the balls of the feet [10, 11] over the frames at whose start
      and end the true foot stands.
    - foot_skate_low: v (2 - 2^min(max(h / H, 0), 1)), mean over all frames and both feet: horizontal speed v
      of the ball of a foot, counted the less the higher it is; h its height over where it stands,
      H = 2.5 cm (Zhang et al. 2018, mode-adaptive networks). It knows nothing of the truth, so it is fair
      to legs that step at other times.
    - penetration: mean depth of the lowest joint below the floor z = 0.
    - penetration_deep: per cent of frames in which an ankle, a ball of a foot or any other joint is more
      than 1 cm deeper than it can be: under 0.073 (ankles), 0.017 (balls) times the body's size, or 0.
    """
    f1 = np.nan if pair.contacts is None else contact_f1(pair.contacts, pair.truth.standing)
    result = {"contact_f1": f1}
    standing, scale = pair.truth.standing, pair.truth.scale
    for name, seen in (("", pair.predicted), ("_true", pair.truth)):
        these = seen.world[1]
        result[f"foot_skate{name}"] = _skate(these, standing, pair.fps)
        result[f"foot_skate_low{name}"] = _skate_low(these, pair.fps, scale)
        lowest = these[..., 2].min(axis=-1)
        result[f"penetration{name}"] = float(100.0 * np.maximum(-lowest, 0.0).mean())
        result[f"penetration_deep{name}"] = float(100.0 * (_depth(these, scale) > DEEP).mean())
    return result


def contact_f1(predicted: Mask, truth: Mask) -> float:
    """2 TP / (2 TP + FP + FN) over frames and feet (T, 2) of "the foot stands"; NaN if none ever does."""
    hits = int((predicted & truth).sum())
    said = int(predicted.sum()) + int(truth.sum())
    return 2.0 * hits / said if said else np.nan


def _toe_speeds(positions: Array, fps: float) -> Array:
    """(T - 1, 2) horizontal speed of the balls of the feet, m/s."""
    result: Array = np.linalg.norm(np.diff(positions[:, TOES, :2], axis=0), axis=-1) * fps
    return result


def _skate(positions: Array, standing: Mask, fps: float) -> float:
    both = standing[1:] & standing[:-1]
    if not both.any():
        return np.nan
    return float(100.0 * _toe_speeds(positions, fps)[both].mean())


def _skate_low(positions: Array, fps: float, scale: float) -> float:
    if len(positions) < 2:
        return np.nan
    height = positions[:-1, TOES, 2] - SOLES[2:] * scale
    weight = 2.0 - 2.0 ** np.clip(height / LOW, 0.0, 1.0)
    return float(100.0 * (weight * _toe_speeds(positions, fps)).mean())


def _depth(positions: Array, scale: float) -> Array:
    """(T,) metres by which the deepest joint is under where it can be."""
    soles = SOLES * scale - positions[:, ANKLES + TOES, 2]
    result: Array = np.maximum(soles.max(axis=-1), -positions[..., 2].min(axis=-1))
    return result
