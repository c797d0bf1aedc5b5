"""Any motion onto any character: which bone is which, how rests correspond, where feet and hands belong."""

from .bone_map import ROLES, BoneMap, role_names
from .bones import Bones
from .matching import match_bones
from .result import LimbTarget, Retargeted, RetargetOptions
from .retargeter import Retargeter
from .source import SourceMotion

__all__ = [
    "ROLES",
    "BoneMap",
    "Bones",
    "LimbTarget",
    "RetargetOptions",
    "Retargeted",
    "Retargeter",
    "SourceMotion",
    "match_bones",
    "role_names",
]
