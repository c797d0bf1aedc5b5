"""Body-model files: skeleton, skin and poses of a made-up body in the layout of the real ones."""

import io
import os
import pickle  # noqa: TID251  # written here, never read

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smpl_files import PELVIS, as_npz, as_pkl, as_plain_npz, body_arrays

from pallas.capture import axes
from pallas.capture.smpl_layout import JOINTS, known_joints, standard_body
from pallas.capture.smpl_model import parse_smpl_model, read_smpl_model
from pallas.rig import FormatError, Motion, PallasError, quaternion
from pallas.rig.model.kinematics import bodies_in_world
from pallas.rig.model.skeletons import pose_of_motion

LAYOUTS = {24: "SMPL", 52: "SMPL-H", 55: "SMPL-X"}
ROUND = {"npz": as_npz, "pkl": as_pkl}


def model(joints=24, kind="npz", **how):
    return parse_smpl_model(ROUND[kind](body_arrays(joints, **how)))


def turns(joints, seed=1):
    vectors = np.random.default_rng(seed).normal(0, 0.5, (joints, 3))
    return quaternion.from_rotation_vector(vectors)


@pytest.mark.parametrize("kind", ROUND)
@pytest.mark.parametrize("joints", LAYOUTS)
def test_the_skeleton_of_a_file_is_the_body_it_was_made_of(joints, kind):
    skeleton, body = model(joints, kind).skeleton(), standard_body(joints)
    assert model(joints, kind).layout == LAYOUTS[joints]
    assert (skeleton.names, skeleton.parents) == (body.names, body.parents)
    np.testing.assert_allclose(skeleton.offsets[1:], body.offsets[1:], atol=1e-12)
    np.testing.assert_allclose(skeleton.offsets[0, :2], 0, atol=1e-12)


def test_the_body_stands_on_the_floor():
    body = model()
    lowest = (body.shaped() + body.standing())[:, 2].min()
    assert lowest == pytest.approx(0, abs=1e-12)
    assert body.skeleton().rest_positions[:, 2].min() == pytest.approx(0.03, abs=1e-9)


def test_the_pelvis_is_where_the_file_has_it():
    np.testing.assert_allclose(model().pelvis(), PELVIS, atol=1e-12)


def test_the_first_beta_of_the_made_up_body_makes_it_a_fifth_larger():
    betas = np.array([2.0])
    np.testing.assert_allclose(
        model().skeleton(betas).offsets[1:], 1.2 * model().skeleton().offsets[1:], atol=1e-12
    )


def test_betas_that_the_file_lacks_are_left_out():
    betas = np.random.default_rng(0).normal(size=16)
    few, all_of_them = model(), model(shapes=16)
    np.testing.assert_allclose(few.shaped(betas), few.shaped(betas[:10]))
    assert np.abs(all_of_them.shaped(betas) - all_of_them.shaped(betas[:10])).max() > 1e-4


@pytest.mark.parametrize(("there", "used"), [(20, 10), (400, 300), (10, 10)])
def test_expressions_of_smpl_x_are_no_shapes(there, used):
    assert model(55, shapes=there).shape_directions.shape[2] == used


def test_a_leaf_ends_where_its_skin_does():
    skeleton = model(52).skeleton()
    tip = skeleton.tips[skeleton.index("left_index3")]
    np.testing.assert_allclose(tip, [0.03, 0, 0], atol=1e-9)  # the octahedron's corner
    assert np.isnan(skeleton.tips[skeleton.index("left_index2")]).all()


def posed_by_formula(arrays, vectors, betas, translation):
    """Loper et al. 2015, eq. 2 to 12, vertex by vertex with 4 x 4 matrices, in the model's own axes."""
    shaped = arrays["v_template"] + arrays["shapedirs"][:, :, : len(betas)] @ betas
    joints = arrays["J_regressor"] @ shaped
    matrices = quaternion.to_matrix(quaternion.from_rotation_vector(vectors))
    feature = np.concatenate([(m - np.eye(3)).ravel() for m in matrices[1:]])
    shaped = shaped + arrays["posedirs"] @ feature
    parents = arrays["kintree_table"][0].astype(np.int32)
    chain = []
    for joint, parent in enumerate(parents):
        local = np.eye(4)
        local[:3, :3] = matrices[joint]
        local[:3, 3] = joints[joint] - (joints[parent] if joint else 0)
        chain.append(chain[parent] @ local if joint else local)
    places = []
    for vertex, weights in zip(shaped, arrays["weights"], strict=True):
        blended = np.zeros((4, 4))
        for joint, weight in enumerate(weights):
            back = np.eye(4)
            back[:3, 3] = -joints[joint]
            blended += weight * chain[joint] @ back
        places.append((blended @ [*vertex, 1.0])[:3])
    return np.array(places) + translation


@pytest.mark.parametrize("joints", LAYOUTS)
def test_a_posed_body_is_where_the_paper_puts_it(joints):
    arrays, body = body_arrays(joints), model(joints)
    random = np.random.default_rng(2)
    vectors, betas = random.normal(0, 0.5, (joints, 3)), random.normal(size=10)
    translation = np.array([0.3, 1.0, -0.2])
    theirs = posed_by_formula(arrays, vectors, betas, translation)
    ours = body.posed(
        axes.z_up_from_y_up_rotation(quaternion.from_rotation_vector(vectors)),
        axes.z_up_from_y_up(body.pelvis(betas) + translation),
        betas,
    )
    np.testing.assert_allclose(ours, axes.z_up_from_y_up(theirs), atol=1e-6)


