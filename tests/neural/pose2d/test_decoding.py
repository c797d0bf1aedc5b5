"""Maps to people: known answers, crossing limbs, both matchings."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from pallas.neural.pose2d.best_body import best_body
from pallas.neural.pose2d.decode import decode
from pallas.neural.pose2d.layouts import PAF_LAYOUTS
from pallas.neural.pose2d.limbs import limb_candidates, limb_scores
from pallas.neural.pose2d.matching import best_pairs, greedy_pairs
from pallas.neural.pose2d.peaks import Peaks, find_peaks
from pallas.neural.pose2d.targets import target_maps
from pallas.rig.errors import ShapeError


def gaussian(x, y, shape=(20, 30), sigma=1.5):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))


def in_order(places):
    """People from left to right."""
    return places[np.argsort(np.nanmean(places[..., 0], axis=1))]


def test_a_peak_is_found_where_the_gaussian_is_not_where_its_cell_is():
    peaks = find_peaks(np.stack([gaussian(7.3, 11.8), 0.5 * gaussian(20.4, 4.1)]))
    assert peaks.point.tolist() == [0, 1]
    np.testing.assert_allclose(peaks.place, [[7.3, 11.8], [20.4, 4.1]], atol=1e-6)
    np.testing.assert_allclose(peaks.score, [0.97, 0.49], atol=0.02)


def test_a_flat_top_is_one_peak_and_a_peak_at_the_border_stays_inside():
    maps = np.zeros((1, 6, 6))
    maps[0, 2:4, 2:4] = 0.8
    maps[0, 0, 5] = 0.5
    peaks = find_peaks(maps)
    assert len(peaks.place) == 2
    assert peaks.place.min() >= 0 and peaks.place.max() <= 5


def test_the_highest_peaks_are_kept():
    maps = np.zeros((1, 9, 9))
    for number, (row, column) in enumerate(itertools.product(range(0, 9, 2), repeat=2)):
        maps[0, row, column] = 0.2 + 0.03 * number
    assert find_peaks(maps, most=3).score == pytest.approx([0.86, 0.89, 0.92])


def test_a_limb_scores_one_along_its_field_and_is_none_against_it():
    pafs = np.zeros((2, 20, 30))
    pafs[0] = 1.0  # to the right
    peaks = find_peaks(np.stack([gaussian(5, 10), gaussian(12, 10)]))
    forth = limb_candidates(peaks, pafs, [(0, 1)])
    assert (forth.start.tolist(), forth.end.tolist()) == ([0], [1])
    assert forth.score == pytest.approx([1.0])
    assert len(limb_candidates(peaks, pafs, [(1, 0)]).score) == 0
    across = limb_candidates(
        find_peaks(np.stack([gaussian(5, 4), gaussian(5, 16)])), pafs, [(0, 1)]
    )
    assert len(across.score) == 0


def test_the_sum_of_scores_decides_where_greed_would_take_the_highest():
    scores = np.array([[0.9, 0.8], [0.8, 0.1]])
    assert greedy_pairs(scores) == [(0, 0), (1, 1)]
    assert best_pairs(scores) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 5), (6, 4), (9, 9)])
def test_the_best_pairs_are_those_of_another_program(shape):
    draw = np.random.default_rng(sum(shape))
    for _ in range(10):
        scores = draw.uniform(-0.5, 1.0, shape)
        positive = np.maximum(scores, 0.0)
        rows, columns = linear_sum_assignment(-positive)
        pairs = best_pairs(scores)
        assert sum(scores[r, c] for r, c in pairs) == pytest.approx(positive[rows, columns].sum())
        assert all(scores[r, c] > 0 for r, c in pairs)


@pytest.mark.parametrize("matching", ["greedy", "hungarian"])
def test_three_people_with_crossing_arms_come_back_each_with_his_own(three, three_maps, matching):
    layout, people = three
    found = decode(*three_maps, layout, matching)
    assert found.places.shape == (3, 18, 2)
    np.testing.assert_allclose(in_order(found.places), people, atol=0.15)
    assert found.confidence.min() > 0.6


def test_body_25_with_a_person_behind_the_edge_gives_what_is_there(person):
    layout = PAF_LAYOUTS["body_25"]
    people = np.stack([person(layout.layout, 12.0, 3.0, 4.0), person(layout.layout, 1.0, 3.0, 4.0)])
    found = decode(*target_maps(people, layout.limbs, (40, 30)), layout)
    places = in_order(found.places)
    np.testing.assert_allclose(places[1], people[0], atol=0.3)
    outside = people[1][:, 0] < -1.0
    assert outside.any() and np.isnan(places[0][outside]).all()


def test_a_person_whose_trunk_is_hidden_still_has_legs(three):
    layout, people = three
    people = people[:1].copy()
    hidden = [
        k for k, name in enumerate(layout.layout.names) if name in ("LElbow", "LWrist", "Nose")
    ]
    people[0, hidden] = np.nan
    found = decode(*target_maps(people, layout.limbs, (46, 46)), layout)
    assert np.isnan(found.places[0]).any(axis=-1).nonzero()[0].tolist() == hidden


@pytest.mark.parametrize("value", [0.0, np.nan, 1.0, -np.inf])
def test_maps_of_nobody_give_nobody(value):
    layout = PAF_LAYOUTS["coco_18"]
    found = decode(np.full((19, 8, 9), value), np.zeros((38, 8, 9)), layout)
    assert found.places.shape == (0, 18, 2)


def test_ten_people_are_ten(person):
    layout = PAF_LAYOUTS["coco_18"]
    places = [(8.0 + 15 * (n % 5), 2.0 + 32 * (n // 5), 3.5) for n in range(10)]
    people = np.stack([person(layout.layout, *place) for place in places])
    assert len(decode(*target_maps(people, layout.limbs, (64, 76)), layout).places) == 10


def test_maps_of_another_layout_are_told():
    with pytest.raises(ShapeError, match="expected 25 or one more and 52"):
        decode(np.zeros((19, 8, 8)), np.zeros((38, 8, 8)), PAF_LAYOUTS["body_25"])


def test_somebody_alone_gets_the_peaks_that_no_limb_joins(three, three_maps):
    layout, people = three
    confidence, pafs = target_maps(people[:1], layout.limbs, (46, 46))
    for count, fields in ((0, np.zeros_like(pafs)), (1, pafs)):
        assert len(decode(confidence, fields, layout).places) == count
        found = decode(confidence, fields, layout, alone=True)
        np.testing.assert_allclose(found.places, people[:1], atol=0.3)
    assert len(decode(np.zeros_like(confidence), pafs, layout, alone=True).places) == 0


def test_somebody_alone_is_one_person_where_the_hips_limbs_are_lost(person):
    layout = PAF_LAYOUTS["body_25"]
    people = person(layout.layout, 20.0, 3.0, 5.0)[None]
    confidence, pafs = target_maps(people, layout.limbs, (46, 46))
    names = layout.layout.names
    for number, (_, end) in enumerate(layout.limbs):
        if names[end] in ("RHip", "LHip"):
            pafs[2 * number : 2 * number + 2] = 0.0
    assert len(decode(confidence, pafs, layout).places) == 3
    found = decode(confidence, pafs, layout, alone=True)
    np.testing.assert_allclose(found.places, people, atol=0.3)


def test_the_best_body_is_the_best_of_all_bodies():
    layout, draw = PAF_LAYOUTS["coco_18"], np.random.default_rng(5)
    point = np.repeat(np.arange(18), 2)
    peaks = Peaks(point, draw.uniform(0.0, 20.0, (36, 2)), draw.uniform(0.03, 1.0, 36))
    pairs, _ = limb_scores(peaks, draw.uniform(-0.8, 0.8, (38, 21, 21)), layout.limbs)
    among = [layout.limbs[0][0], *(end for _, end in layout.limbs[:7])]
    worth = np.where(np.isin(point, among), peaks.score, -np.inf)
    found = best_body(peaks, pairs, layout, worth)
    scores = {(a, b): max(s, -1.0) - 0.1 for _, a, b, s in zip(*pairs, strict=True)}

    def score(body):
        limbs = [(body.get(a, -1), body.get(b, -1)) for a, b in layout.limbs[:7]]
        return sum(peaks.score[n] for n in body.values() if n >= 0) + 0.7 * sum(
            scores[pair] for pair in limbs if min(pair) >= 0
        )

    every = itertools.product(*((-1, 2 * k, 2 * k + 1) for k in among))
    best = max((dict(zip(among, choice, strict=True)) for choice in every), key=score)
    assert {k: int(n) for k, n in enumerate(found) if n >= 0} == {
        k: n for k, n in best.items() if n >= 0
    }


def test_faint_peaks_are_somebodys_only_where_somebody_is(person):
    layout = PAF_LAYOUTS["body_25"]
    people = person(layout.layout, 20.0, 3.0, 5.0)[None]
    confidence, pafs = target_maps(people, layout.limbs, (46, 46))
    arm = [layout.layout.names.index(name) for name in ("LElbow", "LWrist")]
    confidence[arm] *= 0.07
    assert np.isnan(decode(confidence, pafs, layout).places[0, arm]).all()
    found = decode(confidence, pafs, layout, alone=True)
    np.testing.assert_allclose(found.places, people, atol=0.3)
    assert len(decode(0.07 * confidence, pafs, layout, alone=True).places) == 0


def test_of_two_people_the_one_in_the_middle_is_meant_and_a_whole_one_beside_is_another(person):
    layout = PAF_LAYOUTS["body_25"]
    middle, beside = person(layout.layout, 22.0, 4.0, 4.8), person(layout.layout, 40.0, 4.0, 4.8)
    confidence, pafs = target_maps(np.stack([middle, beside]), layout.limbs, (46, 46))
    found = decode(confidence, pafs, layout, alone=True)
    np.testing.assert_allclose(in_order(found.places), [middle, beside], atol=0.8)
    found = decode(confidence, np.zeros_like(pafs), layout, alone=True)  # nothing but peaks
    trunk = list(layout.trunk)
    np.testing.assert_allclose(found.places[:, trunk], middle[None, trunk], atol=0.3)
