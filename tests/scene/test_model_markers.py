import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")
from mathutils import Matrix  # noqa: E402  after the skip where there is no bpy

from pallas.rig import SceneError  # noqa: E402
from pallas.rig.trajectories import MarkerTrajectories  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.markers import add_markers, marker_objects  # noqa: E402
from pallas.scene.model_markers import (  # noqa: E402
    attach_markers,
    place_marker,
    read_worn_markers,
    worn_markers,
)


@pytest.fixture
def character():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return add_character()


def measured(points):
    """A recording of two frames; the second is a metre higher."""
    places = np.array(list(points.values()))
    frames = np.stack([places, places + np.eye(3)[2]])
    return add_markers(MarkerTrajectories(tuple(points), frames, 24.0), "take")


def middle(armature, bone):
    of_bone = armature.pose.bones[f"mixamorig:{bone}"]
    return np.array(armature.matrix_world @ ((of_bone.head + of_bone.tail) / 2.0))


def test_a_marker_goes_on_the_bone_that_is_nearest_in_the_pose_that_is_shown(character):
    arm = character.pose.bones["mixamorig:LeftArm"]
    arm.matrix = Matrix.Translation((0.0, 0.0, 0.3)) @ arm.matrix
    bpy.context.view_layer.update()
    points = {
        b: middle(character, b) + 0.03 * np.eye(3)[1] for b in ("LeftForeArm", "RightLeg", "Head")
    }
    bones = attach_markers(character, measured(points))
    assert bones == {name: f"mixamorig:{name}" for name in points}
    bpy.context.view_layer.update()
    for name, item in worn_markers(character).items():
        np.testing.assert_allclose(item.matrix_world.translation, points[name], atol=1e-5)


def test_fingers_are_no_limbs(character):
    points = {"A": middle(character, "LeftHandIndex2")}
    assert attach_markers(character, measured(points)) == {"A": "mixamorig:LeftHand"}


def test_on_a_known_rig_a_marker_s_name_tells_its_bone(character):
    points = {"LHEE": middle(character, "LeftLeg"), "RHEE": middle(character, "RightLeg")}
    bones = attach_markers(character, measured(points))
    assert bones == {"LHEE": "mixamorig:LeftFoot", "RHEE": "mixamorig:RightFoot"}
    for bone in character.data.bones:
        bone.name = bone.name.replace("mixamorig:", "x_")
    assert attach_markers(character, measured(points))["LHEE"] == "x_LeftLeg"


def test_an_empty_says_which_bone_it_goes_on(character):
    markers = measured({"A": middle(character, "LeftForeArm")})
    marker_objects(markers)["A"]["pallas_bone"] = "mixamorig:LeftArm"
    assert attach_markers(character, markers) == {"A": "mixamorig:LeftArm"}
    marker_objects(markers)["A"]["pallas_bone"] = "LeftArm"
    with pytest.raises(SceneError, match="'A' names bone 'LeftArm'.*pallas_bone"):
        attach_markers(character, markers)


def test_attaching_again_moves_what_is_there(character):
    markers = measured({"A": middle(character, "LeftForeArm")})
    attach_markers(character, markers)
    first = read_worn_markers(character)
    marker_objects(markers)["A"].animation_data_clear()
    marker_objects(markers)["A"].location.z += 0.02
    bpy.context.view_layer.update()
    attach_markers(character, markers)
    second = read_worn_markers(character)
    assert len(second) == 1
    moved = np.subtract(second[0].position, first[0].position)
    assert np.linalg.norm(moved) == pytest.approx(0.02, abs=1e-6)


def test_a_place_on_a_bone_is_in_metres_whatever_the_scale_of_the_object(character):
    character.scale = (2.0, 2.0, 2.0)
    bpy.context.view_layer.update()
    place_marker(character, "A", "mixamorig:LeftArm", np.array([0.1, 0.2, -0.05]))
    (marker,) = read_worn_markers(character)
    np.testing.assert_allclose(marker.position, [0.1, 0.2, -0.05], atol=1e-6)
    bpy.context.view_layer.update()
    bone = character.pose.bones["mixamorig:LeftArm"]
    point = character.matrix_world @ bone.matrix @ Matrix.Translation((0.05, 0.1, -0.025))
    shown = worn_markers(character)["A"].matrix_world.translation
    np.testing.assert_allclose(shown, point.translation, atol=1e-6)


def test_hidden_markers_are_left_out(character):
    recording = np.zeros((2, 2, 3))
    recording[0, 1] = np.nan
    markers = add_markers(MarkerTrajectories(("A", "B"), recording, 24.0), "take")
    bpy.context.scene.frame_set(1)
    assert set(attach_markers(character, markers)) == {"A"}
    recording[0] = np.nan
    none = add_markers(MarkerTrajectories(("A", "B"), recording, 24.0), "none")
    bpy.context.scene.frame_set(1)
    with pytest.raises(SceneError, match="no marker is seen"):
        attach_markers(character, none)


def test_a_marker_on_a_bone_that_is_gone_is_told(character):
    item = place_marker(character, "A", "mixamorig:LeftArm", np.zeros(3))
    item.parent_bone = "mixamorig:Tail"
    with pytest.raises(SceneError, match="mixamorig:Tail"):
        read_worn_markers(character)
