"""A map of values over time, a row each, as SVG text: the darker the larger."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from ..rig.arrays import Array
from .report_svg import page, round_steps, words

__all__ = ["heat_map"]

# From pale to dark, evenly lighter for eyes that tell no hues.
_COLOURS: Final = (
    "#fff7e9", "#fcdeb2", "#fac47a", "#ef9457", "#e46434", "#bd3c2d", "#961426", "#650b1e", "#340216",
)  # fmt: skip
_NOTHING: Final = "#d8d8d8"
_WIDTH, _ROW, _TOP, _BOTTOM, _LEFT, _RIGHT = 1032.0, 12.0, 34.0, 34.0, 150.0, 80.0
_MOST: Final = 600  # columns; more frames share one, which shows their largest


def heat_map(title: str, names: Sequence[str], times: Array, values: Array, unit: str) -> str:
    """Values (T, M) of M names over times (T,), NaN where there are none, as a whole SVG."""
    rows, (low, high) = len(names), (float(times[0]), float(times[-1]))
    wide, tall = _WIDTH - _LEFT - _RIGHT, _ROW * rows
    cells = _columns(values)
    seen = cells[np.isfinite(cells)]
    most = float(np.percentile(seen, 99.5)) if len(seen) else 1.0
    top = len(_COLOURS) * round_steps(0.0, max(most, 1e-6), len(_COLOURS))[1]
    level = np.clip(np.nan_to_num(cells) / top * len(_COLOURS), 0, len(_COLOURS) - 1).astype(int)
    level[~np.isfinite(cells)] = -1
    parts = [words(2.0, 17.0, title, size=15, colour="#222")]
    paths = ["" for _ in range(len(_COLOURS) + 1)]
    step = wide / len(cells)
    for row in range(rows):
        y = _TOP + (row + 0.5) * _ROW
        parts.append(words(_LEFT - 6.0, y + 3.5, names[row], anchor="end"))
        edges = [0, *(np.flatnonzero(np.diff(level[:, row])) + 1).tolist(), len(level)]
        for first, stop in pairwise(edges):
            paths[level[first, row]] += (
                f"M{_LEFT + first * step:.1f} {y:.1f}h{(stop - first) * step:.2f}"
            )
    for path, colour in zip(paths, (*_COLOURS, _NOTHING), strict=True):
        if path:
            parts.append(f'<path d="{path}" stroke="{colour}" stroke-width="{_ROW - 1:g}"/>')
    for time in round_steps(low, high, 10):
        x = _LEFT + (time - low) / ((high - low) or 1.0) * wide
        parts.append(words(x, _TOP + tall + 14.0, f"{time:g}", anchor="middle"))
    parts.append(words(_LEFT + wide / 2, _TOP + tall + 28.0, "time [s]", anchor="middle"))
    parts += _scale(top, unit)
    return page(_WIDTH, _TOP + tall + _BOTTOM, title, "".join(parts))


def _columns(values: Array) -> Array:
    """(N, M) of at most 600 stretches of the frames: the largest of each."""
    if len(values) <= _MOST:
        return values
    edges = np.linspace(0, len(values), _MOST + 1).astype(int)[:-1]
    known = np.maximum.reduceat(np.where(np.isfinite(values), values, -np.inf), edges, axis=0)
    return np.where(np.isfinite(known), known, np.nan)


def _scale(top: float, unit: str) -> list[str]:
    """Colours and what they stand for, at the right."""
    x, high = _WIDTH - _RIGHT + 16.0, 12.0
    parts = [words(x, _TOP + 8.0, unit)]
    for number, colour in enumerate((*_COLOURS, _NOTHING)):
        y = _TOP + 16.0 + number * high
        told = f"{top * number / len(_COLOURS):.3g}" if number < len(_COLOURS) else "not seen"
        parts.append(f'<path d="M{x:.1f} {y:.1f}h14v{high:g}h-14z" fill="{colour}"/>')
        parts.append(words(x + 19.0, y + 10.0, told, size=9.5))
    return parts
