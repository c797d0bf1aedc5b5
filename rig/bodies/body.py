"""One body: a skinned mesh on a rig with Mixamo's bone names, at rest in an A-pose."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .. import quaternion
from ..arrays import Array
from ..errors import ShapeError
from ..retarget.bones import Bones

__all__ = ["REGIONS", "Body"]

_SIDED: Final = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot", "eye")

# Parts of the skin; `Body.regions` counts in this order. The scalp is where hair grows.
REGIONS: Final[tuple[str, ...]] = (
    "head",
    "scalp",
    "neck",
    "chest",
    "abdomen",
    "hips",
    *(f"{side}_{part}" for part in _SIDED for side in ("left", "right")),
)


@dataclass(frozen=True, eq=False)
class Body:
    """One person. All bodies share faces, texture coordinates, weights, regions and landmarks.

    World axes z up, facing -Y, the person's left at +X; soles on z = 0.

    Attributes:
        name: of the body, as "woman_33".
        phenotype: sex ("female" or "male"), years, and anny's numbers between 0 and 1.
        height: metres, from the soles to the crown.
        mass: kg, of the mesh's volume at 985 kg/m3.
        vertices: (V, 3) metres, at rest.
        faces: (F, 4) vertices of every quad.
        uvs: (U, 2) texture coordinates.
        uv_faces: (F, 4) texture coordinates of every quad.
        regions: (F,) place of every face's part in `REGIONS`.
        bone_names: (B,) as "mixamorig:LeftArm", parents before children.
        bone_parents: (B,) -1 for none.
        bone_heads: (B, 3) metres, at rest.
        bone_tails: (B, 3) metres, at rest.
        bone_rolls: (B,) radians, as Blender has them.
        weights: (V, 5) of the skin, heaviest first, each row 1 in sum.
        weight_bones: (V, 5) the bones that they are of.
    """

    name: str
    phenotype: Mapping[str, Any]
    height: float
    mass: float
    vertices: Array
    faces: npt.NDArray[np.int32]
    uvs: Array
    uv_faces: npt.NDArray[np.int32]
    regions: npt.NDArray[np.uint8]
    bone_names: tuple[str, ...]
    bone_parents: tuple[int, ...]
    bone_heads: Array
    bone_tails: Array
    bone_rolls: Array
    weights: Array
    weight_bones: npt.NDArray[np.uint8]

    def bone(self, name: str) -> int:
        """Place of a bone, with or without the rig's prefix.

        Raises:
            ShapeError: there is none of that name.
        """
        for spelling in (name, f"mixamorig:{name}"):
            if spelling in self.bone_names:
                return self.bone_names.index(spelling)
        raise ShapeError(f"the body has no bone {name!r}; expected one of its rig, as 'LeftArm'")

    @cached_property
    def bones(self) -> Bones:
        """The rig at rest, every bone's axes the world's."""
        turns = np.tile(quaternion.IDENTITY, (len(self.bone_names), 1))
        heads, tails = self.bone_heads, self.bone_tails
        return Bones(self.bone_names, self.bone_parents, turns, heads, tails)

    @cached_property
    def vertex_regions(self) -> npt.NDArray[np.uint8]:
        """(V,) the part that most faces around a vertex belong to."""
        votes = np.zeros((len(self.vertices), len(REGIONS)), dtype=np.int32)
        np.add.at(votes, (self.faces.ravel(), np.repeat(self.regions, 4)), 1)
        return votes.argmax(axis=1).astype(np.uint8)

    def faces_of(self, *names: str) -> npt.NDArray[np.bool_]:
        """(F,) True on the faces of the parts.

        Raises:
            ShapeError: there is no such part.
        """
        unknown = [name for name in names if name not in REGIONS]
        if unknown:
            raise ShapeError(
                f"there is no part {unknown[0]!r}; the parts are: {', '.join(REGIONS)}"
            )
        return np.isin(self.regions, [REGIONS.index(name) for name in names])
