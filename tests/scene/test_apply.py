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
from pallas.scene.apply import apply_motion  # noqa: E402
from pallas.scene.armature import read_rest_pose  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.curves import channels_of, read_curve  # noqa: E402

LIMBS = [
    (f"{side}_{joint}", f"{side}_{child}")
    for side in ("left", "right")
    for joint, child in (
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("wrist", "hand"),
        ("hip", "knee"),
        ("knee", "ankle"),
    )
]


def any_motion(fps=60.0, frames=40, seed=3):
    """Every joint wanders up to about a radian; the root walks off."""
    random = np.random.default_rng(seed)
    start, end = random.normal(scale=0.5, size=(2, 24, 3))
    t = np.linspace(0.0, 1.0, frames)[:, None, None]
    turns = quaternion.from_rotation_vector((1 - t) * start + t * end)
    root = np.array([0.0, 0.0, 0.918]) + t[:, 0] * np.array([0.3, -1.0, 0.1])
    return Motion(body_skeleton(), root, turns, fps)


def t_pose():
    skeleton = body_skeleton()
    return Motion(skeleton, skeleton.offsets[:1], np.tile(quaternion.IDENTITY, (1, 24, 1)), 60.0)


@pytest.fixture
def character():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return add_character()


def place(armature, joint):
    """Where the bone of a joint starts in the world; of a hand's joint, which has none, its knuckles."""
    names = [MIXAMO.get(joint)]
    if joint not in MIXAMO:
        hand = MIXAMO[joint.replace("hand", "wrist")]
        names = [f"{hand}{finger}1" for finger in ("Index", "Middle", "Ring", "Pinky")]
    heads = [armature.matrix_world @ armature.pose.bones[f"mixamorig:{n}"].head for n in names]
    return np.mean(heads, axis=0)


def go_to(motion, frame):
    scene = bpy.context.scene
    when = 1.0 + frame / motion.fps * scene.render.fps
    scene.frame_set(int(when), subframe=when - int(when))


def assert_limbs_point_like(armature, motion, frame, turn=quaternion.IDENTITY):
    go_to(motion, frame)
    names, origins = motion.skeleton.names, motion.world()[1][frame]
    for joint, child in LIMBS:
        is_ = place(armature, child) - place(armature, joint)
        wanted = origins[names.index(child)] - origins[names.index(joint)]
        wanted = quaternion.rotate(turn, wanted)
        sine = np.linalg.norm(np.cross(is_, wanted))
        angle = np.arctan2(sine, np.dot(is_, wanted))
        assert angle < 1e-4, f"{joint} is {angle:.2e} rad off"


@pytest.mark.parametrize("fps", [24.0, 60.0, 59.94])
def test_limbs_point_where_the_motion_points_them(character, fps):
    motion = any_motion(fps)
    apply_motion(character, motion)
    for frame in (0, 20, 39):
        assert_limbs_point_like(character, motion, frame)


def test_keys_lie_at_the_motion_s_own_times(character):
    bpy.context.scene.render.fps = 30
    action = apply_motion(character, any_motion(100.0, 11), start=5.0)
    np.testing.assert_allclose(action.frame_range, (5.0, 8.0), atol=1e-5)


def test_nothing_but_the_action_changes(character):
    scene = bpy.context.scene
    scene.render.fps, scene.frame_end = 25, 77
    rest = [np.array(bone.matrix_local) for bone in character.data.bones]
    modes = [bone.rotation_mode for bone in character.pose.bones]
    apply_motion(character, any_motion())
    assert (scene.render.fps, scene.render.fps_base, scene.frame_end) == (25, 1.0, 77)
    np.testing.assert_array_equal(np.array(character.matrix_world), np.eye(4))
    np.testing.assert_array_equal(rest, [np.array(b.matrix_local) for b in character.data.bones])
    assert modes == [bone.rotation_mode for bone in character.pose.bones]
    assert len(bpy.data.actions) == 1


def test_the_t_pose_holds_palms_down_and_soles_on_the_floor(character):
    soles = character.data.bones["mixamorig:LeftFoot"].head_local.z
    apply_motion(character, t_pose())
    bpy.context.scene.frame_set(1)
    for side in ("Left", "Right"):
        index, little = (
            np.array(character.pose.bones[f"mixamorig:{side}Hand{finger}1"].head)
            for finger in ("Index", "Pinky")
        )
        across = (little - index) / np.linalg.norm(little - index)
        assert across[1] > 0.98  # thumb side forward, so the palm looks down
        assert character.pose.bones[f"mixamorig:{side}Foot"].head.z == pytest.approx(
            soles, abs=2e-3
        )


def test_steps_are_scaled_by_the_length_of_the_legs(character):
    tall = t_pose()
    scaled = Motion(
        tall.skeleton.scaled(2.0),
        np.array([[0.0, 0.0, 2 * 0.918], [0.0, -2.0, 2 * 0.918]]),
        np.tile(quaternion.IDENTITY, (2, 24, 1)),
        60.0,
    )
    apply_motion(character, scaled)
    go_to(scaled, 0)
    before = place(character, "pelvis")
    go_to(scaled, 1)
    step = place(character, "pelvis") - before
    np.testing.assert_allclose(step, [0.0, -1.0, 0.0], atol=0.02)


