import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pallas.capture.run_lengths import box_of, decoded, encoded, encoded_parts

MASKS = arrays(bool, st.tuples(st.integers(1, 20), st.integers(1, 20)))


def test_a_known_mask_has_the_run_lengths_of_cocos_tools():
    mask = np.zeros((4, 5), dtype=bool)
    mask[1:3, 1:4] = True
    assert encoded(mask) == {"size": [4, 5], "counts": "5220003"}  # pycocotools 2.0.11
    assert box_of(mask) == (1, 1, 3, 2)


@given(MASKS)
def test_a_mask_comes_back_from_its_run_lengths(mask):
    assert (decoded(encoded(mask)) == mask).all()


@given(MASKS)
@settings(max_examples=50)
def test_run_lengths_are_those_of_pycocotools(mask):
    tools = pytest.importorskip("pycocotools.mask")
    wanted = tools.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert encoded(mask)["counts"] == wanted["counts"].decode()


@given(
    arrays(np.int32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3))
)
def test_parts_at_once_are_the_masks_one_by_one(numbers):
    wanted = {k: encoded(numbers == k) for k in (1, 2, 3) if (numbers == k).any()}
    assert encoded_parts(numbers) == wanted
