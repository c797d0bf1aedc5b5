from dataclasses import replace

import numpy as np
import pytest
from stages import BODY, CAM, ring, seen, walker

from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.keypoints.layout import LAYOUTS, layout_of_count, layout_of_names
from pallas.capture.keypoints.sides import side_groups, with_steady_sides
from pallas.capture.keypoints.tracks import tracked, tracklets
from pallas.rig.errors import FormatError, ShapeError
from pallas.rig.skeleton import BODY_JOINTS

COUNTS = {"body_25": 25, "body_25b": 25, "coco_17": 17, "coco_18": 18, "coco_133": 133, "halpe_26": 26,
          "mediapipe_33": 33, "h36m_17": 17, "mpii_16": 16}  # fmt: skip


@pytest.mark.parametrize("key", LAYOUTS)
def test_a_layout_fits_itself(key):
    layout = LAYOUTS[key]
    assert len(layout) == len(set(layout.names)) == COUNTS[key]
    assert all(0 <= k < len(layout) for pair in layout.limbs + layout.pairs for k in pair)
    sided = [k for pair in layout.pairs for k in pair]
    assert len(set(sided)) == len(sided)
    for left, right in layout.pairs:
        if layout.names[left][0] == "L":
            assert layout.names[right] == "R" + layout.names[left][1:]
    assert set(layout.joints) <= set(BODY_JOINTS)


def test_every_limb_of_a_layout_has_its_mirror_image():
    for layout in LAYOUTS.values():
        mirror = layout.mirrored
        limbs = {frozenset(limb) for limb in layout.limbs}
        assert limbs == {frozenset(mirror[k] for k in limb) for limb in limbs}


def test_opencaps_twenty_points_are_all_in_layouts_with_feet():
    for key in ("body_25", "body_25b", "halpe_26", "coco_133"):
        assert len(LAYOUTS[key].opencap) == 20
    assert "LBigToe" not in LAYOUTS["coco_17"].opencap
    assert LAYOUTS["coco_17"].opencap["midHip"] == (11, 12)
    assert LAYOUTS["body_25"].opencap["midHip"] == (8,)


def test_names_are_known_however_they_are_spelt():
    spelt = ("left_knee", "KneeR", "l_elbow", "RAnkle", "Right Big Toe", "whiskers", "mouth_left")
    assert layout_of_names(spelt).names == (
        "LKnee", "RKnee", "LElbow", "RAnkle", "RBigToe", "whiskers", "LMouth"
    )  # fmt: skip


def test_known_names_are_the_known_layout():
    assert layout_of_names(LAYOUTS["halpe_26"].names) is LAYOUTS["halpe_26"]


def test_an_unknown_number_of_keypoints_is_told():
    with pytest.raises(FormatError, match="people have 19 keypoints; expected 25 \\(body_25\\)"):
        layout_of_count(19)


def keypoints(positions, confidence=None):
    positions = np.asarray(positions, dtype=float)
    return Keypoints(
        BODY, positions, np.ones(positions.shape[:3]) if confidence is None else confidence
    )


def test_zeros_nans_and_no_confidence_are_missing():
    positions, sure = np.ones((1, 1, 25, 2)), np.ones((1, 1, 25))
    positions[0, 0, 0], positions[0, 0, 1, 1], sure[0, 0, 2] = 0.0, np.nan, 0.0
    sure[0, 0, 3] = np.nan
    found = keypoints(positions, sure)
    assert np.isnan(found.positions[0, 0, :4]).all()
    assert (found.confidence[0, 0, :4] == 0.0).all()
    assert found.seen.sum() == 21


def test_a_point_at_the_edge_of_the_picture_is_not_missing():
    positions = np.ones((1, 1, 25, 2))
    positions[0, 0, 0] = [0.0, 12.0]
    assert keypoints(positions).seen.all()


def test_keypoints_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match="expected \\(any, any, 25, 2 or 3\\)"):
        keypoints(np.ones((1, 1, 24, 2)))


def test_points_are_the_mean_of_their_keypoints():
    positions = np.arange(50.0).reshape(1, 1, 25, 2) + 1
    names, points, _ = keypoints(positions).joined("joints")
    toes = [BODY.names.index("LBigToe"), BODY.names.index("LSmallToe")]
    np.testing.assert_allclose(
        points[0, 0, names.index("left_foot")], positions[0, 0, toes].mean(axis=0)
    )


