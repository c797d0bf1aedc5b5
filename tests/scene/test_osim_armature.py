import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.capture.osim import parse_osim, read_osim  # noqa: E402  after the skip where there is no bpy
from pallas.capture.textfile import read_text  # noqa: E402
from pallas.rig import FormatError, SceneError  # noqa: E402
from pallas.rig.model.places import body_places  # noqa: E402
from pallas.scene.model_markers import read_worn_markers, worn_markers  # noqa: E402
from pallas.scene.osim_armature import add_osim, is_osim, osim_text, read_model  # noqa: E402
from pallas.scene.pose_keys import write_places  # noqa: E402

MODELS = (
    "markers/opensim/Gait2354_Simbody/subject01_simbody.osim",
    "markers/opensim/Rajagopal/Rajagopal2016.osim",
)
GAIT = MODELS[0]


@pytest.fixture(params=MODELS)
def content(request, data):
    return read_text(data(request.param))


@pytest.fixture
def gait(scene, data):
    return add_osim(read_text(data(GAIT)), "Gait2354")


def random_poses(model, count=6, seed=0):
    random = np.random.default_rng(seed)
    pose = np.tile(model.default_pose, (count, 1))
    free = list(model.free_coordinates)
    pose[:, free] += random.normal(scale=0.4, size=(count, len(free)))
    return pose


def heads(armature):
    return {b.name: np.array(armature.matrix_world @ b.head) for b in armature.pose.bones}


def test_every_body_is_a_bone_that_begins_at_its_origin(scene, content):
    model = parse_osim(content)
    armature = add_osim(content, "model")
    assert armature.users_collection[0].name == "Model: model"
    _, origins = body_places(model, model.default_pose[None])
    found = heads(armature)
    for place, body in enumerate(model.bodies[1:], start=1):
        assert armature.data.bones[body]["pallas_body"] == body
        np.testing.assert_allclose(found[body], origins[0, place], atol=1e-6)


def test_bones_have_lengths_to_be_seen(scene, content):
    armature = add_osim(content, "model")
    lengths = {bone.name: bone.length for bone in armature.data.bones}
    assert min(lengths.values()) >= 0.0349
    assert max(lengths.values()) < 0.6
    # Thigh and shank reach to the joint below them.
    for bone, below in (("femur_r", "tibia_r"), ("tibia_r", "talus_r")):
        ends = armature.data.bones[bone].tail_local, armature.data.bones[below].head_local
        np.testing.assert_allclose(*ends, atol=1e-6)
    trunk = armature.data.bones["pelvis"]
    assert (trunk.tail_local - trunk.head_local).normalized().z > 0.6


def test_the_armature_moves_as_the_model_does(scene, content):
    armature = add_osim(content, "model")
    rig = read_model(armature)
    pose = random_poses(rig.model)
    frames = 1.0 + 0.7 * np.arange(len(pose))
    write_places(armature, "random", frames, rig.places(pose))
    rotations, origins = body_places(rig.model, pose)
    for sample in (0, 2, 5):
        whole = int(frames[sample])
        scene.frame_set(whole, subframe=frames[sample] - whole)
        found = heads(armature)
        for place, body in enumerate(rig.model.bodies[1:], start=1):
            np.testing.assert_allclose(found[body], origins[sample, place], atol=1e-5)
            shown = np.array(armature.pose.bones[body].matrix)[:3, :3]
            inside = rig.body_from_bone[body][:3, :3]
            np.testing.assert_allclose(shown, rotations[sample, place] @ inside, atol=1e-5)


def test_markers_sit_where_the_model_has_them_and_follow(scene, content):
    armature = add_osim(content, "model")
    rig = read_model(armature)
    pose = random_poses(rig.model, 2)
    write_places(armature, "random", np.array([1.0, 2.0]), rig.places(pose))
    rotations, origins = body_places(rig.model, pose)
    scene.frame_set(2)
    for marker in parse_osim(content).markers:
        place = rig.model.body_index(marker.body)
        point = origins[1, place] + rotations[1, place] @ np.array(marker.position)
        shown = worn_markers(armature)[marker.name].matrix_world.translation
        np.testing.assert_allclose(shown, point, atol=2e-5)


