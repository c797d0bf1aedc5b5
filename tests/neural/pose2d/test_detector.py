"""The detector `paf`: people followed through a clip by a network that draws maps of known people."""

import numpy as np
import pytest

from pallas.capture.video.crops import Box
from pallas.capture.video.detector import DETECTORS, DetectorOptions, make_detector
from pallas.neural.pose2d import detector as detectors
from pallas.neural.pose2d.detector import PafDetector
from pallas.neural.pose2d.network import PafConfig, PafNetwork
from pallas.neural.pose2d.stored import save_paf
from pallas.neural.pose2d.targets import target_maps
from pallas.pallas_blender.detectors import add_detectors
from pallas.rig.errors import FileError, FormatError


@pytest.fixture
def seen(monkeypatch):
    """A detector's network replaced by what is true; the parts of the picture it looked at."""
    people, looked = [], []

    def maps(network, picture, box, longest, scales, mirrored):
        side = longest // 8
        looked.append(Box(*box))
        box = box.of_shape(1.0)
        cells = np.array([box.width, box.height]) / side
        corner = np.array([box.x - box.width / 2, box.y - box.height / 2])
        shown = np.stack(people) if people else np.full((1, 18, 2), np.nan)
        places = (shown + 0.5 - corner) / cells - 0.5
        layout = network.config.paf_layout
        confidence, pafs = target_maps(places, layout.limbs, (side, side))
        return confidence, pafs, box, (8 * side, 8 * side)

    monkeypatch.setattr(detectors, "averaged_maps", maps)
    return people, looked


@pytest.fixture
def network():
    return PafNetwork(PafConfig(width=8, stages=1)).eval()


def test_somebody_is_found_once_and_then_followed_in_crops(seen, network, person):
    people, looked = seen
    detector = PafDetector(network)
    picture = np.zeros((480, 640, 3), np.uint8)
    for step in range(8):
        people[:] = [person(detector.layout, 200.0 + 4 * step, 60.0, 45.0)]
        found = detector.detect(picture)
        np.testing.assert_allclose(found.positions, np.stack(people), atol=3.0)
    assert [box.width == 640 for box in looked[:3]] == [True, True, False]
    assert len(looked) == 3 + 7 and all(box.width < 520 for box in looked[2:])


def test_who_leaves_is_forgotten_and_who_comes_is_found_later(seen, network, person):
    people, _ = seen
    detector = PafDetector(network, people=2)
    picture = np.zeros((480, 640, 3), np.uint8)
    here, there = (person(detector.layout, x, 60.0, 45.0) for x in (150.0, 480.0))
    counts = []
    for shown in ([here], [here, there], [here, there], []):
        people[:] = shown
        counts.append([len(detector.detect(picture).positions) for _ in range(17)])
    assert counts[0] == [1] * 17 and counts[1][-1] == 2 and counts[2] == [2] * 17
    assert counts[3] == [0] * 17


def test_of_ten_people_as_many_are_followed_as_were_asked_for(seen, network, person):
    people, _ = seen
    detector = PafDetector(network, people=3)
    people[:] = [person(detector.layout, 60.0 + 120 * n, 40.0, 30.0) for n in range(10)]
    for _ in range(3):
        found = detector.detect(np.zeros((720, 1280, 3), np.uint8))
        assert found.positions.shape == (3, 18, 2)


@pytest.mark.parametrize("shape", [(64, 1), (1, 64), (48, 64), (300, 90)])
def test_pictures_of_nobody_and_of_any_shape_give_an_answer(network, shape):
    detector = PafDetector(network, side=64, whole=(64,))
    picture = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    for frame in (np.zeros_like(picture), picture, picture):
        found = detector.detect(frame)
        assert found.positions.shape[1:] == (18, 2) and len(found.positions) <= 1
    detector.close()


def test_it_is_one_choice_among_others(tmp_path, network):
    add_detectors()
    add_detectors()
    assert list(DETECTORS)[-1] == "paf"
    save_paf(tmp_path / "pose", network)
    model = tmp_path / "pose.safetensors"
    assert make_detector("paf", DetectorOptions(model)).layout.key == "coco_18"
    with pytest.raises(FormatError, match="has the layout coco_18"):
        make_detector("paf", DetectorOptions(model, layout="body_25"))
    assert make_detector("paf", DetectorOptions(model, mirrored=True)).layout.key == "coco_18"
    with pytest.raises(FormatError, match="mediapipe looks at no mirror images; paf does"):
        make_detector("mediapipe", DetectorOptions(mirrored=True))
    with pytest.raises(FileError, match="does not exist"):
        make_detector("paf", DetectorOptions(tmp_path / "none.safetensors"))


def test_the_network_in_the_package_finds_nobody_in_a_black_picture():
    detector = make_detector("paf")
    assert detector.layout.key == "body_25"
    found = detector.detect(np.zeros((90, 120, 3), np.uint8))
    assert found.positions.shape == (0, 25, 2)
