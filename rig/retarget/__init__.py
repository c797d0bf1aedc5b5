"""Any motion onto any character: which bone is which, how rests correspond, where feet and hands belong."""

from .bone_map import ROLES, BoneMap, role_names
from .bones import Bones
from .source import SourceMotion

__all__ = ["ROLES", "BoneMap", "Bones", "SourceMotion", "role_names"]
