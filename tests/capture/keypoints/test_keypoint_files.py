import json

import keypoint_files as make
import numpy as np
import pytest
from fuzzing import FUZZED, damaged
from hypothesis import given
from stages import CAM, frame_json, standing

from pallas.capture.keypoints import members
from pallas.capture.keypoints.files import parse_keypoints, read_keypoints, read_views
from pallas.capture.keypoints.layout import LAYOUTS
from pallas.rig.errors import FileError, FormatError, PallasError

SIZE = (1000, 2000)


def folder_of(tmp_path, files, name="cam1"):
    folder = tmp_path / name
    folder.mkdir()
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return folder


def frames_of(key, count=3):
    return {
        f"clip_{k:012d}_keypoints.json": make.openpose_frame(make.flat(key, k))
        for k in range(count)
    }


@pytest.mark.parametrize("key", ["coco_17", "coco_18", "halpe_26", "coco_133"])
def test_a_folder_of_openpose_is_read(tmp_path, key):
    found = read_keypoints(folder_of(tmp_path, frames_of(key)))
    assert found.layout.key == key
    assert (found.name, found.start, found.fps) == ("cam1", 0, None)
    np.testing.assert_allclose(found.positions[2, 0], make.pose(key, 2))
    np.testing.assert_allclose(found.confidence, 0.9)


@pytest.mark.parametrize("key", ["body_25", "body_25b"])
def test_layouts_with_25_keypoints_are_told_by_their_limbs(tmp_path, key):
    """The same person, her keypoints in the one order and in the other."""
    pixels = CAM.project(standing())
    named = dict(zip(LAYOUTS["body_25b"].names, pixels, strict=True))
    named["Hip"] = (named["LHip"] + named["RHip"]) / 2
    points = np.array([named[name] for name in LAYOUTS[key].names])
    content = frame_json(points[None], np.ones((1, 25))).encode()
    assert read_keypoints(folder_of(tmp_path, {"f_1.json": content})).layout.key == key


def test_the_layout_may_be_told(tmp_path):
    folder = folder_of(tmp_path, frames_of("body_25"))
    assert read_keypoints(folder, layout="body_25").layout.key == "body_25"
    with pytest.raises(FormatError, match="25 keypoints; coco_17 has 17"):
        read_keypoints(folder, layout="coco_17")
    with pytest.raises(FormatError, match="no layout 'body'"):
        read_keypoints(folder, layout="body")


def test_the_shared_trial_is_body_25b(data):
    views = read_views([data("video/pose2sim/openpose")])
    assert [view.layout.key for view in views] == ["body_25b"] * 4
    assert [view.people for view in views] == [3, 2, 1, 1]
    assert all(len(view) == 100 for view in views)
    # Camera 1, frame 10, the first person's nose; the fourth of her keypoints was not seen.
    np.testing.assert_allclose(views[0].positions[10, 0, 0], [584.118, 447.471])
    assert np.isnan(views[0].positions[10, 0, 3]).all()


@pytest.mark.parametrize("mode", ["zip", "w:xz", "w:gz", "w"])
def test_an_archive_is_read_as_its_folder(tmp_path, mode):
    files = {f"json/{name}": content for name, content in frames_of("coco_17").items()}
    path = tmp_path / "cam2.zip"
    path.write_bytes(make.zipped(files) if mode == "zip" else make.tarred(files, mode))
    found = read_keypoints(path)
    assert (found.name, len(found), found.layout.key) == ("cam2", 3, "coco_17")


def test_a_folder_with_a_folder_for_each_camera_is_all_of_them(tmp_path):
    for name in ("cam_b", "cam_a"):
        folder_of(tmp_path, frames_of("coco_17"), name)
    assert [view.name for view in read_views([tmp_path])] == ["cam_a", "cam_b"]


def test_frames_are_numbered_by_their_files_and_missing_ones_are_empty(tmp_path):
    files = {
        f"cam01.{k:04d}.json": make.openpose_frame(make.flat("coco_17", k)) for k in (7, 9, 10)
    }
    found = read_keypoints(folder_of(tmp_path, files))
    assert found.start == 7
    assert found.seen.any(axis=(1, 2)).tolist() == [True, False, True, True]


def test_a_frame_without_people_is_empty(tmp_path):
    files = frames_of("coco_17") | {"clip_000000000001_keypoints.json": make.openpose_frame()}
    found = read_keypoints(folder_of(tmp_path, files))
    assert found.seen.any(axis=(1, 2)).tolist() == [True, False, True]


def test_what_a_detector_did_not_see_is_missing(tmp_path):
    row = make.flat("coco_17")
    row[3:6], row[6:9] = [0, 0, 0], [50.0, 60.0, 0.0]
    found = read_keypoints(folder_of(tmp_path, {"1.json": make.openpose_frame(row)}))
    assert np.isnan(found.positions[0, 0, 1:3]).all()
    assert found.seen[0, 0].sum() == 15


