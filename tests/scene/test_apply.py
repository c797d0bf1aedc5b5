import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")
from mathutils import Matrix  # noqa: E402  after the skip where there is no bpy

from pallas.rig import Motion, SceneError, body_skeleton, quaternion  # noqa: E402
from pallas.scene.apply import apply_motion  # noqa: E402
from pallas.scene.bone_maps import MIXAMO, find_bones  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402

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
    """Where the bone of a joint starts in the world, or its end where the joint has no bone."""
    if joint in MIXAMO:
        return np.array(
            armature.matrix_world @ armature.pose.bones[f"mixamorig:{MIXAMO[joint]}"].head
        )
    parent = MIXAMO[joint.replace("hand", "wrist")]
    return np.array(armature.matrix_world @ armature.pose.bones[f"mixamorig:{parent}"].tail)


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


def test_names_without_the_prefix_are_known(character):
    names = [bone.name.removeprefix("mixamorig:") for bone in character.data.bones]
    assert find_bones(names)["left_elbow"] == "LeftForeArm"


def test_an_unknown_rig_is_told_with_some_of_its_bones(character):
    for bone in character.data.bones:
        bone.name = bone.name.replace("mixamorig:", "x_")
    with pytest.raises(SceneError, match=r"x_.*give the bone of each joint"):
        apply_motion(character, t_pose())


def test_an_unknown_rig_is_posed_with_a_map(character):
    for bone in character.data.bones:
        bone.name = bone.name.replace("mixamorig:", "x_")
    action = apply_motion(character, t_pose(), bones={j: f"x_{b}" for j, b in MIXAMO.items()})
    assert len(bpy.data.actions) == 1
    assert action.name == "PALLAS PALLAS"


def test_what_is_no_armature_is_refused(character):
    with pytest.raises(SceneError, match="expected an armature"):
        apply_motion(character.children[0], t_pose())


def test_missing_frames_are_refused(character):
    motion = any_motion()
    holes = motion.rotations.copy()
    holes[3, 4] = np.nan
    with pytest.raises(SceneError, match="missing"):
        apply_motion(character, Motion(motion.skeleton, motion.root_position, holes, 60.0))
