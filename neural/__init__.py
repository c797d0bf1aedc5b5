"""The networks, their weights, training and evaluation."""

from .solve import LegOptions, Solution, SolvedTake, SolveOptions, solve

__all__ = ["LegOptions", "Solution", "SolveOptions", "SolvedTake", "solve"]
