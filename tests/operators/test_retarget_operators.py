"""The panel of retargeting, its buttons pressed in the order of work and out of it."""

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from linked_characters import shown_by_empty  # noqa: E402  after the skip where there is no bpy

from pallas.capture import formats  # noqa: E402
from pallas.rig import Motion, body_skeleton, quaternion  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.curves import read_curve  # noqa: E402
from pallas.scene.keyframes import action_fcurves  # noqa: E402


@pytest.fixture
def table(scene):
    return scene.pallas.retarget


@pytest.fixture
def ready(table, tmp_path):
    """A character, and a walk of 21 frames at the scene's rate, from a file."""
    skeleton = body_skeleton()
    root = skeleton.offsets[0] + np.linspace(0.0, 1.0, 21)[:, None] * np.array([0.0, -0.8, 0.0])
    motion = Motion(skeleton, root, np.tile(quaternion.IDENTITY, (21, 24, 1)), 24.0)
    formats.write_motion(tmp_path / "walk.npz", motion)
    table.source, table.file = "FILE", str(tmp_path / "walk.npz")
    table.target = add_character("Hero")
    return table


def row_of(table, role):
    return next(row for row in table.bones if row.name == role)


def selected(armature):
    owners = [b if hasattr(b, "select") else b.bone for b in armature.pose.bones]
    return {b.name for b, owner in zip(armature.pose.bones, owners, strict=True) if owner.select}


def keys(action):
    return {(c.data_path, c.array_index): read_curve(c) for c in action_fcurves(action)}


def test_what_is_missing_is_told(table):
    with pytest.raises(RuntimeError, match="Choose the character"):
        bpy.ops.pallas.match_bones()
    with pytest.raises(RuntimeError, match="Solve a take first"):
        bpy.ops.pallas.retarget()
    table.source = "FILE"
    with pytest.raises(RuntimeError, match="Choose a motion file"):
        bpy.ops.pallas.retarget()


def test_matching_fills_a_row_for_every_role(ready):
    assert bpy.ops.pallas.match_bones() == {"FINISHED"}
    assert row_of(ready, "left_forearm").bone == "mixamorig:LeftForeArm"
    assert row_of(ready, "left_forearm").confidence > 0.9
    assert row_of(ready, "root").bone == ""
    assert [row.bone for row in ready.bones if row.name == "spine"][-1] == ""  # one more may come


def test_a_bone_that_a_person_chose_is_sure_and_its_row_counts(ready):
    bpy.ops.pallas.match_bones()
    row_of(ready, "head").bone = ""
    bpy.ops.pallas.show_unmapped()
    assert selected(ready.target) == {"mixamorig:Head"}
    row_of(ready, "head").bone = "mixamorig:Head"
    assert row_of(ready, "head").confidence == 1.0
    row_of(ready, "neck").bone = "mixamorig:Head"
    with pytest.raises(RuntimeError, match="twice"):
        bpy.ops.pallas.retarget()


def test_a_map_is_saved_and_loaded_and_not_onto_another_rig(ready, tmp_path):
    bpy.ops.pallas.match_bones()
    path = str(tmp_path / "map.json")
    row_of(ready, "head").bone = ""
    bpy.ops.pallas.save_bone_map(filepath=path)
    bpy.ops.pallas.match_bones()
    bpy.ops.pallas.load_bone_map(filepath=path)
    assert row_of(ready, "head").bone == ""
    with pytest.raises(RuntimeError, match="there already"):
        bpy.ops.pallas.save_bone_map(filepath=path)
    for bone in ready.target.data.bones:
        bone.name = f"x_{bone.name}"
    with pytest.raises(RuntimeError, match="Error:"):
        bpy.ops.pallas.load_bone_map(filepath=path)


def test_the_motion_becomes_an_action_of_the_character(ready, scene):
    scene.frame_end = 5
    assert bpy.ops.pallas.retarget() == {"FINISHED"}
    action = ready.target.animation_data.action
    assert action.name == "walk Hero"
    assert tuple(action.frame_range) == (1.0, 21.0)
    assert scene.frame_end == 21


def test_a_range_and_a_step_take_a_part(ready):
    ready.use_range, ready.range_start, ready.range_end, ready.step = True, 5, 15, 2
    bpy.ops.pallas.retarget(name="part")
    action = bpy.data.actions["part"]
    np.testing.assert_allclose(action.frame_range, (5.0, 15.0), atol=1e-5)
    curve = action.layers[0].strips[0].channelbags[0].fcurves[0]
    assert len(curve.keyframe_points) == 6


def test_a_preview_sets_the_pose_of_the_current_frame_without_keys(ready, scene):
    scene.frame_set(11)
    assert bpy.ops.pallas.preview_retarget() == {"FINISHED"}
    assert ready.target.animation_data is None
    bpy.context.view_layer.update()
    hips = ready.target.pose.bones["mixamorig:Hips"].head
    rest = ready.target.data.bones["mixamorig:Hips"].head_local
    assert hips.y - rest.y < -0.2


def test_another_armature_of_the_scene_is_a_source(ready):
    bpy.ops.pallas.retarget(name="first")
    ready.source, ready.armature = "ARMATURE", ready.target
    with pytest.raises(RuntimeError, match="source and target"):
        bpy.ops.pallas.retarget()
    ready.target = add_character("Other")
    bpy.ops.pallas.retarget(name="second")
    bpy.context.scene.frame_set(21)
    places = [o.pose.bones["mixamorig:Hips"].head for o in (ready.armature, ready.target)]
    np.testing.assert_allclose(places[0], places[1], atol=2e-3)


