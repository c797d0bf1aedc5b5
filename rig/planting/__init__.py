"""Feet that stand: when they do, where they belong, and the legs that reach there."""

from .contacts import speeds, standing
from .foot_paths import SOLES, foot_paths
from .leg_ik import SIDES, LegBones, reached
from .legs import PosedLegs, heels_raised, planted

__all__ = [
    "SIDES",
    "SOLES",
    "LegBones",
    "PosedLegs",
    "foot_paths",
    "heels_raised",
    "planted",
    "reached",
    "speeds",
    "standing",
]
