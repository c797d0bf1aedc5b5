"""Smoothing of what was measured over time, at any frame rate, with gaps; and its derivatives."""

from .derivatives import Derivatives, differentiated
from .filtering import filtered
from .named import FILTERS, filter_from_text
from .options import (
    Butterworth,
    Filter,
    Hampel,
    KalmanSmoother,
    Median,
    OneEuro,
    SavitzkyGolay,
)
from .unwrapping import unwrapped

__all__ = [
    "FILTERS",
    "Butterworth",
    "Derivatives",
    "Filter",
    "Hampel",
    "KalmanSmoother",
    "Median",
    "OneEuro",
    "SavitzkyGolay",
    "differentiated",
    "filter_from_text",
    "filtered",
    "unwrapped",
]
