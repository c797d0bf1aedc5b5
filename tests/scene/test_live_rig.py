"""A live character is where a keyed one is, in every rotation mode, and gets its pose back."""

from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from blender_rigs import add_knight, add_mpfb, add_vrm, append_rigify, write_rigify  # noqa: E402
from file_hash import file_hash  # noqa: E402

from pallas.rig import Motion, body_skeleton, quaternion  # noqa: E402
from pallas.rig.retarget import SourceMotion  # noqa: E402
from pallas.rig.retarget.matching import match_bones  # noqa: E402
from pallas.rig.retarget.result import RetargetOptions  # noqa: E402
from pallas.rig.retarget.retargeter import Retargeter  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.live_rig import LiveRig  # noqa: E402
from pallas.scene.retarget_target import read_target  # noqa: E402

FRAMES = 6


@pytest.fixture
def source(scene):
    random = np.random.default_rng(5)
    turns = quaternion.from_rotation_vector(random.normal(scale=0.3, size=(FRAMES, 24, 3)))
    root = random.normal(scale=0.2, size=(FRAMES, 3)) + np.array([0.0, 0.0, 0.9])
    return SourceMotion.of_motion(Motion(body_skeleton(), root, turns, 60.0), "moves")


def shown(armature, source, controls="fk"):
    """Worst distance, metres, and angle, degrees, of what Blender shows from what was asked for."""
    bones = read_target(armature).bones
    retargeter = Retargeter(
        source.bones,
        match_bones(source.bones),
        bones,
        match_bones(bones),
        RetargetOptions(contacts="off"),
    )
    live = LiveRig(armature, source.bones, controls=controls)
    gaps, angles = [], []
    for frame in range(FRAMES):
        live.show(source.rotations[frame], source.heads[frame])
        wanted = retargeter.step(source.rotations[frame], source.heads[frame])
        bpy.context.view_layer.update()
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for place, bone in enumerate(wanted.driven):
            # Of a Rigify rig the bones that deform the skin, not those that the map is about.
            name = bones.names[bone].replace("ORG-", "DEF-")
            if name not in posed.pose.bones:
                continue
            matrix = np.array(armature.matrix_world @ posed.pose.bones[name].matrix)
            gaps.append(np.linalg.norm(matrix[:3, 3] - wanted.heads[0, place]))
            along = quaternion.rotate(wanted.rotations[0, place], np.array([0.0, 1.0, 0.0]))
            is_ = matrix[:3, 1] / np.linalg.norm(matrix[:3, 1])
            angles.append(np.degrees(np.arctan2(np.linalg.norm(np.cross(is_, along)), is_ @ along)))
    live.give_back()
    return max(gaps), max(angles)


def test_the_embedded_character_follows(source):
    gap, angle = shown(add_character(), source)
    assert gap < 1e-4
    assert angle < 0.05


@pytest.mark.parametrize("mode", ["XYZ", "ZXY", "AXIS_ANGLE"])
def test_rotations_go_into_each_bones_own_mode(source, mode):
    armature = add_character()
    for bone in armature.pose.bones:
        bone.rotation_mode = mode
    gap, angle = shown(armature, source)
    assert gap < 1e-4
    assert angle < 0.05
    assert {bone.rotation_mode for bone in armature.pose.bones} == {mode}


def test_a_vrm_rig_follows(source):
    gap, angle = shown(add_vrm(), source)
    assert gap < 1e-4
    assert angle < 0.05


def test_a_turned_scaled_mpfb_rig_follows(source, data):
    armature = add_mpfb(data("rigs/mpfb/rig.default.json"))
    armature.location, armature.scale = (1.0, 2.0, 0.0), (0.5, 0.5, 0.5)
    armature.rotation_euler = (0.0, 0.0, 1.0)
    bpy.context.view_layer.update()
    _, angle = shown(armature, source)
    assert angle < 0.05


def test_the_knight_follows(source, data):
    gap, angle = shown(add_knight(data("rigs/kaykit/Knight.glb")), source)
    assert gap < 1e-4
    assert angle < 0.05


def test_a_rigify_rig_follows_by_its_fk_controls(source, tmp_path):
    gap, angle = shown(append_rigify(write_rigify(tmp_path / "rig.blend")), source)
    assert gap < 2e-3
    assert angle < 0.5


def test_the_map_that_the_user_made_is_followed(source):
    armature = add_character()
    found = match_bones(read_target(armature).bones)
    without = {role: names for role, names in found.bones.items() if role != "left_forearm"}
    live = LiveRig(armature, source.bones, lambda target: replace(found, bones=without))
    live.show(source.rotations[0], source.heads[0])
    assert armature.pose.bones["mixamorig:LeftForeArm"].rotation_quaternion[0] == pytest.approx(1)
    assert armature.pose.bones["mixamorig:RightForeArm"].rotation_quaternion[0] < 0.999


def test_locked_channels_keep_their_values(source):
    armature = add_character()
    bone = armature.pose.bones["mixamorig:LeftForeArm"]
    bone.rotation_mode, bone.rotation_euler = "XYZ", (0.1, 0.2, 0.3)
    bone.lock_rotation = (False, True, False)
    live = LiveRig(armature, source.bones)
    live.show(source.rotations[0], source.heads[0])
    assert bone.rotation_euler.y == pytest.approx(0.2)
    assert bone.rotation_euler.x != pytest.approx(0.1)


def test_the_pose_and_everything_else_is_given_back(source):
    armature = add_character()
    armature.pose.bones["mixamorig:Head"].rotation_quaternion = (0.8, 0.6, 0.0, 0.0)
    before = file_hash()
    live = LiveRig(armature, source.bones)
    live.show(source.rotations[0], source.heads[0])
    assert file_hash() != before
    live.give_back()
    assert file_hash() == before


def test_a_character_that_is_deleted_meanwhile_does_no_harm(source):
    armature = add_character()
    live = LiveRig(armature, source.bones)
    bpy.data.objects.remove(armature)
    live.give_back()
