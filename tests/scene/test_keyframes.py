import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")
from mathutils import Euler  # noqa: E402  after the skip where there is no bpy

from pallas.rig import SceneError, ShapeError, quaternion  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.keyframes import action_fcurves, write_keyframes  # noqa: E402

BONE, OTHER = "mixamorig:LeftArm", "mixamorig:Hips"
FRAMES = np.arange(200) * 0.4 + 1.0


@pytest.fixture
def character():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return add_character()


@pytest.fixture
def turns():
    """A smooth tumble through every orientation, gimbal lock included."""
    t = np.linspace(0.0, 6.0, len(FRAMES))
    about_y = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 2.0 * t)
    about_x = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 1.3 * t)
    return quaternion.multiply(about_y, about_x)


def curves(action, path):
    """(T, 1 + C): times, then the values of a property's curves."""
    found = [c for c in action_fcurves(action) if c.data_path.endswith(path)]
    columns = []
    for curve in sorted(found, key=lambda c: c.array_index):
        points = np.empty(2 * len(curve.keyframe_points))
        curve.keyframe_points.foreach_get("co", points)
        columns.append(points.reshape(-1, 2))
    return np.column_stack([columns[0][:, 0], *(c[:, 1] for c in columns)])


def test_what_is_read_back_is_what_was_written(character, turns):
    places = np.stack([np.sin(FRAMES), np.cos(FRAMES), 0.01 * FRAMES], axis=1)
    action = write_keyframes(character, "take", FRAMES, {BONE: turns}, {OTHER: places})
    rotation, location = curves(action, "rotation_quaternion"), curves(action, "location")
    np.testing.assert_allclose(location[:, 1:], places, atol=1e-6)
    np.testing.assert_allclose(rotation[:, 0], FRAMES, atol=1e-5)
    np.testing.assert_allclose(np.abs(np.sum(rotation[:, 1:] * turns, axis=1)), 1.0, atol=1e-6)
    assert np.all(np.sum(rotation[1:, 1:] * rotation[:-1, 1:], axis=1) > 0.0)


def test_blender_plays_what_was_written(character, turns):
    write_keyframes(character, "take", FRAMES, {BONE: turns})
    for frame in (0, 77, 199):
        whole = int(FRAMES[frame])
        bpy.context.scene.frame_set(whole, subframe=FRAMES[frame] - whole)
        played = character.pose.bones[BONE].matrix_basis.to_quaternion()
        assert quaternion.angle(np.array(played), turns[frame]) < 1e-3


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_an_euler_bone_gets_euler_angles_that_never_jump(character, turns, order):
    character.pose.bones[BONE].rotation_mode = order
    action = write_keyframes(character, "take", FRAMES, {BONE: turns})
    angles = curves(action, "rotation_euler")[:, 1:]
    for values, turn in zip(angles, turns, strict=True):
        assert np.abs(np.dot(Euler(values, order).to_quaternion(), turn)) > 1.0 - 1e-6
    assert np.abs(np.diff(angles, axis=0)).max() < 1.0
    assert character.pose.bones[BONE].rotation_mode == order


def test_an_axis_angle_bone_gets_axis_and_angle_that_never_jump(character, turns):
    character.pose.bones[BONE].rotation_mode = "AXIS_ANGLE"
    action = write_keyframes(character, "take", FRAMES, {BONE: turns})
    values = curves(action, "rotation_axis_angle")[:, 1:]
    back = quaternion.from_axis_angle(values[:, 1:], values[:, 0])
    assert quaternion.angle(back, turns).max() < 1e-5
    assert np.abs(np.diff(values, axis=0)).max() < 1.0
    assert character.pose.bones[BONE].rotation_mode == "AXIS_ANGLE"


def test_a_former_action_is_neither_edited_nor_lost(character, turns):
    former = write_keyframes(character, "take", FRAMES, {BONE: turns})
    before = curves(former, "rotation_quaternion")
    action = write_keyframes(character, "take", FRAMES, {BONE: turns[::-1]})
    assert action is not former
    assert character.animation_data.action is action
    assert former.use_fake_user
    np.testing.assert_array_equal(curves(former, "rotation_quaternion"), before)


def test_an_unknown_bone_is_named(character, turns):
    with pytest.raises(SceneError, match="'Elbow'"):
        write_keyframes(character, "take", FRAMES, {"Elbow": turns})
    assert len(bpy.data.actions) == 0


def test_a_curve_of_another_length_is_refused(character, turns):
    with pytest.raises(ShapeError, match="expected"):
        write_keyframes(character, "take", FRAMES, {BONE: turns[:5]})


@pytest.fixture
def linked(character, tmp_path):
    """The character linked from another file."""
    path = str(tmp_path / "library.blend")
    bpy.data.libraries.write(path, {character, *character.children}, fake_user=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (source, target):
        target.objects = list(source.objects)
    for item in target.objects:
        bpy.context.scene.collection.objects.link(item)
    return next(item for item in target.objects if item.type == "ARMATURE")


def test_a_linked_armature_asks_for_an_override(linked, turns):
    with pytest.raises(SceneError, match="library override"):
        write_keyframes(linked, "take", FRAMES, {BONE: turns})


def test_a_library_override_is_animated(linked, turns):
    override = linked.override_create(remap_local_usages=True)
    action = write_keyframes(override, "take", FRAMES, {BONE: turns})
    bpy.context.scene.frame_set(41)
    played = override.pose.bones[BONE].matrix_basis.to_quaternion()
    assert quaternion.angle(np.array(played), turns[100]) < 1e-3
    assert action.library is None
    assert linked.animation_data is None