def test_a_turned_and_rescaled_object_of_another_up_axis_is_posed_the_same(character):
    """As an FBX import leaves it: y up and centimetres in the armature, undone by the object."""
    to_y_up = Matrix.Rotation(-np.pi / 2, 4, "X") @ Matrix.Scale(100.0, 4)
    turn = Matrix.Rotation(np.radians(70.0), 4, "Z")
    character.data.transform(to_y_up)
    character.children[0].data.transform(to_y_up)
    character.matrix_world = turn @ to_y_up.inverted()
    bpy.context.view_layer.update()
    motion = any_motion()
    apply_motion(character, motion)
    heading = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.radians(70.0))
    assert_limbs_point_like(character, motion, 20, heading)
    go_to(motion, 0)
    before = place(character, "pelvis")
    go_to(motion, 39)
    walked = quaternion.rotate(quaternion.conjugate(heading), place(character, "pelvis") - before)
    np.testing.assert_allclose(walked, [0.3, -1.0, 0.1], rtol=0.06)


def test_bones_of_every_rotation_mode_are_posed_the_same(character):
    modes = ["QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE"]
    for index, bone in enumerate(character.pose.bones):
        bone.rotation_mode = modes[index % 4]
    motion = any_motion()
    apply_motion(character, motion)
    assert_limbs_point_like(character, motion, 20)


def test_a_bone_that_ignores_its_parent_s_turn_is_posed_the_same(character):
    character.data.bones["mixamorig:LeftArm"].use_inherit_rotation = False
    motion = any_motion()
    apply_motion(character, motion)
    assert_limbs_point_like(character, motion, 20)


def test_a_rig_of_other_names_is_posed_the_same(character):
    keys = {}
    for prefix in ("mixamorig:", "", "x_"):
        for bone in character.data.bones:
            bone.name = prefix + bone.name.removeprefix("mixamorig:")
        apply_motion(character, any_motion())
        curves = sorted(channels_of(character).fcurves, key=lambda c: (c.data_path, c.array_index))
        keys[prefix] = np.array([read_curve(curve) for curve in curves])
    np.testing.assert_array_equal(keys[""], keys["mixamorig:"])
    np.testing.assert_array_equal(keys["x_"], keys["mixamorig:"])


def test_a_rig_without_legs_is_told(character):
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in [b for b in character.data.edit_bones if "Leg" in b.name]:
        character.data.edit_bones.remove(bone)
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(SceneError, match="expected a humanoid"):
        apply_motion(character, t_pose())


def test_bones_that_a_person_told_are_posed(character):
    """A map without the left arm: its bones stay as they are."""
    found = match_bones(read_rest_pose(character).bones)
    arm = ("left_upper_arm", "left_forearm", "left_hand")
    told = replace(found, bones={r: own for r, own in found.bones.items() if r not in arm})
    action = apply_motion(character, any_motion(), bone_map=told)
    assert (len(bpy.data.actions), action.name) == (1, "PALLAS PALLAS")
    paths = {curve.data_path for curve in channels_of(character).fcurves}
    assert not [path for path in paths if ":LeftArm" in path or ":LeftForeArm" in path]
    assert [path for path in paths if ":RightArm" in path]


def test_a_character_plays_where_it_stands_and_faces(character):
    """On a platform of 2 m, turned by a right angle: the same motion, turned and there."""
    plain = any_motion()
    apply_motion(character, plain)
    places = []
    for frame in (0, 39):
        go_to(plain, frame)
        places.append(place(character, "left_wrist"))
    turn = Matrix.Rotation(np.pi / 2, 4, "Z")
    character.matrix_world = Matrix.Translation((3.0, 1.0, 2.0)) @ turn
    bpy.context.view_layer.update()
    apply_motion(character, plain)
    for frame, before in zip((0, 39), places, strict=True):
        go_to(plain, frame)
        wanted = [3.0 - before[1], 1.0 + before[0], 2.0 + before[2]]
        np.testing.assert_allclose(place(character, "left_wrist"), wanted, atol=1e-4)


def test_a_rigify_rig_wears_it_on_its_controls(scene, tmp_path):
    rig = append_rigify(write_rigify(tmp_path / "rig.blend"))
    motion = any_motion()
    apply_motion(rig, motion, controls="fk")
    go_to(motion, 20)
    origins, names = motion.world()[1][20], motion.skeleton.names
    posed = rig.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
    for bone, joint, child in (
        ("ORG-forearm.L", "left_elbow", "left_wrist"),
        ("ORG-thigh.R", "right_hip", "right_knee"),
    ):
        is_ = np.array(posed[bone].tail - posed[bone].head)
        wanted = origins[names.index(child)] - origins[names.index(joint)]
        cosine = is_ @ wanted / np.linalg.norm(is_) / np.linalg.norm(wanted)
        assert cosine > np.cos(np.radians(0.5))


def test_what_is_no_armature_is_refused(character):
    with pytest.raises(SceneError, match="expected an armature"):
        apply_motion(character.children[0], t_pose())


def test_missing_frames_are_refused(character):
    motion = any_motion()
    holes = motion.rotations.copy()
    holes[3, 4] = np.nan
    with pytest.raises(SceneError, match="missing"):
        apply_motion(character, Motion(motion.skeleton, motion.root_position, holes, 60.0))