def test_a_solved_take_is_the_same_by_both_buttons(ready, scene):
    scene.pallas.solve.motion, scene.pallas.capture.take = ready.file, "take.pallas"
    ready.target.rotation_euler[2], ready.target.location[0] = 0.5, 2.0
    bpy.context.view_layer.update()
    bpy.ops.pallas.apply_to_character(name="one")
    ready.source, ready.contacts = "SOLVED", "off"
    bpy.ops.pallas.retarget(name="other")
    one, other = (keys(bpy.data.actions[name]) for name in ("one", "other"))
    assert one.keys() == other.keys()
    for path, points in one.items():
        np.testing.assert_array_equal(points, other[path])


def test_the_table_s_bones_count_for_a_solved_take_too(ready, scene):
    scene.pallas.solve.motion, scene.pallas.capture.take = ready.file, "take.pallas"
    bpy.ops.pallas.match_bones()
    row_of(ready, "head").bone = ""
    bpy.ops.pallas.apply_to_character(name="headless")
    paths = {path for path, _ in keys(bpy.data.actions["headless"])}
    assert not [path for path in paths if ":Head" in path]
    assert [path for path in paths if ":Neck" in path]


def test_a_preview_of_an_armature_reads_one_frame_of_it(ready, scene, capfd):
    bpy.ops.pallas.retarget(name="first")
    ready.source, ready.armature, ready.target = "ARMATURE", ready.target, add_character("Other")
    scene.frame_set(11)
    bpy.ops.pallas.preview_retarget()
    assert "Other: frame 11 of the motion" in capfd.readouterr().out
    bpy.context.view_layer.update()
    places = [o.pose.bones["mixamorig:Hips"].head for o in (ready.armature, ready.target)]
    np.testing.assert_allclose(places[0], places[1], atol=2e-3)
    assert ready.target.animation_data is None


def test_the_people_of_a_file_are_listed_and_one_is_chosen(ready, tmp_path, capfd):
    lines = ["HIERARCHY"]
    for name in ("anna", "bert"):
        lines += [f"ROOT {name}", "{", "OFFSET 0 0 0", "CHANNELS 3 Xposition Yposition Zposition"]
        lines += ["End Site", "{", "OFFSET 0 170 0", "}", "}"]
    lines += ["MOTION", "Frames: 2", "Frame Time: 0.1", "0 0 0 0 0 0", "0 0 0 0 0 0"]
    ready.file = str(tmp_path / "two.bvh")
    (tmp_path / "two.bvh").write_text("\n".join(lines))
    bpy.ops.pallas.list_parts()
    assert "2 people: anna, bert" in capfd.readouterr().out
    assert [part.name for part in ready.parts] == ["anna", "bert"]
    ready.part = "carl"
    with pytest.raises(RuntimeError, match=r"no person 'carl'; there are: anna, bert"):
        bpy.ops.pallas.retarget()
    ready.file = str(tmp_path / "walk.npz")
    assert (len(ready.parts), ready.part) == (0, "")


def test_a_clip_of_a_file_is_chosen(ready, tmp_path, capfd):
    for name, step in (("short", 4), ("long", 1)):
        ready.step, ready.use_range, ready.range_end = 1, True, 20 // step
        bpy.ops.pallas.retarget(name=name)
        animation = ready.target.animation_data
        strip = animation.nla_tracks.new().strips.new(name, 1, animation.action)
        strip.action_slot = animation.action.slots[0]
    animation.action = None
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "two.glb"), export_animation_mode="ACTIONS")
    bpy.ops.object.delete()
    ready.target = add_character("Other")
    ready.file, ready.use_range = str(tmp_path / "two.glb"), False
    bpy.ops.pallas.list_parts()
    assert "two.glb: 2 clips" in capfd.readouterr().out
    assert {part.name for part in ready.parts} == {"short", "long"}
    for name, last in (("short", 5), ("long", 20)):
        ready.part = name
        bpy.ops.pallas.retarget(name=f"clip {name}")
        assert bpy.data.actions[f"clip {name}"].frame_range[1] == pytest.approx(last, abs=0.01)


@pytest.fixture
def shown(ready, scene, tmp_path):
    """The character in a linked collection that an empty shows, 2 m to the left; it is the active object."""
    ready.target = shown_by_empty(scene, ready.target, tmp_path / "cast.blend")
    return ready


def test_a_linked_character_is_matched_as_it_is_and_overridden_when_it_is_keyed(shown, capfd):
    linked = shown.target
    bpy.ops.pallas.match_bones()
    assert shown.target == linked
    assert row_of(shown, "head").bone == "mixamorig:Head"
    bpy.ops.pallas.retarget(name="walk")
    assert "Hero (a library override now): 21 frames" in capfd.readouterr().out
    assert shown.target.override_library.reference == linked
    assert shown.target.animation_data.action.name == "walk"
    bpy.context.scene.frame_set(1)
    hips = shown.target.pose.bones["mixamorig:Hips"]
    start = np.array(shown.target.matrix_world @ hips.head)
    np.testing.assert_allclose(start[:2], 0.0, atol=0.05)  # where the file's motion is in the world
    bpy.ops.pallas.retarget(name="again")
    assert "override" not in capfd.readouterr().out


def test_a_preview_overrides_a_linked_character(shown):
    bpy.ops.pallas.preview_retarget()
    assert shown.target.library is None
    assert shown.target.animation_data is None


def test_a_solved_take_goes_onto_the_character_that_an_empty_shows(shown, scene):
    scene.pallas.solve.motion, scene.pallas.capture.take = shown.file, "take.pallas"
    bpy.ops.pallas.apply_to_character(name="walk")
    (hero,) = [item for item in scene.objects if item.type == "ARMATURE"]
    assert hero.animation_data.action.name == "walk"
    assert tuple(hero.location) == (2.0, 0.0, 0.0)
