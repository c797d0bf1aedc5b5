"""Coordinates on a body at rest that clothes are cut by: along arms and legs, and up the trunk."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array, Mask
from ...rig.bodies import REGIONS, Body

__all__ = ["Chart"]

_LIMBS = {
    "arm": (("Arm", "ForeArm", "Hand"), ("upper_arm", "forearm", "hand")),
    "leg": (("UpLeg", "Leg", "Foot"), ("thigh", "shin", "foot")),
}


@dataclass(frozen=True, eq=False)
class Chart:
    """Where every vertex of a body lies, in a tailor's terms."""

    body: Body

    def head(self, bone: str) -> Array:
        """(3,) metres, where a bone starts."""
        return self.body.bone_heads[self.body.bone(bone)]

    def inside(self, *names: str) -> Mask:
        """(V,) True on the vertices of parts; "arm" names both sides."""
        rows = [
            row
            for row, region in enumerate(REGIONS)
            if region in names or region.partition("_")[2] in names
        ]
        found: Mask = np.isin(self.body.vertex_regions, rows)
        return found

    @cached_property
    def size(self) -> float:
        """The body's height over that of a person of 1.70 m."""
        return self.body.height / 1.70

    @cached_property
    def up(self) -> Array:
        """(V,) 0 at the height of the hip joints, 1 at that of the neck."""
        low = self.head("LeftUpLeg")[2]
        found: Array = (self.body.vertices[:, 2] - low) / (self.head("Neck")[2] - low)
        return found

    def along(self, limb: str) -> Array:
        """(V,) 0 at the shoulder or hip, 1 at the elbow or knee, 2 at the wrist or ankle; else -inf."""
        bones, parts = _LIMBS[limb]
        found = np.full(len(self.body.vertices), -np.inf)
        for side in ("Left", "Right"):
            heads = [self.head(f"{side}{bone}") for bone in bones]
            for piece, part in enumerate(parts):
                own = self.inside(f"{side.lower()}_{part}")
                start, end = heads[min(piece, 1)], heads[min(piece, 1) + 1]
                axis = end - start
                share = (self.body.vertices[own] - start) @ axis / (axis @ axis)
                found[own] = min(piece, 1) + share
        return found

    def limb_frame(self, limb: str, rows: npt.NDArray[Any], along: Array) -> tuple[Array, Array]:
        """For vertices (N,) at `along` (N,): points (N, 3) on the bones, and the bones (N, 3), metres."""
        bones, _ = _LIMBS[limb]
        left = self.body.vertices[rows, 0] > 0.0
        points, ways = np.empty((len(rows), 3)), np.empty((len(rows), 3))
        for side, own in (("Left", left), ("Right", ~left)):
            heads = np.array([self.head(f"{side}{bone}") for bone in bones])
            piece = (along[own] > 1.0).astype(int)
            axes = np.diff(heads, axis=0)
            points[own] = heads[piece] + (along[own] - piece)[:, None] * axes[piece]
            ways[own] = axes[piece]
        return points, ways

    @cached_property
    def normals(self) -> Array:
        """(V, 3) unit, outwards."""
        vertices, faces = self.body.vertices, self.body.faces
        a, b, c, d = (vertices[faces[:, k]] for k in range(4))
        area = np.cross(c - a, d - b)
        found = np.zeros_like(vertices)
        for corner in range(4):
            for axis in range(3):
                found[:, axis] += np.bincount(
                    faces[:, corner], weights=area[:, axis], minlength=len(vertices)
                )
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.maximum(length, 1e-12)
