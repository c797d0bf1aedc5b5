"""Where points of a person are: COCO's keypoints, our joints, anatomical markers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import bpy
import numpy as np

from ...rig.arrays import Array
from ...rig.errors import SceneError
from ...rig.skeleton import BODY_JOINTS
from .actors import Actor

__all__ = ["COCO", "FEET", "MARKERS", "SETS", "Landmarks", "landmarks_of"]

_TABLE: Final = json.loads((Path(__file__).parent / "landmarks.json").read_text(encoding="utf-8"))
_BOTH: Final = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
COCO: Final[tuple[str, ...]] = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear",
    *(f"{side}_{joint}" for joint in _BOTH for side in ("left", "right")),
)  # fmt: skip
FEET: Final[tuple[str, ...]] = tuple(
    f"{side}_{point}" for side in ("left", "right") for point in ("big_toe", "small_toe", "heel")
)
# OpenCap's 43 anatomical markers; the last two of the legs are the hip joints' centres.
MARKERS: Final[tuple[str, ...]] = (
    *(name for name in sorted(_TABLE) if name.endswith("_study")),
    "LHJC_study",
    "RHJC_study",
)
SETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"coco_17": COCO, "feet_6": FEET, "joints_24": BODY_JOINTS, "markers_43": MARKERS}
)
_CENTRES: Final = {"LHJC_study": "left_hip", "RHJC_study": "right_hip"}
# How far, in metres, the skin over a point may be from it: a joint lies inside the limb.
_SKIN: Final = MappingProxyType(
    {
        "hip": 0.20, "pelvis": 0.22, "spine1": 0.22, "spine2": 0.22, "spine3": 0.22, "neck": 0.14,
        "head": 0.16, "collar": 0.16, "shoulder": 0.14, "elbow": 0.10, "wrist": 0.08, "hand": 0.08,
        "knee": 0.12, "ankle": 0.11, "foot": 0.09, "eye": 0.035, "HJC": 0.20,
    }
)  # fmt: skip
_ON_SKIN: Final = 0.03


@dataclass(frozen=True, eq=False)
class Landmarks:
    """How to find N points of one person.

    Attributes:
        names: of the points.
        bones: the bone whose head a point is, or "".
        vertices: of the body mesh whose mean a point is, or none.
        skin: (N,) metres, how far before a point its own skin may lie.
        body: the mesh object.
        armature: the armature object.
    """

    names: tuple[str, ...]
    bones: tuple[str, ...]
    vertices: tuple[tuple[int, ...], ...]
    skin: Array
    body: bpy.types.Object
    armature: bpy.types.Object

    def places(self, depsgraph: bpy.types.Depsgraph) -> Array:
        """(N, 3) metres in the world, as they are now."""
        armature = self.armature.evaluated_get(depsgraph)
        body = self.body.evaluated_get(depsgraph)
        vertices = body.data.vertices
        found = np.empty((len(self.names), 3))
        for row, (bone, rows) in enumerate(zip(self.bones, self.vertices, strict=True)):
            if bone:
                found[row] = armature.matrix_world @ armature.pose.bones[bone].head
            else:
                mean = np.mean([vertices[v].co for v in rows], axis=0)
                found[row] = np.array(body.matrix_world)[:3] @ (*mean, 1.0)
        return found


def landmarks_of(actor: Actor) -> Landmarks:
    """How to find all points of `SETS`, one set after the other.

    Raises:
        SceneError: the body's mesh has other vertices than the landmarks are given for.
    """
    body = actor.person.meshes[0]
    if len(body.data.vertices) != _TABLE["vertices"]:
        raise SceneError(
            f"the body {actor.person.body!r} has {len(body.data.vertices)} vertices, landmarks are "
            f"known for {_TABLE['vertices']}; use the bodies of the package"
        )
    names = tuple(name for table in SETS.values() for name in table)
    joints = {name: _CENTRES.get(name, name) for name in names}
    bones = tuple(actor.joints.get(joints[n], "") if n not in _TABLE else "" for n in names)
    vertices = tuple(tuple(_TABLE.get(name, ())) for name in names)
    missing = [n for n, bone, rows in zip(names, bones, vertices, strict=True) if not bone and not rows]
    if missing:
        raise SceneError(f"the body {actor.person.body!r} has no bone for {', '.join(missing)}")
    skin = np.array([_skin(name) for name in names])
    return Landmarks(names, bones, vertices, skin, body, actor.person.armature)


def _skin(name: str) -> float:
    if name in _TABLE and not name.endswith("_eye"):
        return _ON_SKIN
    part = name.rpartition("_")[2] if not name.endswith("HJC_study") else "HJC"
    return _SKIN[part]
