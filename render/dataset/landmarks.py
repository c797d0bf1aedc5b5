"""Where points of a person are: COCO's keypoints, our joints, anatomical markers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

import bpy
import numpy as np
import numpy.typing as npt
from mathutils import Matrix

from ...rig.arrays import Array
from ...rig.bodies import KEYPOINTS, MARKERS, Landmark, body_names, load_body
from ...rig.bodies.landmarks import landmark
from ...rig.errors import SceneError
from ...rig.skeleton import BODY_JOINTS
from .actors import Actor

Indices = npt.NDArray[np.integer[Any]]

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

    @cached_property
    def first(self) -> Indices:
        """(M,) the first row of every point that there is: sets share points."""
        return np.unique(self.among, return_index=True)[1]

    @cached_property
    def among(self) -> Indices:
        """(N,) which of those each row is."""
        return np.array([self.names.index(name) for name in self.names])

    def places(self, depsgraph: bpy.types.Depsgraph) -> Array:
        """(N, 3) metres in the world, as they are now."""
        armature = self.armature.evaluated_get(depsgraph)
        body = self.body.evaluated_get(depsgraph)
        skin = np.empty((len(body.data.vertices), 3), dtype=np.float32)
        body.data.attributes["position"].data.foreach_get("vector", skin.ravel())
        heads = np.empty((len(armature.pose.bones), 3), dtype=np.float32)
        armature.pose.bones.foreach_get("head", heads.ravel())
        found = np.empty((len(self.points), 3))
        rows, vertices, starts, counts = self._on_skin
        sums = np.add.reduceat(skin[vertices].astype(np.float64), starts) if len(rows) else 0.0
        found[rows] = _moved(sums / counts[:, None], body.matrix_world)
        rows, one, other, fraction = self._on_bones
        begin = heads[one].astype(np.float64)
        between = begin + fraction[:, None] * (heads[other] - begin)
        found[rows] = _moved(between, armature.matrix_world)
        return found

    @cached_property
    def _on_skin(self) -> tuple[Indices, Indices, Indices, Array]:
        """Rows of points on the skin; their vertices in one, where each point's start, how many they are."""
        rows = [row for row, point in enumerate(self.points) if point.vertices]
        own = [self.points[row].vertices for row in rows]
        counts = np.array([len(vertices) for vertices in own], dtype=np.int64)
        vertices = np.array([vertex for some in own for vertex in some], dtype=np.int64)
        return np.array(rows, dtype=np.int64), vertices, np.cumsum(counts) - counts, counts

    @cached_property
    def _on_bones(self) -> tuple[Indices, Indices, Indices, Array]:
        """Rows of points inside, the bones that each lies between, and where between."""
        rows = [row for row, point in enumerate(self.points) if not point.vertices]
        names = [bone.name.removeprefix("mixamorig:") for bone in self.armature.pose.bones]
        ends = [
            [names.index(bone.removeprefix("mixamorig:")) for bone in self.points[row].bones]
            for row in rows
        ]
        fraction = np.array([self.points[row].fraction for row in rows])
        one, other = (np.array([pair[k] for pair in ends], dtype=np.int64) for k in (0, -1))
        return np.array(rows, dtype=np.int64), one, other, fraction


def _moved(places: Array, matrix: Matrix) -> Array:
    """(N, 3) in the world."""
    world = np.array(matrix)
    found: Array = places @ world[:3, :3].T + world[:3, 3]
    return found


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
