"""A user's own body-model file: SMPL, SMPL-H or SMPL-X as npz or pkl, brought to our axes.

A body of shape `betas` has the vertices template + directions of shape * betas, and its joints are a fixed
combination of them. Posed, each vertex follows its joints by its weights, after a correction that is linear
in the joints' rotations (Loper et al. 2015, eq. 2 to 12). The files are licensed to their users.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..rig import quaternion
from ..rig.arrays import Array, checked
from ..rig.errors import FormatError, ShapeError
from ..rig.model import KinematicModel
from ..rig.model.skeletons import model_of_skeleton
from ..rig.skeleton import Skeleton
from . import axes
from .npz import parse_npz
from .safe_pickle import parse_pickle
from .smpl_layout import JOINTS, LAYOUTS, joint_parents
from .textfile import naming, read_bytes

__all__ = ["SmplModel", "parse_smpl_model", "read_smpl_model"]

_NEEDED: Final = ("v_template", "shapedirs", "J_regressor", "kintree_table", "weights", "f")
_SHAPES = 300  # directions of shape in SMPL-X's files; what follows is the face's expression
_FEW_SHAPES = 10  # the same in files of 20
_NO_PARENT = (-1, 2**32 - 1)  # of the root, signed and unsigned


@dataclass(frozen=True, eq=False)
class SmplModel:
    """A body model with V vertices, J joints, S directions of shape; metres, z up, facing -Y.

    Attributes:
        layout: "SMPL", "SMPL-H" or "SMPL-X".
        parents: of the joints, -1 for the root.
        template: (V, 3) the mean body in a T-pose.
        shape_directions: (V, 3, S) what each beta adds.
        pose_directions: (V, 3, 9 (J - 1)) what rotations add, in the model's own rotations; None where the
            file has none.
        regressor: (J, V) joints from vertices.
        weights: (V, J) skin weights, each vertex' sum 1.
        faces: (F, 3) triangles.
    """

    layout: str
    parents: tuple[int, ...]
    template: Array
    shape_directions: Array
    pose_directions: npt.NDArray[np.float32] | None
    regressor: Array
    weights: Array
    faces: npt.NDArray[np.int64]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the joints, as `smplx` has them."""
        return JOINTS[len(self.parents)]

    def shaped(self, betas: Array | None = None) -> Array:
        """(V, 3) vertices of a body in a T-pose, where the model has it; further betas are left out."""
        given = np.zeros(0) if betas is None else checked("betas", betas, (None,))
        used = given[: self.shape_directions.shape[2]]
        return self.template + self.shape_directions[:, :, : len(used)] @ used

    def joints(self, betas: Array | None = None) -> Array:
        """(J, 3) joints of a body in a T-pose, where the model has it."""
        return self.regressor @ self.shaped(betas)

    def pelvis(self, betas: Array | None = None) -> Array:
        """(3,) the pelvis in the model's own axes, y up."""
        return axes.y_up_from_z_up(self.joints(betas)[0])

    def standing(self, betas: Array | None = None) -> Array:
        """(3,) what brings the body in a T-pose onto the floor, the pelvis above the origin."""
        lowest = self.shaped(betas)[:, 2].min()
        x, y, _ = self.joints(betas)[0]
        return np.array([-x, -y, -lowest])

    def skeleton(self, betas: Array | None = None) -> Skeleton:
        """The joints of a body that stands on the floor in a T-pose; leaf bones end where its skin does."""
        vertices, joints = self.shaped(betas) + self.standing(betas), self.joints(betas)
        joints = joints + self.standing(betas)
        parents = np.array(self.parents)
        offsets = np.where(parents[:, None] < 0, joints, joints - joints[parents])
        tips = np.full_like(offsets, np.nan)
        for joint in set(range(len(parents))) - set(self.parents):
            tips[joint] = self._tip(joint, vertices, joints)
        return Skeleton(self.names, self.parents, offsets, tips)

    def kinematic_model(self, betas: Array | None = None) -> KinematicModel:
        """The body in the engine: a ball at every joint, six degrees of freedom at the pelvis."""
        return model_of_skeleton(self.skeleton(betas))

    def posed(
        self,
        rotations: Array,
        root_position: Array,
        betas: Array | None = None,
        *,
        corrected: bool = True,
    ) -> Array:
        """Vertices of a body in a pose.

        Args:
            rotations: (J, 4) parent_from_joint, as in a `Motion` of `skeleton`.
            root_position: (3,) metres, where the pelvis is.
            betas: the body's shape.
            corrected: whether to add the corrections for the pose.

        Returns:
            (V, 3) metres.
        """
        turns = checked("rotations", rotations, (len(self.parents), 4))
        vertices, joints = self.shaped(betas), self.joints(betas)
        if corrected and self.pose_directions is not None:
            vertices = vertices + self.pose_directions @ self.pose_features(turns)
        world, origins = np.array(turns), np.array(joints)
        origins[0] = root_position
        for joint, parent in enumerate(self.parents[1:], start=1):
            world[joint] = quaternion.multiply(world[parent], turns[joint])
            step = quaternion.rotate(world[parent], joints[joint] - joints[parent])
            origins[joint] = origins[parent] + step
        matrices = quaternion.to_matrix(world)  # (J, 3, 3)
        moved = origins - np.einsum("jab,jb->ja", matrices, joints)
        blended = np.einsum("vj,jab->vab", self.weights, matrices)
        return np.einsum("vab,vb->va", blended, vertices) + self.weights @ moved

    def pose_features(self, rotations: Array) -> Array:
        """(..., 9 (J - 1)) what `pose_directions` are multiplied by in a pose.

        Args:
            rotations: (..., J, 4) parent_from_joint, as in a `Motion` of `skeleton`.
        """
        matrices = quaternion.to_matrix(axes.y_up_from_z_up_rotation(rotations[..., 1:, :]))
        return (matrices - np.eye(3)).reshape(*rotations.shape[:-2], -1)

    def _tip(self, joint: int, vertices: Array, joints: Array) -> Array:
        """(3,) from a leaf joint along the bone above, to the farthest of the vertices that follow it."""
        own = vertices[self.weights.argmax(axis=1) == joint] - joints[joint]
        along = joints[joint] - joints[self.parents[joint]]
        if not len(own) or not np.linalg.norm(along):
            return np.full(3, np.nan)
        along = along / np.linalg.norm(along)
        length = float((own @ along).max())
        return length * along if length > 0 else np.full(3, np.nan)


