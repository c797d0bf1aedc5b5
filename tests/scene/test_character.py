import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.scene.armature import read_skeleton  # noqa: E402  after the skip where there is no bpy
from pallas.scene.character import CHARACTER_FILE, add_character  # noqa: E402
from pallas.scene.sensors import SENSOR_PROPERTY, add_sensors, sensors_of  # noqa: E402


@pytest.fixture
def character():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return add_character()


def vertices(mesh):
    points = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3)


def test_the_file_is_small_and_says_that_it_is_cc0():
    assert CHARACTER_FILE.stat().st_size <= 500_000
    assert "CC0" in str(np.load(CHARACTER_FILE)["notice"])


def test_it_stands_on_the_floor_as_tall_as_promised(character):
    points = vertices(character.children[0].data)
    assert points[:, 2].min() == pytest.approx(0.0, abs=1e-4)
    assert points[:, 2].max() == pytest.approx(1.70, abs=0.01)


def test_it_faces_minus_y_with_its_left_at_plus_x(character):
    bones = character.data.bones
    toes, ankle = bones["mixamorig:LeftToeBase"], bones["mixamorig:LeftFoot"]
    assert toes.head_local.y < ankle.head_local.y - 0.1
    assert bones["mixamorig:LeftArm"].head_local.x > 0.1


def test_its_rig_has_the_52_bones_of_mixamo_in_one_tree(character):
    assert len(character.data.bones) == 52
    assert [b.name for b in character.data.bones if b.parent is None] == ["mixamorig:Hips"]


def test_every_vertex_is_held_by_weights_that_sum_to_one(character):
    body = character.children[0]
    sums = [sum(g.weight for g in vertex.groups) for vertex in body.data.vertices]
    np.testing.assert_allclose(sums, 1.0, atol=1e-5)
    assert max(len(vertex.groups) for vertex in body.data.vertices) >= 4


def test_bending_the_elbow_moves_the_hand_of_that_side_only(character):
    body = character.children[0]
    rest = vertices(body.data)
    bone = character.pose.bones["mixamorig:LeftForeArm"]
    bone.rotation_quaternion = (np.cos(0.4), np.sin(0.4), 0.0, 0.0)
    bpy.context.view_layer.update()
    posed = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    moved = np.linalg.norm(vertices(posed.data) - rest, axis=1)
    assert moved[rest[:, 0] > 0.45].min() > 0.02
    assert moved[rest[:, 0] < 0.1].max() < 1e-6


def test_a_second_one_has_a_name_of_its_own(character):
    assert add_character().name != character.name


def test_it_is_made_from_any_mode(character):
    bpy.ops.object.mode_set(mode="POSE")
    assert len(add_character().data.bones) == 52


def test_its_skeleton_is_read_in_metres(character):
    skeleton = read_skeleton(character)
    assert len(skeleton) == 52
    shin = skeleton.offsets[skeleton.index("mixamorig:LeftFoot")]
    assert np.linalg.norm(shin) == pytest.approx(0.427, abs=0.002)
    assert np.isfinite(skeleton.tips[skeleton.index("mixamorig:Head")]).all()
    assert np.isnan(skeleton.tips[skeleton.index("mixamorig:LeftLeg")]).all()


def test_sensors_sit_on_the_skin_and_follow_their_bones(character):
    add_sensors(character)
    boxes = {box[SENSOR_PROPERTY]: box for box in sensors_of(character)}
    assert set(boxes) == {"waist", "left_wrist", "right_wrist", "neck"}
    bpy.context.view_layer.update()
    skin = vertices(character.children[0].data)
    before = {}
    for placement, box in boxes.items():
        before[placement] = np.array(box.matrix_world.translation)
        assert np.linalg.norm(skin - before[placement], axis=1).min() < 0.02
    assert before["waist"][1] > 0.05  # at the back
    assert before["left_wrist"][0] > 0.3
    character.pose.bones["mixamorig:Hips"].location = (0.0, 0.0, 0.5)
    bpy.context.view_layer.update()
    for placement, box in boxes.items():
        step = np.linalg.norm(np.array(box.matrix_world.translation) - before[placement])
        assert step == pytest.approx(0.5, abs=1e-4)
