"""Kinematic models: joints, coordinates, couplings and markers, as data."""

from .functions import (
    IDENTITY,
    Constant,
    Function,
    Linear,
    PiecewiseLinear,
    Polynomial,
    Scaled,
    SimmSpline,
)
from .joints import GROUND, Axis, Frame, Joint, about, along, ball, free, hinge, weld
from .model import BodyMarker, Coordinate, Coupling, KinematicModel

__all__ = [
    "GROUND",
    "IDENTITY",
    "Axis",
    "BodyMarker",
    "Constant",
    "Coordinate",
    "Coupling",
    "Frame",
    "Function",
    "Joint",
    "KinematicModel",
    "Linear",
    "PiecewiseLinear",
    "Polynomial",
    "Scaled",
    "SimmSpline",
    "about",
    "along",
    "ball",
    "free",
    "hinge",
    "weld",
]
