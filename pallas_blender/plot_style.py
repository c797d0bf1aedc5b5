"""How plots look."""

from typing import Any, Final

__all__ = ["AFTER", "BEFORE", "GAP", "LEFT", "RIGHT", "STYLE"]

# Colours that colour-blind people can tell apart (Okabe and Ito).
LEFT, RIGHT = "#0072b2", "#d55e00"
BEFORE, AFTER, GAP = "#a9a9a9", "#0072b2", "#f6e3b4"
STYLE: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9a9a9a",
    "axes.grid": True,
    "axes.labelcolor": "#3b3b3b",
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "font.size": 8.5,
    "grid.color": "#e8e8e8",
    "grid.linewidth": 0.7,
    "xtick.color": "#6b6b6b",
    "ytick.color": "#6b6b6b",
}
