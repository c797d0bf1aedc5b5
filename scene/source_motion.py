"""What an armature does in the scene, constraints and drivers included, as a source for retargeting.

The armature is evaluated in a scene of its own, without its meshes: fast, and neither the current frame nor
any channel of the open scene changes.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import bpy
import numpy as np
import numpy.typing as npt

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.retarget.bones import Bones
from ..rig.retarget.source import SourceMotion
from .armature import RestPose, checked_armature, read_rest_pose, rigid
from .clock import scene_fps

__all__ = ["read_armature_motion", "sampled_motion"]

_WITHIN = 1e-3  # of a step that the last sample may lie behind the range
_ASKEW = 1e-4  # how far from right angles axes may be without a search for the nearest rotation


def read_armature_motion(
    armature_object: bpy.types.Object,
    first: float,
    last: float,
    *,
    step: float = 1.0,
    action: bpy.types.Action | None = None,
    deform_only: bool = False,
) -> SourceMotion:
    """Sample an armature of any kind over a range of frames.

    Args:
        armature_object: animated in whatever way; it may be linked.
        first: scene frame of the first sample.
        last: no sample is later.
        step: frames from one sample to the next; may be a fraction.
        action: instead of the armature's current animation.
        deform_only: leave out bones that deform nothing, such as Rigify's controls and mechanism; the
            others then hang on the nearest one that is kept.

    Returns:
        Bones at rest where the object is in the first frame, and their motion in the world.

    Raises:
        SceneError: no armature, a mirrored one, no frames, or no bone that deforms.
    """
    steps = sampled_motion(
        armature_object, first, last, step=step, action=action, deform_only=deform_only
    )
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: SourceMotion = done.value
            return found


def sampled_motion(
    armature_object: bpy.types.Object,
    first: float,
    last: float,
    *,
    step: float = 1.0,
    action: bpy.types.Action | None = None,
    deform_only: bool = False,
) -> Generator[float, None, SourceMotion]:
    """`read_armature_motion` frame by frame, so that Blender can draw in between.

    Nothing of the file may be changed until it is exhausted or closed.

    Yields:
        The fraction that is sampled, 0 to 1.

    Returns:
        The motion.

    Raises:
        SceneError: as there.
    """
    item = checked_armature(armature_object)
    if not (step > 0 and last >= first):
        raise SceneError(
            f"frames {first:g} to {last:g} in steps of {step:g} hold no frame; choose another range"
        )
    scene = bpy.context.scene
    frames = first + step * np.arange(int((last - first) / step + _WITHIN) + 1)
    with _alone(item, scene, action) as (sampled, place):
        rest, worlds, poses = yield from _samples(sampled, place, frames)
    kept, bones = _kept(item, rest, deform_only)
    matrices = worlds[:, None] @ poses[:, kept]
    rotations = quaternion.continuous(_rotations(matrices[..., :3, :3]))
    name = _name(item) if action is None else action.name
    return SourceMotion(bones, rotations, matrices[..., :3, 3], scene_fps(scene) / step, name)


@contextmanager
def _alone(
    item: bpy.types.Object, scene: bpy.types.Scene, action: bpy.types.Action | None
) -> Iterator[tuple[bpy.types.Object, bpy.types.Scene]]:
    """A scene with the armature's rate and only the armature in it, or a copy that has another Action."""
    place = bpy.data.scenes.new("PALLAS samples")
    copy = item.copy() if action is not None or item.hide_viewport else None
    try:
        for name in ("fps", "fps_base", "frame_map_old", "frame_map_new"):
            setattr(place.render, name, getattr(scene.render, name))
        if copy is not None:
            copy.hide_viewport = False
            _point_to_itself(copy, item)
            if action is not None:
                _play_only(copy, action)
        place.collection.objects.link(copy or item)
        yield copy or item, place
    finally:
        bpy.data.scenes.remove(place)
        if copy is not None:
            bpy.data.objects.remove(copy)


