import numpy as np
import pytest
from onnx_files import colour_network, spots
from video_files import write_video

from pallas.capture.keypoints.layout import named_layout
from pallas.capture.video.crops import Box, crop
from pallas.capture.video.decoding import decode_heatmaps, decode_simcc
from pallas.capture.video.detection import detect_video
from pallas.capture.video.detector import (
    DETECTORS,
    DetectorKind,
    DetectorOptions,
    Found,
    lacks,
    make_detector,
)
from pallas.capture.video.following import FollowingDetector
from pallas.rig.errors import FileError, FormatError, ModelError, RecordingError

SIZE = (192, 256)


def body(count, middle, width=60.0, height=150.0):
    """`count` places of a person, all different."""
    k = np.arange(count)
    x = middle[0] + width * (k % 3 - 1) / 2
    y = middle[1] + height * ((k // 3) / max((count - 1) // 3, 1) - 0.5)
    return np.round(np.stack([x, y], axis=-1))


def test_simcc_is_read_by_its_highest_bins():
    across, down = np.zeros((2, 20)), np.zeros((2, 40))
    across[0, 7], down[0, 31], across[1, 4], down[1, 10] = 0.9, 0.5, 0.3, 2.0
    points, sure = decode_simcc(across, down, (10, 20))
    np.testing.assert_allclose(points, [[3.5, 15.5], [2.0, 5.0]])
    np.testing.assert_allclose(sure, [0.5, 0.3])


def test_a_gaussian_heat_map_is_read_between_its_cells():
    rows, columns = np.mgrid[:16, :12]
    at = np.array([5.3, 7.8])
    maps = 0.8 * np.exp(-0.5 * ((columns - at[0]) ** 2 + (rows - at[1]) ** 2) / 1.5**2)[None]
    points, sure = decode_heatmaps(maps, (48, 64))
    np.testing.assert_allclose(points[0], (at + 0.5) * 4 - 0.5, atol=1e-6)
    assert sure[0] == pytest.approx(maps.max())


def test_a_heat_maps_peak_on_the_rim_stays_there():
    maps = np.zeros((1, 4, 4))
    maps[0, 0, 3] = 1.0
    np.testing.assert_allclose(decode_heatmaps(maps, (4, 4))[0], [[3.0, 0.0]])


def test_a_crop_shows_its_part_of_the_picture_and_leads_back():
    picture = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    box = Box(20.0, 15.0, 20.0, 10.0)
    np.testing.assert_array_equal(crop(picture, box, (20, 10)), picture[10:20, 10:30])
    np.testing.assert_allclose(box.to_picture(np.array([3.0, 4.0]), (20, 10)), [13.0, 14.0])
    np.testing.assert_allclose(box.to_picture(np.array([-0.5, -0.5]), (40, 40)), [9.5, 9.5])


def test_a_crop_beyond_the_picture_is_black_there():
    picture = np.full((10, 10, 3), 200, np.uint8)
    shown = crop(picture, Box(0.0, 5.0, 10.0, 10.0), (10, 10))
    assert (shown[:, :4] == 0).all()
    assert (shown[1:-1, 6:] == 200).all()


def onnx(path, count, *, simcc, **options):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network = colour_network(path / "network.onnx", count, simcc=simcc, size=SIZE)
    return make_detector("onnx", DetectorOptions(model=network, **options))


@pytest.mark.parametrize("simcc", [True, False])
@pytest.mark.parametrize(("count", "layout"), [(17, "coco_17"), (26, "halpe_26")])
def test_an_onnx_network_of_either_kind_finds_the_keypoints_where_they_are(
    tmp_path, simcc, count, layout
):
    detector = onnx(tmp_path, count, simcc=simcc)
    assert detector.layout.key == layout
    places = body(count, (260.0, 190.0))
    found = detector.detect(spots(places, (500, 400)))
    assert found.positions.shape == (1, count, 2)
    np.testing.assert_allclose(found.positions[0], places, atol=2.5)
    assert (found.confidence > 0.5).all()


def test_a_person_is_followed_and_found_again(tmp_path):
    detector = onnx(tmp_path, 17, simcc=False)
    for step in range(4):
        places = body(17, (150.0 + 15 * step, 190.0))
        found = detector.detect(spots(places, (500, 400)))
        np.testing.assert_allclose(found.positions[0], places, atol=2.5)
    assert len(detector.detect(np.zeros((400, 500, 3), np.uint8)).positions) == 0
    places = body(17, (400.0, 200.0))
    answers = [detector.detect(spots(places, (500, 400))).positions for _ in range(12)]
    np.testing.assert_allclose(answers[-1][0], places, atol=2.5)


def test_people_are_told_apart_by_where_they_are():
    layout = named_layout("coco_17")
    people = [body(17, (100.0, 200.0)), body(17, (400.0, 220.0))]

    def network(picture, box):
        """The person nearest to the middle of the crop, if he is inside."""
        middle = np.array([box.x, box.y])
        near = min(people, key=lambda points: np.linalg.norm(points.mean(axis=0) - middle))
        inside = (np.abs(near - middle) < [0.6 * box.width, 0.6 * box.height]).all()
        return near, np.full(17, 0.9 if inside else 0.0)

    picture = np.zeros((400, 500, 3), np.uint8)
    found = FollowingDetector("two", layout, network, people=2).detect(picture)
    np.testing.assert_allclose(
        np.sort(found.positions[:, 0, 0]), [people[0][0, 0], people[1][0, 0]]
    )
    assert len(FollowingDetector("one", layout, network).detect(picture).positions) == 1


def test_the_layout_of_25_keypoints_must_be_named(tmp_path):
    with pytest.raises(FormatError, match="body_25 or body_25b.*--layout"):
        onnx(tmp_path, 25, simcc=False)
    assert onnx(tmp_path, 25, simcc=False, layout="body_25").layout.key == "body_25"
    with pytest.raises(FormatError, match="finds 25 keypoints; coco_17 has 17"):
        onnx(tmp_path, 25, simcc=False, layout="coco_17")
    with pytest.raises(FormatError, match="people have 5 keypoints"):
        onnx(tmp_path, 5, simcc=False)


def test_a_file_that_is_no_network_is_said_to_be_none(tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    path = tmp_path / "network.onnx"
    with pytest.raises(FileError, match="does not exist"):
        make_detector("onnx", DetectorOptions(model=path))
    path.write_bytes(b"no network")
    with pytest.raises(ModelError, match="no ONNX network that runs here"):
        make_detector("onnx", DetectorOptions(model=path))
    with pytest.raises(FormatError, match="--model FILE.onnx"):
        make_detector("onnx")


def test_a_detector_that_is_not_there_is_said_with_those_that_are():
    with pytest.raises(FormatError, match=", ".join(DETECTORS)):
        make_detector("crystal ball")


def test_mediapipe_finds_nobody_in_an_empty_picture():
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    detector = make_detector("mediapipe")
    assert detector.layout.key == "mediapipe_33"
    assert detector.detect(np.zeros((120, 90, 3), np.uint8)).positions.shape == (0, 33, 2)
    detector.close()
    with pytest.raises(FormatError, match="finds one"):
        make_detector("mediapipe", DetectorOptions(people=2))


class Scripted:
    """Finds what it is told, a frame after the other."""

    name, layout = "scripted", named_layout("coco_17")

    def __init__(self, answers):
        self.answers, self.closed = list(answers), False

    def detect(self, picture):
        return self.answers.pop(0)

    def close(self):
        self.closed = True


def someone(*middles):
    points = np.array([body(17, middle) for middle in middles]).reshape(-1, 17, 2)
    return Found(points, np.full(points.shape[:2], 0.8))


def clip(tmp_path, frames, **options):
    pictures = [np.zeros((64, 48, 3), np.uint8)] * frames
    return write_video(tmp_path / "clip.mkv", pictures, **options)


def test_a_video_becomes_keypoints_with_rate_and_size(tmp_path):
    answers = [someone((20.0 + k, 30.0)) for k in range(3)] + [someone()]
    detector = Scripted(answers)
    found = detect_video(clip(tmp_path, 4, fps=50), detector)
    keypoints = found.keypoints
    assert (keypoints.fps, keypoints.image_size, keypoints.name) == (50.0, (48, 64), "clip")
    assert (found.frames, found.with_somebody) == (4, 3)
    np.testing.assert_allclose(keypoints.positions[:3, 0, 0, 0], [-10.0, -9.0, -8.0])
    assert not keypoints.seen[3].any()
    assert detector.closed


def test_frames_at_uneven_times_come_onto_an_even_clock(tmp_path):
    times = [0.0, 0.1, 0.2, 0.3, 0.5, 0.6]  # one is left out
    answers = [someone((100.0 * time, 30.0)) for time in times]
    found = detect_video(clip(tmp_path, 6, times=times), Scripted(answers))
    assert found.keypoints.fps == pytest.approx(10.0)
    x = found.keypoints.positions[:, 0, 1, 0]
    np.testing.assert_allclose(x, 10.0 * np.arange(7), atol=0.2)
    assert any("even clock" in line for line in found.warnings)


def test_people_keep_their_rows_though_the_detector_exchanges_them(tmp_path):
    left, right = (20.0, 30.0), (220.0, 30.0)
    answers = [someone(left, right), someone(right, left), someone(left, right)]
    found = detect_video(clip(tmp_path, 3), Scripted(answers), people=2)
    assert np.ptp(found.keypoints.positions[:, :, 0, 0], axis=0).max() == 0.0


def test_a_video_without_anybody_says_so(tmp_path):
    with pytest.raises(RecordingError, match="nobody was found in any of 2 frames"):
        detect_video(clip(tmp_path, 2), Scripted([someone()] * 2))


def test_what_a_detector_lacks_is_told_before_anything_is_loaded(tmp_path):
    kind = DetectorKind("of a test", FollowingDetector, packages=("nowhere==1.2", "numpy"))
    assert lacks(kind) == "nowhere==1.2"
    (tmp_path / "nowhere").mkdir()
    assert lacks(kind, tmp_path) == ""
    assert not DetectorKind("of a test", FollowingDetector).needs_model
    own = DetectorKind("of a test", FollowingDetector, takes_model=True, own=tmp_path / "net")
    assert own.needs_model
    own.own.touch()
    assert not own.needs_model
