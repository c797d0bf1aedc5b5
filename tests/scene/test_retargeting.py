"""Motions on characters of five programs: bones where they belong, and nothing else of the file changed."""

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from blender_rigs import add_knight, add_mpfb, add_vrm, append_rigify, write_rigify  # noqa: E402
from file_hash import file_hash  # noqa: E402

from pallas.rig import Motion, SceneError, body_skeleton, quaternion  # noqa: E402
from pallas.rig.retarget import SourceMotion  # noqa: E402
from pallas.rig.retarget.matching import match_bones  # noqa: E402
from pallas.rig.retarget.result import RetargetOptions  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.curves import channels_of, read_curve  # noqa: E402
from pallas.scene.retarget_target import constrained, only_armature, read_target  # noqa: E402
from pallas.scene.retargeting import (  # noqa: E402
    Task,
    pose_first_frame,
    retarget,
    retargeted_keys,
    write_retargeted,
)

FPS = 24.0
FRAMES = 25


def any_motion(seed=3):
    """Every joint wanders by up to half a radian; the body walks off and turns."""
    random = np.random.default_rng(seed)
    start, end = random.normal(scale=0.2, size=(2, 24, 3))
    time = np.linspace(0.0, 1.0, FRAMES)[:, None, None]
    turns = quaternion.from_rotation_vector((1 - time) * start + time * end)
    root = np.array([0.0, 0.0, 0.9]) + time[:, 0] * np.array([0.3, -1.0, 0.0])
    return Motion(body_skeleton(), root, turns, FPS)


@pytest.fixture(scope="session")
def rigify_file(tmp_path_factory):
    return write_rigify(tmp_path_factory.mktemp("rigify") / "rig.blend")


@pytest.fixture
def source(scene):
    return SourceMotion.of_motion(any_motion(), "walk")


@pytest.fixture
def character(scene):
    return add_character()


def task_of(source, armature, controls="fk", **options):
    target = read_target(armature)
    options = RetargetOptions(**{"contacts": "off", **options})
    return Task(
        source, match_bones(source.bones), target, match_bones(target.bones), options, controls
    )


def played(armature, keys, names, frames=(0, 7, 24)):
    """Worst distance, metres, and angle, degrees, of bones in Blender from where they were to be."""
    gaps, angles = [], []
    for frame in frames:
        bpy.context.scene.frame_set(1 + frame)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for place, bone in enumerate(keys.result.driven):
            if names[bone] not in posed.pose.bones:
                continue
            matrix = np.array(armature.matrix_world @ posed.pose.bones[names[bone]].matrix)
            gaps.append(np.linalg.norm(matrix[:3, 3] - keys.result.heads[frame, place]))
            along = quaternion.rotate(
                keys.result.rotations[frame, place], np.array([0.0, 1.0, 0.0])
            )
            is_ = matrix[:3, 1] / np.linalg.norm(matrix[:3, 1])
            angles.append(np.degrees(np.arctan2(np.linalg.norm(np.cross(is_, along)), is_ @ along)))
    return max(gaps), max(angles)


def applied(source, armature, **options):
    task = task_of(source, armature, **options)
    keys = retargeted_keys(task)
    write_retargeted(armature, keys, "walk")
    return played(armature, keys, task.target.bones.names)


@pytest.mark.parametrize("root", ["hips", "in place"])
def test_bones_of_the_embedded_character_are_where_they_were_to_be(source, root):
    gap, angle = applied(source, add_character(), root=root)
    assert gap < 1e-5
    assert angle < 0.01


def test_bones_under_vroid_s_names_are_where_they_were_to_be(source):
    gap, angle = applied(source, add_vrm())
    assert gap < 1e-5
    assert angle < 0.01


def test_bones_of_the_knight_are_where_they_were_to_be(source, data):
    gap, angle = applied(source, add_knight(data("rigs/kaykit/Knight.glb")), root="bone")
    assert gap < 1e-5
    assert angle < 0.01


def test_bones_of_mpfb_s_rig_are_where_they_were_to_be(source, data):
    gap, angle = applied(source, add_mpfb(data("rigs/mpfb/rig.default.json")))
    assert gap < 1e-5  # though its twist bones lie a little beside the limbs
    assert angle < 0.01


@pytest.mark.parametrize("controls", ["fk", "ik"])
@pytest.mark.parametrize("root", ["hips", "bone"])
def test_deforming_bones_of_a_rigify_rig_follow_its_controls(source, rigify_file, controls, root):
    rig = append_rigify(rigify_file)
    task = task_of(source, rig, controls, root=root)
    keys = retargeted_keys(task)
    write_retargeted(rig, keys, "walk")
    shown = {"head": "DEF-spine.006", "neck": "", "root": "root"}
    names = [shown.get(n, n.replace("ORG-", "DEF-")) for n in task.target.bones.names]
    gap, angle = played(rig, keys, names)
    assert gap < 2e-3
    assert angle < 0.5


