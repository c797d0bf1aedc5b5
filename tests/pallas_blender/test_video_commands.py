import json

import numpy as np
import pytest
from video_files import write_video

from pallas.capture.formats import read_motion
from pallas.capture.keypoints.files import read_keypoints
from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.keypoints.layout import named_layout
from pallas.capture.markers import read_markers
from pallas.capture.video import detector as detectors
from pallas.capture.video.detector import DetectorKind, Found
from pallas.capture.video.keypoint_file import write_keypoints
from pallas.pallas_blender import kinematics_input
from pallas.pallas_blender.cli import main
from pallas.rig.errors import RecordingError

LAYOUT = named_layout("coco_17")
STANDING = {
    "Nose": (0, 160), "LEye": (3, 163), "REye": (-3, 163), "LEar": (7, 160), "REar": (-7, 160),
    "LShoulder": (18, 140), "RShoulder": (-18, 140), "LElbow": (22, 112), "RElbow": (-22, 112),
    "LWrist": (24, 86), "RWrist": (-24, 86), "LHip": (9, 90), "RHip": (-9, 90), "LKnee": (10, 50),
    "RKnee": (-10, 50), "LAnkle": (10, 8), "RAnkle": (-10, 8),
}  # fmt: skip
PERSON = np.array([(320 + 2 * x, 420 - 2 * y) for x, y in map(STANDING.get, LAYOUT.names)], float)


class Everywhere:
    """Finds the same standing person in every picture; stops the program when told to."""

    name, layout = "everywhere", LAYOUT
    stop_at = None

    def __init__(self, options):
        self.frames = 0

    def detect(self, picture):
        self.frames += 1
        if self.frames == Everywhere.stop_at:
            raise KeyboardInterrupt
        return Found(PERSON[None], np.full((1, 17), 0.9))

    def close(self):
        pass


@pytest.fixture(autouse=True)
def one_more_detector(monkeypatch):
    kinds = {"mediapipe": DetectorKind("in place of it", Everywhere)}
    monkeypatch.setattr(detectors, "DETECTORS", {**detectors.DETECTORS, **kinds})
    Everywhere.stop_at = None


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pictures = [np.zeros((48, 64, 3), np.uint8)] * 6
    return write_video(tmp_path_factory.mktemp("clips") / "cam1.mp4", pictures, fps=25)


