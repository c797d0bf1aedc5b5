"""Windows: what networks see, and any length put together from them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pallas.neural.augmenter.points import KEYPOINTS, MARKERS
from pallas.neural.augmenter.windows import FRAMES, facing_window, in_windows

HIPS = [KEYPOINTS.index("RHip"), KEYPOINTS.index("LHip")]


def person(frames=FRAMES, seed=0):
    torch.manual_seed(seed)
    keypoints = torch.randn(1, frames, len(KEYPOINTS), 3)
    keypoints[..., HIPS[0], :] = torch.tensor([2.0, 1.0, 1.0])
    keypoints[..., HIPS[1], :] = torch.tensor([2.0, 1.2, 1.0])
    return keypoints, torch.tensor([[2.0, 80.0]])


def test_hips_lie_on_the_x_axis_a_height_apart_in_parts():
    keypoints, size = person()
    window = facing_window(keypoints, size)
    torch.testing.assert_close(window.keypoints[0, 0, HIPS[1]], torch.tensor([0.05, 0.0, 0.0]))
    torch.testing.assert_close(window.keypoints[0, 0, HIPS[0]], torch.tensor([-0.05, 0.0, 0.0]))


def test_the_way_back_leads_where_points_came_from():
    keypoints, size = person()
    window = facing_window(keypoints, size)
    torch.testing.assert_close(window.back(window.keypoints), keypoints)


def test_heading_and_place_make_no_difference():
    keypoints, size = person()
    turn = torch.tensor([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    elsewhere = keypoints @ turn.T + torch.tensor([5.0, -3.0, 0.5])
    seen, moved = (facing_window(k, size).keypoints for k in (keypoints, elsewhere))
    torch.testing.assert_close(seen, moved, atol=1e-5, rtol=1e-5)


def test_who_lies_on_the_side_still_has_a_window():
    keypoints, size = person()
    keypoints[..., HIPS[1], :] = keypoints[..., HIPS[0], :] + torch.tensor([0.0, 0.0, 0.2])
    window = facing_window(keypoints, size)
    assert bool(torch.isfinite(window.keypoints).all())
    torch.testing.assert_close(window.back(window.keypoints), keypoints)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.integers(1, FRAMES))
def test_what_is_predicted_frame_by_frame_is_the_same_in_windows(frames, step):
    values = torch.arange(frames, dtype=torch.float32)[:, None]

    def predict(parts):
        return parts[..., None].expand(*parts.shape[:2], len(MARKERS), 3) * 2.0

    found = in_windows(values, predict, FRAMES, step)
    assert found.shape == (frames, len(MARKERS), 3)
    torch.testing.assert_close(found[:, 0, 0], 2.0 * values[:, 0], atol=1e-3, rtol=1e-4)


def test_the_middle_of_a_window_counts_most():
    def predict(parts):
        hill = torch.zeros(len(parts), FRAMES, 1, 3)
        hill[:, 0] = 1.0  # wrong at the edge alone
        return hill

    found = in_windows(torch.zeros(2 * FRAMES, 1), predict, FRAMES, FRAMES // 2)
    assert float(found[FRAMES // 2, 0, 0]) == pytest.approx(0.0333, abs=0.01)
