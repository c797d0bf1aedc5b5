"""How sure a solved joint is: from the errors that people on validation clips would have seen.

For every joint `trained/confidence.json` holds a line, expected error = still + moving * activity, fitted to
the mean global angular errors of validation clips with worn sensors (`dev/fit_confidence.py`); activity is
how hard the sensors are accelerated. Legs that are drawn stray as far again as those that are predicted, a
silent sensor says less with every moment, and a chair is told by no sensor. With the expected error e the
confidence is 1 / (1 + (e / 30°)^2), as the agreement of several generated takes is counted.
"""

import json
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..capture.imu import Gap
from ..rig.arrays import Array
from ..rig.errors import ModelError
from ..rig.skeleton import BODY_JOINTS
from .body import LOWER
from .weights import EMBEDDED

__all__ = ["PATH", "activity", "confidence_of", "expected_errors", "silence"]

PATH = EMBEDDED / "confidence.json"
HALF = 30.0  # degrees of error at which confidence is one half
AROUND = 1.0  # seconds over which activity is counted
SILENT = 60.0  # degrees per second by which a joint becomes unsure while its sensor is silent
LOST = 90.0  # degrees, as unsure as it gets
SEATED = 30.0  # degrees, of legs that nobody measured
_ARM = ("collar", "shoulder", "elbow", "wrist", "hand")
_DEPENDENTS = {
    "left_wrist": tuple(f"left_{part}" for part in _ARM),
    "right_wrist": tuple(f"right_{part}" for part in _ARM),
    "neck": ("spine2", "spine3", "neck", "head"),
    "waist": ("pelvis", "spine1", *LOWER),
}
_LEGS = [BODY_JOINTS.index(name) for name in LOWER]


def activity(acceleration: Array, fps: float) -> Array:
    """(T,) m/s^2, root mean square of all sensors' accelerations (T, S, 3) over a second."""
    power = np.nan_to_num(acceleration).astype(np.float64) ** 2
    reach = max(1, round(0.5 * AROUND * fps))
    padded = np.pad(power.sum(-1).mean(-1), reach, mode="edge")
    total = np.concatenate([[0.0], np.cumsum(padded)])
    width = 2 * reach + 1
    return np.sqrt(np.maximum(total[width:] - total[:-width], 0.0) / width)


def expected_errors(active: Array) -> Array:
    """(T, 24) degrees that each joint's global rotation is expected to be off, for activities (T,).

    Raises:
        ModelError: the table is missing or damaged.
    """
    still, moving = _lines()
    return still + moving * active[:, None]


def silence(gaps: Sequence[Gap], start: float, times: Array) -> Array:
    """(T, 24) degrees of error that silent sensors add at times (T,) s after `start`."""
    added = np.zeros((len(times), len(BODY_JOINTS)))
    for gap in gaps:
        columns = [BODY_JOINTS.index(name) for name in _DEPENDENTS[gap.placement]]
        since = times + start - gap.start
        inside = (since > 0.0) & (times + start < gap.end)
        error = np.where(inside, np.minimum(SILENT * since, LOST), 0.0)
        added[:, columns] = np.maximum(added[:, columns], error[:, None])
    return added


def confidence_of(expected: Array, added: Array, legs: str) -> Array:
    """(T, 24) between 0 and 1.

    Args:
        expected: (T, 24) degrees.
        added: (T, 24) degrees.
        legs: "deterministic", "generated" (a draw is as far from the middle as the truth is) or "seated".
    """
    squared = expected**2 + added**2
    if legs == "generated":
        squared[:, _LEGS] = 2.0 * expected[:, _LEGS] ** 2 + added[:, _LEGS] ** 2
    if legs == "seated":
        squared[:, _LEGS] = SEATED**2
    confidence: Array = 1.0 / (1.0 + squared / HALF**2)
    return confidence


@lru_cache(maxsize=1)
def _lines() -> tuple[Array, Array]:
    try:
        lines = json.loads(PATH.read_text(encoding="utf-8"))["degrees"]
        rows = np.array([lines[name] for name in BODY_JOINTS], dtype=np.float64)
        still, moving = rows.T
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the table {PATH} can't be used ({error}); install PALLAS again"
        ) from error
    return still, moving
