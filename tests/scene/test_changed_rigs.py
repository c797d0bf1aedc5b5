"""A character that was changed between two motions is posed as one that was never seen before."""

from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.rig import Motion, body_skeleton, quaternion  # noqa: E402
from pallas.rig.retarget import match_bones, matching  # noqa: E402
from pallas.scene import apply, retarget_target, retargeting  # noqa: E402
from pallas.scene.armature import editing_bones, read_rest_pose  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.curves import channels_of, read_curve  # noqa: E402

ARM, SHIN, FOOT = "mixamorig:LeftArm", "mixamorig:LeftLeg", "mixamorig:LeftFoot"
KEPT = [
    (matching, "_matched"),
    (apply, "body_bones"),
    (retarget_target, "stance"),
    (retargeting, "retargeter_between"),
]


@pytest.fixture
def character():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return add_character()


def bent(height=1.7):
    turns = quaternion.from_rotation_vector(
        np.random.default_rng(4).normal(scale=0.3, size=(3, 24, 3))
    )
    root = np.array([[0.0, 0.0, 0.9], [0.1, -0.2, 0.9], [0.1, -0.4, 0.8]])
    return Motion(body_skeleton(height), root, turns, 30.0)


def applied(character, motion=None, bone_map=None):
    """By path and column, what the curves hold."""
    apply.apply_motion(character, bent() if motion is None else motion, bone_map=bone_map)
    curves = channels_of(character).fcurves
    return {(c.data_path, c.array_index): read_curve(c) for c in curves}


def never_seen(monkeypatch, *asked):
    """The same without anything that was kept."""
    with monkeypatch.context() as patch:
        for module, name in KEPT:
            patch.setattr(module, name, getattr(module, name).__wrapped__)
        return applied(*asked)


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def renamed(character):
    character.data.bones[ARM].name = "upper_arm.L"


def rolled(character):
    with editing_bones(character) as bones:
        bones[ARM].roll += 0.3


def longer(character):
    with editing_bones(character) as bones:
        bones[SHIN].tail.z -= 0.1
        bones[FOOT].head.z -= 0.1


def hung_elsewhere(character):
    with editing_bones(character) as bones:
        bones[ARM].parent = bones["mixamorig:Hips"]


def not_inheriting(character):
    character.data.bones[ARM].use_inherit_rotation = False


def in_another_mode(character):
    character.pose.bones[ARM].rotation_mode = "YZX"


def locked(character):
    character.pose.bones[ARM].lock_rotation[1] = True


CHANGES = [renamed, rolled, longer, hung_elsewhere, not_inheriting, in_another_mode, locked]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_changed_bone_is_seen(character, monkeypatch, change):
    before = applied(character)
    assert same(applied(character), before)
    change(character)
    after = applied(character)
    assert not same(after, before)
    assert same(after, never_seen(monkeypatch, character))


def test_a_change_that_is_taken_back_brings_the_same_curves_back(character):
    before = applied(character)
    character.data.bones[ARM].name = "upper_arm.L"
    applied(character)
    character.data.bones["upper_arm.L"].name = ARM
    assert same(applied(character), before)


def test_an_undone_change_brings_the_same_curves_back(character):
    before = applied(character)
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    rolled(character)
    bpy.ops.ed.undo_push(message="rolled")
    assert not same(applied(character), before)
    bpy.ops.ed.undo()
    assert same(applied(bpy.data.objects["PALLAS"]), before)


def test_another_character_under_the_name_of_a_deleted_one_is_posed_for_itself(
    character, monkeypatch
):
    before = applied(character)
    bpy.data.batch_remove([character.data, *character.children, character])
    other = add_character()
    assert other.name == "PALLAS"
    longer(other)
    after = applied(other)
    assert not same(after, before)
    assert same(after, never_seen(monkeypatch, other))


def test_another_map_moves_other_bones(character, monkeypatch):
    applied(character)
    found = match_bones(read_rest_pose(character).bones)
    arm = {role: own for role, own in found.bones.items() if role != "left_upper_arm"}
    fewer = replace(found, bones=arm)
    after = applied(character, None, fewer)
    assert not any(ARM in path for path, _ in after)
    assert same(after, never_seen(monkeypatch, character, None, fewer))


def test_a_performer_of_another_size_is_brought_to_the_same_character(character, monkeypatch):
    before = applied(character)
    after = applied(character, bent(1.9))
    assert not same(after, before)
    assert same(after, never_seen(monkeypatch, character, bent(1.9)))
