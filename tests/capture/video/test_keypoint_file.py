import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pallas.capture.keypoints.files import read_keypoints
from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.keypoints.layout import layout_of_names, named_layout
from pallas.capture.video.even_times import even_rate
from pallas.capture.video.keypoint_file import write_keypoints
from pallas.rig.errors import FormatError, OutputError, PallasError


def some(layout="mediapipe_33", frames=3, people=2):
    draw = np.random.default_rng(0)
    kind = named_layout(layout)
    positions = draw.uniform(1.0, 1000.0, (frames, people, len(kind), 2)).round(3)
    sure = draw.uniform(0.1, 1.0, positions.shape[:3]).round(3)
    sure[1, 0] = 0.0
    sure[2, :, 4] = 0.0
    return Keypoints(kind, positions, sure, 59.94, (1080, 1920), "cam", start=7)


@pytest.mark.parametrize("layout", ["mediapipe_33", "body_25b", "coco_133", "h36m_17"])
def test_what_is_written_is_read_again(tmp_path, layout):
    keypoints = some(layout)
    write_keypoints(tmp_path / "cam.json", keypoints)
    again = read_keypoints(tmp_path / "cam.json")
    assert again.layout == keypoints.layout
    assert (again.fps, again.image_size, again.start) == (59.94, (1080, 1920), 7)
    np.testing.assert_allclose(again.positions, keypoints.positions, atol=1e-9)
    np.testing.assert_allclose(again.confidence, keypoints.confidence, atol=1e-9)


def test_points_with_names_of_their_own_are_read_again(tmp_path):
    layout = layout_of_names(["left_knee", "RKnee", "tail"])
    keypoints = Keypoints(layout, np.ones((2, 1, 3, 2)), np.ones((2, 1, 3)), 30.0)
    write_keypoints(tmp_path / "cam.json", keypoints)
    assert read_keypoints(tmp_path / "cam.json").layout.names == ("LKnee", "RKnee", "tail")


def test_it_is_a_coco_data_set(tmp_path):
    write_keypoints(tmp_path / "cam.json", some("coco_17"), {"detector": "x"})
    document = json.loads((tmp_path / "cam.json").read_text())
    assert set(document) == {"info", "images", "annotations", "categories"}
    assert len(document["annotations"][0]["keypoints"]) == 51
    assert document["categories"][0]["keypoints"][0] == "Nose"
    del document["info"]  # as another program's, by COCO's reader
    (tmp_path / "other.json").write_text(json.dumps(document))
    other = read_keypoints(tmp_path / "other.json")
    assert other.layout.key == "coco_17"
    assert len(other) == 3


def test_it_is_not_written_over_another(tmp_path):
    write_keypoints(tmp_path / "cam.json", some())
    with pytest.raises(OutputError, match="--force"):
        write_keypoints(tmp_path / "cam.json", some())


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "cam.json"
    write_keypoints(path, some("coco_17"))
    return path.read_text()


def test_a_later_version_is_told(tmp_path, text):
    path = tmp_path / "cam.json"
    path.write_text(text.replace('"version":1', '"version":2'))
    with pytest.raises(FormatError, match="version 2; this PALLAS reads 1"):
        read_keypoints(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    where=st.floats(0.0, 1.0),
    what=st.sampled_from(["", "1e999", "null", "-1", '"x"', "[]", "{}", "NaN", "true", "99999999"]),
    cut=st.integers(0, 8),
)
def test_fuzz_damaged_files_are_read_or_told(tmp_path, text, where, what, cut):
    place = int(where * len(text))
    path = tmp_path / "cam.json"
    path.write_text(text[:place] + what + text[place + cut :])
    try:
        read_keypoints(path)
    except PallasError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (np.arange(50) * 1001 / 30000, (30000 / 1001, True)),
        (np.arange(50) / 60 + 5.0, (60.0, True)),
        (np.arange(100).round() / 29.5, (29.5, True)),
        (np.array([0, 1, 2, 3, 9, 10, 11]) / 25.0, (25.0, False)),
        (np.array([0.0]), (30.0, True)),
    ],
)
def test_the_rate_is_that_of_the_frames_times(times, expected):
    rate, even = even_rate(times)
    assert rate == pytest.approx(expected[0], rel=1e-9)
    assert even == expected[1]
