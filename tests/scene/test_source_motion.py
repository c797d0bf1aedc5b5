"""Armatures of any kind as sources: what is sampled is what Blender shows, and nothing changes by it."""

import numpy as np
import pytest

from pallas.rig import SceneError, quaternion

bpy = pytest.importorskip("bpy")

from pallas.scene.armature import add_armature, editing_bones  # noqa: E402
from pallas.scene.keyframes import write_keyframes  # noqa: E402
from pallas.scene.source_motion import read_armature_motion, sampled_motion  # noqa: E402

FRAMES = 12
ABOUT_X = np.array([1.0, 0.0, 0.0])


def turning(angles):
    return quaternion.from_axis_angle(ABOUT_X, np.asarray(angles))


@pytest.fixture
def arm(scene):
    """Two bones upwards, one metre each, and a control beside them that deforms nothing."""
    item = add_armature("arm", scene.collection)
    with editing_bones(item) as bones:
        for name, head, parent in (
            ("lower", 0.0, None),
            ("middle", 1.0, "lower"),
            ("upper", 2.0, "middle"),
        ):
            bone = bones.new(name)
            bone.head, bone.tail = (0, 0, head), (0, 0, head + 1)
            bone.parent = bones[parent] if parent else None
    item.data.bones["middle"].use_deform = False
    return item


@pytest.fixture
def moving(arm):
    angles = np.linspace(0, np.pi / 2, FRAMES)
    write_keyframes(arm, "raise", np.arange(1.0, FRAMES + 1), {"lower": turning(angles)})
    return arm


def shown(item, bone, frame):
    bpy.context.scene.frame_set(frame)
    posed = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array(posed.matrix_world @ posed.pose.bones[bone].matrix)


def test_sampled_bones_are_where_blender_shows_them(moving):
    moving.matrix_world = [[0, -2, 0, 1], [2, 0, 0, 0], [0, 0, 2, 0.5], [0, 0, 0, 1]]
    bpy.context.view_layer.update()
    source = read_armature_motion(moving, 1, FRAMES)
    assert (len(source), source.fps, source.name) == (FRAMES, 24.0, "raise")
    for frame in (1, 5, FRAMES):
        for bone in ("lower", "upper"):
            matrix, place = shown(moving, bone, frame), source.bones.index(bone)
            np.testing.assert_allclose(source.heads[frame - 1, place], matrix[:3, 3], atol=1e-5)
            np.testing.assert_allclose(
                quaternion.to_matrix(source.rotations[frame - 1, place]),
                matrix[:3, :3] / 2,
                atol=1e-5,
            )


def test_the_bones_at_rest_are_the_armatures_wherever_its_pose_is(moving):
    bpy.context.scene.frame_set(FRAMES)
    bones = read_armature_motion(moving, FRAMES, FRAMES).bones
    np.testing.assert_allclose(bones.heads[:, 2], [0, 1, 2], atol=1e-6)
    np.testing.assert_allclose(bones.tails[:, 2], [1, 2, 3], atol=1e-6)


def test_constraints_and_drivers_take_part(arm, scene):
    target = bpy.data.objects.new("target", None)
    scene.collection.objects.link(target)
    target.location = (5, 0, 1)
    constraint = arm.pose.bones["middle"].constraints.new("DAMPED_TRACK")
    constraint.target = target
    driver = arm.pose.bones["lower"].driver_add("location", 0).driver
    driver.expression = "frame / 10"
    source = read_armature_motion(arm, 0, 10, step=5)
    np.testing.assert_allclose(source.heads[:, 0, 0], [0, 0.5, 1.0], atol=1e-5)
    along = source.heads[0, 2] - source.heads[0, 1]
    np.testing.assert_allclose(along, [1, 0, 0], atol=1e-5)


def test_steps_may_be_fractions_of_a_frame(moving):
    source = read_armature_motion(moving, 1, 3, step=0.5)
    assert (len(source), source.fps) == (5, 48.0)
    whole = read_armature_motion(moving, 1, 3)
    np.testing.assert_allclose(source.heads[::2], whole.heads, atol=1e-6)