def test_joints_of_a_posed_body_are_those_of_its_motion():
    body = model()
    pose, root = turns(24), np.array([0.1, 0.2, 1.0])
    motion = Motion(body.skeleton(), root[None], pose[None], 30.0)
    vertices = body.posed(pose, root, corrected=False)
    # The middle of an octahedron that follows one joint only is that joint; the first corner is shared.
    middle = vertices.reshape(24, 6, 3)[:, [1, 2, 4, 5]].mean(axis=1)
    np.testing.assert_allclose(middle, motion.world()[1][0], atol=1e-9)


def test_the_engine_moves_the_body_as_the_skeleton_does():
    torch = pytest.importorskip("torch")
    body = model(52)
    motion = Motion(body.skeleton(), np.array([[0.1, 0.2, 1.0]]), turns(52)[None], 30.0)
    engine = body.kinematic_model()
    assert engine.bodies[1:] == body.names or set(engine.bodies[1:]) == set(body.names)
    _, origins = bodies_in_world(engine, torch.tensor(pose_of_motion(motion)))
    places = [engine.body_index(name) for name in body.names]
    np.testing.assert_allclose(origins.numpy()[:, places], motion.world()[1], atol=1e-9)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"weights": None}, "lacks weights"),
        ({"kintree_table": np.zeros((2, 16))}, r"16 joints, expected 24 \(SMPL\)"),
        ({"kintree_table": np.zeros((2, 24))}, "hang on others"),
        ({"f": np.array([[0, 1, 999]])}, "vertex 999, the model has 144"),
        ({"v_template": np.full((144, 3), np.nan)}, "no sensible size"),
        ({"v_template": np.zeros((143, 3))}, "shapedirs has shape"),
        ({"weights": np.zeros((144, 24))}, "follows no joint"),
        ({"posedirs": np.zeros((144, 3, 12))}, "posedirs has shape"),
        ({"shapedirs": np.array(["a"])}, "expected numbers"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(tmp_path, change, told):
    arrays = {**body_arrays(24), **change}
    path = tmp_path / "model.npz"
    path.write_bytes(as_plain_npz({k: v for k, v in arrays.items() if v is not None}))
    with pytest.raises(FormatError, match=told) as error:
        read_smpl_model(path)
    assert str(path) in str(error.value)


def test_a_model_that_runs_a_command_is_refused(tmp_path):
    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'made'}",)

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({**body_arrays(24), "extra": Runs()}))
    with pytest.raises(FormatError, match="nothing of it was run"):
        read_smpl_model(path)
    assert not (tmp_path / "made").exists()


def test_bones_of_the_add_ons_are_recognised():
    names = ["root", *(j.replace("_smplhf", "") for j in JOINTS[55])]
    layout, bones = known_joints(names)
    assert layout == "SMPL-X"
    assert bones["left_eye_smplhf"] == "left_eye"
    assert known_joints(["root", *JOINTS[52]])[0] == "SMPL-H"
    old = ["m_avg_root", "m_avg_Pelvis", "m_avg_Spine1", "m_avg_Spine2", "m_avg_Spine3"]
    old += ["m_avg_Neck", "m_avg_Head"]
    for joint in ("Hip", "Knee", "Ankle", "Foot", "Collar", "Shoulder", "Elbow", "Wrist", "Hand"):
        old += [f"m_avg_L_{joint}", f"m_avg_R_{joint}"]
    layout, bones = known_joints(old)
    assert (layout, bones["right_knee"]) == ("SMPL", "m_avg_R_Knee")
    assert known_joints(["Hips", "Spine", "LeftArm"]) is None


QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def valid():
    arrays = body_arrays(24)
    arrays["posedirs"] = arrays["posedirs"][:, :, :0]
    del arrays["posedirs"]
    return as_plain_npz(arrays), pickle.dumps(arrays, 2)


@QUICK
@given(
    which=st.sampled_from([0, 1]),
    cut=st.floats(0, 1),
    places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3),
)
def test_a_damaged_model_gives_a_model_or_an_error(valid, which, cut, places):
    content = bytearray(valid[which])
    for place, value in places:
        content[int(place * (len(content) - 1))] = value
    try:
        parse_smpl_model(bytes(content[: len(content) - int(cut * cut * 20)]))
    except PallasError as error:
        assert str(error)


@QUICK
@given(
    name=st.sampled_from(
        ["v_template", "shapedirs", "J_regressor", "kintree_table", "weights", "f"]
    ),
    kind=st.sampled_from(["<f8", "<i4", "<u4", "<U5", "<c16", "|b1", "<M8[s]"]),
    shape=st.lists(st.integers(0, 4), max_size=4),
)
def test_a_model_may_hold_arrays_of_any_type_and_shape(name, kind, shape):
    file = io.BytesIO()
    np.savez(file, **(body_arrays(24) | {name: np.zeros(shape, dtype=kind)}))
    try:
        parse_smpl_model(file.getvalue())
    except PallasError as error:
        assert str(error)
