"""Where points of a person are: COCO's keypoints, our joints, anatomical markers."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import bpy
import numpy as np

from ...rig.arrays import Array
from ...rig.bodies import KEYPOINTS, MARKERS, Landmark, body_names, load_body
from ...rig.bodies.landmarks import landmark
from ...rig.errors import SceneError
from ...rig.skeleton import BODY_JOINTS
from .actors import Actor

__all__ = ["COCO", "FEET", "MARKERS", "SETS", "Landmarks", "landmarks_of"]

COCO: Final[tuple[str, ...]] = KEYPOINTS[:17]
FEET: Final[tuple[str, ...]] = KEYPOINTS[17:]
SETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"coco_17": COCO, "feet_6": FEET, "joints_24": BODY_JOINTS, "markers_43": MARKERS}
)
# How far, in metres, the skin over a point may be from it: a joint lies inside the limb.
_SKIN: Final = MappingProxyType(
    {
        "hip": 0.20, "pelvis": 0.22, "spine1": 0.22, "spine2": 0.22, "spine3": 0.22, "neck": 0.14,
        "head": 0.16, "collar": 0.16, "shoulder": 0.14, "elbow": 0.10, "wrist": 0.08, "hand": 0.08,
        "knee": 0.12, "ankle": 0.11, "foot": 0.09, "RHJC_study": 0.20, "LHJC_study": 0.20,
    }
)  # fmt: skip
_ON_SKIN: Final = 0.035


@dataclass(frozen=True, eq=False)
class Landmarks:
    """How to find N points of one person.

    Attributes:
        points: the points.
        skin: (N,) metres, how far before a point its own skin may lie.
        body: the mesh object.
        armature: the armature object.
    """

    points: tuple[Landmark, ...]
    skin: Array
    body: bpy.types.Object
    armature: bpy.types.Object

    @property
    def names(self) -> tuple[str, ...]:
        """Of the points."""
        return tuple(point.name for point in self.points)

    def places(self, depsgraph: bpy.types.Depsgraph) -> Array:
        """(N, 3) metres in the world, as they are now."""
        armature = self.armature.evaluated_get(depsgraph)
        body = self.body.evaluated_get(depsgraph)
        bones, vertices = armature.pose.bones, body.data.vertices
        from_armature, from_body = np.array(armature.matrix_world), np.array(body.matrix_world)
        found = np.ones((len(self.points), 4))
        first: dict[str, int] = {}  # sets share points
        for row, point in enumerate(self.points):
            if first.setdefault(point.name, row) != row:
                found[row] = found[first[point.name]]
                continue
            if point.vertices:
                found[row, :3] = np.mean([vertices[v].co for v in point.vertices], axis=0)
                found[row] = from_body @ found[row]
            else:
                ends = [np.array(bones[_spelt(name, bones)].head) for name in point.bones]
                found[row, :3] = ends[0] + point.fraction * (ends[-1] - ends[0])
                found[row] = from_armature @ found[row]
        return found[:, :3]


def _spelt(name: str, bones: bpy.types.bpy_prop_collection) -> str:
    return name if name in bones else f"mixamorig:{name}"


def landmarks_of(actor: Actor) -> Landmarks:
    """How to find all points of `SETS`, one set after the other.

    Raises:
        SceneError: the body's mesh has other vertices than the landmarks are given for.
    """
    body = actor.person.meshes[0]
    known = len(load_body(body_names()[0]).vertices)
    if len(body.data.vertices) != known:
        raise SceneError(
            f"the body {actor.person.body!r} has {len(body.data.vertices)} vertices, landmarks are "
            f"known for {known}; use the bodies of the package"
        )
    points = tuple(landmark(name) for table in SETS.values() for name in table)
    skin = np.array([_skin(point) for point in points])
    return Landmarks(points, skin, body, actor.person.armature)


def _skin(point: Landmark) -> float:
    if point.vertices:
        return _ON_SKIN
    return _SKIN.get(point.name) or _SKIN[point.name.rpartition("_")[2]]
