"""The button that adds a person's own body model."""

import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from smpl_files import amass_arrays, as_pkl, as_plain_npz, body_arrays  # noqa: E402


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "smplh.pkl"
    path.write_bytes(as_pkl(body_arrays(52)))
    return path


def test_a_body_model_becomes_the_character_and_a_motion_plays_on_it(scene, model, tmp_path):
    assert bpy.ops.pallas.add_body_model(filepath=str(model)) == {"FINISHED"}
    settings = scene.pallas.retarget
    body = settings.target
    assert len(body.data.bones) == 52
    assert body.children[0].modifiers[0].type == "ARMATURE"
    (tmp_path / "walk.npz").write_bytes(as_plain_npz(amass_arrays(52, 12)))
    settings.source, settings.file = "FILE", str(tmp_path / "walk.npz")
    assert bpy.ops.pallas.retarget() == {"FINISHED"}
    assert body.animation_data.action.name.startswith("walk")


def test_a_first_coefficient_makes_the_body_larger(scene, model):
    bpy.ops.pallas.add_body_model(filepath=str(model))
    mean = scene.pallas.retarget.target.children[0].dimensions.z
    bpy.ops.pallas.add_body_model(filepath=str(model), betas=(1.0, *[0.0] * 9))
    assert scene.pallas.retarget.target.children[0].dimensions.z > 1.05 * mean


def test_what_is_no_model_is_told_in_one_line(scene, tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch here'\ntR.")
    with pytest.raises(RuntimeError, match="model.pkl"):
        bpy.ops.pallas.add_body_model(filepath=str(path))
    assert scene.pallas.retarget.target is None


def test_the_skin_is_corrected_for_what_the_action_does(scene, model, tmp_path, capfd):
    bpy.ops.pallas.add_body_model(filepath=str(model))
    settings = scene.pallas.retarget
    with pytest.raises(RuntimeError, match="no Action"):
        bpy.ops.pallas.correct_skin()
    (tmp_path / "walk.npz").write_bytes(as_plain_npz(amass_arrays(52, 12)))
    settings.source, settings.file = "FILE", str(tmp_path / "walk.npz")
    bpy.ops.pallas.retarget()
    assert bpy.ops.pallas.correct_skin() == {"FINISHED"}
    assert "skin corrected on frames 1 to" in capfd.readouterr().out
    keys = settings.target.children[0].data.shape_keys
    assert len(keys.key_blocks) == 1 + 9 * 51
    scene.frame_set(6)
    assert max(abs(key.value) for key in keys.key_blocks[1:]) > 0.01
    model.unlink()
    with pytest.raises(RuntimeError, match="smplh.pkl"):
        bpy.ops.pallas.correct_skin()


def test_other_characters_have_no_skin_to_correct(scene):
    bpy.ops.pallas.add_character()
    scene.pallas.retarget.target = bpy.context.object
    with pytest.raises(RuntimeError, match="Add Body Model"):
        bpy.ops.pallas.correct_skin()
