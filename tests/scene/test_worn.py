"""What a character wears is read back as what was put on it."""

from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")
from blender_rigs import append_rigify, write_rigify  # noqa: E402
from mathutils import Matrix  # noqa: E402  after the skip where there is no bpy
from mixamo import MIXAMO  # noqa: E402

from pallas.rig import Motion, SceneError, body_skeleton, quaternion  # noqa: E402
from pallas.rig.retarget import match_bones  # noqa: E402
from pallas.scene.action_notes import bone_map_of  # noqa: E402
from pallas.scene.apply import apply_motion  # noqa: E402
from pallas.scene.armature import read_rest_pose  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.curve_pose import rotation_path  # noqa: E402
from pallas.scene.curves import channels_of, read_curve, write_curve  # noqa: E402
from pallas.scene.leg_keys import write_legs  # noqa: E402
from pallas.scene.worn import LEG_JOINTS, leg_keys, read_worn  # noqa: E402

NO_BONE = ("left_hand", "right_hand")
KNEE = "mixamorig:LeftLeg"


def any_motion(frames=40, fps=60.0, seed=3):
    """Every joint with a bone wanders up to about a radian; the root walks off."""
    random = np.random.default_rng(seed)
    start, end = random.normal(scale=0.4, size=(2, 24, 3))
    t = np.linspace(0.0, 1.0, frames)[:, None, None]
    turns = quaternion.from_rotation_vector((1 - t) * start + t * end)
    skeleton = body_skeleton()
    for joint in NO_BONE:
        turns[:, skeleton.index(joint)] = quaternion.IDENTITY
    root = np.array([0.0, 0.0, 0.918]) + t[:, 0] * np.array([0.3, -1.0, 0.1])
    return Motion(skeleton, root, turns, fps)


def other_legs(motion, part):
    """The same motion with straight legs in a range of frames."""
    rotations = np.array(motion.rotations)
    for joint in LEG_JOINTS:
        rotations[part, motion.skeleton.index(joint)] = quaternion.IDENTITY
    return Motion(motion.skeleton, motion.root_position, rotations, motion.fps)


def all_curves(action_object):
    return {(c.data_path, c.array_index): read_curve(c) for c in channels_of(action_object).fcurves}


def is_leg(path):
    return any(f":{MIXAMO[joint]}" in path for joint in LEG_JOINTS)


@pytest.fixture
def character():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return add_character()


def assert_same(found, motion):
    off = quaternion.angle(found.rotations, motion.rotations)
    assert off.max() < 5e-4  # Blender's curves and rest poses are float32
    factor = found.skeleton.offsets[0, 2] / motion.skeleton.offsets[0, 2]
    np.testing.assert_allclose(found.root_position, factor * motion.root_position, atol=1e-5)


@pytest.mark.parametrize("fps", [24.0, 59.94, 100.0])
def test_what_was_applied_is_read_back(character, fps):
    motion = any_motion(fps=fps)
    apply_motion(character, motion)
    worn = read_worn(character)
    assert worn.motion.fps == pytest.approx(fps, rel=1e-4)
    assert len(worn.between) == 0
    assert_same(worn.motion, motion)


def test_a_turned_and_rescaled_character_with_other_rotation_modes_is_read_the_same(character):
    to_y_up = Matrix.Rotation(-np.pi / 2, 4, "X") @ Matrix.Scale(100.0, 4)
    character.data.transform(to_y_up)
    character.matrix_world = Matrix.Rotation(np.radians(70.0), 4, "Z") @ to_y_up.inverted()
    for index, bone in enumerate(character.pose.bones):
        bone.rotation_mode = ["QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE"][index % 4]
    bpy.context.view_layer.update()
    motion = any_motion()
    apply_motion(character, motion)
    assert_same(read_worn(character).motion, motion)


def test_a_rig_of_unknown_names_is_read_by_the_map_it_was_given(character):
    for bone in character.data.bones:
        bone.name = bone.name.replace("mixamorig:", "x_")
    motion = any_motion()
    left_out = ("mixamorig:Spine", "x_Spine")
    found = match_bones(read_rest_pose(character).bones)
    told = {role: tuple(b for b in own if b not in left_out) for role, own in found.bones.items()}
    apply_motion(character, motion, bone_map=replace(found, bones=told))
    assert bone_map_of(character.animation_data.action, read_rest_pose(character).bones).first(
        "spine"
    ) == ("x_Spine1")
    read = read_worn(character).motion
    for joint in (*LEG_JOINTS, "pelvis", "left_elbow"):
        place = motion.skeleton.index(joint)
        off = quaternion.angle(read.rotations[:, place], motion.rotations[:, place])
        assert off.max() < 5e-4


def test_a_rig_whose_spine_has_other_bones_gives_its_legs_back_exactly(character):
    """Five bones of the spine for our three: of those what lies between is lost, of nothing else."""
    bpy.ops.object.mode_set(mode="EDIT")
    bones = character.data.edit_bones
    for name in ("mixamorig:Spine", "mixamorig:Spine1"):
        bpy.ops.armature.select_all(action="DESELECT")
        for end in ("select", "select_head", "select_tail"):
            setattr(bones[name], end, True)
        bpy.ops.armature.subdivide()
    bpy.ops.object.mode_set(mode="OBJECT")
    motion = any_motion()
    apply_motion(character, motion)
    read = read_worn(character).motion
    ours, theirs = (m.world()[0] for m in (motion, read))
    lost = {"spine1", "spine2", *NO_BONE}
    kept = [i for i, name in enumerate(motion.skeleton.names) if name not in lost]
    assert quaternion.angle(ours[:, kept], theirs[:, kept]).max() < 1e-3


