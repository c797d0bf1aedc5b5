"""OpenSim models as armatures: a bone for every body, the file's text kept with the armature.

The text goes into a text block of the Blender file, so that the model is whole wherever the file is opened.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import bpy
import numpy as np

from ..capture.osim import parse_osim
from ..capture.osim_build import format_osim
from ..capture.osim_names import with_legal_names
from ..capture.osim_template import filled_template
from ..capture.textfile import naming
from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.model import GROUND, BodyMarker, KinematicModel
from ..rig.model.places import body_places
from ..rig.sides import other_side
from .armature import add_armature, checked_armature, editing_bones, read_rest_pose
from .kinematic_armature import ArmatureModel, model_of_armature
from .model_markers import place_marker, read_worn_markers

__all__ = ["add_osim", "is_osim", "model_text", "osim_text", "read_model", "wear_markers"]

_TEXT: Final[str] = "pallas_osim"  # custom property of the armature: the text block
_BODY: Final[str] = "pallas_body"  # custom property of a bone: its body
_SHORTEST: Final[float] = 0.035  # metres; a nearer joint is no tip
_USUAL: Final[float] = 0.06  # metres, of a bone whose tip nothing tells


def is_osim(armature_object: bpy.types.Object | None) -> bool:
    """Whether an object is an armature that was made from an OpenSim model."""
    return (
        armature_object is not None
        and armature_object.type == "ARMATURE"
        and armature_object.get(_TEXT) is not None
    )


def osim_text(armature_object: bpy.types.Object) -> str:
    """The text of the file that an armature was made from.

    Raises:
        SceneError: it was made from none.
    """
    if not is_osim(armature_object):
        raise SceneError(
            f"{armature_object.name!r} is no OpenSim model; import one, or select its armature"
        )
    return str(armature_object[_TEXT].as_string())


def model_text(armature_object: bpy.types.Object) -> str:
    """An armature with its markers as they are now, as the text of an .osim file.

    Of an OpenSim model everything else in it stays as it was.

    Raises:
        SceneError: see `read_model`.
        FormatError: OpenSim has no such joint, or two names would be the same there.
    """
    model = with_legal_names(read_model(armature_object).model)
    if not is_osim(armature_object):
        return format_osim(model)
    return filled_template(model, osim_text(armature_object), {})


def add_osim(
    content: str,
    name: str,
    *,
    markers: tuple[BodyMarker, ...] | None = None,
    collection: bpy.types.Collection | None = None,
) -> bpy.types.Object:
    """Add an OpenSim model as an armature in its default pose, with its markers, metres, z up.

    Every body is a bone of its name that begins at the body's origin and has the body in its custom property
    "pallas_body". Bones are unconnected, because bodies slide on each other.

    Args:
        content: of the .osim file.
        name: of the armature; the collection is called "Model: NAME".
        markers: on bodies, instead of the file's.
        collection: where the new collection goes; the scene's if None.

    Returns:
        The armature, active and selected.

    Raises:
        FormatError: it is no model, or has what can't be read.
        ShapeError: names, limits or the tree of bodies make no model.
    """
    model = parse_osim(content)
    if markers is not None:
        model = model.with_markers(markers)
    own = bpy.data.collections.new(f"Model: {name}")
    above = bpy.context.scene.collection if collection is None else collection
    above.children.link(own)
    armature = _add_bones(name, model, own)
    text = bpy.data.texts.new(f"{name}.osim")
    text.from_string(content)
    armature[_TEXT] = text
    wear_markers(armature, read_model(armature), model.markers)
    return armature


def read_model(armature_object: bpy.types.Object) -> ArmatureModel:
    """Any armature as a model, with the markers that its bones wear.

    Raises:
        SceneError: no armature, a scaled one, or constraints that move what must be keyed.
        FormatError: the text of an OpenSim model was changed and can't be read any more.
    """
    checked_armature(armature_object)
    if not is_osim(armature_object):
        return model_of_armature(armature_object, read_worn_markers(armature_object))
    with naming(armature_object[_TEXT].name):
        model = parse_osim(osim_text(armature_object))
    bodies = {
        bone.name: str(bone[_BODY])
        for bone in armature_object.data.bones
        if bone.get(_BODY) in model.bodies
    }
    inside = _body_from_bone(armature_object, model, bodies)
    known = {marker.name: marker for marker in model.markers}
    worn = [marker for marker in model.markers if marker.body == GROUND]
    for marker in read_worn_markers(armature_object):
        if marker.body not in bodies:
            continue
        place = inside[marker.body]
        x, y, z = place[:3, :3] @ np.array(marker.position) + place[:3, 3]
        position = (float(x), float(y), float(z))
        first = known.get(marker.name, marker)
        worn.append(replace(first, body=bodies[marker.body], position=position))
    return ArmatureModel(model.with_markers(worn), bodies, inside, frozenset(bodies), pins={})


def wear_markers(
    armature_object: bpy.types.Object, rig: ArmatureModel, markers: Iterable[BodyMarker]
) -> None:
    """Put markers, which are on a model's bodies, on the bones, or move those that are there."""
    bones = {body: bone for bone, body in rig.bodies.items()}
    for marker in markers:
        bone = bones.get(marker.body)
        if bone is None:  # on the ground, which is no bone
            continue
        bone_from_body = np.linalg.inv(rig.body_from_bone[bone])
        position = bone_from_body[:3, :3] @ np.array(marker.position) + bone_from_body[:3, 3]
        place_marker(armature_object, marker.name, bone, position)


