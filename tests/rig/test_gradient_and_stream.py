"""Gradients through a fit against finite differences, and frames that come one at a time."""

import numpy as np
import torch

from pallas.rig.model import BodyMarker, Frame, KinematicModel, free, hinge
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve import (
    Markers,
    Problem,
    Shape,
    Smoothness,
    StayNear,
    Stream,
    solve_with_gradient,
)

PLACES = ((0.1, 0.0, 0.0), (0.0, 0.1, 0.0), (0.0, 0.0, 0.1), (0.0, -0.1, 0.1))
LEG = KinematicModel(
    "leg",
    (free("root", "thigh"), hinge("knee", "thigh", "shank", Frame((0.0, 0.0, -0.4)), "x")),
    markers=tuple(
        BodyMarker(f"{b}{k}", b, p) for b in ("thigh", "shank") for k, p in enumerate(PLACES)
    ),
)
KNEE = LEG.coordinate_index("knee")


def walk(frames: int) -> torch.Tensor:
    pose = torch.zeros(frames, len(LEG.coordinates), dtype=torch.float64)
    pose[:, KNEE] = torch.linspace(0.2, 1.0, frames)
    pose[:, LEG.coordinate_index("root_x")] = torch.linspace(0.0, 0.5, frames)
    return pose


def slope(function, value: torch.Tensor) -> tuple[float, float]:
    """Along a random direction: by autograd, and by finite differences."""
    random = torch.Generator().manual_seed(3)
    direction = torch.randn(value.shape, generator=random, dtype=torch.float64)
    given = value.clone().requires_grad_()
    function(given).backward()
    ahead, behind = (function(value + h * direction).item() for h in (1e-5, -1e-5))
    return float((given.grad * direction).sum()), (ahead - behind) / 2e-5


def test_the_gradient_of_poses_by_markers_and_weights_is_that_of_the_fit():
    random = torch.Generator().manual_seed(0)
    pose = walk(3)
    targets = markers_in_world(LEG, pose)
    targets = targets + 0.02 * torch.randn(targets.shape, generator=random, dtype=torch.float64)

    def knee(points: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        terms = (Markers(LEG.marker_names, points, weights), StayNear(pose, 0.1), Smoothness(0.3))
        return solve_with_gradient(Problem(LEG, terms), pose)[0][:, KNEE].sum()

    weights = torch.linspace(1.0, 3.0, len(LEG.markers), dtype=torch.float64)
    for found, expected in (
        slope(lambda points: knee(points, weights), targets),
        slope(lambda given: knee(targets, given), weights),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_gradient_of_a_size_by_the_markers_is_that_of_the_fit():
    pose = walk(4)
    targets = markers_in_world(LEG, pose, 1.1)

    def size(points: torch.Tensor) -> torch.Tensor:
        terms = (Markers(LEG.marker_names, points, 100.0), StayNear(pose, 0.1))
        return solve_with_gradient(Problem(LEG, terms, shape=Shape(full=True)), pose)[1][0]

    found, expected = slope(size, targets)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_stream_follows_and_carries_frames_that_see_nothing():
    pose = walk(40)
    places = markers_in_world(LEG, pose).numpy()
    places[20:23] = np.nan
    stream = Stream(LEG, LEG.marker_names)
    steps = [stream.step(frame) for frame in places]
    assert [step.weak for step in steps] == [20 <= k < 23 for k in range(40)]
    knees = np.array([step.pose[KNEE] for step in steps])
    seen = np.isfinite(places[:, 0, 0])
    np.testing.assert_allclose(knees[seen], pose[:, KNEE].numpy()[seen], atol=1e-3)
    assert np.abs(np.diff(knees)).max() < 0.15
