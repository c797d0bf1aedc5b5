"""The joints of SMPL, SMPL-H and SMPL-X: names, parents, and a standard body where there is no model file.

Names and order are those of the `smplx` package (Pavlakos et al. 2019). The models' own numbers aren't
shipped: bones are those of `body_skeleton`, hands and face those of the embedded character (MakeHuman, CC0).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from ..rig.errors import FormatError
from ..rig.skeleton import BODY_JOINTS, BODY_PARENTS, Skeleton, body_skeleton

__all__ = ["JOINTS", "LAYOUTS", "joint_parents", "known_joints", "standard_body"]

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_HANDS = tuple(f"{s}_{f}{n}" for s in ("left", "right") for f in _FINGERS for n in (1, 2, 3))
_FACE = ("jaw", "left_eye_smplhf", "right_eye_smplhf")
_BODY = BODY_JOINTS[:22]

# Joint names by their number; 22 are a body without hands.
JOINTS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {22: _BODY, 24: BODY_JOINTS, 52: (*_BODY, *_HANDS), 55: (*_BODY, *_FACE, *_HANDS)}
)
LAYOUTS: Final[Mapping[int, str]] = MappingProxyType({24: "SMPL", 52: "SMPL-H", 55: "SMPL-X"})

# Of a person 1.70 m tall with the left palm down and the thumb in front: first joint from the wrist, then
# from joint to joint, the finger's tip last; metres, x left, y back, z up.
_HAND: Final[Mapping[str, tuple[tuple[float, float, float], ...]]] = MappingProxyType(
    {
        "index": ((0.108, -0.027, 0.0), (0.027, 0.0, 0.0), (0.025, 0.0, 0.0), (0.028, 0.0, 0.0)),
        "middle": ((0.108, -0.005, 0.0), (0.036, 0.0, 0.0), (0.029, 0.0, 0.0), (0.028, 0.0, 0.0)),
        "pinky": ((0.095, 0.033, 0.0), (0.023, 0.0, 0.0), (0.017, 0.0, 0.0), (0.021, 0.0, 0.0)),
        "ring": ((0.102, 0.015, 0.0), (0.031, 0.0, 0.0), (0.026, 0.0, 0.0), (0.028, 0.0, 0.0)),
        "thumb": (
            (0.028, -0.034, -0.012), (0.022, -0.022, -0.008), (0.027, -0.027, -0.006),
            (0.021, -0.020, -0.003),
        ),
    }
)  # fmt: skip
_HEAD: Final[Mapping[str, tuple[float, float, float]]] = MappingProxyType(
    {
        "jaw": (0.0, -0.015, -0.005),
        "left_eye_smplhf": (0.031, -0.075, 0.055),
        "right_eye_smplhf": (-0.031, -0.075, 0.055),
    }
)
_STANDARD_HEIGHT = 1.70  # metres
# Other names of the same joints: the Meshcapade add-on's eyes, and the first Blender and Unity files' SMPL.
_OTHER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "left_eye": "left_eye_smplhf",
        "right_eye": "right_eye_smplhf",
        **{
            f"{side[0].upper()}_{joint.removeprefix(f'{side}_').title()}": joint
            for side in ("left", "right")
            for joint in BODY_JOINTS
            if joint.startswith(side)
        },
        **{joint.title(): joint for joint in BODY_JOINTS if "_" not in joint},
    }
)


def joint_parents(count: int) -> tuple[int, ...]:
    """Parents of the joints of a body with so many, -1 for the root.

    Raises:
        FormatError: no body has that many.
    """
    names = JOINTS.get(count)
    if names is None:
        raise FormatError(f"found {count} joints, expected {', '.join(map(str, JOINTS))}")
    return tuple(_parent(name, names) for name in names)


def _parent(name: str, names: tuple[str, ...]) -> int:
    if name in BODY_JOINTS:
        return BODY_PARENTS[BODY_JOINTS.index(name)]
    if name in _FACE:
        return names.index("head")
    first = name.endswith("1")
    above = f"{name.partition('_')[0]}_wrist" if first else f"{name[:-1]}{int(name[-1]) - 1}"
    return names.index(above)


def standard_body(count: int, height: float = _STANDARD_HEIGHT) -> Skeleton:
    """A body of so many joints in a T-pose on the floor, `height` metres tall.

    Raises:
        FormatError: no body has that many joints.
    """
    body, parents, names = body_skeleton(height), joint_parents(count), JOINTS[count]
    scale = height / _STANDARD_HEIGHT
    offsets = np.zeros((count, 3))
    tips = np.full((count, 3), np.nan)
    for joint, name in enumerate(names):
        if name in body.names:
            offsets[joint] = body.offsets[body.index(name)]
            tips[joint] = body.tips[body.index(name)]
        elif name in _HEAD:
            offsets[joint] = np.multiply(_HEAD[name], scale)
        else:
            side, finger = name[:-1].split("_")
            steps = np.multiply(_HAND[finger], scale) * (1.0 if side == "left" else -1.0, 1.0, 1.0)
            number = int(name[-1])
            offsets[joint] = steps[number - 1]
            tips[joint] = steps[3] if number == len(steps) - 1 else np.nan
    return Skeleton(names, parents, offsets, tips)


def known_joints(bones: Iterable[str]) -> tuple[str, Mapping[str, str]] | None:
    """Which body model a rig's bones are named after, whatever prefix they all share.

    The Meshcapade and SMPL-X add-ons name bones as `smplx` does, under a bone "root"; the older files for
    Blender and Unity say `m_avg_L_Hip`, `f_avg_Pelvis`.

    Returns:
        Name of the layout and the bone of each joint; None if the bones are no body model's.
    """
    bones = tuple(bones)
    for prefix in sorted({_prefix(bone) for bone in bones}, key=len, reverse=True):
        found: dict[str, str] = {}
        for bone in bones:
            name = bone.removeprefix(prefix)
            found.setdefault(_OTHER.get(name, name), bone)
        for count in sorted(LAYOUTS, reverse=True):
            if set(JOINTS[count]) <= set(found):
                return LAYOUTS[count], {joint: found[joint] for joint in JOINTS[count]}
    return None


def _prefix(bone: str) -> str:
    """What stands before the pelvis' name, in the one bone that ends with it."""
    return bone[: -len("pelvis")] if bone.lower().endswith("pelvis") else ""
