from dataclasses import dataclass

import numpy as np
import pytest

from pallas.rig import ShapeError
from pallas.rig.retarget.bone_map import BoneMap
from pallas.rig.retarget.kept import kept


@dataclass(frozen=True, eq=False)
class Weighed:
    names: tuple[str, ...]
    weights: np.ndarray


@pytest.fixture
def told():
    """A kept function that adds weights, and what it was asked in earnest."""
    asked = []

    @kept
    def total(weighed, factor=1.0):
        asked.append(weighed)
        if factor < 0.0:
            raise ShapeError("negative")
        return factor * weighed.weights.sum(), weighed.weights

    return total, asked


def test_what_is_the_same_bit_by_bit_is_answered_once(told):
    total, asked = told
    for _ in range(3):
        assert total(Weighed(("a", "b"), np.array([1.0, 2.0])))[0] == 3.0
    assert len(asked) == 1


@pytest.mark.parametrize(
    "other",
    [
        Weighed(("a", "c"), np.array([1.0, 2.0])),
        Weighed(("a", "b"), np.array([1.0, np.nextafter(2.0, 3.0)])),
        Weighed(("a", "b"), np.array([[1.0, 2.0]])),
        Weighed(("a", "b"), np.array([1.0, 2.0]).astype(np.float32)),
    ],
    ids=["name", "last bit", "shape", "precision"],
)
def test_whatever_differs_is_asked_anew(told, other):
    total, asked = told
    total(Weighed(("a", "b"), np.array([1.0, 2.0])))
    total(other)
    assert len(asked) == 2


def test_options_belong_to_the_question(told):
    total, _ = told
    weighed = Weighed(("a",), np.array([2.0]))
    assert total(weighed, factor=2.0)[0] == 4.0
    assert total(weighed, factor=3.0)[0] == 6.0


def test_an_array_that_is_overwritten_is_another_one_and_spoils_no_answer(told):
    total, _ = told
    weights = np.array([1.0, 2.0])
    total(Weighed(("a", "b"), weights))
    weights[:] = 5.0
    assert total(Weighed(("a", "b"), weights))[0] == 10.0
    former, own = total(Weighed(("a", "b"), np.array([1.0, 2.0])))
    assert former == 3.0
    np.testing.assert_array_equal(own, [1.0, 2.0])


def test_the_order_of_a_map_is_part_of_it():
    first = kept(lambda bone_map: next(iter(bone_map.bones)))
    assert first(BoneMap({"hips": ("a",), "head": ("b",)})) == "hips"
    assert first(BoneMap({"head": ("b",), "hips": ("a",)})) == "head"


def test_errors_are_raised_every_time(told):
    total, asked = told
    for _ in range(2):
        with pytest.raises(ShapeError):
            total(Weighed(("a",), np.array([2.0])), factor=-1.0)
    assert len(asked) == 2
