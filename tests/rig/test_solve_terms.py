"""What single terms do, by hand, and what they refuse in one line."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pallas.rig import ShapeError, so3
from pallas.rig.model import BodyMarker, Frame, KinematicModel, along, ball, free, hinge
from pallas.rig.model.joints import Joint
from pallas.rig.solve import (
    Contacts,
    Limits,
    Markers,
    Orientations,
    Pixels,
    Points,
    Problem,
    Shape,
    Smoothness,
    StayNear,
    solve,
)

# A slide along x that carries a tip 0.5 m along y: every answer can be read off.
SLIDE = KinematicModel(
    "slide",
    (Joint("slide", "ground", "block", translations=(along("x", "q"),)),),
    markers=(BodyMarker("TIP", "block", (0.0, 0.5, 0.0)),),
)
# A body that only turns, about the ground's origin.
TURN = KinematicModel("turn", (ball("b", "ground", "head"),))
# A camera that looks along z from 4 m away, 500 pixels of focal length.
CAMERA = np.array([[500.0, 0, 320, 1280], [0, 500.0, 240, 960], [0, 0, 1.0, 4]])


def places(*x: float) -> np.ndarray:
    """(T, 1, 3) targets of the tip."""
    return np.array([[[value, 0.5, 0.0]] for value in x])


def cost(term: object, pose: Tensor | np.ndarray, model: KinematicModel = SLIDE) -> list[float]:
    """Of every frame."""
    return Problem(model, (term,)).at(torch.as_tensor(pose)).cost().tolist()


def q(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)[:, None]


def test_a_marker_costs_half_its_squared_weighted_distance():
    term = Markers(("TIP",), places(0.0, math.nan, 0.0), weights=[[10.0], [10.0], [0.0]])
    assert cost(term, q(0.2, 5.0, 5.0)) == pytest.approx([0.5 * (10.0 * 0.2) ** 2, 0.0, 0.0])


def test_a_robust_marker_costs_hubers_loss():
    term = Markers(("TIP",), places(0.0, 0.0), weights=10.0, robust=0.1)
    far = 0.5 * 10.0**2 * 0.1 * (2.0 * 0.3 - 0.1)
    assert cost(term, q(0.05, 0.3)) == pytest.approx([0.5 * 0.5**2, far])


def test_a_point_with_an_offset_costs_as_a_marker_there():
    term = Points(("block",), places(0.0), offsets=[[0.0, 0.5, 0.0]], weights=10.0)
    assert cost(term, q(0.2)) == pytest.approx([0.5 * (10.0 * 0.2) ** 2])


def test_a_pixel_is_where_the_camera_sees_the_point_and_nothing_behind_it():
    # The tip at (0.4, 0.5, 0): 320 + 500 * 0.4 / 4 and 240 + 500 * 0.5 / 4.
    seen = np.array([[[320.0 + 50.0, 240.0 + 62.5 + 3.0]]])
    term = Pixels(("block",), seen, CAMERA, [[0.0, 0.5, 0.0]], weights=2.0)
    assert cost(term, q(0.4)) == pytest.approx([0.5 * (2.0 * 3.0) ** 2])
    behind = CAMERA.copy()
    behind[2, 3] = -4.0
    assert cost(Pixels(("block",), seen, behind, weights=2.0), q(0.4)) == [0.0]


def test_a_sensor_costs_the_angle_about_each_axis_of_the_world():
    turned = so3.exp(torch.tensor([[[0.0, 0.0, 0.3]]])).double()
    term = Orientations(("head",), turned, weights=[(5.0, 5.0, 2.0)])
    assert cost(term, torch.zeros(1, 3).double(), TURN) == pytest.approx([0.5 * (2.0 * 0.3) ** 2])
    mounted = so3.exp(torch.tensor([[0.0, 0.0, 0.3]])).double()
    aligned = Orientations(("head",), turned, mounted)
    assert cost(aligned, torch.zeros(1, 3).double(), TURN) == pytest.approx([0.0], abs=1e-12)


def test_a_sensor_without_a_reading_costs_nothing():
    turned = torch.full((1, 1, 3, 3), torch.nan)
    assert cost(Orientations(("head",), turned), torch.ones(1, 3).double(), TURN) == [0.0]


def test_staying_near_costs_the_distance_and_of_a_ball_the_angle():
    assert cost(StayNear(np.array([0.1]), 3.0), q(0.3)) == pytest.approx([0.5 * (3.0 * 0.2) ** 2])
    # A quarter turn about x from a half turn about x: as rotation vectors they may look far apart.
    near = StayNear(np.array([-math.pi, 0.0, 0.0]), 1.0)
    pose = torch.tensor([[0.5 * math.pi, 0.0, 0.0]], dtype=torch.float64)
    assert cost(near, pose, TURN) == pytest.approx([0.5 * (0.5 * math.pi) ** 2])


def test_limits_cost_only_what_is_beyond_them():
    model = SLIDE.with_coordinates({"q": {"limits": (-0.1, 0.2)}})
    found = cost(Limits(10.0), q(-0.4, 0.0, 0.2, 0.3), model)
    assert found == pytest.approx([0.5 * 3.0**2, 0.0, 0.0, 0.5 * 1.0**2])


def test_smoothness_and_contacts_cost_the_steps_between_frames():
    at = Problem(SLIDE, (Smoothness(2.0),)).at(q(0.0, 0.1, 0.4))
    assert float(at.total()) == pytest.approx(0.5 * (0.2**2 + 0.6**2))
    contacts = Contacts(("block",), [[1.0], [0.5], [0.5]], weights=2.0)
    at = Problem(SLIDE, (contacts,)).at(q(0.0, 0.1, 0.4))
    assert float(at.total()) == pytest.approx(
        0.5 * (0.1**2 + 0.3**2)
    )  # as sure as the less sure frame


def test_two_cameras_find_a_point_in_space():
    model = KinematicModel("free", (free("root", "ball"),))
    side = CAMERA @ np.array([[0.0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    truth = np.array([0.3, -0.2, 0.1, 1.0])
    seen = [(p @ truth)[:2] / (p @ truth)[2] for p in (CAMERA, side)]
    terms = [
        Pixels(("ball",), pixels[None, None], camera)
        for pixels, camera in zip(seen, (CAMERA, side), strict=True)
    ]
    shifts = [model.coordinate_index(f"root_t{axis}") for axis in "xyz"]
    moving = [model.coordinate_names[c] for c in shifts]
    fit = solve(Problem(model, terms, moving), np.zeros((1, 6)))
    np.testing.assert_allclose(fit.pose[0, shifts], truth[:3], atol=1e-6)


def test_a_drifting_heading_is_taken_from_the_markers_and_tilt_from_the_sensor():
    markers = (BodyMarker("FRONT", "head", (0.1, 0.0, 0.0)),)
    model = TURN.with_markers(markers)
    truth = so3.exp(torch.tensor([[0.2, 0.1, 0.0]])).double()
    drifted = so3.exp(torch.tensor([[0.0, 0.0, 0.8]])).double() @ truth
    place = (truth @ torch.tensor([0.1, 0.0, 0.0]).double())[:, None]
    sensor = Orientations(("head",), drifted[:, None], weights=[(1e3, 1e3, 1e-3)])
    fit = solve(Problem(model, (Markers(("FRONT",), place, 1e3), sensor)), np.zeros((1, 3)))
    tilt = so3.exp(torch.tensor(fit.pose))[0, 2]  # the vertical in the head's frame
    torch.testing.assert_close(tilt, truth[0, 2], atol=2e-2, rtol=0.0)
    found = so3.exp(torch.tensor(fit.pose)) @ torch.tensor([0.1, 0.0, 0.0]).double()
    torch.testing.assert_close(found, place[:, 0], atol=2e-3, rtol=0.0)


KNEE = KinematicModel(
    "knee",
    (hinge("knee", "ground", "shank", Frame((0.0, 0.0, 0.5))), ball("foot", "shank", "foot")),
)


NONE, ONE = np.zeros((4, 1, 2)), np.zeros((4, 1, 3))  # targets, too narrow and right
MATRICES = np.zeros((4, 1, 3, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Markers(("TIP",), np.zeros((4, 3))), r"Markers has targets of shape \(4, 3\), expected"),
        (lambda: Markers(("TIP",), np.zeros((4, 2, 3))), r"expected \(frames, 1, 3\)"),
        (lambda: Markers(("TIP",), ONE, np.ones(3)), r"weights have shape \(3,\), expected one"),
        (lambda: Markers(("TIP",), ONE, -1.0), "a weight is negative, expected zero or more"),
        (lambda: Points(("block",), ONE, np.zeros(3)), r"have shape \(3,\), expected \(1, 3\)"),
        (lambda: Pixels(("block",), ONE, CAMERA), r"shape \(4, 1, 3\), expected \(frames, 1, 2\)"),
        (lambda: Pixels(("block",), NONE, np.eye(3)), r"projection has shape \(3, 3\), expected \(3, 4\)"),
        (lambda: Orientations(("block",), ONE), r"shape \(4, 1, 3\), expected \(frames, 1, 3, 3\)"),
        (lambda: Orientations(("block",), MATRICES, weights=np.ones((4, 3))), r"shape \(4, 3\), expected"),
        (lambda: Contacts(("block",), np.zeros(4)), r"shape \(4,\), expected \(frames, 1\)"),
        (lambda: StayNear(np.zeros(1), -1.0), "a weight is negative"),
        (lambda: Shape(scale_spread=0.0), "a spread of the shape is 0, expected above zero"),
        (lambda: Shape(marker_spread={"TIP": -1.0}), "a spread of the shape is -1"),
        (lambda: Problem(SLIDE, (), shape=Shape(), scales=torch.ones(2, 3)), "expected one of the two"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_told_when_it_is_made(make, message):
    with pytest.raises(ShapeError, match=message):
        make()


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (Problem(SLIDE, (StayNear(np.zeros((3, 1))),)), "for 3 frames and the first poses are 4"),
        (Problem(SLIDE, (StayNear(np.zeros(2)),)), r"shape \(2,\), expected 1 coordinates"),
        (Problem(SLIDE, (Smoothness(np.ones(2)),)), r"shape \(2,\), expected one number"),
        (Problem(SLIDE, (Markers(("TOE",), ONE),)), "no marker 'TOE'; there are: TIP"),
        (Problem(SLIDE, (Points(("leg",), ONE),)), "no body 'leg'; there are: ground, block"),
        (Problem(SLIDE, (), moving=("knee",)), "no coordinate 'knee'; there are: q"),
        (
            Problem(SLIDE, (), moving=()),
            "no coordinate of model 'slide' may move; expected at least",
        ),
        (Problem(SLIDE, (), shape=Shape(groups=(("leg",),))), "no body 'leg'; there are"),
        (Problem(SLIDE, (), shape=Shape(markers=("TOE",))), "no marker 'TOE'; there are"),
    ],
)
def test_what_does_not_fit_the_model_is_told_when_it_is_solved(problem, message):
    with pytest.raises(ShapeError, match=message):
        solve(problem, np.zeros((4, 1)))


def test_a_ball_joint_moves_as_a_whole_or_not_at_all():
    with pytest.raises(ShapeError, match="only 1 of the coordinates of ball joint 'foot' may move"):
        solve(Problem(KNEE, (), moving=("knee", "foot_x")), np.zeros((1, 4)))
    turned = solve(Problem(KNEE, (), moving=("knee",)), np.zeros((1, 4)))
    assert turned.pose.shape == (1, 4)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (np.zeros((4, 2)), r"shape \(4, 2\), expected finite numbers \(frames, 1\)"),
        (np.full((4, 1), np.nan), "expected finite numbers"),
    ],
)
def test_first_poses_that_do_not_fit_are_told(initial, message):
    with pytest.raises(ShapeError, match=message):
        solve(Problem(SLIDE, (StayNear(np.zeros(1)),)), initial)


def test_an_unknown_method_is_told_with_those_there_are():
    with pytest.raises(ShapeError, match="no method 'newton'; there are: lm, lbfgs"):
        solve(Problem(SLIDE, (StayNear(np.zeros(1)),)), np.zeros((1, 1)), method="newton")
