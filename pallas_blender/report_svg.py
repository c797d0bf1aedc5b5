"""Plots as SVG text: panels of curves with round ticks, in rows under a title; no library is needed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from ..rig.arrays import Array
from .plot_style import GAP

__all__ = ["Curve", "Panel", "figure", "legend", "page", "round_steps", "words"]

Key = tuple[
    str, str, str
]  # words, colour, and dashes, "" of a whole line, "area" of a filled square

_WIDTH, _HEIGHT = 258.0, 142.0  # pixels, of a panel with its words
_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, 10.0, 20.0, 30.0  # around its curves
_TITLE, _HEADING, _GAP = 30.0, 26.0, 8.0
_AXIS, _GRID, _FAINT, _DARK = "#9a9a9a", "#e8e8e8", "#6b6b6b", "#3b3b3b"
_LEVEL: Final = "#a0a0a0"
_DASHES: Final = "5 3"
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_FINEST: Final = 3  # points for each pixel across; more are drawn as their highest and lowest


@dataclass(frozen=True, eq=False)
class Curve:
    """A line: x and y (N,), NaN where it breaks; `spread` (N,) is half the height of a band around it."""

    x: Array
    y: Array
    colour: str
    width: float = 1.5
    spread: Array | None = None


@dataclass(frozen=True, eq=False)
class Panel:
    """Curves over one axis.

    Attributes:
        title: above.
        unit: of y.
        curves: drawn in this order.
        across: what x is.
        levels: y of dashed lines.
        marks: x of dashed lines, and their colours.
        spans: pale stretches of x.
        least: that y spans.
        powers: whether y are powers of ten.
    """

    title: str
    unit: str
    curves: tuple[Curve, ...]
    across: str = "time [s]"
    levels: tuple[float, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    spans: tuple[tuple[float, float], ...] = ()
    least: float = 0.0
    powers: bool = False


def figure(
    title: str, groups: Mapping[str, Sequence[Panel]], keys: Sequence[Key] = (), columns: int = 4
) -> str:
    """Panels in rows under a title, each group under its heading.

    Args:
        title: of the picture.
        groups: panels by their heading; "" has none.
        keys: of the legend.
        columns: panels beside each other.
    """
    parts, top = [], _TITLE
    for heading, panels in groups.items():
        if heading:
            parts.append(words(2.0, top + 17.0, heading, size=13, weight=600, colour=_DARK))
            top += _HEADING
        for number, panel in enumerate(panels):
            x = (number % columns) * _WIDTH
            parts.append(_panel(panel, x, top + (number // columns) * (_HEIGHT + _GAP)))
        top += -(-len(panels) // columns) * (_HEIGHT + _GAP)
    width = columns * _WIDTH
    parts += [words(2.0, 17.0, title, size=15, colour="#222"), legend(keys, width)]
    return page(width, top, title, "".join(parts))


def page(width: float, height: float, title: str, body: str) -> str:
    """A whole SVG, which stands in a page or in a file of its own."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" font-family="system-ui,sans-serif" '
        f'style="max-width:100%;height:auto"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{body}</svg>\n'
    )


def words(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 10.5,
    colour: str = _FAINT,
    anchor: str = "start",
    weight: int = 400,
    turned: bool = False,
) -> str:
    """Text; `turned` reads upwards."""
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    heavy = f' font-weight="{weight}"' if weight != 400 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" text-anchor="{anchor}"'
        f"{heavy}{turn}>{escape(text)}</text>"
    )


def legend(keys: Sequence[Key], right: float) -> str:
    """What the colours are, in a row that ends at `right`."""
    parts = []
    for text, colour, dashes in reversed(keys):
        right -= 7.0 * len(text) + 34.0
        sample = f'<path d="M{right:.1f} 13h20" stroke="{colour}" stroke-width="2.2"'
        sample += f' stroke-dasharray="{dashes}"' if dashes and dashes != "area" else ""
        if dashes == "area":
            sample = f'<path d="M{right:.1f} 8h20v10h-20z" fill="{colour}"'
        parts += [f"{sample}/>", words(right + 25.0, 17.0, text, size=12, colour=_DARK)]
    return "".join(parts)


def round_steps(low: float, high: float, most: int) -> list[float]:
    """At most `most` + 1 round numbers from `low` to `high`."""
    span = high - low
    if not span > 0.0:
        return [low]
    rough = span / most
    base = 10.0 ** np.floor(np.log10(rough))
    step = next(base * k for k in (1.0, 2.0, 5.0, 10.0) if base * k >= rough * (1.0 - 1e-9))
    first = np.ceil(low / step - 1e-9)
    count = int(np.floor(high / step + 1e-9) - first) + 1
    return [float(round((first + k) * step, 12)) for k in range(count)]


def _decades(low: float, high: float) -> list[float]:
    """Whole numbers from `low` to `high`, five at most."""
    step = max(1, int(np.ceil((high - low) / 5.0)))
    return [float(k) for k in range(int(np.ceil(low / step)) * step, int(np.floor(high)) + 1, step)]


