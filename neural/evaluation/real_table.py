"""Real recordings as Markdown: errors per joint, and what of injected calibration errors is removed."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..body import LOWER, UPPER
from .pages import block
from .real import JOINTS, RealTrial

__all__ = ["real_tables"]


def real_tables(trials: Sequence[RealTrial], lacking: Mapping[str, str]) -> str:
    """A line per take, a table of its joints, and why the other sets can't serve."""
    lines = []
    for trial in trials:
        means = [
            f"{np.mean([errors[name] for name in part]):.2f}"
            for part in (UPPER, LOWER)
            for errors in (trial.clean, trial.wrong, trial.removed)
        ]
        shares = (trial.share, trial.share_of_error, trial.share_facing_found)
        lines.append(
            [trial.take, f"{trial.seconds:.1f}", *means, *(f"{100.0 * s:.0f} %" for s in shares)]
        )
    header = ["take", "seconds"]
    header += [f"{part}, {when}" for part in ("upper", "legs") for when in _WHEN]
    header += ["removed of the change", "of the error", "of the change, facing found"]
    parts = [block(header, lines)]
    for trial in trials:
        rows = [
            [name.replace("_", " "), *(f"{e[name]:.2f}" for e in _errors(trial))] for name in JOINTS
        ]
        parts.append(f"{trial.take}, degrees per joint:\n\n{block(['joint', *_WHEN], rows)}")
    if lacking:
        rows = [[name, reason] for name, reason in lacking.items()]
        parts.append("Recordings that can't serve:\n\n" + block(["set", "why"], rows))
    return "\n".join(parts)


_WHEN = ("as calibrated", "with injected errors", "solved anew")


def _errors(trial: RealTrial) -> tuple[Mapping[str, float], ...]:
    return trial.clean, trial.wrong, trial.removed