def test_one_frame_is_a_clip(tmp_path):
    assert len(read_keypoints(folder_of(tmp_path, frames_of("coco_17", 1)))) == 1


def one(content, **told):
    (found,) = parse_keypoints(content, **told)
    return found


def test_coco_results_are_read():
    found = one(make.coco_results())
    assert (found.layout.key, found.start, len(found)) == ("coco_17", 10, 3)
    np.testing.assert_allclose(found.positions[1, 0], make.pose("coco_17", 1))


def test_the_parts_of_coco_whole_body_are_put_together():
    values = make.flat("coco_133")
    person = {
        "image_id": 1,
        "keypoints": values[:51],
        "foot_kpts": values[51:69],
        "face_kpts": values[69:273],
    }
    person |= {"lefthand_kpts": values[273:336], "righthand_kpts": values[336:], "score": 1.0}
    found = one(json.dumps([person]).encode())
    assert found.layout.key == "coco_133"
    np.testing.assert_allclose(found.positions[0, 0], make.pose("coco_133"))


def test_alphapose_is_read():
    found = one(make.alphapose())
    assert (found.layout.key, found.start, len(found)) == ("halpe_26", 0, 3)


def test_mmpose_is_read():
    found = one(make.mmpose())
    assert (found.layout.key, found.start, found.spatial) == ("coco_133", 1, False)
    np.testing.assert_allclose(found.confidence, 0.7)


def test_mmpose_in_space_is_read():
    found = one(make.mmpose("h36m_17", dimensions=3))
    assert (found.layout.key, found.spatial) == ("h36m_17", True)
    np.testing.assert_allclose(found.positions[0, 0], make.pose("h36m_17", dimensions=3))


@pytest.mark.parametrize(
    "content",
    [
        make.mediapipe_json(),
        make.mediapipe_long(),
        make.mediapipe_wide(),
        make.mediapipe_wide(spelling="{short}{number}"),
        make.mediapipe_wide(spelling="landmark_{number}_{axis}"),
    ],
)
def test_mediapipe_in_the_picture_is_read(content):
    found = one(content, image_size=SIZE)
    assert found.layout.key == "mediapipe_33"
    np.testing.assert_allclose(
        found.positions[:, 0], [make.landmarks(frame=f)[:, :2] * SIZE for f in range(3)]
    )


@pytest.mark.parametrize(
    "content", [make.mediapipe_json(world=True), make.mediapipe_wide(world=True)]
)
def test_mediapipe_in_the_world_stands_upright(content):
    """Its y points down and its z away from the camera: z up, and the person faces -y."""
    found = one(content)
    table = make.landmarks(world=True)
    assert found.spatial
    np.testing.assert_allclose(found.positions[0, 0, 5], [table[5, 0], table[5, 2], -table[5, 1]])
    nose, toe = found.positions[0, 0, 0], found.positions[0, 0, 31]
    assert nose[2] > toe[2]


def test_fractions_of_a_picture_need_its_size():
    with pytest.raises(FormatError, match="--image-size 1920x1080"):
        one(make.mediapipe_json())


def test_freemocap_in_space_is_metres():
    found = one(make.freemocap())
    assert (found.layout.key, found.spatial, len(found)) == ("mediapipe_33", True, 3)
    np.testing.assert_allclose(found.positions[0, 0, 4], [0.2, 0.2, 0.2])


def test_freemocap_of_several_cameras_is_as_many_views(tmp_path):
    path = tmp_path / "2d.npy"
    path.write_bytes(make.freemocap(cameras=3))
    assert [view.name for view in read_views([path])] == ["2d-1", "2d-2", "2d-3"]
    with pytest.raises(FormatError, match="holds 3 cameras"):
        read_keypoints(path)


def test_deeplabcut_is_read_and_knows_a_body():
    found = one(make.deeplabcut())
    assert found.layout.names == ("Nose", "LKnee", "RKnee", "tail")
    assert found.layout.pairs == ((1, 2),)
    np.testing.assert_allclose(found.positions[1, 0, 1], [31.0, 41.0])
    np.testing.assert_allclose(found.confidence, 0.75)


def test_deeplabcut_with_several_individuals_is_read():
    found = one(make.deeplabcut(("one", "two")))
    assert found.people == 2
    np.testing.assert_allclose(found.positions[0, 1, 0], [120.0, 130.0])


@pytest.mark.parametrize("track", [False, True])
def test_labels_of_yolo_are_read(tmp_path, track):
    files = {f"clip_{k}.txt": make.yolo_label(k, track=track) for k in (1, 2)} | {"clip_3.txt": b""}
    folder = folder_of(tmp_path, files)
    found = read_keypoints(folder, image_size=SIZE)
    assert found.layout.key == "coco_17"
    assert found.seen.any(axis=(1, 2)).tolist() == [True, True, False]
    np.testing.assert_allclose(found.positions[0, 0], make.pose("coco_17", 1), atol=0.01)
    with pytest.raises(FormatError, match="--image-size"):
        read_keypoints(folder)