def _panel(panel: Panel, left: float, top: float) -> str:
    """One panel; `left` and `top` are of its words."""
    (x0, x1), (y0, y1) = _extent(panel)
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    begin, end = left + _LEFT, top + _TOP

    def place(x: Array, y: Array) -> Array:
        across = begin + (np.asarray(x) - x0) / (x1 - x0) * wide
        return np.stack([across, end + (y1 - np.asarray(y)) / (y1 - y0) * high], axis=-1)

    parts = []
    for first, last in panel.spans:
        (a, _), (b, _) = place(np.clip([first, last], x0, x1), np.full(2, y0))
        parts.append(f'<path d="M{a:.1f} {end:.1f}H{b:.1f}v{high:.1f}H{a:.1f}z" fill="{GAP}"/>')
    parts += _ticks(panel, place, (x0, x1), (y0, y1))
    for level in panel.levels:
        _, y = place(np.array(x0), np.array(level))
        parts.append(_line(f"M{begin:.1f} {y:.1f}h{wide:.1f}", _LEVEL, 1.0, dashed=True))
    for mark, colour in panel.marks:
        x, _ = place(np.array(mark), np.array(y0))
        parts.append(_line(f"M{x:.1f} {end:.1f}v{high:.1f}", colour, 1.0, dashed=True))
    for curve in panel.curves:  # bands below all lines
        parts += _band(curve, place)
    for curve in panel.curves:
        parts += _curve(curve, place, int(wide))
    parts.append(_line(f"M{begin:.1f} {end:.1f}v{high:.1f}h{wide:.1f}", _AXIS, 1.0))
    parts.append(words(begin, top + 13.0, panel.title, size=12, colour="#222"))
    parts.append(words(begin + wide, top + 13.0, panel.unit, anchor="end"))
    parts.append(words(begin + wide / 2, top + _HEIGHT - 2.0, panel.across, anchor="middle"))
    return "".join(parts)


def _extent(panel: Panel) -> tuple[tuple[float, float], tuple[float, float]]:
    """What x and y span."""
    x = np.concatenate([curve.x for curve in panel.curves] or [np.zeros(0)])
    edges = [
        [c.y, *([] if c.spread is None else [c.y - c.spread, c.y + c.spread])] for c in panel.curves
    ]
    y = np.concatenate([values for some in edges for values in some] or [np.zeros(0)])
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    across = (float(x.min()), float(x.max())) if len(x) and np.ptp(x) > 0.0 else (0.0, 1.0)
    low, high = (float(y.min()), float(y.max())) if len(y) else (0.0, 1.0)
    room = max(0.05 * (high - low), (panel.least - (high - low)) / 2, 1e-9 * max(abs(high), 1.0))
    return across, (low - room, high + room)


def _ticks(panel: Panel, place, across, up) -> Iterator[str]:  # noqa: ANN001  of `_panel`
    for x in round_steps(*across, 5):
        at, bottom = place(np.array(x), np.array(up[0]))
        yield words(at, bottom + 13.0, f"{x:g}", anchor="middle")
    steps = _decades(*up) if panel.powers else round_steps(*up, 5)
    for y in steps:
        (left, at), (right, _) = place(np.array(across), np.full(2, y))
        yield _line(f"M{left:.1f} {at:.1f}H{right:.1f}", _GRID, 1.0)
        told = (
            f"10{round(y)}"[:2] + str(round(y)).translate(_SUPERSCRIPT)
            if panel.powers
            else f"{y:g}"
        )
        yield words(left - 4.0, at + 3.5, told.replace("-", "\N{MINUS SIGN}"), anchor="end")


def _band(curve: Curve, place) -> Iterator[str]:  # noqa: ANN001  of `_panel`
    if curve.spread is not None:
        low, high = place(curve.x, curve.y - curve.spread), place(curve.x, curve.y + curve.spread)
        for run in _runs(low + high):
            outline = np.concatenate([low[run], high[run][::-1]])
            yield f'<path d="{_path(outline)}z" fill="{curve.colour}" fill-opacity="0.2"/>'


def _curve(curve: Curve, place, wide: int) -> Iterator[str]:  # noqa: ANN001  of `_panel`
    points = place(*_thinned(curve.x, curve.y, _FINEST * wide))
    drawn = "".join(_path(points[run]) for run in _runs(points))
    if drawn:
        yield _line(drawn, curve.colour, curve.width)


def _thinned(x: Array, y: Array, most: int) -> tuple[Array, Array]:
    """At most `most` points: the highest and the lowest of each stretch, in their order."""
    stretch = -(-2 * len(y) // most)
    if stretch <= 2:
        return x, y
    starts = np.arange(0, len(y), stretch)
    kept = []
    for start in starts:
        part = y[start : start + stretch]
        ends = {0} if np.isnan(part).all() else {int(np.nanargmin(part)), int(np.nanargmax(part))}
        kept += [start + k for k in sorted(ends)]
    return x[kept], y[kept]


def _runs(points: Array) -> list[slice]:
    """Stretches of two or more points (N, 2) that are there."""
    there = np.isfinite(points).all(axis=-1)
    edges = np.flatnonzero(np.diff(there, prepend=False, append=False)).reshape(-1, 2)
    return [slice(first, stop) for first, stop in edges.tolist() if stop - first > 1]


def _path(points: Array) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points.tolist())


def _line(path: str, colour: str, width: float, *, dashed: bool = False) -> str:
    dashes = f' stroke-dasharray="{_DASHES}"' if dashed else ""
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"'
        f' stroke-linejoin="round"{dashes}/>'
    )
