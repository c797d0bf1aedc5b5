"""Fitting a body to what was measured: one weighted least-squares problem, chosen term by term.

A `Problem` is a skeleton, the joints that may move, and a list of terms; `solve` fits a motion to them.

    # Keep the left foot where it stands, moving the legs only, and change the motion smoothly.
    problem = Problem(
        motion.skeleton,
        (
            Points(("left_foot",), targets, weights=30.0),      # (T, 1, 3) metres; NaN: free
            StayNear(motion, rotation_weight=1.0),
            SmoothChange(motion, rotation_weight=5.0),
        ),
        moving=("left_hip", "left_knee", "left_ankle"),
        moves_root=False,
    )
    cleaned = solve(problem, motion).motion

It needs torch, so it is imported by those who solve, not by `rig` itself.
"""

from .lm import Solution, solve
from .problem import Problem, Shape
from .terms import Points, SmoothChange, Smoothness, StayNear

__all__ = [
    "Points",
    "Problem",
    "Shape",
    "SmoothChange",
    "Smoothness",
    "Solution",
    "StayNear",
    "solve",
]
