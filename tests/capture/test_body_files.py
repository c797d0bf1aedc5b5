"""Motions of body models: AMASS, GVHMR, WHAM and TRAM, and any motion as a source."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smpl_files import PELVIS, amass_arrays, as_joblib, as_npz, as_plain_npz, body_arrays

from pallas.capture.body_files import parse_amass, poses_of_results
from pallas.capture.bvh import write_bvh
from pallas.capture.motion_npz import write_motion_npz
from pallas.capture.smpl_layout import JOINTS
from pallas.capture.smpl_model import parse_smpl_model
from pallas.capture.smpl_poses import motion_of_poses
from pallas.capture.sources import people_in, read_source
from pallas.capture.textfile import FormatWarning
from pallas.rig import FileError, FormatError, Motion, PallasError, body_skeleton, quaternion

FRAMES = 20
MODEL_FROM_CAMERA = np.diag([1.0, -1.0, -1.0])


def place(source, bone):
    return source.heads[:, source.bones.index(bone)]


def saved(folder, name, content):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def wham_person(frames=FRAMES, numbers=None, turn=0.0):
    pose = np.zeros((frames, 72))
    pose[:, 1] = turn
    trans = np.zeros((frames, 3))
    trans[:, 2] = np.linspace(0, 1, frames)
    return {
        "pose": pose,
        "trans": trans,
        "pose_world": pose,
        "trans_world": trans,
        "betas": np.zeros((frames, 10)),
        "frame_ids": np.arange(frames) if numbers is None else np.array(numbers),
    }


def gvhmr_results(frames=FRAMES):
    torch = pytest.importorskip("torch")
    turned = torch.zeros(frames, 3)
    turned[:, 1] = np.pi / 2  # to the body's left
    part = {
        "global_orient": turned,
        "body_pose": torch.zeros(frames, 63),
        "transl": torch.zeros(frames, 3),
        "betas": torch.zeros(1, 10).expand(frames, 10),
    }
    return {"smpl_params_global": part, "smpl_params_incam": part, "K_fullimg": torch.eye(3)}


def tram_results(frames=FRAMES):
    torch = pytest.importorskip("torch")
    matrices = np.tile(np.eye(3), (frames, 24, 1, 1))
    matrices[:, 0] = MODEL_FROM_CAMERA
    return {
        "pred_rotmat": torch.tensor(matrices, dtype=torch.float32),
        "pred_trans": torch.tensor([0.0, 0.0, 4.0]).repeat(frames, 1, 1),
        "pred_shape": torch.zeros(frames, 10),
        "frame": torch.arange(frames),
    }


@pytest.mark.parametrize("joints", [24, 52, 55])
def test_an_amass_walk_goes_forward_on_the_floor(tmp_path, joints):
    path = saved(tmp_path, "walk.npz", as_plain_npz(amass_arrays(joints)))
    source = read_source(path)
    assert (source.bones.names, source.fps, source.name) == (JOINTS[joints], 120.0, "walk")
    np.testing.assert_allclose(np.ptp(place(source, "pelvis"), axis=0), [0, 1, 0], atol=1e-9)
    # Upright and facing -Y: its frames are the world's, the feet where they are at rest.
    np.testing.assert_allclose(source.rotations[:, 0], [[1, 0, 0, 0]] * FRAMES, atol=1e-9)
    rest = source.bones.heads[source.bones.index("left_foot"), 2]
    np.testing.assert_allclose(place(source, "left_foot")[:, 2], rest, atol=1e-9)
    assert (place(source, "left_knee") - place(source, "right_knee"))[0, 0] > 0.1


def test_a_standard_body_is_as_tall_as_lets_it_stand():
    arrays = amass_arrays()
    heights = []
    for raised in (-0.1, 0.0, 0.1):
        arrays["trans"][:, 2] = 0.9 + raised
        motion = motion_of_poses(parse_amass(as_plain_npz(arrays)))
        heights.append(motion.skeleton.offsets[0, 2] / body_skeleton(1.0).offsets[0, 2])
    np.testing.assert_allclose(np.diff(heights), 0.1 / 0.54, atol=1e-6)


def test_the_left_arm_goes_down_where_amass_says(tmp_path):
    source = read_source(saved(tmp_path, "walk.npz", as_plain_npz(amass_arrays())))
    lowered = np.arcsin(
        (place(source, "left_shoulder") - place(source, "left_elbow"))[:, 2]
        / np.linalg.norm(place(source, "left_shoulder") - place(source, "left_elbow"), axis=1)
    )
    np.testing.assert_allclose(lowered, 0.5 * np.sin(np.linspace(0, 4, FRAMES)), atol=1e-9)


@pytest.mark.parametrize("name", ["mocap_framerate", "mocap_frame_rate", "fps"])
def test_the_rate_may_be_told_by_any_name_and_be_overridden(name):
    arrays = amass_arrays()
    arrays[name] = arrays.pop("mocap_framerate")
    assert parse_amass(as_plain_npz(arrays)).fps == 120.0
    assert parse_amass(as_plain_npz(arrays), fps=59.94).fps == 59.94
    del arrays[name]
    with pytest.raises(FormatError, match="give the frames per second"):
        parse_amass(as_plain_npz(arrays))
    assert parse_amass(as_plain_npz(arrays), fps=30.0).fps == 30.0


def test_poses_in_parts_are_put_together():
    arrays, poses = amass_arrays(55), amass_arrays(55).pop("poses")
    del arrays["poses"]
    ends = {"root_orient": 3, "pose_body": 66, "pose_jaw": 69, "pose_eye": 75, "pose_hand": 165}
    start = 0
    for name, end in ends.items():
        arrays[name], start = poses[:, start:end], end
    whole, parts = (parse_amass(as_plain_npz(a)) for a in (amass_arrays(55), arrays))
    np.testing.assert_array_equal(whole.rotations, parts.rotations)


def test_on_a_model_file_the_pelvis_is_where_the_file_has_it(tmp_path):
    model = parse_smpl_model(as_npz(body_arrays(52)))
    path = saved(tmp_path, "walk.npz", as_plain_npz(amass_arrays()))
    source = read_source(path, model=model)
    np.testing.assert_allclose(place(source, "pelvis"), PELVIS + amass_arrays()["trans"], atol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(place(source, "left_knee") - place(source, "left_hip"), axis=1),
        np.linalg.norm(model.skeleton().offsets[model.names.index("left_knee")]),
    )


def test_gvhmr_is_a_body_on_the_floor_at_thirty_frames_a_second(tmp_path):
    torch = pytest.importorskip("torch")
    file = io.BytesIO()
    torch.save(gvhmr_results(), file)
    source = read_source(saved(tmp_path, "hmr4d_results.pt", file.getvalue()))
    assert (source.fps, len(source)) == (30.0, FRAMES)
    rest = source.bones.heads[source.bones.index("left_foot"), 2]
    np.testing.assert_allclose(place(source, "left_foot")[:, 2], rest, atol=1e-6)
    # Turned a quarter about the vertical, from -Y to the left, +X.
    toes = (place(source, "left_foot") - place(source, "left_ankle"))[0]
    assert toes[0] > 0.1
    assert abs(toes[1]) < 1e-6


def test_wham_tells_people_apart_and_the_longest_comes_first(tmp_path):
    results = {0: wham_person(5), 3: wham_person(), "x": {"pose": 1}}
    path = saved(tmp_path, "wham_output.pkl", as_joblib(results))
    assert people_in(path, fps=25.0) == ("3", "0")
    source = read_source(path, fps=25.0)
    assert (len(source), source.name, source.fps) == (FRAMES, "wham_output 3", 25.0)
    assert len(read_source(path, fps=25.0, person="0")) == 5
    np.testing.assert_allclose(np.ptp(place(source, "pelvis"), axis=0), [0, 1, 0], atol=1e-6)
    with pytest.raises(FormatError, match=r"no person '7'; there are: 3, 0"):
        read_source(path, fps=25.0, person="7")


def test_a_rate_that_no_file_says_is_told(tmp_path):
    path = saved(tmp_path, "wham_output.pkl", as_joblib({0: wham_person()}))
    with pytest.warns(FormatWarning, match="30 frames per second are taken"):
        assert read_source(path).fps == 30.0


def test_frames_in_which_nobody_was_seen_are_filled_and_told(tmp_path):
    numbers = [*range(10), *range(14, 24)]
    person = wham_person(numbers=numbers)
    person["trans_world"][:, 2] = np.array(numbers) / 10
    path = saved(tmp_path, "wham_output.pkl", as_joblib({0: person}))
    with pytest.warns(FormatWarning, match="4 frames of person '0' are missing"):
        source = read_source(path, fps=30.0)
    np.testing.assert_allclose(np.diff(place(source, "pelvis")[:, 1]), -0.1, atol=1e-9)


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_tram_stands_upright_whatever_the_camera_does(tmp_path, tilt):
    results = tram_results()
    # The camera looks down by `tilt` and turns about the vertical; the body stands still, 4 m ahead.
    turns = np.linspace(0, 0.5, FRAMES)
    down = quaternion.to_matrix(quaternion.from_axis_angle(np.array([1.0, 0, 0]), tilt))
    first_from_camera = quaternion.to_matrix(
        quaternion.from_axis_angle(down @ [0.0, 1.0, 0.0], turns)
    )
    body_from_model = down @ MODEL_FROM_CAMERA
    pelvis = np.array([0.0, -0.22, 0.03])
    matrices = results["pred_rotmat"].numpy()
    matrices[:, 0] = np.swapaxes(first_from_camera, 1, 2) @ body_from_model
    seen = np.swapaxes(first_from_camera, 1, 2) @ np.array([0.0, 0.0, 4.0])
    results["pred_trans"][:, 0] = results["pred_trans"].new_tensor(seen - pelvis)
    file, camera = io.BytesIO(), io.BytesIO()
    np.save(file, results, allow_pickle=True)
    cameras = {"pred_cam_R": first_from_camera, "pred_cam_T": np.zeros((FRAMES, 3))}
    np.save(camera, {**cameras, "img_focal": 1.0}, allow_pickle=True)
    saved(tmp_path, "camera.npy", camera.getvalue())
    source = read_source(saved(tmp_path, "hps/hps_track_0.npy", file.getvalue()), fps=30.0)
    still = place(source, "pelvis")
    np.testing.assert_allclose(still, np.broadcast_to(still[0], still.shape), atol=1e-5)
    upwards = place(source, "neck") - place(source, "pelvis")
    np.testing.assert_allclose(upwards[:, :2], 0, atol=1e-5)
    rest = source.bones.heads[source.bones.index("left_foot"), 2]
    np.testing.assert_allclose(place(source, "left_foot")[:, 2], rest, atol=1e-5)


def test_our_own_formats_are_sources_too(tmp_path):
    skeleton = body_skeleton()
    turns = np.tile(quaternion.IDENTITY, (4, 24, 1))
    motion = Motion(skeleton, np.tile(skeleton.offsets[0], (4, 1)), turns, 30.0)
    write_bvh(tmp_path / "take.bvh", motion)
    write_motion_npz(tmp_path / "take.npz", motion)
    assert people_in(tmp_path / "take.bvh") == ("pelvis",)
    for name in ("take.bvh", "take.npz"):
        source = read_source(tmp_path / name, fps=60.0)
        assert (source.fps, source.name, len(source)) == (60.0, "take", 4)
        places = [source.bones.index(joint) for joint in skeleton.names]
        np.testing.assert_allclose(source.heads[:, places], motion.world()[1], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"poses": None}, "lacks poses"),
        ({"trans": None}, "lacks trans"),
        ({"poses": np.zeros((FRAMES, 99))}, "99 numbers per frame, expected 66, 72, 156, 165"),
        ({"trans": np.zeros((3, 3))}, "trans has shape"),
        ({"poses": np.full((FRAMES, 156), np.inf)}, "no sensible size"),
        ({"poses": np.zeros((0, 156))}, "has shape"),
        ({"mocap_framerate": np.array(-5.0)}, "give the frames per second"),
        ({"poses": np.full((FRAMES, 156), "a")}, "expected numbers"),
    ],
)
def test_what_is_wrong_in_an_amass_file_is_told(change, told):
    arrays = {k: v for k, v in {**amass_arrays(), **change}.items() if v is not None}
    with pytest.raises(FormatError, match=told):
        parse_amass(as_plain_npz(arrays))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "expected one of their results"),
        ([1, 2], "expected one of their results"),
        ({"smpl_params_global": {}}, "lacks global_orient"),
        ({0: {"pose_world": np.zeros((3, 72))}}, "lacks trans_world"),
        ({0: {**wham_person(), "pose_world": [[1], [2, 3]]}}, "is a list"),
        ({0: {**wham_person(), "frame_ids": np.zeros(FRAMES)}}, "don't increase"),
        ({0: {**wham_person(3), "frame_ids": np.array([0, 1, 10**6])}}, "are missing"),
        ({"pred_rotmat": np.zeros((3, 24, 3, 3)), "pred_trans": np.zeros((3, 3))}, "no rotations"),
        ({"pred_rotmat": np.zeros((3, 9))}, "expected \\(frames, 24, 3, 3\\)"),
    ],
)
def test_what_is_wrong_in_a_video_result_is_told(value, told):
    with pytest.raises(FormatError, match=told):
        for poses in poses_of_results(value, fps=30.0):
            motion_of_poses(poses)


def test_a_file_of_no_known_kind_says_which_are(tmp_path):
    with pytest.raises(FileError, match="no known format"):
        read_source(saved(tmp_path, "a.xyz", b"hello"))
    with pytest.raises(FileError, match="does not exist"):
        read_source(tmp_path / "none.pkl")


QUICK = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
numbers_of_any_shape = st.tuples(
    st.sampled_from(["<f8", "<f4", "<i8", "<U3", "|b1", "<c8"]),
    st.lists(st.sampled_from([0, 1, 2, 3, 24, 63, 72, 156]), max_size=4),
).map(lambda pair: np.ones(pair[1], pair[0]) if np.prod(pair[1]) < 1e5 else None)
_KEYS = (
    "smpl_params_global", "global_orient", "body_pose", "transl", "betas", "pose_world", "trans_world",
    "frame_ids", "pred_rotmat", "pred_trans", "frame", "0",
)  # fmt: skip
values = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | numbers_of_any_shape,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)


@settings(QUICK, max_examples=100)
@given(value=values, camera=values)
def test_results_may_hold_anything(value, camera):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            for poses in poses_of_results(value, fps=30.0, camera=camera):
                motion_of_poses(poses)
        except PallasError as error:
            assert str(error)


@QUICK
@given(
    name=st.sampled_from(["poses", "trans", "betas", "mocap_framerate", "gender"]),
    array=numbers_of_any_shape,
)
def test_an_amass_file_may_hold_arrays_of_any_type_and_shape(name, array):
    try:
        motion_of_poses(parse_amass(as_plain_npz({**amass_arrays(), name: array})))
    except PallasError as error:
        assert str(error)


@QUICK
@given(
    content=st.binary(max_size=200), suffix=st.sampled_from([".pkl", ".pt", ".npy", ".npz", ".x"])
)
def test_any_file_gives_a_source_or_an_error(tmp_path, content, suffix):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    try:
        read_source(path)
    except PallasError as error:
        assert str(path) in str(error)