def _point_to_itself(copy: bpy.types.Object, item: bpy.types.Object) -> None:
    """What in the copy looks at the armature it was made of shall look at the copy."""
    for bone in copy.pose.bones:
        for constraint in bone.constraints:
            for holder in (constraint, *getattr(constraint, "targets", ())):
                for name in ("target", "pole_target"):
                    if getattr(holder, name, None) == item:
                        setattr(holder, name, copy)
    for curve in copy.animation_data.drivers if copy.animation_data else ():
        for target in (t for variable in curve.driver.variables for t in variable.targets):
            if target.id == item:
                target.id = copy


def _play_only(copy: bpy.types.Object, action: bpy.types.Action) -> None:
    data = copy.animation_data or copy.animation_data_create()
    for track in list(data.nla_tracks):
        data.nla_tracks.remove(track)
    data.use_nla = False
    data.action = action
    if data.action_slot is None and data.action_suitable_slots:
        data.action_slot = data.action_suitable_slots[0]


def _samples(
    item: bpy.types.Object, place: bpy.types.Scene, frames: Array
) -> Generator[float, None, tuple[RestPose, Array, Array]]:
    """The rest pose; world_from_object (T, 4, 4); and object_from_bone (T, B, 4, 4) in the rest's order."""
    count = len(item.pose.bones)
    flat = np.empty((len(frames), count, 16), dtype=np.float32)
    worlds = np.empty((len(frames), 4, 4))
    rest: RestPose | None = None
    order: list[int] = []
    for sample, frame in enumerate(frames):
        whole = int(np.floor(frame))
        place.frame_set(whole, subframe=float(frame - whole))
        posed = item.evaluated_get(place.view_layers[0].depsgraph)
        if rest is None:
            rest = read_rest_pose(posed)
            names = [bone.name for bone in posed.pose.bones]
            order = [names.index(name) for name in rest.names]
        posed.pose.bones.foreach_get("matrix", flat[sample].reshape(-1))
        worlds[sample] = posed.matrix_world
        yield (sample + 1) / len(frames)
    assert rest is not None
    poses = np.swapaxes(flat.reshape(len(frames), count, 4, 4), 2, 3)  # Blender's go by columns
    return rest, worlds, poses[:, order].astype(np.float64)


def _kept(
    item: bpy.types.Object, rest: RestPose, deform_only: bool
) -> tuple[npt.NDArray[np.int64], Bones]:
    """Places of the bones that are kept, and those at rest in the world."""
    deform = [not deform_only or item.data.bones[name].use_deform for name in rest.names]
    kept = [bone for bone, keep in enumerate(deform) if keep]
    if not kept:
        raise SceneError(f"no bone of {item.name!r} deforms; take all its bones")
    above: list[int] = []  # for every bone, the nearest kept one at or above it
    for bone, parent in enumerate(rest.parents):
        above.append(kept.index(bone) if deform[bone] else above[parent] if parent >= 0 else -1)
    parents = [above[rest.parents[b]] if rest.parents[b] >= 0 else -1 for b in kept]
    rotations = quaternion.multiply(rest.object_rotation, rest.armature_from_bone[kept])
    names = tuple(rest.names[bone] for bone in kept)
    bones = Bones(names, tuple(parents), rotations, rest.heads[kept], rest.tails[kept])
    return np.array(kept), bones


def _rotations(matrices: Array) -> Array:
    """(T, B, 4) of matrices (T, B, 3, 3), which may be scaled and, where that is uneven, askew."""
    lengths = np.linalg.norm(matrices, axis=-2, keepdims=True)
    even = np.divide(matrices, lengths, out=np.zeros_like(matrices), where=lengths > 0)
    off = np.abs(np.swapaxes(even, -1, -2) @ even - np.eye(3)).max(axis=(-1, -2))
    askew = off > _ASKEW
    even[askew] = rigid(even[askew])
    return quaternion.normalised(quaternion.from_matrix(even))


def _name(item: bpy.types.Object) -> str:
    data = item.animation_data
    return data.action.name if data is not None and data.action is not None else item.name
