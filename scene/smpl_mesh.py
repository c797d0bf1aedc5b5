"""A body of a user's own SMPL, SMPL-H or SMPL-X file in Blender: skinned mesh, armature, motions on it.

Bones have the joints' names (`capture.smpl_layout`) and the skin follows them by the model's weights. The
model's corrections of the skin for the pose are shape keys, which `correct_pose` keys from a motion.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

import bpy
import numpy as np

from ..capture.smpl_layout import known_joints
from ..capture.smpl_model import SmplModel
from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.retarget.source import SourceMotion
from .armature import add_armature, checked_armature, editing_bones, read_rest_pose
from .clock import scene_fps
from .curves import new_action, new_channels, write_curve
from .pose_keys import Placed, write_places
from .source_motion import read_armature_motion

__all__ = [
    "add_body",
    "correct_own_pose",
    "correct_pose",
    "note_model",
    "noted_model",
    "play_on_body",
]

_MODEL: Final = "pallas_body_model"  # custom property of the armature: the file that it was made of

_SHORTEST: Final = 0.01  # metres; Blender removes bones of no length
_FAINTEST: Final = 1e-6  # weights below it move nothing
_LARGEST_FEATURE: Final = 2.0  # entries of a rotation matrix less the identity's


def add_body(
    model: SmplModel,
    betas: Array | None = None,
    name: str | None = None,
    collection: bpy.types.Collection | None = None,
) -> bpy.types.Object:
    """Add a body in a T-pose, standing at the world's origin, facing -Y.

    Args:
        model: the user's own file, read.
        betas: (n,) shape of the body; the mean shape if None.
        name: of the armature; the model's layout if None.
        collection: where both objects go; the active collection if None.

    Returns:
        The armature object, active and selected; its skinned mesh is its only child.
    """
    name = name or model.layout
    collection = bpy.context.collection if collection is None else collection
    armature = _add_bones(name, model, betas, collection)
    mesh = bpy.data.meshes.new(f"{name} body")
    vertices = model.shaped(betas) + model.standing(betas)
    mesh.from_pydata(vertices.tolist(), [], model.faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    mesh.update()
    body = bpy.data.objects.new(f"{name} body", mesh)
    collection.objects.link(body)
    body.parent = armature
    _add_weights(body, model)
    body.modifiers.new("Armature", "ARMATURE").object = armature
    return armature


def note_model(armature_object: bpy.types.Object, path: Path) -> None:
    """Remember the file that a body was made of."""
    armature_object[_MODEL] = str(path.absolute())


def noted_model(armature_object: bpy.types.Object | None) -> Path | None:
    """The file that a body was made of, if that is noted."""
    path = None if armature_object is None else armature_object.get(_MODEL)
    return None if path is None else Path(path)


def play_on_body(
    armature_object: bpy.types.Object,
    source: SourceMotion,
    *,
    name: str | None = None,
    start: float | None = None,
) -> bpy.types.Action:
    """Key a motion of a body model on a body model's armature, joint by joint, as a new Action.

    The armature may be of `add_body` or of the add-ons that Meshcapade makes; its own bone lengths are kept,
    so for feet on the floor the motion should be read with the same model and shape. Where the object stands
    is the motion's origin.

    Args:
        armature_object: its bones named after the joints, with any prefix.
        source: with the joints' names.
        name: of the Action; that of the motion if None.
        start: scene frame of the first key; the scene's first frame if None.

    Raises:
        SceneError: the bones or the motion are no body model's, or frames are missing.
    """
    rest = read_rest_pose(checked_armature(armature_object))
    known = known_joints(rest.names)
    if known is None:
        raise SceneError(
            f"the bones of {armature_object.name!r} are not named as SMPL's joints; retarget onto it"
        )
    joints = [joint for joint in known[1] if joint in source.bones.names]
    if "pelvis" not in joints:
        raise SceneError(f"the motion {source.name!r} is of no body model; retarget it instead")
    if not (np.isfinite(source.rotations).all() and np.isfinite(source.heads).all()):
        raise SceneError("the motion has frames with missing values; fill its gaps first")
    turn, world = rest.object_rotation, rest.world_from_armature
    rotations: dict[str, Array] = {}
    for joint in joints:
        bone, place = known[1][joint], source.bones.index(joint)
        own = rest.armature_from_bone[rest.names.index(bone)]
        at_rest = quaternion.conjugate(source.bones.rotations[place])
        turned = quaternion.multiply(source.rotations[:, place], quaternion.multiply(at_rest, own))
        rotations[bone] = quaternion.multiply(turn, turned)
    path = source.heads[:, source.bones.index("pelvis")] @ world[:3, :3].T + world[:3, 3]
    scene = bpy.context.scene
    start = scene.frame_start if start is None else start
    frames = start + source.times * scene_fps(scene)
    placed = Placed(rotations, {known[1]["pelvis"]: path})
    return write_places(armature_object, name or source.name or "PALLAS", frames, placed)


def correct_pose(
    armature_object: bpy.types.Object,
    model: SmplModel,
    source: SourceMotion,
    *,
    start: float | None = None,
) -> bpy.types.Action:
    """Key the model's corrections of the skin for a motion's poses, as shape keys of the body.

    Args:
        armature_object: of `add_body`.
        model: the one that it was made of.
        source: the motion that `play_on_body` plays.
        start: as given there.

    Raises:
        SceneError: the armature has no body of the model's size, or the model holds no corrections.
    """
    count = len(model.template)
    meshes = [item for item in armature_object.children if item.type == "MESH"]
    body = next((item for item in meshes if len(item.data.vertices) == count), None)
    if body is None or model.pose_directions is None:
        raise SceneError(
            f"{armature_object.name!r} has no mesh with {count} vertices, or the model no posedirs; "
            "add the body of a whole model file"
        )
    features = model.pose_features(_local(model, source))
    keys = _correction_keys(body, model)
    scene = bpy.context.scene
    start = scene.frame_start if start is None else start
    frames = start + source.times * scene_fps(scene)
    action = new_action(f"{source.name or 'PALLAS'} corrections")
    curves = new_channels(action, body.data.shape_keys)
    for key, values in zip(keys, features.T, strict=True):
        write_curve(curves, key.path_from_id("value"), 0, frames, values)
    return action


def correct_own_pose(
    armature_object: bpy.types.Object, model: SmplModel, first: int, last: int
) -> bpy.types.Action:
    """`correct_pose` for what the armature itself does in scene frames, whatever it was keyed from.

    Raises:
        SceneError: as there, or the frames are none.
    """
    source = read_armature_motion(armature_object, first, last)
    back = quaternion.conjugate(read_rest_pose(armature_object).object_rotation)
    bones = replace(source.bones, rotations=quaternion.multiply(back, source.bones.rotations))
    own = replace(source, bones=bones, rotations=quaternion.multiply(back, source.rotations))
    return correct_pose(armature_object, model, own, start=first)


def _local(model: SmplModel, source: SourceMotion) -> Array:
    """(T, J, 4) parent_from_joint of the model's joints; at rest where the motion lacks one."""
    local = np.tile(quaternion.IDENTITY, (len(source), len(model.names), 1))
    for joint, name in enumerate(model.names):
        above = model.names[model.parents[joint]]
        if joint and name in source.bones.names:
            parent, own = _turned(source, above), _turned(source, name)
            local[:, joint] = quaternion.multiply(quaternion.conjugate(parent), own)
    return local


