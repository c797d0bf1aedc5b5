"""What PALLAS notes on an Action, as custom properties: pinned frames, whose bones, which motion."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import bpy

from .bone_maps import find_bones

__all__ = ["bones_of", "motion_of", "note_bones", "note_motion", "pins_of", "set_pins"]

_PINS: Final[str] = "pallas_pins"  # scene frames
_BONES: Final[str] = "pallas_bones"  # bone by joint, where names alone don't tell
_MOTION: Final[str] = "pallas_motion"  # file of the motion, and the frame of its first key
_START: Final[str] = "pallas_start"


def pins_of(action: bpy.types.Action | None) -> tuple[float, ...]:
    """Scene frames in which the legs are pinned, in order."""
    return () if action is None else tuple(sorted(float(f) for f in action.get(_PINS, ())))


def set_pins(action: bpy.types.Action, frames: Iterable[float]) -> None:
    """Pin the legs in these frames and in no others."""
    found = sorted({round(float(frame), 3) for frame in frames})
    if found:
        action[_PINS] = found
    else:
        action.pop(_PINS, None)


def note_bones(action: bpy.types.Action, bones: Mapping[str, str]) -> None:
    """Remember the bone of each joint, on a rig whose names don't tell."""
    action[_BONES] = dict(bones)


def bones_of(action: bpy.types.Action, names: Iterable[str]) -> dict[str, str]:
    """The bone of each joint that has one.

    Args:
        action: which may have a note.
        names: the rig's bone names, for one that has none.

    Raises:
        SceneError: there is no note, and the names fit no known rig.
    """
    noted = action.get(_BONES)
    return find_bones(names) if noted is None else {j: str(b) for j, b in noted.items()}


def note_motion(action: bpy.types.Action, path: Path | str) -> None:
    """Remember from which motion file the Action was made, and where its first key lies now."""
    action[_MOTION], action[_START] = str(path), float(action.frame_range[0])


def motion_of(action: bpy.types.Action) -> tuple[Path, float] | None:
    """The motion file that the Action was made from and the frame of its first key, if noted."""
    path = action.get(_MOTION)
    return None if path is None else (Path(path), float(action[_START]))
