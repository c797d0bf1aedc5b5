"""Fitting a body to what was measured: one weighted least-squares problem, chosen term by term.

A `Problem` is a model, the coordinates that may move, and a list of terms; `solve` fits poses to them.

    # Marker IK of a leg that also wears a sensor on the shank; the knee stays near straight.
    problem = Problem(
        model,
        (
            Markers(("ASIS", "KNEE", "ANKLE"), targets, weights=100.0),      # (T, 3, 3) metres; NaN: missing
            Orientations(("tibia",), sensors, weights=[(20.0, 20.0, 2.0)]),    # (T, 1, 3, 3); heading drifts
            StayNear(model.default_pose, weights=0.1),
        ),
    )
    pose = solve(problem, model.default_pose).pose                           # (T, D)

It needs torch, so it is imported by those who solve, not by `rig` itself.
"""

from .contacts import Contacts
from .fit import Fit, solve, solve_recording
from .floor import Floor
from .implicit import solve_with_gradient
from .marker_ik import MarkerFit, MarkerOptions, fit_markers
from .orientations import Orientations
from .pixels import Pixels
from .points import Markers, Points
from .poses import Limits, SmoothChange, Smoothness, StayNear
from .problem import Problem
from .relative import RelativeMarkers
from .shape import Shape
from .sightings import Sightings
from .stream import Stream, StreamPose

__all__ = [
    "Contacts",
    "Fit",
    "Floor",
    "Limits",
    "MarkerFit",
    "MarkerOptions",
    "Markers",
    "Orientations",
    "Pixels",
    "Points",
    "Problem",
    "RelativeMarkers",
    "Shape",
    "Sightings",
    "SmoothChange",
    "Smoothness",
    "StayNear",
    "Stream",
    "StreamPose",
    "fit_markers",
    "solve",
    "solve_recording",
    "solve_with_gradient",
]
