"""Markers on bodies, bodies in motion."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.neural.augmenter.bodies import PLACEMENT, marked_body, skin_of
from pallas.neural.augmenter.moving import crowd_of, moved
from pallas.neural.augmenter.points import KEYPOINTS, MARKERS
from pallas.neural.augmenter.train import crowd_for
from pallas.neural.augmenter.variation import Variation, keypoint_errors, scales_of
from pallas.rig.bodies import body_names, load_body
from pallas.rig.skeleton import BODY_JOINTS


@pytest.fixture(scope="module")
def body():
    return marked_body(skin_of(load_body("man_40")))


def place(body, name):
    return body.points[[*MARKERS, *KEYPOINTS].index(name)]


def test_anatomy_is_where_it_belongs(body):
    hip, knee, ankle = (place(body, f"L{name}") for name in ("Hip", "Knee", "Ankle"))
    lateral, medial = place(body, "L_knee_study"), place(body, "L_mknee_study")
    assert medial[0] < knee[0] < lateral[0] and 0.08 < lateral[0] - medial[0] < 0.16
    front, back = place(body, "L.ASIS_study"), place(body, "L.PSIS_study")
    assert front[1] < hip[1] < back[1] and front[2] > hip[2] and back[2] > hip[2]
    assert place(body, "L_toe_study")[1] < ankle[1] < place(body, "L_calc_study")[1]
    assert place(body, "C7_study")[1] > place(body, "Neck")[1]
    assert place(body, "L_lelbow_study")[2] > place(body, "L_melbow_study")[2]
    assert place(body, "L_lwrist_study")[1] < place(body, "L_mwrist_study")[1]


def test_both_sides_are_alike(body):
    flip = np.array([-1.0, 1.0, 1.0])
    for left, right in (
        ("L.ASIS_study", "r.ASIS_study"),
        ("L_knee_study", "r_knee_study"),
        ("LHip", "RHip"),
    ):
        np.testing.assert_allclose(place(body, left) * flip, place(body, right), atol=0.02)


def test_legs_hang_and_arms_are_level_in_t_pose(body):
    joints = dict(zip(BODY_JOINTS, body.joints, strict=True))
    np.testing.assert_allclose(joints["left_hip"][:2], joints["left_ankle"][:2], atol=1e-6)
    np.testing.assert_allclose(joints["left_shoulder"][1:], joints["left_wrist"][1:], atol=1e-6)


def test_every_grown_body_is_in_one_split_and_children_in_none():
    sizes = [len(crowd_for(split)) for split in ("train", "validation", "test")]
    assert sum(sizes) + len(PLACEMENT["bodies"]["left_out"]) == len(body_names())


def test_a_body_at_rest_has_its_points_where_they_are(body):
    crowd = crowd_of([body])
    still = torch.eye(3).expand(1, 2, 24, 3, 3)
    found = moved(crowd, crowd.points, still)
    expected = crowd.points - crowd.joints[:, :1]
    torch.testing.assert_close(found, expected[:, None].expand(1, 2, -1, 3), atol=1e-5, rtol=0)


def test_a_bent_knee_moves_what_is_below_it_alone(body):
    crowd = crowd_of([body])
    turns = torch.eye(3).repeat(1, 1, 24, 1, 1)
    quarter = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    for joint in ("left_knee", "left_ankle", "left_foot"):
        turns[0, 0, BODY_JOINTS.index(joint)] = quarter
    names = [*MARKERS, *KEYPOINTS]
    found = moved(crowd, crowd.points, turns)[0, 0]
    rest = crowd.points[0] - crowd.joints[0, 0]
    shank = float(np.linalg.norm(place(body, "LAnkle") - place(body, "LKnee")))
    away = found[names.index("LAnkle")] - found[names.index("LKnee")]
    torch.testing.assert_close(away, torch.tensor([0.0, shank, 0.0]), atol=1e-4, rtol=0)
    for name in ("RAnkle", "L.ASIS_study", "LKnee"):
        torch.testing.assert_close(
            found[names.index(name)], rest[names.index(name)], atol=1e-5, rtol=0
        )


def test_a_body_twice_as_large_has_points_twice_as_far(body):
    crowd = crowd_of([body])
    turns = torch.linalg.qr(torch.randn(1, 3, 24, 3, 3))[0]
    turns = turns * torch.linalg.det(turns)[..., None, None]
    large = moved(crowd, crowd.points, turns, torch.full((1, 24, 3), 2.0))
    small = moved(crowd, crowd.points, turns)
    pelvis = crowd.joints[:, 0]
    torch.testing.assert_close(large, 2.0 * small, atol=1e-4, rtol=1e-4)
    assert bool(torch.isfinite(pelvis).all())


def test_errors_of_keypoints_have_the_size_and_memory_that_were_told():
    variation = replace(Variation(), bias=0.0, wander=0.01, jitter=0.0, memory=0.9, errors=1.0)
    random = torch.Generator().manual_seed(0)
    errors = keypoint_errors(400, 60, variation, random)
    # Scales are even between none and all: the mean square is a third.
    assert float(errors.std()) == pytest.approx(0.01 / 3**0.5, rel=0.1)
    past, new = errors[:, :-1].flatten(), errors[:, 1:].flatten()
    assert float((past * new).mean() / (past * past).mean()) == pytest.approx(0.9, abs=0.03)


def test_scales_are_the_same_on_both_sides():
    pairs = [
        BODY_JOINTS.index(n.replace("left", "*").replace("right", "left").replace("*", "right"))
        for n in BODY_JOINTS
    ]
    scales = scales_of(3, pairs, Variation(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(scales, scales[:, pairs])
