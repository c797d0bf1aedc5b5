"""PCK, OKS and AP: people moved by known distances."""

import numpy as np
import pytest

from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.keypoints.layout import LAYOUTS
from pallas.neural.pose2d.evaluate import agreement, in_coco
from pallas.neural.pose2d.scores import average_precision, correct, oks, torso


@pytest.fixture
def coco(person):
    return in_coco(person(LAYOUTS["body_25"], 100.0, 20.0, 20.0), LAYOUTS["body_25"])


def test_a_keypoint_is_correct_within_a_fifth_of_the_torso(coco):
    size = torso(coco)  # from a shoulder 1.3 heads beside and 2.4 above the other side's hip
    assert size == pytest.approx(20.0 * np.hypot(1.3, 2.4))
    near = coco + np.array([0.19 * size, 0.0])
    far = coco + np.array([0.0, 0.21 * size])
    assert correct(near, coco, size).tolist() == [1.0] * 17
    assert correct(far, coco, size).tolist() == [0.0] * 17


def test_what_is_missing_is_wrong_and_what_nobody_knows_does_not_count(coco):
    found, known = coco.copy(), coco.copy()
    found[3], known[5] = np.nan, np.nan
    rows = correct(found, known, torso(known))
    assert rows[3] == 0.0 and np.isnan(rows[5]) and np.nansum(rows) == 15.0
    assert np.isnan(correct(coco, coco, np.asarray(np.nan))).all()


def test_oks_of_everybody_a_known_way_off_is_what_cocos_formula_says(coco):
    area = np.array([4000.0])
    assert oks(coco[None], coco[None], area) == pytest.approx(1.0)
    nose = np.where(np.arange(17)[:, None] == 0, coco, np.nan)
    moved = oks(coco[None] + (3.0, 0.0), nose[None], area)
    assert moved == pytest.approx(np.exp(-9.0 / (2.0 * 4000.0 * (2 * 0.026) ** 2)))


def test_precision_is_one_for_the_right_people_and_less_for_more_or_fewer():
    same, nobody = np.eye(2), np.zeros((1, 2))
    assert average_precision([(same, np.array([0.9, 0.8]))]) == pytest.approx(1.0)
    assert average_precision([(nobody, np.array([0.9]))]) == 0.0
    half = average_precision([(same[:1], np.array([0.9]))])
    assert half == pytest.approx(51 / 101)
    doubled = np.array([[1.0], [0.9]])
    assert average_precision([(doubled, np.array([0.9, 0.8]))]) == pytest.approx(1.0)
    assert average_precision([(doubled[::-1], np.array([0.9, 0.8]))]) == pytest.approx(
        0.9, abs=0.06
    )


def test_detectors_agree_where_both_have_the_same_points(person):
    layouts = [LAYOUTS[key] for key in ("body_25", "coco_18")]
    clips = [
        Keypoints(
            own, np.tile(person(own, 90.0, 10.0, 20.0), (3, 1, 1, 1)), np.ones((3, 1, len(own)))
        )
        for own in layouts
    ]
    found = agreement(*clips)
    assert (found.frames, found.pck) == (3, 1.0) and found.distance == pytest.approx(0.0)
