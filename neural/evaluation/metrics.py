"""Every metric of a body motion against the true one: names, units, averages.

Each is defined, with its formula, its joints and its source, in the file of its theme:
`rotation_metrics`, `position_metrics`, `root_metrics`, `foot_metrics`; those of several takes or of whole
sets of clips in `generation_metrics` and `frechet`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ...rig.arrays import Mask
from ...rig.motion import Motion
from .comparison import Comparison, Seen
from .foot_metrics import foot_metrics
from .position_metrics import position_metrics
from .root_metrics import root_metrics
from .rotation_metrics import rotation_metrics

__all__ = ["UNITS", "average", "motion_metrics", "pair_metrics"]

# In the order of the tables.
UNITS: Mapping[str, str] = {
    "sip_error": "degrees",
    "angular_error_global": "degrees",
    "angular_error_upper": "degrees",
    "angular_error_lower": "degrees",
    "angular_error_local": "degrees",
    "sip_error_reduced": "degrees",
    "angular_error_reduced": "degrees",
    "mpjre": "degrees",
    "mpjre_geodesic": "degrees",
    "position_error": "cm",
    "position_error_upper": "cm",
    "position_error_lower": "cm",
    "position_error_hands": "cm",
    "position_error_reduced": "cm",
    "velocity_error": "cm/s",
    "velocity_error_upper": "cm/s",
    "velocity_error_lower": "cm/s",
    "velocity_error_hands": "cm/s",
    "jerk": "10^2 m/s^3",
    "jerk_true": "10^2 m/s^3",
    "root_drift_1m": "cm",
    "root_drift_2m": "cm",
    "root_drift_5m": "cm",
    "root_error_per_metre": "cm/m",
    "root_error_per_second": "cm/s",
    "contact_f1": "",
    "foot_skate": "cm/s",
    "foot_skate_true": "cm/s",
    "foot_skate_low": "cm/s",
    "foot_skate_low_true": "cm/s",
    "penetration": "cm",
    "penetration_true": "cm",
    "penetration_deep": "% of frames",
    "penetration_deep_true": "% of frames",
}


def motion_metrics(
    predicted: Motion, truth: Motion, contacts: Mask | None = None
) -> dict[str, float]:
    """Every metric of `UNITS` for two motions of one 24-joint skeleton, equally long and fast.

    A metric that the clip can't tell (drift over 5 m of one that walks 3 m) is NaN.

    Args:
        predicted: of a network.
        truth: what it should be.
        contacts: (T, 2) True where the network says that a foot stands; without them contact_f1 is NaN.

    Raises:
        ShapeError: the motions are not equally long and fast.
    """
    return pair_metrics(Comparison(Seen(predicted), Seen(truth), contacts))


def pair_metrics(pair: Comparison) -> dict[str, float]:
    """`motion_metrics` where the truth is compared more than once, and what it knows of itself is kept."""
    found = {
        **rotation_metrics(pair),
        **position_metrics(pair),
        **root_metrics(pair),
        **foot_metrics(pair),
    }
    return {name: found[name] for name in UNITS}


def average(rows: Sequence[Mapping[str, float]], lengths: Sequence[int]) -> dict[str, float]:
    """Mean of each metric over clips, weighted by their frames; NaN entries are left out."""
    weights = np.asarray(lengths, dtype=np.float64)
    result = {}
    for name in rows[0] if rows else ():
        values = np.array([row[name] for row in rows])
        known = np.isfinite(values)
        result[name] = (
            float(np.average(values[known], weights=weights[known])) if known.any() else np.nan
        )
    return result