def test_people_in_any_order_become_tracks():
    one, other = walker(60, start=(-0.8, 0)), walker(60, start=(0.8, 0), phase=1.0)
    (mixed,) = seen([one, other], [CAM], noise=1.0)
    (told,) = seen([one, other], [CAM], noise=0.0, shuffled=False)
    found = tracked(mixed)
    away = np.linalg.norm(found.positions[:, :, None] - told.positions[:, None], axis=-1).mean(
        axis=(0, 3)
    )
    assert sorted(np.argmin(away, axis=1)) == [0, 1]
    assert away.min(axis=1).max() < 3.0


def test_two_who_cross_in_one_view_keep_their_rows():
    one = walker(120, start=(-1.0, 0.5), velocity=(1.0, 0.0))
    other = walker(120, start=(1.0, -0.5), velocity=(-1.0, 0.0), phase=2.0, scale=0.95)
    (mixed,) = seen([one, other], [CAM], noise=1.0)
    (told,) = seen([one, other], [CAM], shuffled=False)
    found = tracked(mixed, 2)
    first = int(
        np.argmin(np.linalg.norm(told.positions[0] - found.positions[0, :1], axis=-1).mean(axis=-1))
    )
    away = np.linalg.norm(found.positions[:, 0] - told.positions[:, first], axis=-1)
    assert np.nanmedian(away) < 3.0
    assert np.nanpercentile(away, 95) < 10.0


def test_a_person_out_of_sight_for_a_moment_is_the_same():
    (view,) = seen([walker(60, velocity=(0.5, 0.0))], [CAM])
    sure = np.array(view.confidence)
    sure[20:28] = 0.0
    holed = replace(view, confidence=sure)
    assert tracklets(holed).max() == 1
    assert tracked(holed).people == 1


def test_the_person_seen_most_comes_first():
    (view,) = seen([walker(60, start=(0.9, 0)), walker(60, start=(-0.9, 0))], [CAM], shuffled=False)
    sure = np.array(view.confidence)
    sure[10:, 0] = 0.0
    found = tracked(replace(view, confidence=sure), 1)
    np.testing.assert_allclose(found.positions[:, 0], view.positions[:, 1])


def test_a_person_whose_left_is_taken_for_right_is_still_the_same():
    (view,) = seen([walker(60)], [CAM], noise=1.0)
    positions = np.array(view.positions)
    for frames in (slice(20, 33), slice(50, 60)):
        positions[frames] = positions[frames][:, :, list(BODY.mirrored)]
    turned = replace(view, positions=positions)
    assert tracked(turned).people == 1
    found, _ = with_steady_sides(tracked(turned))
    np.testing.assert_array_equal(found.positions, view.positions)


def test_nobody_is_no_track():
    nobody = keypoints(np.full((5, 2, 25, 2), np.nan))
    assert tracked(nobody).people == 0
    assert (tracklets(nobody) == -1).all()


def test_exchanged_sides_of_one_view_jump_and_are_put_right():
    (view,) = seen([walker(80)], [CAM], noise=1.0)
    positions = np.array(view.positions)
    legs = list(side_groups(BODY)[0])
    positions[30:45] = positions[30:45][:, :, list(BODY.mirrored)]
    positions[60:70][:, :, legs] = positions[60:70][:, :, np.array(BODY.mirrored)[legs]]
    found, flips = with_steady_sides(replace(view, positions=positions))
    assert flips[30:45, 0].all()
    assert flips[60:70, 0, 0].all()
    assert not flips[60:70, 0, 1].any()
    assert flips.sum() == 40
    np.testing.assert_array_equal(found.positions, view.positions)


def test_legs_that_are_exchanged_while_they_pass_each_other_are_told_by_the_hips():
    """Somebody who faces the camera, with legs that meet between: no jump tells of the exchange."""
    (view,) = seen([np.repeat(walker(1), 60, axis=0)], [ring(4)[1]], noise=0.2)
    positions = np.array(view.positions)
    legs = np.array(side_groups(BODY)[0])
    mirrored = np.array(BODY.mirrored)[legs]
    middle = (positions[:, :, legs] + positions[:, :, mirrored]) / 2
    apart = np.abs(np.linspace(-1.0, 1.0, 60))[:, None, None, None]  # nothing in the middle
    truth = positions.copy()
    truth[:, :, legs] = middle + apart * (positions[:, :, legs] - middle)
    wrong = truth.copy()
    wrong[30:, :, legs] = truth[30:][:, :, mirrored]
    found, flips = with_steady_sides(replace(view, positions=wrong))
    assert not flips[:30].any() and not flips[:, 0, 1].any()
    assert flips[40:, 0, 0].all()
    np.testing.assert_array_equal(found.positions[40:], truth[40:])
