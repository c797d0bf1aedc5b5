"""Any motion onto any character: which bone is which, how rests correspond, where feet and hands belong."""

from .bone_map import ROLES, BoneMap, role_names
from .bones import Bones
from .map_file import load_map, save_map
from .matching import match_bones
from .presets import PRESETS, fit_preset, preset, recognised
from .result import LimbTarget, Retargeted, RetargetOptions
from .retargeter import Retargeter
from .source import SourceMotion

__all__ = [
    "PRESETS",
    "ROLES",
    "BoneMap",
    "Bones",
    "LimbTarget",
    "RetargetOptions",
    "Retargeted",
    "Retargeter",
    "SourceMotion",
    "fit_preset",
    "load_map",
    "match_bones",
    "preset",
    "recognised",
    "role_names",
    "save_map",
]
