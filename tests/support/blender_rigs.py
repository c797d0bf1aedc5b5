"""Characters of different programs in Blender, to retarget onto."""

import json
import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np

from pallas.scene.armature import add_armature, editing_bones
from pallas.scene.character import add_character

VRM = {
    "Hips": "C_Hips", "Spine": "C_Spine", "Spine1": "C_Chest", "Spine2": "C_UpperChest", "Neck": "C_Neck",
    "Head": "C_Head", "Shoulder": "Shoulder", "Arm": "UpperArm", "ForeArm": "LowerArm", "Hand": "Hand",
    "UpLeg": "UpperLeg", "Leg": "LowerLeg", "Foot": "Foot", "ToeBase": "ToeBase",
}  # fmt: skip
_RIGIFY = """
import os, sys, bpy, addon_utils
bpy.ops.wm.read_factory_settings(use_empty=True)
addon_utils.enable("rigify", default_set=True)
getattr(bpy.ops.object, f"armature_{sys.argv[2]}_metarig_add")()
metarig = bpy.context.object
if "face" in metarig.data.bones:
    bpy.ops.object.mode_set(mode="EDIT")
    edited = metarig.data.edit_bones
    for name in ["face", *(bone.name for bone in edited["face"].children_recursive)]:
        edited.remove(edited[name])  # its controls take long to make
    bpy.ops.object.mode_set(mode="OBJECT")
bpy.ops.pose.rigify_generate()
rig = bpy.context.object
rig.name = "Rigify"
bpy.data.objects.remove(metarig)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
os._exit(0)
"""


def add_vrm(name: str = "VRM") -> bpy.types.Object:
    """The embedded character under VRoid's bone names."""
    armature = add_character(name)
    for bone in armature.data.bones:
        plain = bone.name.removeprefix("mixamorig:")
        side = next((word for word in ("Left", "Right") if plain.startswith(word)), "")
        part = plain.removeprefix(side)
        new = VRM.get(part, part.removeprefix("Hand"))
        bone.name = f"J_Bip_{side[:1]}_{new}" if side else f"J_Bip_{new}"
    return armature


def add_mpfb(path: Path, name: str = "MPFB") -> bpy.types.Object:
    """One of MPFB's rigs, from the file that describes it; its feet stand on the floor."""
    described = json.loads(path.read_text(encoding="utf-8"))
    described = described.get("bones", described)
    ends = {bone: [np.array(part[end]["default_position"]) for end in ("head", "tail")]
            for bone, part in described.items()}  # fmt: skip
    floor = min(end[2] for pair in ends.values() for end in pair)
    armature = add_armature(name, bpy.context.collection)
    with editing_bones(armature) as edited:
        for bone, part in described.items():
            new = edited.new(bone)
            new.head, new.tail = (end - [0.0, 0.0, floor] for end in ends[bone])
            new.roll = part["roll"]
        for bone, part in described.items():
            edited[bone].parent = edited[part["parent"]] if part["parent"] else None
            edited[bone].use_connect = part["use_connect"]
            edited[bone].use_inherit_rotation = part["use_inherit_rotation"]
            edited[bone].use_local_location = part["use_local_location"]
    return armature


def add_knight(path: Path) -> bpy.types.Object:
    """KayKit's knight, as Blender's importer leaves him."""
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=str(path))
    added = set(bpy.data.objects) - before
    knight = next(item for item in added if item.type == "ARMATURE")
    if knight.animation_data is not None:
        knight.animation_data.action = None
        for track in list(knight.animation_data.nla_tracks):
            knight.animation_data.nla_tracks.remove(track)
    for posed in knight.pose.bones:
        posed.matrix_basis.identity()
    return knight


def write_rigify(path: Path, kind: str = "basic_human") -> Path:
    """Generate a Rigify rig into a file, in a process that leaves at once: Blender 4.5 may hang when it ends.

    Args:
        path: of the file.
        kind: "basic_human" has no fingers, "human" has; neither has a face.
    """
    command = [sys.executable, "-c", _RIGIFY, str(path), kind]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    return path


def append_rigify(path: Path) -> bpy.types.Object:
    """The rig of `write_rigify`, appended to the open file."""
    with bpy.data.libraries.load(str(path)) as (there, wanted):
        wanted.objects = [name for name in there.objects if name == "Rigify"]
    rig = wanted.objects[0]
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.update()
    return rig