def read_smpl_model(path: Path | str) -> SmplModel:
    """Read a model file of SMPL, SMPL-H or SMPL-X.

    Args:
        path: npz, or pkl; of a pkl nothing is run.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no such model, is damaged, or its pickle holds more than arrays.
    """
    content = read_bytes(path)
    with naming(path):
        return parse_smpl_model(content)


def parse_smpl_model(content: bytes) -> SmplModel:
    """Parse the bytes of a model file. See `read_smpl_model`."""
    if content.startswith(b"PK"):
        arrays: Mapping[str, Any] = parse_npz(content, {*_NEEDED, "posedirs"})
    else:
        value = parse_pickle(content)
        arrays = value if isinstance(value, dict) else {}
    lacking = [name for name in _NEEDED if name not in arrays]
    if lacking:
        raise FormatError(
            f"the file lacks {', '.join(lacking)}; expected a model of SMPL, SMPL-H or SMPL-X"
        )
    try:
        return _model(arrays)
    except ShapeError as error:
        raise FormatError(f"the model is damaged: {error}") from error


def _model(arrays: Mapping[str, Any]) -> SmplModel:
    template = checked("v_template", _numbers(arrays, "v_template"), (None, 3))
    count = len(template)
    parents = _parents(_numbers(arrays, "kintree_table"))
    joints = len(parents)
    shapes = checked("shapedirs", _numbers(arrays, "shapedirs"), (count, 3, None))
    weights = checked("weights", _numbers(arrays, "weights"), (count, joints))
    total = weights.sum(axis=1, keepdims=True)
    if not (weights >= 0).all() or not (total > 0).all():
        raise FormatError("a vertex follows no joint; expected skin weights that add up to 1")
    regressor = checked("J_regressor", _numbers(arrays, "J_regressor"), (joints, count))
    return SmplModel(
        layout=LAYOUTS[joints],
        parents=parents,
        template=axes.z_up_from_y_up(template),
        shape_directions=_turned(shapes[:, :, : _shape_count(joints, shapes.shape[2])]),
        pose_directions=_pose_directions(arrays, count, joints),
        regressor=regressor,
        weights=weights / total,
        faces=_faces(_numbers(arrays, "f"), count),
    )


def _numbers(arrays: Mapping[str, Any], name: str) -> Array:
    array = arrays[name]
    if not isinstance(array, np.ndarray):
        raise FormatError(f"{name} is a {type(array).__name__}, expected an array of numbers")
    if array.dtype.kind not in "fiu":
        raise FormatError(f"{name} holds {str(array.dtype)[:20]}, expected numbers")
    numbers = array.astype(np.float64)
    if not (np.abs(numbers) <= 2**32).all():
        raise FormatError(f"{name} holds a number of no sensible size")
    return numbers


def _parents(table: Array) -> tuple[int, ...]:
    """Parents of a kintree table (2, J), the root's -1.

    Raises:
        FormatError: it has as many joints as none of the models, or other ones.
    """
    joints = table.shape[-1] if table.ndim == 2 and table.shape[0] == 2 else 0
    if joints not in LAYOUTS:
        known = ", ".join(f"{number} ({name})" for number, name in LAYOUTS.items())
        raise FormatError(f"found {joints} joints, expected {known}")
    parents = tuple(-1 if parent in _NO_PARENT else int(parent) for parent in table[0])
    if parents != joint_parents(joints):
        raise FormatError(f"the {joints} joints hang on others than those of {LAYOUTS[joints]}")
    return parents


def _shape_count(joints: int, there: int) -> int:
    """How many directions are of shape; in SMPL-X's files, expressions follow them."""
    if LAYOUTS[joints] != "SMPL-X":
        return there
    return _SHAPES if there >= _SHAPES else min(there, _FEW_SHAPES)


def _pose_directions(
    arrays: Mapping[str, Any], count: int, joints: int
) -> npt.NDArray[np.float32] | None:
    if "posedirs" not in arrays:
        return None
    directions = _numbers(arrays, "posedirs")
    shape = (count, 3, 9 * (joints - 1))
    return _turned(checked("posedirs", directions, shape)).astype(np.float32)


def _turned(directions: Array) -> Array:
    """Directions (V, 3, N) of vertices, in our axes."""
    return np.moveaxis(axes.z_up_from_y_up(np.moveaxis(directions, 1, 2)), 2, 1)


def _faces(faces: Array, count: int) -> npt.NDArray[np.int64]:
    whole = checked("f", faces, (None, 3))
    if len(whole) and not 0 <= whole.min() <= whole.max() < count:
        raise FormatError(f"a face has vertex {whole.max():.0f}, the model has {count}")
    return whole.astype(np.int64)
