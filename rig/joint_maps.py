"""Where each of the 24 joints finds its pose in other skeletons, as data.

A map gives, for every joint that the other skeleton has, a `From`: the joint whose rotation drives it,
and the place of its origin. Joints that a map leaves out follow their parent.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, Union

from .skeleton import BODY_JOINTS

__all__ = ["JOINT_MAPS", "Between", "From", "JointMap", "Place", "Tip"]


class Tip(NamedTuple):
    """The end of a leaf bone."""

    joint: str


class Between(NamedTuple):
    """A point on the line from one place to another; of two drivers, a rotation between theirs."""

    first: "Place"
    second: "Place"
    fraction: float


Place: TypeAlias = Union[str, Tip, Between]  # noqa: UP007  a forward reference can't use the bar


class From(NamedTuple):
    """What drives a joint, and where it sits: at the driver's own origin unless another place is told."""

    driver: Place
    origin: Place | None = None


JointMap: TypeAlias = Mapping[str, From]

# The pelvis sits between the hips, this far of the way up to the first joint of the spine.
_PELVIS_HEIGHT = 0.27


def _pelvis(left_hip: Place, right_hip: Place, spine: Place) -> Between:
    return Between(Between(left_hip, right_hip, 0.5), spine, _PELVIS_HEIGHT)


def _sided(left: Mapping[str, From], swaps: tuple[str, str]) -> dict[str, From]:
    """Both sides of a map written for the left; `swaps` are the spellings of left and right."""

    def mirrored(place: Place | None) -> Place | None:
        if isinstance(place, str):
            return place.replace(*swaps) if swaps[0] != "l" else "r" + place[1:]
        if isinstance(place, Tip):
            return Tip(str(mirrored(place.joint)))
        if isinstance(place, Between):
            first, second = mirrored(place.first), mirrored(place.second)
            assert first is not None and second is not None
            return Between(first, second, place.fraction)
        return None

    both: dict[str, From] = {}
    for joint, source in left.items():
        driver = mirrored(source.driver)
        assert driver is not None
        both[f"left_{joint}"] = source
        both[f"right_{joint}"] = From(driver, mirrored(source.origin))
    return both


# Acclaim names of the CMU library. The forearm turns at `lwrist`, whose end is the wrist joint.
_CMU_ASF: Final = {
    "pelvis": From("root", _pelvis("lfemur", "rfemur", "lowerback")),
    "spine1": From("lowerback"),
    "spine2": From("upperback"),
    "spine3": From("thorax"),
    "neck": From("lowerneck"),
    "head": From("head"),
    **_sided(
        {
            "hip": From("lfemur"),
            "knee": From("ltibia"),
            "ankle": From("lfoot"),
            "foot": From("ltoes"),
            "collar": From("lclavicle"),
            "shoulder": From("lhumerus"),
            "elbow": From("lwrist", "lradius"),
            "wrist": From("lhand"),
            "hand": From("lhand", "lfingers"),
        },
        ("l", "r"),
    ),
}

# The widely spread BVH conversion of CMU: the same bones under other names.
_CMU_BVH: Final = {
    "pelvis": From("Hips", _pelvis("LeftUpLeg", "RightUpLeg", "LowerBack")),
    "spine1": From("LowerBack"),
    "spine2": From("Spine"),
    "spine3": From("Spine1"),
    "neck": From("Neck"),
    "head": From("Head"),
    **_sided(
        {
            "hip": From("LeftUpLeg"),
            "knee": From("LeftLeg"),
            "ankle": From("LeftFoot"),
            "foot": From("LeftToeBase"),
            "collar": From("LeftShoulder"),
            "shoulder": From("LeftArm"),
            "elbow": From("LeftHand", "LeftForeArm"),
            "wrist": From("LeftFingerBase"),
            "hand": From("LeftFingerBase", "LeftHandIndex1"),
        },
        ("Left", "Right"),
    ),
}

# CMU's motions on the figure of DAZ Studio.
_CMU_DAZ: Final = {
    "pelvis": From("hip", _pelvis("lThigh", "rThigh", "abdomen")),
    "spine1": From("abdomen"),
    "spine2": From(Between("abdomen", "chest", 0.5), Between("abdomen", "chest", 0.5)),
    "spine3": From("chest"),
    "neck": From("neck"),
    "head": From("head"),
    **_sided(
        {
            "hip": From("lThigh"),
            "knee": From("lShin"),
            "ankle": From("lFoot"),
            "foot": From("lFoot", Tip("lFoot")),
            "collar": From("lCollar"),
            "shoulder": From("lShldr"),
            "elbow": From("lForeArm"),
            "wrist": From("lHand"),
            "hand": From("lHand", "lMid1"),
        },
        ("l", "r"),
    ),
}

# The 23 segments of Xsens MVN; a segment's origin is its proximal joint.
_XSENS: Final = {
    "pelvis": From("Pelvis", _pelvis("LeftUpperLeg", "RightUpperLeg", "L5")),
    "spine1": From("L5"),
    "spine2": From("L3"),
    "spine3": From("T8"),
    "neck": From("Neck"),
    "head": From("Head"),
    **_sided(
        {
            "hip": From("LeftUpperLeg"),
            "knee": From("LeftLowerLeg"),
            "ankle": From("LeftFoot"),
            "foot": From("LeftToe"),
            "collar": From("LeftShoulder"),
            "shoulder": From("LeftUpperArm"),
            "elbow": From("LeftForeArm"),
            "wrist": From("LeftHand"),
            "hand": From("LeftHand"),
        },
        ("Left", "Right"),
    ),
}

# SlimeVR's BVH hangs the body from the headset: a joint turns the bone below it. It has no arms.
_SLIMEVR: Final = {
    "pelvis": From("Hip", _pelvis("Left-Hip", "Right-Hip", "Waist")),
    "spine1": From("Chest", "Waist"),
    "spine2": From("Neck", "Chest"),
    "spine3": From("Neck", Between("Chest", "Neck", 0.4)),
    "neck": From("Head", "Neck"),
    "head": From("HMD", "Head"),
    **_sided(
        {
            "hip": From("Left-Hip"),
            "knee": From("Left-Knee"),
            "ankle": From("Left-Ankle"),
            "foot": From("Left-Ankle", "Left-Foot"),
        },
        ("Left", "Right"),
    ),
}

# Autodesk's and Mixamo's names, without the prefix.
_BIPED: Final = {
    "pelvis": From("Hips", _pelvis("LeftUpLeg", "RightUpLeg", "Spine")),
    "spine1": From("Spine"),
    "spine2": From("Spine1"),
    "spine3": From("Spine2"),
    "neck": From("Neck"),
    "head": From("Head"),
    **_sided(
        {
            "hip": From("LeftUpLeg"),
            "knee": From("LeftLeg"),
            "ankle": From("LeftFoot"),
            "foot": From("LeftToeBase"),
            "collar": From("LeftShoulder"),
            "shoulder": From("LeftArm"),
            "elbow": From("LeftForeArm"),
            "wrist": From("LeftHand"),
        },
        ("Left", "Right"),
    ),
}

JOINT_MAPS: Final[Mapping[str, JointMap]] = MappingProxyType(
    {
        "pallas": {name: From(name) for name in BODY_JOINTS},
        "cmu_asf": _CMU_ASF,
        "cmu_bvh": _CMU_BVH,
        "cmu_daz": _CMU_DAZ,
        "xsens": _XSENS,
        "slimevr": _SLIMEVR,
        "biped": _BIPED,
    }
)
