"""Body-model files in Blender: the skin follows the bones as the paper says, and motions play on them."""

import numpy as np
import pytest
from smpl_files import amass_arrays, as_npz, as_pkl, as_plain_npz, body_arrays

from pallas.capture.smpl_layout import JOINTS
from pallas.capture.smpl_model import parse_smpl_model
from pallas.capture.sources import read_source
from pallas.rig import Motion, SceneError, quaternion
from pallas.rig.retarget import SourceMotion

bpy = pytest.importorskip("bpy")

from pallas.scene.smpl_mesh import add_body, correct_own_pose, correct_pose, play_on_body  # noqa: E402
from pallas.scene.source_motion import read_armature_motion  # noqa: E402

LAYOUTS = {24: as_pkl, 52: as_npz, 55: as_npz}
BETAS = np.array([0.5, 1.0, -1.0])


def random_source(model, betas=None, frames=3):
    random = np.random.default_rng(0)
    turns = quaternion.from_rotation_vector(random.normal(0, 0.4, (frames, len(model.names), 3)))
    path = random.normal((0, 0, 1), 0.5, (frames, 3))
    motion = Motion(model.skeleton(betas), path, turns, 24.0)
    return motion, SourceMotion.of_motion(motion, "random")


def skin(armature):
    posed = armature.children[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = posed.to_mesh()
    return np.array([posed.matrix_world @ vertex.co for vertex in mesh.vertices])


@pytest.mark.parametrize("joints", LAYOUTS)
def test_the_skin_of_a_posed_body_is_where_the_model_puts_it(scene, joints):
    model = parse_smpl_model(LAYOUTS[joints](body_arrays(joints)))
    armature = add_body(model, BETAS)
    assert armature.name == model.layout
    assert {bone.name for bone in armature.data.bones} == set(model.names)
    np.testing.assert_allclose(
        skin(armature), model.shaped(BETAS) + model.standing(BETAS), atol=1e-5
    )
    motion, source = random_source(model, BETAS)
    play_on_body(armature, source)
    for frame in range(len(motion)):
        scene.frame_set(scene.frame_start + frame)
        wanted = model.posed(
            motion.rotations[frame], motion.root_position[frame], BETAS, corrected=False
        )
        np.testing.assert_allclose(skin(armature), wanted, atol=2e-5)


def test_corrections_for_the_pose_are_keyed_as_the_model_has_them(scene):
    model = parse_smpl_model(as_npz(body_arrays(24)))
    armature = add_body(model, BETAS)
    motion, source = random_source(model, BETAS)
    play_on_body(armature, source)
    correct_pose(armature, model, source)
    correct_pose(armature, model, source)  # takes the keys that are there
    assert len(armature.children[0].data.shape_keys.key_blocks) == 1 + 9 * 23
    for frame in range(len(motion)):
        scene.frame_set(scene.frame_start + frame)
        wanted = model.posed(motion.rotations[frame], motion.root_position[frame], BETAS)
        np.testing.assert_allclose(skin(armature), wanted, atol=2e-5)


def test_corrections_follow_what_a_turned_body_does_by_whatever_it_is_moved(scene):
    model = parse_smpl_model(as_npz(body_arrays(24)))
    armature = add_body(model, BETAS)
    motion, source = random_source(model, BETAS)
    armature.location, armature.rotation_euler = (1, 2, 0), (0.3, 0.2, 1.0)
    bpy.context.view_layer.update()
    play_on_body(armature, source, start=10)
    correct_own_pose(armature, model, 10, 12)
    place, turn = (1, 2, 0), np.array(armature.matrix_world.to_3x3())
    for frame in range(len(motion)):
        scene.frame_set(10 + frame)
        wanted = model.posed(motion.rotations[frame], motion.root_position[frame], BETAS)
        np.testing.assert_allclose(skin(armature), wanted @ turn.T + place, atol=5e-5)


def test_an_amass_file_plays_on_the_users_own_body(scene, tmp_path):
    model = parse_smpl_model(as_npz(body_arrays(52)))
    path = tmp_path / "walk.npz"
    path.write_bytes(as_plain_npz(amass_arrays()))
    source = read_source(path, fps=24.0, model=model)
    armature = add_body(model)
    action = play_on_body(armature, source)
    assert action.name == "walk"
    seen = read_armature_motion(armature, scene.frame_start, scene.frame_start + len(source) - 1)
    places = [seen.bones.index(name) for name in source.bones.names]
    np.testing.assert_allclose(seen.heads[:, places], source.heads, atol=1e-4)


def test_a_body_plays_where_its_object_stands(scene):
    model = parse_smpl_model(as_npz(body_arrays(24)))
    armature = add_body(model)
    armature.location, armature.rotation_euler = (1, 2, 0), (0, 0, np.pi / 2)
    bpy.context.view_layer.update()
    _, source = random_source(model)
    play_on_body(armature, source, start=10)
    seen = read_armature_motion(armature, 10, 12)
    pelvis = seen.heads[:, seen.bones.index("pelvis")]
    x, y, z = source.heads[:, 0].T
    np.testing.assert_allclose(pelvis, np.stack([1 - y, 2 + x, z], axis=-1), atol=1e-5)


def test_an_add_ons_armature_takes_the_motion_by_its_bones_names(scene):
    model = parse_smpl_model(as_npz(body_arrays(24)))
    armature = add_body(model)
    for bone in armature.data.bones:
        side = {"left": "L_", "right": "R_"}.get(bone.name.split("_")[0], "")
        bone.name = f"f_avg_{side}{bone.name.split('_')[-1].title()}"
    _, source = random_source(model)
    play_on_body(armature, source)
    seen = read_armature_motion(armature, 1, 3)
    knee = JOINTS[24].index("left_knee")
    np.testing.assert_allclose(
        seen.heads[:, seen.bones.index("f_avg_L_Knee")], source.heads[:, knee], atol=1e-4
    )


def test_other_rigs_and_other_motions_are_refused(scene):
    model = parse_smpl_model(as_npz(body_arrays(24)))
    armature = add_body(model)
    _, source = random_source(model)
    with pytest.raises(SceneError, match="expected an armature"):
        play_on_body(armature.children[0], source)
    larger = parse_smpl_model(as_npz(body_arrays(52)))
    with pytest.raises(SceneError, match="no mesh with 312 vertices"):
        correct_pose(armature, larger, source)
    armature.data.bones["pelvis"].name = "Hips"
    with pytest.raises(SceneError, match="not named as SMPL's joints"):
        play_on_body(armature, source)
