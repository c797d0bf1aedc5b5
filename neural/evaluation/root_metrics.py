"""How far the body strays from its true path."""

import numpy as np
from numpy.typing import NDArray

from ...rig.arrays import Array
from .comparison import Comparison

__all__ = ["root_metrics"]

DISTANCES = (1.0, 2.0, 5.0)  # metres
EVERY = 0.5  # seconds between the starts of windows


def root_metrics(pair: Comparison) -> dict[str, float]:
    """Errors of the root's displacement since a start; NaN where the clip is too short to tell.

    D = (p0[e] - p0[s]) - (p0'[e] - p0'[s]) is the error of the displacement from frame s to frame e.

    - root_drift_1m, _2m, _5m: mean horizontal |D| in cm, where e is the first frame at which the true
      root has travelled 1, 2 or 5 m over ground since s; s every half second (Yi et al. 2021).
    - root_error_per_metre: mean of horizontal |D| / distance over all these windows together, cm per
      metre, which is per cent.
    - root_error_per_second: mean |D| in cm, in space, over all windows of one second (the translation
      error of TransPose's and PIP's code).
    """
    predicted, truth = pair.predicted.motion.root_position, pair.truth.motion.root_position
    steps = np.linalg.norm(np.diff(truth[:, :2], axis=0), axis=-1)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    starts = np.arange(0, len(truth), max(1, round(EVERY * pair.fps)))
    result, shares = {}, []
    for distance in DISTANCES:
        ends = np.searchsorted(travelled, travelled[starts] + distance)
        use = ends < len(truth)
        drift = _drift((predicted - truth)[:, :2], starts[use], ends[use])
        result[f"root_drift_{distance:.0f}m"] = float(drift.mean()) if len(drift) else np.nan
        shares.append(drift / distance)
    share = np.concatenate(shares)
    second = round(pair.fps)
    frames = np.arange(max(len(truth) - second, 0))
    late = _drift(predicted - truth, frames, frames + second)
    return {
        **result,
        "root_error_per_metre": float(share.mean()) if len(share) else np.nan,
        "root_error_per_second": float(late.mean()) if len(late) else np.nan,
    }


def _drift(error: Array, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> Array:
    result: Array = 100.0 * np.linalg.norm(error[ends] - error[starts], axis=-1)
    return result
