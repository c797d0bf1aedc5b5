"""Results as Markdown tables."""

from collections.abc import Sequence

import numpy as np

from ..features import NETWORK_FPS
from .clips import ALL
from .drift import DriftRow
from .evaluate import TABLE_UNITS, Row
from .pages import UNKNOWN, block
from .suite import Run

__all__ = ["accuracy_tables", "budget_table", "drift_table", "suite_tables"]

_TITLES = {"cmu": "CMU", "ui_prmd": "UI-PRMD", ALL: "All clips"}
_TRUE = "_true"
_SPELT = {"sip": "SIP", "mpjre": "MPJRE", "f1": "F1", "frechet": "Fréchet distance"}
_BUDGET = ("network", "parameters", "steps", "minutes")
# Columns of a suite's table, one run per line.
_OF_A_RUN = {
    "angular_error_upper": "angular, upper",
    "angular_error_lower": "angular, lower",
    "sip_error": "SIP",
    "position_error_upper": "position, upper",
    "position_error_lower": "position, lower",
    "velocity_error": "velocity",
    "jerk": "jerk",
    "root_error_per_second": "root after 1 s",
    "contact_f1": "contact F1",
    "foot_skate": "skate",
    "foot_skate_low": "skate, low",
    "frechet": "Fréchet",
}


def accuracy_tables(rows: Sequence[Row]) -> str:
    """A table per group and condition: a metric per line, a solver per column, and the true motion itself."""
    parts = []
    for group in sorted({row.group for row in rows}):
        for condition in dict.fromkeys(row.condition for row in rows):
            these = [row for row in rows if (row.group, row.condition) == (group, condition)]
            parts.append(f"{_title(these[0])}, {condition} sensors:\n\n{_accuracy_table(these)}\n")
    return "\n".join(parts)


def budget_table(runs: Sequence[Run]) -> str:
    """What each network's training cost."""
    return block(_BUDGET, [run.budget for run in runs])


def suite_tables(runs: Sequence[Run], rows: Sequence[Row]) -> str:
    """A table per group and condition: a run per line with its budget, and the metrics that tell most."""
    header = [*_BUDGET, *_OF_A_RUN.values()]
    parts = []
    for group in sorted({row.group for row in rows}):
        for condition in dict.fromkeys(row.condition for row in rows):
            these = {r.network: r for r in rows if (r.group, r.condition) == (group, condition)}
            lines = [
                [*run.budget, *(_number(these[run.name].metrics[name]) for name in _OF_A_RUN)]
                for run in runs
            ]
            title = _title(next(iter(these.values())))
            parts.append(f"{title}, {condition} sensors:\n\n{block(header, lines)}\n")
    return "\n".join(parts)


def drift_table(rows: Sequence[DriftRow]) -> str:
    """A line per network, condition and time: means over the walks."""
    lines = []
    for key in dict.fromkeys((row.network, row.condition, row.minutes) for row in rows):
        these = [row for row in rows if (row.network, row.condition, row.minutes) == key]
        away = np.array([row.distance for row in these])
        path = np.array([row.travelled for row in these])
        turn = np.mean([row.heading for row in these])
        lines.append(
            [key[0], key[1], f"{key[2]:g}", f"{path.mean():.0f}", f"{away.mean():.1f}",
             f"{100.0 * (away / path).mean():.1f}", f"{turn:.1f}"]
        )  # fmt: skip
    header = [
        "network",
        "sensors",
        "minutes",
        "walked, m",
        "off by, m",
        "% of the way",
        "heading, °",
    ]
    return block(header, lines)


def _title(row: Row) -> str:
    minutes = row.frames / NETWORK_FPS / 60.0
    return f"{_TITLES.get(row.group, row.group)}, {row.clips} clips, {minutes:.1f} minutes"


def _accuracy_table(rows: Sequence[Row]) -> str:
    lines = []
    for name, unit in TABLE_UNITS.items():
        values = [row.metrics[name] for row in rows]
        if name.endswith(_TRUE) or not np.isfinite(values).any():
            continue
        own = rows[0].metrics.get(name + _TRUE, np.nan)
        lines.append([_spelt(name), unit, *map(_number, [*values, own])])
    return block(["metric", "unit", *(row.network for row in rows), "true motion"], lines)


def _spelt(name: str) -> str:
    return " ".join(_SPELT.get(word, word) for word in name.split("_"))


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else UNKNOWN