def test_deforming_bones_hang_on_the_nearest_one_that_deforms(moving):
    source = read_armature_motion(moving, 1, 2, deform_only=True)
    assert source.bones.names == ("lower", "upper")
    assert source.bones.parents == (-1, 0)
    for bone in moving.data.bones:
        bone.use_deform = False
    with pytest.raises(SceneError, match="no bone of 'arm' deforms"):
        read_armature_motion(moving, 1, 2, deform_only=True)


def test_another_action_plays_on_a_copy_that_follows_itself(moving):
    raise_arm = moving.animation_data.action
    still = write_keyframes(moving, "still", np.array([1.0]), {"lower": turning([0.0])})
    constraint = moving.pose.bones["upper"].constraints.new("COPY_ROTATION")
    constraint.target, constraint.subtarget = moving, "lower"
    source = read_armature_motion(moving, 1, FRAMES, action=raise_arm)
    assert source.name == "raise"
    np.testing.assert_allclose(source.rotations[-1, 2], source.rotations[-1, 0], atol=1e-5)
    assert source.heads[-1, 1, 2] == pytest.approx(0, abs=1e-5)
    assert moving.animation_data.action == still


def test_sampling_changes_nothing(moving, scene):
    moving.pose.bones["lower"].rotation_quaternion = (0.6, 0.8, 0, 0)
    moving.pose.bones["upper"].location = (1, 2, 3)
    scene.frame_set(4)
    moving.pose.bones["lower"].rotation_quaternion = (0.6, 0.8, 0, 0)

    def state():
        kinds = ("objects", "scenes", "actions", "armatures", "collections", "worlds")
        names = [tuple(item.name for item in getattr(bpy.data, kind)) for kind in kinds]
        poses = [tuple(map(tuple, bone.matrix_basis)) for bone in moving.pose.bones]
        return names, poses, scene.frame_current, bpy.context.scene, bpy.context.mode

    before = state()
    read_armature_motion(moving, 1, FRAMES)
    read_armature_motion(moving, 1, 2, action=moving.animation_data.action)
    assert state() == before


def test_a_hidden_armature_is_sampled_too(moving):
    seen = read_armature_motion(moving, 1, FRAMES)
    moving.hide_viewport = True
    np.testing.assert_array_equal(read_armature_motion(moving, 1, FRAMES).heads, seen.heads)


def test_an_uneven_scale_gives_rotations_still(moving):
    moving.scale = (1, 1, 2)
    bpy.context.view_layer.update()
    source = read_armature_motion(moving, 1, FRAMES)
    np.testing.assert_allclose(np.linalg.norm(source.rotations, axis=-1), 1.0, atol=1e-9)
    np.testing.assert_allclose(source.heads[3, 2], shown(moving, "upper", 4)[:3, 3], atol=1e-5)


@pytest.mark.parametrize(("first", "last", "step"), [(5, 4, 1), (1, 5, 0), (1, 5, -1)])
def test_a_range_without_frames_is_refused(moving, first, last, step):
    with pytest.raises(SceneError, match="hold no frame"):
        read_armature_motion(moving, first, last, step=step)


def test_what_is_no_armature_is_refused(scene, moving):
    with pytest.raises(SceneError, match="expected an armature"):
        read_armature_motion(None, 1, 2)
    moving.scale = (-1, 1, 1)
    bpy.context.view_layer.update()
    with pytest.raises(SceneError, match="mirrored"):
        read_armature_motion(moving, 1, 2)
    assert len(bpy.data.scenes) == 1


def test_sampling_tells_how_far_it_is_and_leaves_nothing_when_it_is_given_up(moving):
    steps = sampled_motion(moving, 1, FRAMES)
    assert [next(steps) for _ in range(3)] == pytest.approx([1 / 12, 2 / 12, 3 / 12])
    assert len(bpy.data.scenes) == 2
    steps.close()
    assert len(bpy.data.scenes) == 1
    assert moving.name in bpy.context.scene.objects
