"""The motion library: every set of motion data as 24-joint motions, checked, with subject and split."""

from .build import BuildReport, build_library
from .store import SPLITS, Clip, Library, load_library, load_splits

__all__ = [
    "SPLITS",
    "BuildReport",
    "Clip",
    "Library",
    "build_library",
    "load_library",
    "load_splits",
]