def run(capsys, *words):
    code = main([str(word) for word in words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_clip_becomes_a_file_that_is_read_again(clip, tmp_path, capsys):
    out = tmp_path / "cam1.json"
    code, said, _ = run(capsys, "keypoints", clip, "-o", out, "--json")
    report = json.loads(said)
    assert code == 0
    assert report["clips"][0]["frames"] == 6
    assert report["clips"][0]["real_time"] > 0
    keypoints = read_keypoints(out)
    assert (keypoints.layout.key, keypoints.fps, keypoints.image_size) == (
        "coco_17",
        25.0,
        (64, 48),
    )
    np.testing.assert_allclose(keypoints.positions[3, 0], PERSON)


def test_several_clips_go_into_a_folder(clip, tmp_path, capsys):
    other = tmp_path / "cam2.mp4"
    other.write_bytes(clip.read_bytes())
    code, said, _ = run(capsys, "keypoints", clip, other, "-o", tmp_path / "out")
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["cam1.json", "cam2.json"]
    assert said.count("times real time") == 2
    code, _, error = run(capsys, "keypoints", clip, other, "-o", tmp_path / "both.json")
    assert code == 1
    assert "name a folder" in error


def test_nothing_is_written_over_without_force(clip, tmp_path, capsys):
    out = tmp_path / "cam1.json"
    out.write_text("mine")
    assert run(capsys, "keypoints", clip, "-o", out)[0] == 1
    assert out.read_text() == "mine"
    assert run(capsys, "keypoints", clip, "-o", out, "--force")[0] == 0
    assert read_keypoints(out).fps == 25.0


def test_a_stopped_run_leaves_nothing_half_written(clip, tmp_path, capsys):
    Everywhere.stop_at = 4
    assert run(capsys, "keypoints", clip, "-o", tmp_path / "cam1.json")[0] == 130
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_video_is_one_line(tmp_path, capsys):
    bad = tmp_path / "cam1.mp4"
    bad.write_bytes(b"nothing")
    code, _, error = run(capsys, "keypoints", bad, "-o", tmp_path / "cam1.json")
    assert code == 1
    assert "no video" in error and error.count("\n") == 1
    code, _, error = run(capsys, "keypoints", tmp_path / "none.mp4", "-o", tmp_path / "cam1.json")
    assert code == 1 and "does not exist" in error


def test_info_tells_what_a_video_is(clip, capsys):
    code, said, _ = run(capsys, "info", clip, "--json")
    video = json.loads(said)["video"]
    assert code == 0
    assert (video["width"], video["height"], video["fps"]) == (64, 48, 25.0)
    assert (video["frames"], video["turned_degrees"], video["codec"]) == (6, 0, "h264")


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    path = tmp_path_factory.mktemp("keypoints") / "cam1.json"
    positions = np.repeat(PERSON[None, None], 12, axis=0)
    write_keypoints(path, Keypoints(LAYOUT, positions, np.full((12, 1, 17), 0.9), 30.0, (640, 480)))
    return path


@pytest.mark.parametrize("suffix", [".trc", ".bvh"])
def test_one_cameras_keypoints_become_a_person(standing, tmp_path, capsys, suffix):
    out = tmp_path / f"person{suffix}"
    code, said, _ = run(
        capsys, "lift", standing, "--focal", 900, "--height", 1.70, "-o", out, "--json"
    )
    assert code == 0
    report = json.loads(said)
    # 152 cm from ankle to nose look 304 pixels high: 4.5 m away at a focal length of 900.
    assert report["distance_m"] == pytest.approx(4.5, rel=0.15)
    assert report["warnings"] == []
    if suffix == ".trc":
        markers = read_markers(out)
        assert len(markers.names) == 20 and len(markers) == 12
        heights = markers.positions[..., 2].mean(axis=0)
        assert heights[markers.names.index("Neck")] == pytest.approx(1.42, abs=0.2)
    else:
        assert len(read_motion(out)) == 12


def test_what_is_not_told_is_taken_and_said(standing, tmp_path, capsys):
    code, _, error = run(capsys, "lift", standing, "-o", tmp_path / "person.npz")
    assert code == 0
    assert "height is not given" in error and "no focal length is given" in error
    code, _, error = run(capsys, "lift", standing, "-o", tmp_path / "person.npz")
    assert code == 1 and "--force" in error
    code, _, error = run(capsys, "lift", standing, "--person", 2, "-o", tmp_path / "two.trc")
    assert code == 1 and "1 people are in" in error


def test_kinematics_hands_detector_and_person_on(clip, tmp_path, capsys, monkeypatch):
    """The commands on the way get what the user chose; here they only note it."""
    told = {}

    def noted(command, words, console):
        told[command.__name__.rpartition(".")[2]] = [str(word) for word in words]
        if command.__name__.endswith("lift"):
            raise RecordingError("far enough")
        return None, {"clips": []}

    monkeypatch.setattr(kinematics_input, "_ran", noted)
    words = ["--detector", "paf", "--detector-model", "net.safetensors", "--person", 2]
    words += ["--people", 3, "--focal", 1600, "--height", 1.7]
    code, _, error = run(capsys, "kinematics", clip, "-o", tmp_path / "out", *words)
    assert code == 1 and "far enough" in error
    found, lifted = " ".join(told["keypoints"]), " ".join(told["lift"])
    assert "--detector paf --model net.safetensors --people 3" in found
    assert "--person 2 --height 1.7 --focal 1600" in lifted
    code, _, error = run(capsys, "kinematics", clip, "-o", tmp_path / "out", "--detector", "none")
    assert code == 2 and "mediapipe" in error and "paf" in error
