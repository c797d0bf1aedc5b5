"""What lies beside keypoints tells how fast they were recorded."""

from fractions import Fraction

import numpy as np
import pytest

from pallas.capture.keypoints.rates import neighbouring_rate


def clip(path, rate):
    av = pytest.importorskip("av", reason="PyAV writes the clip and is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(4):
            picture = np.full((48, 64, 3), 40 * shade, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.mark.parametrize(
    "name", ["cam2_json", "pose_cam2_json.tar.xz", "cam2_keypoints.json", "cam2"]
)
def test_the_video_of_the_same_name_tells(tmp_path, name):
    clip(tmp_path / "videos" / "cam1.mp4", 30)
    clip(tmp_path / "videos" / "cam2.mp4", 50)
    keypoints = tmp_path / "pose" / name
    keypoints.parent.mkdir()
    keypoints.touch()
    found = neighbouring_rate(keypoints)
    assert found.fps == pytest.approx(50.0)
    assert found.path.name == "cam2.mp4"


def test_any_video_tells_if_all_agree(tmp_path):
    clip(tmp_path / "left.mp4", 25)
    clip(tmp_path / "right.mp4", 25)
    (tmp_path / "pose").mkdir()
    assert neighbouring_rate(tmp_path / "pose").fps == pytest.approx(25.0)
    clip(tmp_path / "slow.mp4", 10)
    assert neighbouring_rate(tmp_path / "pose") is None


def test_a_project_tells_a_number_and_not_auto(tmp_path):
    (tmp_path / "pose").mkdir()
    config = tmp_path / "Config.toml"
    config.write_text("[project]\nframe_rate = 'auto'\n")
    assert neighbouring_rate(tmp_path / "pose") is None
    config.write_text("[project]\nframe_rate = 120\n")
    assert neighbouring_rate(tmp_path / "pose").fps == 120.0


@pytest.mark.parametrize("text", ["[project", "project = 3", "[project]\nframe_rate = -5\n", "\0"])
def test_what_tells_nothing_tells_nothing(tmp_path, text):
    (tmp_path / "Config.toml").write_text(text)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    assert neighbouring_rate(tmp_path / "cam1.json") is None
