"""What PALLAS notes on an Action, as custom properties: pinned frames, whose bones, which motion."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import bpy

from ..rig.retarget import BoneMap, Bones, match_bones
from ..rig.retarget.map_file import bone_map_from_text, text_of_bone_map

__all__ = ["bone_map_of", "motion_of", "note_bones", "note_motion", "pins_of", "set_pins"]

_PINS: Final[str] = "pallas_pins"  # scene frames
_BONES: Final[str] = "pallas_bones"  # what bones do, where a person told
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


def note_bones(action: bpy.types.Action, bone_map: BoneMap) -> None:
    """Remember what bones do that a person told."""
    action[_BONES] = text_of_bone_map(bone_map)


def bone_map_of(action: bpy.types.Action, bones: Bones) -> BoneMap:
    """What the bones do of the rig that an Action moves: as noted, else as found.

    Args:
        action: which may have a note.
        bones: the rig at rest.

    Raises:
        SceneError: there is no note and the rig is no humanoid, or the note is of another rig.
    """
    noted = action.get(_BONES)
    return match_bones(bones) if noted is None else bone_map_from_text(noted, bones, action.name)


def note_motion(action: bpy.types.Action, path: Path | str) -> None:
    """Remember from which motion file the Action was made, and where its first key lies now."""
    action[_MOTION], action[_START] = str(path), float(action.frame_range[0])


def motion_of(action: bpy.types.Action) -> tuple[Path, float] | None:
    """The motion file that the Action was made from and the frame of its first key, if noted."""
    path = action.get(_MOTION)
    return None if path is None else (Path(path), float(action[_START]))