def test_results_of_yolo_are_read(tmp_path):
    found = read_keypoints(folder_of(tmp_path, {f"f{k}.json": make.yolo_json(k) for k in range(2)}))
    np.testing.assert_allclose(found.positions[1, 0], make.pose("coco_17", 1))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"hello": 1, "world": 2}', "of another program \\(it holds hello, world\\)"),
        (b"[1, 2, 3]", "of another program"),
        (b"[]", "of another program"),
        (b'{"people": [', "cut or damaged"),
        (b'{"people": []}', "nobody is in any of 1 frames"),
        (make.openpose_frame([1.0] * 57), "people have 19 keypoints; expected 25 \\(body_25\\)"),
        (make.openpose_frame([1.0] * 50), "50 numbers"),
        (make.openpose_frame(["x"] * 51), "something else than numbers"),
        (make.openpose_frame([1e300] * 51), "no picture has"),
        (make.openpose_frame(make.flat("coco_17"), make.flat("coco_18")), "17 and 18"),
        (b"[" * 100_000, "nested too deep"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"time,a.qw\n0,1\n", "of no program that is known"),
        (b"\xff\xfe\x00\x01", "no text"),
        (make.npy(np.zeros((3, 5, 3))), "\\(3, 5, 3\\)"),
        (make.npy(np.array(["a"])), "expected FreeMoCap"),
        (make.deeplabcut().replace(b"bodyparts", b"0"), "expected"),
        (make.deeplabcut()[:-5], "expected DeepLabCut's rows|values"),
        (make.mediapipe_long().replace(b"0.9", b"z", 1), "expected a number"),
    ],
)
def test_what_is_wrong_is_told(content, told):
    with pytest.raises(FormatError, match=told):
        parse_keypoints(content)


def test_what_is_not_there_or_holds_nothing_is_told(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        read_keypoints(tmp_path / "nothing")
    with pytest.raises(FormatError, match="holds no .json"):
        read_keypoints(folder_of(tmp_path, {"a.png": b"x"}))
    (tmp_path / "cut.zip").write_bytes(make.zipped(frames_of("coco_17"))[:200])
    with pytest.raises(FormatError, match="cut or damaged"):
        read_keypoints(tmp_path / "cut.zip")
    with pytest.raises(FormatError, match="1.json: no JSON"):
        read_keypoints(folder_of(tmp_path, {"1.json": b"nonsense"}, "bad"))


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "_LARGEST_FILE", 1 << 20)
    path = tmp_path / "bomb.tar.xz"
    path.write_bytes(make.tarred({"1.json": b" " * (2 << 20)}))
    with pytest.raises(FormatError, match="over 1 MiB"):
        read_keypoints(path)


VALID = {
    "openpose": make.openpose_frame(make.flat("coco_17"), make.flat("coco_17", 0, 1)),
    "coco": make.coco_results(frames=1),
    "alphapose": make.alphapose("coco_17", frames=1),
    "mmpose": make.mmpose("coco_17", frames=1),
    "mediapipe": make.mediapipe_json(frames=1),
    "wide": make.mediapipe_wide(frames=1),
    "long": make.mediapipe_long(frames=1),
    "deeplabcut": make.deeplabcut(("one", "two"), frames=2),
    "freemocap": make.npy(np.ones((1, 33, 3))),
    "yolo": make.yolo_json(),
}


@pytest.mark.filterwarnings("ignore:Reading `.npy`:UserWarning")
@pytest.mark.parametrize("name", VALID)
def test_any_bytes_give_keypoints_or_an_error(name):
    parse_keypoints(VALID[name], image_size=SIZE)

    @FUZZED
    @given(damaged(VALID[name]))
    def check(content):
        try:
            parse_keypoints(content, image_size=SIZE)
        except PallasError as error:
            assert str(error)

    check()


@pytest.mark.parametrize("name", ["yolo.txt", "frames.zip", "frames.tar.xz", "frames.tar"])
def test_any_bytes_in_files_give_keypoints_or_an_error(tmp_path_factory, name):
    files = {"a/1.json": VALID["openpose"]}
    kind = {"zip": make.zipped, "xz": make.tarred, "tar": lambda f: make.tarred(f, "w")}
    valid = make.yolo_label() if name == "yolo.txt" else kind[name.rpartition(".")[2]](files)
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder if name == "yolo.txt" else folder / name

    @FUZZED
    @given(damaged(valid))
    def check(content):
        (folder / name).write_bytes(content)
        try:
            read_views([path], image_size=SIZE)
        except PallasError as error:
            assert str(error)

    check()
