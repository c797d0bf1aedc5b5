"""The networks, their weights, training and evaluation."""

from .solve import Solution, SolveOptions, solve

__all__ = ["Solution", "SolveOptions", "solve"]
