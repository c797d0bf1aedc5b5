"""Names of left and right."""

import pytest

from pallas.rig.sides import other_side, side_pairs


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("LeftKnee", "RightKnee"),
        ("knee_left", "knee_right"),
        ("L.Knee", "R.Knee"),
        ("knee_l", "knee_r"),
        ("LKNE", "RKNE"),
        ("lknee", "rknee"),
        ("KneeL", "KneeR"),
        ("Thigh L 2", "Thigh R 2"),
    ],
)
def test_a_pair_is_known_in_every_spelling(left, right):
    assert other_side(left, (left, right)) == right
    assert side_pairs(("C7", right, left)) == ((left, right),)


def test_a_name_without_a_partner_has_no_side():
    assert other_side("L.Knee", ("L.Knee", "R.Ankle")) is None
    assert side_pairs(("Lumbar", "Rib", "L4", "C7")) == ()


def test_a_letter_in_the_middle_of_a_word_is_no_side():
    assert side_pairs(("scalp", "scarp", "shoulder")) == ()
