"""Bone names of well-known rigs, as data: which bone follows which of our 24 joints.

Joints without a bone (finger roots) are left out; a rig may also lack some of those listed.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ..rig.errors import SceneError

__all__ = ["BONE_MAPS", "MIXAMO", "find_bones"]

MIXAMO: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pelvis": "Hips",
        "spine1": "Spine",
        "spine2": "Spine1",
        "spine3": "Spine2",
        "neck": "Neck",
        "head": "Head",
        "left_collar": "LeftShoulder",
        "left_shoulder": "LeftArm",
        "left_elbow": "LeftForeArm",
        "left_wrist": "LeftHand",
        "right_collar": "RightShoulder",
        "right_shoulder": "RightArm",
        "right_elbow": "RightForeArm",
        "right_wrist": "RightHand",
        "left_hip": "LeftUpLeg",
        "left_knee": "LeftLeg",
        "left_ankle": "LeftFoot",
        "left_foot": "LeftToeBase",
        "right_hip": "RightUpLeg",
        "right_knee": "RightLeg",
        "right_ankle": "RightFoot",
        "right_foot": "RightToeBase",
    }
)

# Our own names: an armature that was made from a 24-joint motion.
_OWN: Final[Mapping[str, str]] = MappingProxyType({joint: joint for joint in MIXAMO})

BONE_MAPS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"mixamo": MIXAMO, "pallas": _OWN}
)

# Without these a motion can't be put on a rig: what stands, bends and holds the rest.
_NEEDED: Final[tuple[str, ...]] = ("pelvis", "left_hip", "right_hip", "left_knee", "right_knee")


def find_bones(names: Iterable[str]) -> dict[str, str]:
    """Recognise a rig by its bone names, with or without a prefix such as "mixamorig:".

    Args:
        names: the rig's bone names.

    Returns:
        The bone of each joint that has one.

    Raises:
        SceneError: the names fit no known rig.
    """
    by_plain_name = {name.rpartition(":")[2]: name for name in names}
    for bone_map in BONE_MAPS.values():
        if all(bone_map[joint] in by_plain_name for joint in _NEEDED):
            return {j: by_plain_name[b] for j, b in bone_map.items() if b in by_plain_name}
    examples = ", ".join(sorted(by_plain_name.values())[:6])
    raise SceneError(
        f"the bones ({examples}, ...) fit no known rig ({', '.join(BONE_MAPS)}); "
        "give the bone of each joint as a map"
    )
