"""Small toes and necks that no detector saw lie where bodies have them."""

import numpy as np
import pytest

from pallas.neural.augmenter.completed import completed
from pallas.rig import quaternion
from pallas.rig.bodies import landmark_places, load_body
from pallas.rig.bodies.library import body_names
from pallas.rig.trajectories import MarkerTrajectories

SMALL_TOES = ("RSmallToe", "LSmallToe")
NAMES = [f"{s}{part}" for s in "RL" for part in ("Knee", "Ankle", "Heel", "BigToe", "SmallToe")]
LANDMARKS = [
    f"{side}_{part}"
    for side in ("right", "left")
    for part in ("knee", "ankle", "heel", "big_toe", "small_toe")
]


def legs(name, turn=quaternion.IDENTITY):
    """The points of both legs of a body, turned: one frame."""
    places = quaternion.rotate(np.array(turn), landmark_places(load_body(name), LANDMARKS))
    return MarkerTrajectories(tuple(NAMES), places[None], 60.0)


@pytest.mark.parametrize("name", body_names()[::5])
@pytest.mark.parametrize("degrees", [0.0, 75.0, 200.0])
def test_small_toes_are_within_a_centimetre_of_those_of_bodies(name, degrees):
    turn = quaternion.from_axis_angle(np.array([0.6, 0.0, 0.8]), np.radians(degrees))
    whole = legs(name, turn)
    without = whole.chosen(tuple(n for n in NAMES if n not in SMALL_TOES))
    found = completed(without)
    assert set(found.names) == set(NAMES)
    away = found.chosen(SMALL_TOES).positions - whole.chosen(SMALL_TOES).positions
    assert np.linalg.norm(away, axis=-1).max() < 0.012


def test_toes_that_were_seen_stay():
    whole = legs(body_names()[0])
    assert completed(whole).names == whole.names


def test_a_shank_along_the_foot_tells_nothing():
    points = np.zeros((1, 4, 3))
    points[0, :, 0] = [1.0, 0.5, 0.0, 0.2]
    foot = MarkerTrajectories(("RKnee", "RAnkle", "RHeel", "RBigToe"), points, 60.0)
    assert np.isnan(completed(foot).chosen(("RSmallToe",)).positions).all()


def test_a_neck_lies_between_the_shoulders():
    shoulders = np.array([[[0.2, 0.0, 1.4], [-0.2, 0.1, 1.5]]])
    found = completed(MarkerTrajectories(("LShoulder", "RShoulder"), shoulders, 60.0))
    np.testing.assert_allclose(found.chosen(("Neck",)).positions[0, 0], [0.0, 0.05, 1.45])