def test_a_rigify_rig_s_controls_are_told(scene, tmp_path):
    rig = append_rigify(write_rigify(tmp_path / "rig.blend"))
    apply_motion(rig, any_motion())
    with pytest.raises(SceneError, match="Rigify's controls"):
        read_worn(rig)


def test_a_change_of_the_animator_s_is_read(character):
    apply_motion(character, any_motion())
    channels, bone = channels_of(character), character.pose.bones[KNEE]
    for column, value in enumerate((1.0, 0.0, 0.0, 0.0)):
        curve = channels.fcurves.find(rotation_path(bone), index=column)
        curve.keyframe_points[7].co.y = value
    knee = read_worn(character).basis[character.data.bones.find(KNEE)]
    np.testing.assert_allclose(knee[7], quaternion.IDENTITY, atol=1e-6)
    assert quaternion.angle(knee[8], quaternion.IDENTITY) > 0.05


def test_a_key_between_the_samples_is_found(character):
    apply_motion(character, any_motion())
    channels_of(character).fcurves.find(
        rotation_path(character.pose.bones[KNEE]), index=0
    ).keyframe_points.insert(2.0, 1.0)
    worn = read_worn(character)
    np.testing.assert_allclose(worn.between, [2.0])
    assert len(worn.motion) == 40
    assert worn.around([2.0]) == [2, 3]
    assert worn.around([1.0, 5.0]) == [0, 10]


def test_sparse_keys_are_read_at_every_frame_of_the_scene(character):
    apply_motion(character, any_motion(frames=5, fps=4.0))
    worn = read_worn(character)
    np.testing.assert_allclose(worn.frames, np.arange(1.0, 26.0))
    assert worn.motion.fps == 24.0


def test_hours_of_keys_still_lie_on_their_samples(character):
    apply_motion(character, any_motion(fps=60.0))
    channels, bone = channels_of(character), character.pose.bones[KNEE]
    frames = 1.0 + np.arange(40000) * 24.0 / 59.94
    for column in range(4):
        values = np.full(len(frames), 1.0 - min(column, 1))
        write_curve(channels, rotation_path(bone), column, frames, values)
    for joint in LEG_JOINTS:
        other = character.pose.bones[f"mixamorig:{MIXAMO[joint]}"]
        for column in range(4) if other != bone else ():
            channels.fcurves.remove(channels.fcurves.find(rotation_path(other), index=column))
    keys = leg_keys(character)
    from pallas.scene.worn import _samples  # noqa: PLC0415  the evaluation of an hour takes long

    samples, between = _samples(keys, 24.0)
    assert (len(samples), len(between)) == (40000, 0)
    np.testing.assert_allclose(samples, frames, atol=0.02)


def test_legs_are_written_in_the_range_and_nothing_else_changes(character):
    motion = any_motion()
    former = apply_motion(character, motion, "take")
    before = all_curves(character)
    worn = read_worn(character)
    part = slice(10, 20)
    action = write_legs(character, worn, other_legs(worn.motion, part), part, seed=7)
    after = all_curves(character)
    assert action.name == "take legs seed 7"
    assert character.animation_data.action == action
    assert former.use_fake_user
    assert before.keys() == after.keys()
    for (path, column), points in before.items():
        found = after[path, column]
        kept = np.delete(np.arange(40), part) if is_leg(path) else slice(None)
        np.testing.assert_array_equal(found[kept], points[kept])
    knee = read_worn(character).motion
    off = quaternion.angle(knee.rotations[part], other_legs(motion, part).rotations[part])
    assert off.max() < 5e-4
    again = write_legs(character, read_worn(character), motion, slice(0, 5), seed=8)
    assert again.name == "take legs seed 8"


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "AXIS_ANGLE"])
def test_legs_of_every_rotation_mode_are_written(character, mode):
    for bone in character.pose.bones:
        bone.rotation_mode = mode
    apply_motion(character, any_motion())
    worn, part = read_worn(character), slice(10, 20)
    wanted = other_legs(worn.motion, part)
    write_legs(character, worn, wanted, part)
    assert_same(read_worn(character).motion, wanted)


def test_keys_between_stay_outside_the_range_and_at_pins(character):
    apply_motion(character, any_motion())
    bone = character.pose.bones[KNEE]
    for frame in (2.0, 6.0, 8.0):
        for column in range(4):
            curve = channels_of(character).fcurves.find(rotation_path(bone), index=column)
            curve.keyframe_points.insert(frame, curve.evaluate(frame))
    worn = read_worn(character)
    part = slice(10, 30)  # frames 5 to 12.6
    write_legs(character, worn, other_legs(worn.motion, part), part, pinned=worn.around([6.0]))
    keys = leg_keys(character)
    assert 2.0 in keys
    assert 6.0 in keys
    assert 8.0 not in keys


def test_legs_of_a_character_without_an_action_say_what_to_do(character):
    with pytest.raises(SceneError, match="apply a solved motion first"):
        read_worn(character)


def test_a_range_outside_the_action_says_where_it_is(character):
    apply_motion(character, any_motion())
    with pytest.raises(SceneError, match="from 1 to"):
        read_worn(character).samples(100, 200)
