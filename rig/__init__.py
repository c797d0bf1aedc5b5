"""What a body is, how it moves, how it is fitted to what was measured.

The types and the numpy maths load at once; what needs torch loads when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import quaternion
from .errors import (
    CalibrationError,
    DeviceError,
    FileError,
    FormatError,
    ModelError,
    OutputError,
    PallasError,
    RecordingError,
    SceneError,
    ShapeError,
)
from .motion import Motion
from .skeleton import BODY_JOINTS, BODY_PARENTS, Skeleton, body_skeleton

if TYPE_CHECKING:
    from . import so3
    from .kinematics import forward_kinematics, local_rotations

__all__ = [
    "BODY_JOINTS",
    "BODY_PARENTS",
    "CalibrationError",
    "DeviceError",
    "FileError",
    "FormatError",
    "ModelError",
    "Motion",
    "OutputError",
    "PallasError",
    "RecordingError",
    "SceneError",
    "ShapeError",
    "Skeleton",
    "body_skeleton",
    "forward_kinematics",
    "local_rotations",
    "quaternion",
    "so3",
]

_NEEDS_TORCH = {
    "forward_kinematics": "kinematics",
    "local_rotations": "kinematics",
    "so3": "so3",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  what a module holds has no one type
    """Import the module that `name` lives in, the first time it is asked for (PEP 562)."""
    if name not in _NEEDS_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{_NEEDS_TORCH[name]}", __name__)
    return module if name == _NEEDS_TORCH[name] else getattr(module, name)