def test_the_model_is_read_back_as_it_was(scene, content):
    first, rig = parse_osim(content), read_model(add_osim(content, "model"))
    assert rig.model.coordinates == first.coordinates
    assert set(rig.model.marker_names) == set(first.marker_names)
    for marker in first.markers:
        back = rig.model.markers[rig.model.marker_index(marker.name)]
        assert (back.body, back.free) == (marker.body, marker.free)
        np.testing.assert_allclose(back.position, marker.position, atol=1e-6)


def test_a_marker_that_was_moved_on_its_bone_is_read_where_it_is_now(gait):
    before = read_model(gait).model
    item = worn_markers(gait)["R.ASIS"]
    item.location.x += 0.03
    after = read_model(gait).model
    moved = np.subtract(
        after.markers[after.marker_index("R.ASIS")].position,
        before.markers[before.marker_index("R.ASIS")].position,
    )
    assert np.linalg.norm(moved) == pytest.approx(0.03, abs=1e-6)


def test_a_deleted_marker_is_no_longer_the_model_s_and_another_bone_may_wear_one(gait):
    bpy.data.objects.remove(worn_markers(gait)["R.ASIS"])
    own = bpy.data.objects.new("Navel.002", None)
    bpy.context.collection.objects.link(own)
    own.parent, own.parent_type, own.parent_bone = gait, "BONE", "torso"
    model = read_model(gait).model
    assert "R.ASIS" not in model.marker_names
    assert model.markers[model.marker_index("Navel")].body == "torso"


def test_a_moved_and_turned_armature_shows_the_model_where_it_is_in_the_world(gait):
    gait.location, gait.rotation_euler = (1.0, 2.0, 0.0), (0.0, 0.0, 1.0)
    bpy.context.view_layer.update()
    rig = read_model(gait)
    pose = random_poses(rig.model, 1)
    write_places(gait, "random", np.array([1.0]), rig.places(pose))
    bpy.context.scene.frame_set(1)
    _, origins = body_places(rig.model, pose)
    for body, head in heads(gait).items():
        np.testing.assert_allclose(head, origins[0, rig.model.body_index(body)], atol=1e-5)


def test_other_markers_may_come_with_it(scene, data):
    model = read_osim(
        data("markers/opensim/Rajagopal/Rajagopal2016.osim"),
        data("markers/opensim/Rajagopal/markerset_walk_preScale.xml"),
    )
    content = read_text(data("markers/opensim/Rajagopal/Rajagopal2016.osim"))
    armature = add_osim(content, "model", markers=model.markers)
    assert set(read_model(armature).model.marker_names) == set(model.marker_names)


def test_the_text_goes_with_the_file(gait, data):
    assert is_osim(gait)
    assert osim_text(gait) == read_text(data(GAIT))
    with pytest.raises(SceneError, match="no OpenSim model"):
        osim_text(bpy.data.objects.new("thing", None))


def test_a_text_that_was_spoilt_is_told_by_its_name(gait):
    bpy.data.texts["Gait2354.osim"].from_string("<OpenSimDocument><Model>")
    with pytest.raises(FormatError, match="Gait2354.osim"):
        read_model(gait)


def test_what_is_no_model_adds_nothing(scene):
    with pytest.raises(FormatError):
        add_osim("<html></html>", "model")
    assert len(bpy.data.objects) == len(bpy.data.texts) == len(bpy.data.collections) == 0


def test_a_marker_worn_twice_is_told(gait):
    copy = worn_markers(gait)["R.ASIS"].copy()
    bpy.context.collection.objects.link(copy)
    with pytest.raises(SceneError, match=r"R\.ASIS.*twice"):
        read_worn_markers(gait)
