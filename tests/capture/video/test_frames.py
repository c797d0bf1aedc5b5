import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from video_files import NEARLY, quarters, turn_display, write_video

from pallas.capture.video.frames import Damage, facts, read_frames
from pallas.rig.errors import FileError, FormatError, ModelError, PallasError


def shades(count, size=(32, 48)):
    return [np.full((*size, 3), 20 * k, np.uint8) for k in range(count)]


def test_frames_come_in_order_with_their_times(tmp_path):
    path = write_video(tmp_path / "clip.mp4", shades(6), fps=25)
    frames = list(read_frames(path))
    assert [frame.number for frame in frames] == list(range(6))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(6) / 25, atol=1e-6)
    for k, frame in enumerate(frames):
        assert frame.picture.shape == (32, 48, 3)
        assert abs(frame.picture.mean() - 20 * k) < NEARLY


@pytest.mark.parametrize(("degrees", "turns"), [(90, 3), (180, 2), (270, 1)])
def test_a_picture_is_turned_as_the_phone_was_held(tmp_path, degrees, turns):
    path = write_video(tmp_path / "clip.mp4", [quarters()] * 2)
    turn_display(path, degrees)
    picture = next(iter(read_frames(path))).picture
    expected = np.rot90(quarters(), turns)
    assert picture.shape == expected.shape
    corners = (slice(4, None, picture.shape[0] - 9), slice(4, None, picture.shape[1] - 9))
    difference = picture[corners].astype(int) - expected[corners]
    assert np.abs(difference).max() < 4 * NEARLY
    assert facts(path).turned == (360 - degrees) % 360
    assert facts(path).size == (expected.shape[1], expected.shape[0])


def test_a_rate_that_varies_keeps_every_frames_own_time(tmp_path):
    times = [0.0, 0.033, 0.100, 0.133, 0.300]
    path = write_video(tmp_path / "clip.mkv", shades(5), times=times)
    np.testing.assert_allclose([frame.time for frame in read_frames(path)], times, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "picture"),
    [
        ("grey.mkv", "ffv1", "gray", np.full((32, 48), 90, np.uint8)),
        ("alpha.mkv", "ffv1", "bgra", np.full((32, 48, 4), 90, np.uint8)),
        ("clip.avi", "mjpeg", "yuvj420p", np.full((32, 48, 3), 90, np.uint8)),
        ("clip.webm", "libvpx", "yuv420p", np.full((32, 48, 3), 90, np.uint8)),
    ],
)
def test_any_container_and_picture_becomes_red_green_and_blue(
    tmp_path, name, codec, pixels, picture
):
    path = write_video(tmp_path / name, [picture] * 3, codec=codec, pixels=pixels)
    frames = list(read_frames(path))
    assert len(frames) == 3
    assert frames[0].picture.shape == (32, 48, 3)
    assert abs(frames[0].picture.mean() - 90) < NEARLY


def test_a_clip_of_one_frame_has_one(tmp_path):
    path = write_video(tmp_path / "clip.mp4", shades(1))
    assert len(list(read_frames(path))) == 1
    assert facts(path).fps == 30.0


def test_portrait_4k_is_read(tmp_path):
    picture = np.zeros((3840, 2160, 3), np.uint8)
    path = write_video(tmp_path / "clip.mp4", [picture], options={"preset": "ultrafast"})
    assert next(iter(read_frames(path))).picture.shape == (3840, 2160, 3)


def noisy_clip(path, frames=12):
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(frames)]
    return write_video(path, pictures, options={"g": "4", "bf": "0"})


def test_of_a_damaged_file_the_good_frames_are_kept_and_it_is_said_in_one_line(tmp_path):
    path = noisy_clip(tmp_path / "clip.mp4")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat")
    middle = slice(start + (len(data) - start) // 3, start + (len(data) - start) // 2)
    data[middle] = bytes(middle.stop - middle.start)
    path.write_bytes(bytes(data))
    damage = Damage()
    kept = len(list(read_frames(path, damage)))
    assert 0 < kept < 12
    line = damage.told(kept)
    assert "damaged" in line and f"{kept} frames are kept" in line and "\n" not in line


def test_a_clip_whose_end_is_missing_gives_what_there_is(tmp_path):
    path = noisy_clip(tmp_path / "clip.mkv")
    data = path.read_bytes()
    path.write_bytes(data[: 2 * len(data) // 3])
    assert 0 < len(list(read_frames(path))) < 12


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100, b"{}"])
def test_what_is_no_video_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="no video that FFmpeg reads|no pictures|no frame"):
        list(read_frames(path))


def test_without_pyav_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ModelError, match="pip install av"):
        facts(tmp_path / "clip.mp4")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        facts(tmp_path / "nothing.mp4")
    with pytest.raises(FileError, match="is a folder"):
        facts(tmp_path)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return noisy_clip(tmp_path_factory.mktemp("fuzz") / "clip.mp4", 4).read_bytes()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=st.lists(st.tuples(st.floats(0.0, 0.999), st.integers(0, 255)), max_size=12))
def test_fuzz_damaged_bytes_give_frames_or_a_told_error(tmp_path, clip, edits):
    data = bytearray(clip)
    for place, value in edits:
        data[int(place * len(data))] = value
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(data))
    try:
        frames = list(read_frames(path))
    except PallasError as error:
        assert "\n" not in str(error)
    else:
        assert all(frame.picture.ndim == 3 for frame in frames)
        assert all(b.time > a.time for a, b in pairwise(frames))


def test_nothing_is_left_open_after_an_error(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x" * 64)
    with pytest.raises(FormatError):
        facts(path)
    path.unlink()