def _body_from_bone(
    armature_object: bpy.types.Object, model: KinematicModel, bodies: dict[str, str]
) -> dict[str, Array]:
    """(4, 4) of every bone: the armature rests in the model's default pose."""
    rest = read_rest_pose(armature_object)
    # Where the armature's object stands is the user's choice; the model's ground is the armature's origin.
    back = quaternion.conjugate(rest.object_rotation)
    heads = quaternion.rotate(back, rest.heads - rest.world_from_armature[:3, 3])
    rotations, origins = body_places(model, model.default_pose[None])
    found = {}
    for bone, body in bodies.items():
        at, place = rest.names.index(bone), model.body_index(body)
        body_from_world = rotations[0, place].T
        matrix = np.eye(4)
        matrix[:3, :3] = body_from_world @ quaternion.to_matrix(rest.armature_from_bone[at])
        matrix[:3, 3] = body_from_world @ (heads[at] - origins[0, place])
        found[bone] = matrix
    return found


def _add_bones(
    name: str, model: KinematicModel, collection: bpy.types.Collection
) -> bpy.types.Object:
    """An armature object with a bone for every body."""
    rotations, origins = body_places(model, model.default_pose[None])
    tips = _tips(model, rotations[0], origins[0])
    armature = add_armature(name, collection)
    with editing_bones(armature) as edited:
        bones = {}
        for place, body in enumerate(model.bodies[1:], start=1):
            bone = bones[body] = edited.new(body)
            bone.head, bone.tail = origins[0, place], tips[place]
            bone.align_roll(rotations[0, place][:, 0])
            bone.parent = bones.get(model.bodies[model.parents[place]])
        names = {body: bone.name for body, bone in bones.items()}
    for body, bone in names.items():
        armature.data.bones[bone][_BODY] = body
    armature.data.display_type = "OCTAHEDRAL"
    return armature


def _tips(model: KinematicModel, rotations: Array, origins: Array) -> Array:
    """(B, 3) where every body's bone ends."""
    tips = np.zeros_like(origins)
    for place in range(len(model.bodies) - 1, 0, -1):  # children before parents
        tips[place] = _tip(model, place, rotations, origins)
    return tips


def _tip(model: KinematicModel, place: int, rotations: Array, origins: Array) -> Array:
    """The joint of the body that goes on, or where its markers are, or straight on."""
    end = _next_joint(model, place, origins)
    if end is not None:
        return end
    here = model.bodies[place]
    own = [marker.position for marker in model.markers if marker.body == here]
    if own:
        end = origins[place] + rotations[place] @ np.mean(own, axis=0)
        if np.linalg.norm(end - origins[place]) > _SHORTEST:
            return end
    above = model.parents[place]
    line = origins[place] - origins[above] if above > 0 else rotations[place][:, 1]
    length = float(np.linalg.norm(line))
    line = line / length if length > _SHORTEST else rotations[place][:, 1]
    return origins[place] + _USUAL * line


def _next_joint(model: KinematicModel, place: int, origins: Array) -> Array | None:
    """The joint of the child that carries most, of those without a twin on the other side; else their middle.

    A joint that is too near is passed over to those behind it.
    """
    children = [child for child, above in enumerate(model.parents) if above == place]
    if not children:
        return None
    names = [model.bodies[child] for child in children]
    single = [c for c, name in zip(children, names, strict=True) if other_side(name, names) is None]
    chosen = [max(single, key=lambda child: _carried(model, child))] if single else children
    middle = np.asarray(origins[chosen].mean(axis=0))
    if np.linalg.norm(middle - origins[place]) > _SHORTEST:
        return middle
    return _next_joint(model, chosen[0], origins) if len(chosen) == 1 else None


def _carried(model: KinematicModel, place: int) -> int:
    """How many bodies are below one."""
    children = [child for child, above in enumerate(model.parents) if above == place]
    return len(children) + sum(_carried(model, child) for child in children)