def _turned(source: SourceMotion, name: str) -> Array:
    """(T, 4) a bone's rotation from rest, in the world."""
    bone = source.bones.index(name)
    rest = quaternion.conjugate(source.bones.rotations[bone])
    return quaternion.multiply(source.rotations[:, bone], rest)


def _correction_keys(body: bpy.types.Object, model: SmplModel) -> list[bpy.types.ShapeKey]:
    """The shape keys of the corrections, in the model's order; added if they are not there."""
    if body.data.shape_keys is None:
        body.shape_key_add(name="Basis", from_mix=False)
    rest = np.empty(3 * len(body.data.vertices), dtype=np.float32)
    body.data.vertices.foreach_get("co", rest)
    keys = []
    for number, moved in enumerate(np.moveaxis(model.pose_directions, 2, 0)):
        name = f"pose {number}"
        key = body.data.shape_keys.key_blocks.get(name)
        if key is None:
            key = body.shape_key_add(name=name, from_mix=False)
            key.data.foreach_set("co", rest + moved.ravel())
            key.slider_min, key.slider_max = -_LARGEST_FEATURE, _LARGEST_FEATURE
        keys.append(key)
    return keys


def _add_bones(
    name: str, model: SmplModel, betas: Array | None, collection: bpy.types.Collection
) -> bpy.types.Object:
    skeleton = model.skeleton(betas)
    heads = skeleton.rest_positions
    armature = add_armature(name, collection)
    with editing_bones(armature) as edited:
        bones = [edited.new(joint) for joint in skeleton.names]
        for joint, bone in enumerate(bones):
            bone.head = heads[joint]
            bone.tail = heads[joint] + _length(
                skeleton.children[joint], joint, heads, skeleton.tips
            )
            parent = skeleton.parents[joint]
            bone.parent = bones[parent] if parent >= 0 else None
    armature.data.display_type = "STICK"
    return armature


def _length(children: tuple[int, ...], joint: int, heads: Array, tips: Array) -> Array:
    """(3,) from a joint to the middle of its children or its tip; upwards where neither is away from it."""
    along = heads[list(children)].mean(axis=0) - heads[joint] if children else tips[joint]
    if not np.isfinite(along).all() or np.linalg.norm(along) < _SHORTEST:
        return np.array([0.0, 0.0, 2.0 * _SHORTEST])
    return along


def _add_weights(body: bpy.types.Object, model: SmplModel) -> None:
    for joint, name in enumerate(model.names):
        group = body.vertex_groups.new(name=name)
        weights = model.weights[:, joint]
        for vertex in np.flatnonzero(weights > _FAINTEST).tolist():
            group.add([vertex], float(weights[vertex]), "REPLACE")
