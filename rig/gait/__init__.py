"""Walking and running: steps found in trajectories, cycles, and what clinicians measure of them."""

from .cycles import MeanCycle, mean_cycle, resampled_cycles
from .events import GaitEvents, gait_events
from .points import GaitPoints, gait_points
from .summary import GaitSummary, SideGait, gait_summary

__all__ = [
    "GaitEvents",
    "GaitPoints",
    "GaitSummary",
    "MeanCycle",
    "SideGait",
    "gait_events",
    "gait_points",
    "gait_summary",
    "mean_cycle",
    "resampled_cycles",
]
