"""A solved anatomical model as a motion of the 24 joints that characters take."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from .. import quaternion
from ..arrays import Array, checked
from ..errors import ShapeError
from ..model import KinematicModel
from ..model.places import body_turns
from ..motion import Motion
from ..skeleton import BODY_JOINTS, BODY_PARENTS, Skeleton, body_skeleton
from .model import anatomical_table, both_sides

__all__ = ["motion_of_anatomy"]

# The body that turns each joint, and the body whose origin is the joint's, of the right side and the middle.
_BODIES: Final = {
    "pelvis": ("pelvis", None),
    "hip": ("femur_r", "femur_r"),
    "knee": ("tibia_r", "tibia_r"),
    "ankle": ("calcn_r", "talus_r"),
    "foot": ("toes_r", "toes_r"),
    "spine1": (None, None),
    "spine2": (None, "torso"),
    "spine3": ("torso", None),
    "collar": ("torso", None),
    "neck": (None, "head"),
    "head": ("head", None),
    "shoulder": ("humerus_r", "humerus_r"),
    "elbow": ("radius_r", "ulna_r"),
    "wrist": ("hand_r", "hand_r"),
    "hand": ("hand_r", None),
}
# Joints that turn part of the way from one body to another.
_BETWEEN: Final = {
    "spine1": ("pelvis", "torso", 1 / 3),
    "spine2": ("pelvis", "torso", 2 / 3),
    "neck": ("torso", "head", 0.5),
}
Places = npt.NDArray[np.intp]
_SPINE: Final = 0.4  # of the way from hips to lumbar joint, between the spine's joints
_COLLAR: Final = 0.2  # of the way from the middle to the shoulder


def motion_of_anatomy(model: KinematicModel, pose: Array, fps: float) -> Motion:
    """Turn poses of the anatomical model into a motion that `pallas retarget` takes.

    Limbs turn as the model's bodies do, and have their lengths; forearms carry pronation. The one lumbar
    joint is spread over three of the spine, which lie so that the shoulders stay where they are.

    Args:
        model: the anatomical one, scaled as it may be.
        pose: (T, D) radians and metres.
        fps: frames per second.

    Raises:
        ShapeError: it is another model, or the poses are not its.
    """
    for name in ("pelvis", "torso", "head", "hand_l"):
        model.body_index(name)
    pose = checked("pose", pose, (None, len(model.coordinates)))
    turns, origins = body_turns(model, np.vstack([_tpose(model), pose]))
    skeleton = _skeleton(model, origins[0])
    away = quaternion.multiply(turns[1:], quaternion.conjugate(turns[0]))
    first, last, share = _parts(model.bodies)
    world = away[:, first]
    between = share > 0.0
    world[:, between] = quaternion.slerp(world[:, between], away[:, last[between]], share[between])
    hips = origins[1:, [model.body_index(f"femur_{side}") for side in "lr"]].mean(axis=1)
    offset = skeleton.offsets[[BODY_JOINTS.index(f"{side}_hip") for side in ("left", "right")]]
    root = hips - quaternion.rotate(away[:, model.body_index("pelvis")], offset.mean(axis=0))
    return Motion.from_world(skeleton, root, world, fps)


def _split(joint: str) -> tuple[str, bool]:
    """A joint without its side, and whether it is a left one."""
    side, _, rest = joint.partition("_")
    return (rest, side == "left") if rest else (joint, False)


def _of(body: str, *, left: bool) -> str:
    return both_sides(body)[-1] if left else body


@lru_cache(maxsize=4)
def _parts(bodies: tuple[str, ...]) -> tuple[Places, Places, Array]:
    """Of every joint the places of two bodies, and how far (24,) it turns from the one to the other."""
    rows = []
    for name in BODY_JOINTS:
        kind, left = _split(name)
        body = _BODIES[kind][0] or ""
        first, last, share = _BETWEEN.get(kind, (_of(body, left=left), _of(body, left=left), 0.0))
        rows.append((bodies.index(first), bodies.index(last), share))
    first_places, last_places, shares = zip(*rows, strict=True)
    return np.array(first_places), np.array(last_places), np.array(shares)


def _tpose(model: KinematicModel) -> Array:
    pose = np.array(model.default_pose)
    for name, degrees in anatomical_table()["tpose"].items():
        for sided in both_sides(name):
            pose[model.coordinate_index(sided)] = np.radians(degrees)
    return pose


@lru_cache(maxsize=1)
def _standard() -> Skeleton:
    return body_skeleton(anatomical_table()["height"])


def _skeleton(model: KinematicModel, origins: Array) -> Skeleton:
    """The 24 joints with the model's lengths, in its T-pose; hands, head and tips as is usual."""
    places = dict(zip(model.bodies, origins, strict=True))
    hips = 0.5 * (places["femur_r"] + places["femur_l"])
    shoulders = 0.5 * (places["humerus_r"] + places["humerus_l"])
    lumbar = places["torso"]
    step = _SPINE * (lumbar - hips)
    where = {
        "pelvis": hips + 0.2 * (lumbar - hips),
        "spine1": lumbar - step,
        "spine2": lumbar,
        "spine3": lumbar + step,
    }
    standard, size = _standard(), _size(model)
    for name, parent in zip(BODY_JOINTS, BODY_PARENTS, strict=True):
        kind, left = _split(name)
        body = _BODIES[kind][1]
        if kind == "collar":
            outer = places[_of("humerus_r", left=left)]
            where[name] = shoulders + _COLLAR * (outer - shoulders)
        elif body is not None:
            where[name] = places[_of(body, left=left)]
        elif name not in where:
            where[name] = (
                where[BODY_JOINTS[parent]] + size * standard.offsets[BODY_JOINTS.index(name)]
            )
    points = np.stack([where[name] for name in BODY_JOINTS])
    points = points - [points[0, 0], points[0, 1], 0.0]
    offsets = points.copy()
    offsets[1:] -= points[list(BODY_PARENTS[1:])]
    return Skeleton(BODY_JOINTS, BODY_PARENTS, offsets, size * standard.tips)


def _size(model: KinematicModel) -> float:
    """How many times as long as the table's the legs are."""
    lengths = [
        np.linalg.norm(joint.parent_frame.translation)
        for joint in model.joints
        if joint.child in ("tibia_r", "talus_r")
    ]
    table = [
        row["at"] for row in anatomical_table()["joints"] if row["child"] in ("tibia_r", "talus_r")
    ]
    wanted = sum(np.linalg.norm(at) for at in table)
    if not wanted or not lengths:
        raise ShapeError("the model has no legs; expected the anatomical one")
    return float(sum(lengths) / wanted)