def test_switches_are_keyed_and_the_file_s_own_stay(source, rigify_file):
    rig = append_rigify(rigify_file)
    before = {bone.name: dict(bone.items()) for bone in rig.pose.bones if "IK_FK" in bone}
    keys = retargeted_keys(task_of(source, rig, "fk"))
    write_retargeted(rig, keys, "walk")
    assert before == {bone.name: dict(bone.items()) for bone in rig.pose.bones if "IK_FK" in bone}
    curve = channels_of(rig).fcurves.find('pose.bones["thigh_parent.L"]["IK_FK"]')
    np.testing.assert_array_equal(read_curve(curve), [[1.0, 1.0]])


@pytest.mark.parametrize("add", [add_character, append_rigify])
def test_nothing_of_the_file_changes_but_the_new_action(source, rigify_file, add):
    bystander = add_vrm("Bystander")
    former = retarget(
        source, match_bones(source.bones), bystander, match_bones(read_target(bystander).bones)
    )
    armature = add(rigify_file) if add is append_rigify else add()
    armature["mine"] = 3
    bone = armature.pose.bones[4]
    bone["also mine"] = 0.5
    bone.constraints.new("LIMIT_SCALE")
    armature.driver_add("hide_render").driver.expression = "False"
    task = task_of(source, armature)
    bpy.context.view_layer.update()
    left_out = {"without": ("walk",), "pose_of": (armature.name_full,)}
    before = file_hash(**left_out)
    write_retargeted(armature, retargeted_keys(task), "walk")
    assert file_hash(**left_out) == before
    if add is add_character:  # of Rigify's rig, drivers set influences when it plays
        bpy.context.scene.frame_set(9)
        bpy.context.scene.frame_set(1)
        assert file_hash(**left_out) == before
    assert former.name in bpy.data.actions
    armature.pose.bones[4].lock_scale[0] ^= True
    assert file_hash(**left_out) != before


@pytest.mark.parametrize("name", ["co", "handle_left", "interpolation"])
def test_the_hash_tells_a_change_of_one_key(source, character, name):
    write_retargeted(character, retargeted_keys(task_of(source, character)), "walk")
    before = file_hash()
    assert file_hash() == before
    key = channels_of(character).fcurves[5].keyframe_points[7]
    if name == "interpolation":
        key.interpolation = "BEZIER"
    else:
        getattr(key, name)[1] += 0.5
    assert file_hash() != before


def test_a_second_run_writes_the_same_keys(source, character):
    def keys():
        retarget(
            source, match_bones(source.bones), character, match_bones(read_target(character).bones)
        )
        curves = sorted(channels_of(character).fcurves, key=lambda c: (c.data_path, c.array_index))
        bpy.context.scene.frame_set(1 + len(bpy.data.actions))
        return [(c.data_path, c.array_index, read_curve(c).tobytes()) for c in curves]

    assert keys() == keys()


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZXY", "AXIS_ANGLE"])
def test_keys_go_into_each_bone_s_own_rotation_mode(source, character, mode):
    for bone in character.pose.bones:
        bone.rotation_mode = mode
    gap, angle = applied(source, character)
    assert gap < 1e-5
    assert angle < 0.01
    assert {bone.rotation_mode for bone in character.pose.bones} == {mode}


@pytest.mark.parametrize("mode", ["XYZ", "QUATERNION"])
def test_locked_channels_keep_their_value_and_children_make_up_for_it(source, character, mode):
    hips, arm = (character.pose.bones[f"mixamorig:{name}"] for name in ("Hips", "LeftArm"))
    arm.rotation_mode = mode
    arm.lock_rotation = (False, True, False)
    hips.lock_location = (True, False, False)
    task = task_of(source, character)
    keys = retargeted_keys(task)
    write_retargeted(character, keys, "walk")
    paths = {(c.data_path, c.array_index) for c in channels_of(character).fcurves}
    assert (hips.path_from_id("location"), 0) not in paths
    assert (hips.path_from_id("location"), 1) in paths
    bpy.context.scene.frame_set(20)
    angles = arm.rotation_euler if mode == "XYZ" else arm.rotation_quaternion.to_euler("XYZ")
    assert angles[1] == pytest.approx(0.0, abs=1e-5)
    place = task.target.bones.index("mixamorig:LeftForeArm")
    wanted = keys.result.rotations[19, keys.result.driven.index(place)]
    forearm = character.pose.bones["mixamorig:LeftForeArm"].matrix.to_quaternion()
    assert quaternion.angle(np.array(forearm), wanted) < 1e-4


