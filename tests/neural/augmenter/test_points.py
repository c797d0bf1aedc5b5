"""Names of points, and the segments that carry them."""

import json

import pytest
import torch

from pallas.neural.augmenter import points
from pallas.neural.augmenter.points import ARMS, BODY, KEYPOINTS, MARKERS, SEGMENTS, mirrored
from pallas.neural.augmenter.segments import FixedMarkers, segment_frames
from pallas.neural.augmenter.variation import mirror


def test_the_paper_has_fifteen_points_in_and_thirty_five_out_and_arms_seven_and_eight():
    assert (len(BODY.inputs), len(BODY.outputs)) == (15, 35)
    assert (len(ARMS.inputs), len(ARMS.outputs)) == (7, 8)
    assert set(BODY.inputs) | set(ARMS.inputs) == set(KEYPOINTS)


@pytest.mark.parametrize("name", [*KEYPOINTS, *MARKERS])
def test_the_other_side_of_the_other_side_is_the_point_itself(name):
    assert mirrored(name) in (*KEYPOINTS, *MARKERS)
    assert mirrored(mirrored(name)) == name


def test_every_marker_is_carried_by_one_segment():
    carried = [name for segment in SEGMENTS for name in segment.markers]
    both = {*carried, *map(mirrored, carried)}
    assert len(carried) == len(set(carried)) and both == set(MARKERS)


def test_frames_on_the_body_turn_with_it():
    torch.manual_seed(0)
    keypoints = torch.randn(5, len(KEYPOINTS), 3)
    turn = torch.linalg.qr(torch.randn(3, 3))[0]
    turn = turn * torch.linalg.det(turn)
    origins, frames = segment_frames(keypoints)
    turned_origins, turned = segment_frames(keypoints @ turn.T)
    torch.testing.assert_close(turned_origins, origins @ turn.T, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(turned, turn @ frames, atol=1e-3, rtol=1e-3)


def test_both_sides_have_the_same_numbers_in_their_frames():
    torch.manual_seed(1)
    keypoints, markers = torch.randn(4, len(KEYPOINTS), 3), torch.randn(4, len(MARKERS), 3)
    other_keypoints, other_markers = mirror(keypoints, markers)

    def local(points, what):
        origins, frames = segment_frames(points)
        return (frames * (what - origins)[..., :, None]).sum(-2)

    swap = [MARKERS.index(mirrored(name)) for name in MARKERS]
    here, there = local(keypoints, markers)[:, swap], local(other_keypoints, other_markers)
    sided = [k for k, name in enumerate(MARKERS) if name[0] in "rRL" and name != "C7_study"]
    torch.testing.assert_close(here[:, sided].abs(), there[:, sided].abs(), atol=1e-3, rtol=1e-3)


def test_markers_that_are_fixed_in_segments_are_found_exactly():
    torch.manual_seed(2)
    keypoints = torch.randn(6, 30, len(KEYPOINTS), 3)
    origins, frames = segment_frames(keypoints)
    markers = origins + (frames * torch.randn(len(MARKERS), 1, 3)).sum(-1)
    fixed = FixedMarkers(59)
    inputs = torch.randn(6, 30, 59)
    fixed.fit(keypoints, inputs, markers)
    assert float((fixed(keypoints, inputs) - markers).abs().max()) < 1e-3


def test_the_table_of_points_has_no_doubles():
    table = json.loads((points.Path(points.__file__).parent / "points.json").read_text())
    for part in ("body", "arms"):
        for names in table[part].values():
            assert len(names) == len(set(names))


def test_an_arm_that_seems_bent_backwards_while_it_is_straight_does_not_turn_around():
    torch.manual_seed(3)
    keypoints = torch.randn(1, 30, len(KEYPOINTS), 3)[:, :1].repeat(1, 30, 1, 1)
    shoulder, elbow, wrist = (
        KEYPOINTS.index(f"L{name}") for name in ("Shoulder", "Elbow", "Wrist")
    )
    right, left, neck = (KEYPOINTS.index(name) for name in ("RHip", "LHip", "Neck"))
    keypoints[..., [right, left, neck], :] = torch.tensor(
        [[-0.1, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.0, 0.5]]
    )
    bend = 0.6 * torch.linspace(1.0, -0.4, 30).abs()  # radians, forward, which is -y
    bend[25:28] *= -1.0  # as errors of a detector have it
    keypoints[..., shoulder, :] = torch.tensor([0.2, 0.0, 0.5])
    keypoints[..., elbow, :] = torch.tensor([0.2, 0.0, 0.35])
    keypoints[0, :, wrist] = torch.stack(
        [torch.full((30,), 0.2), -0.15 * bend.sin(), 0.35 - 0.15 * bend.cos()], dim=-1
    )
    _, frames = segment_frames(keypoints)
    for marker in ("L_melbow_study", "L_mwrist_study"):
        first = frames[0, :, MARKERS.index(marker), :, 0]
        assert float(first[:, 1].max()) < -0.8