def test_a_bone_that_is_locked_altogether_gets_no_keys(source, character):
    head = character.pose.bones["mixamorig:Head"]
    head.lock_rotation = (True, True, True)
    write_retargeted(character, retargeted_keys(task_of(source, character)), "walk")
    assert not [c for c in channels_of(character).fcurves if f'"{head.name}"' in c.data_path]


def test_connected_hips_are_moved_by_the_bone_they_are_connected_to(source, character):
    bpy.context.view_layer.objects.active = character
    bpy.ops.object.mode_set(mode="EDIT")
    edited = character.data.edit_bones
    root = edited.new("base")
    root.head, root.tail = (0.0, 0.2, 0.5), edited["mixamorig:Hips"].head
    edited["mixamorig:Hips"].parent, edited["mixamorig:Hips"].use_connect = root, True
    bpy.ops.object.mode_set(mode="OBJECT")
    gap, _ = applied(source, character)
    assert gap < 1e-5


def test_a_turned_scaled_and_parented_object_is_posed_the_same(source, character):
    holder = bpy.data.objects.new("Holder", None)
    bpy.context.collection.objects.link(holder)
    character.parent = holder
    holder.location, holder.rotation_euler[2] = (1.0, 2.0, 0.0), 0.7
    character.scale = (0.5, 0.5, 0.5)
    bpy.context.view_layer.update()
    gap, angle = applied(source, character)
    assert gap < 1e-5
    assert angle < 0.01


def test_a_library_override_gets_the_motion_and_a_plain_link_is_told(source, tmp_path):
    add_character("Linked")
    path = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.objects = ["Linked"]
    linked = wanted.objects[0]
    bpy.context.collection.objects.link(linked)
    bpy.context.view_layer.update()
    with pytest.raises(SceneError, match="library override"):
        read_target(linked)
    override = linked.override_create(remap_local_usages=True)
    bpy.context.view_layer.update()
    gap, _ = applied(source, override)
    assert gap < 1e-5


def test_a_preview_poses_without_keys(source, character):
    keys = retargeted_keys(task_of(source, character))
    pose_first_frame(character, keys)
    bpy.context.view_layer.update()
    assert character.animation_data is None
    head = character.pose.bones["mixamorig:Hips"].head
    np.testing.assert_allclose(head, keys.result.heads[0, keys.result.driven.index(0)], atol=1e-5)


def test_keys_lie_at_the_motion_s_own_times(source, character):
    bpy.context.scene.render.fps = 30
    action = write_retargeted(character, retargeted_keys(task_of(source, character)), "walk", 5.0)
    np.testing.assert_allclose(action.frame_range, (5.0, 35.0), atol=1e-4)
    assert bpy.context.scene.render.fps == 30


def test_source_and_target_must_be_two(character):
    with pytest.raises(SceneError, match="source and target"):
        read_target(character, character)


@pytest.mark.parametrize(
    ("scale", "told"), [((1.0, 2.0, 1.0), "scaled by"), ((-1.0, 1.0, 1.0), "mirrored")]
)
def test_uneven_and_mirrored_scales_are_refused(character, scale, told):
    character.scale = scale
    bpy.context.view_layer.update()
    with pytest.raises(SceneError, match=told):
        read_target(character)


def test_bones_that_follow_each_other_in_a_circle_are_refused(character):
    for bone, other in (("LeftHand", "RightHand"), ("RightHand", "LeftHand")):
        constraint = character.pose.bones[f"mixamorig:{bone}"].constraints.new("COPY_ROTATION")
        constraint.target, constraint.subtarget = character, f"mixamorig:{other}"
    with pytest.raises(SceneError, match=r"circle \(.*Hand -> .*Hand -> .*Hand\)"):
        read_target(character)


def test_two_armatures_that_follow_each_other_are_refused(character):
    other = add_character("Other")
    for item, target in ((character, other), (other, character)):
        constraint = item.constraints.new("COPY_LOCATION")
        constraint.target = target
    with pytest.raises(SceneError, match="circle"):
        read_target(character, other)


def test_no_armature_and_two_are_refused(scene):
    with pytest.raises(SceneError, match="found no armature"):
        only_armature(scene.objects)
    add_character("One")
    add_character("Two")
    with pytest.raises(SceneError, match="found 2 armatures"):
        only_armature(scene.objects)


def test_mapped_bones_with_constraints_are_named(character):
    hand = character.pose.bones["mixamorig:LeftHand"]
    hand.constraints.new("LIMIT_ROTATION")
    assert constrained(character, match_bones(read_target(character).bones)) == [hand.name]
