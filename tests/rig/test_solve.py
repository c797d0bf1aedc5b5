"""The solver: poses, sizes and marker places that are known are found again, and bounds hold."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pallas.rig import Motion, body_skeleton, quaternion
from pallas.rig.model import BodyMarker, Frame, Joint, KinematicModel, about, ball, hinge
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world
from pallas.rig.model.skeletons import (
    model_of_skeleton,
    motion_of_pose,
    pose_of_motion,
    turns_of,
)
from pallas.rig.solve import (
    Contacts,
    Markers,
    Points,
    Problem,
    Shape,
    SmoothChange,
    Smoothness,
    StayNear,
    lm,
    solve,
    systems,
)

BODY = body_skeleton(1.7)
LEGS = ("left_hip", "left_knee", "left_ankle")


def noise(*size: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=random, dtype=torch.float64)


def marked(model: KinematicModel, each: int = 3) -> KinematicModel:
    """With so many markers on every body, around its origin."""
    around = 0.1 * np.vstack([np.eye(3), -np.eye(3)])[:each]
    return model.with_markers(
        BodyMarker(f"{body}{k}", body, tuple(place))
        for body in model.bodies[1:]
        for k, place in enumerate(around)
    )


def positions(model: KinematicModel) -> Tensor:
    """(M, 3) of its markers in their bodies."""
    return torch.tensor([marker.position for marker in model.markers], dtype=torch.float64)


def arm() -> KinematicModel:
    """A ball joint, a hinge and a universal joint, with five markers."""
    joints = (
        ball("shoulder", "ground", "upper"),
        hinge("elbow", "upper", "lower", Frame((0.3, 0.0, 0.0))),
        Joint(
            "wrist",
            "lower",
            "hand",
            Frame((0.25, 0.0, 0.0)),
            rotations=(about("y", "flex"), about("z", "turn")),
        ),
    )
    places = {"UA": ("upper", 0.1, 0.05, 0.0), "EL": ("upper", 0.3, 0.0, 0.04)}
    places |= {"LA": ("lower", 0.1, 0.0, 0.05), "WR": ("lower", 0.25, 0.03, 0.0)}
    places |= {"HA": ("hand", 0.08, 0.02, 0.02), "FI": ("hand", 0.1, -0.02, 0.0)}
    markers = (BodyMarker(name, body, (x, y, z)) for name, (body, x, y, z) in places.items())
    return KinematicModel("arm", joints, markers=tuple(markers))


def body(frames: int, seed: int = 0, size: float = 0.3) -> tuple[KinematicModel, Tensor]:
    """The 24-joint body with markers, in random poses."""
    model = marked(model_of_skeleton(BODY))
    return model, size * noise(frames, len(model.coordinates), seed=seed)


def same_places(model: KinematicModel, found: np.ndarray, pose: Tensor, atol: float) -> None:
    for ours, theirs in zip(
        bodies_in_world(model, torch.tensor(found)), bodies_in_world(model, pose), strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=atol, rtol=0.0)


def test_a_body_is_found_again_from_its_markers():
    model, truth = body(6)
    targets = markers_in_world(model, truth)
    problem = Problem(model, (Markers(model.marker_names, targets),))
    fit = solve(problem, model.default_pose, tolerance=1e-12)
    assert fit.pose.shape == truth.shape
    assert fit.total < 1e-8
    same_places(model, fit.pose, truth, 1e-5)


def test_legs_with_splines_child_frames_and_a_coupled_knee_are_found_again(two_legs):
    model = marked(two_legs)
    truth = 0.4 * noise(300, len(model.coordinates), seed=1)  # more than are solved at a time
    targets = markers_in_world(model, truth)
    problem = Problem(model, (Markers(model.marker_names, targets),))
    fit = solve(problem, 0.5 * truth, iterations=60, tolerance=1e-12)
    same_places(model, fit.pose, truth, 1e-6)
    patella, knee = (model.coordinate_index(name) for name in ("patella_r", "knee_r"))
    np.testing.assert_allclose(
        fit.pose[:, patella], model.couplings[0].function(fit.pose[:, knee]), atol=1e-12
    )


def test_sizes_and_marker_places_are_found_with_the_poses():
    model, truth = body(40, size=0.5)
    groups = (("left_hip", "right_hip"), ("left_knee", "right_knee"))
    moved = ("left_hip0", "right_knee1")
    scales, places = torch.ones(25, 3).double(), positions(model)
    for group, factor in zip(groups, (1.1, 0.93), strict=True):
        scales[[model.body_index(name) for name in group]] = factor
    places[[model.marker_index(name) for name in moved]] += torch.tensor([0.01, -0.02, 0.01])
    targets = markers_in_world(model, truth, scales, places)
    shape = Shape(groups=groups, markers=moved, scale_spread=10.0, marker_spread=1.0)
    problem = Problem(model, (Markers(model.marker_names, targets),), shape=shape)
    fit = solve(problem, 0.7 * truth, iterations=60, tolerance=1e-12)
    np.testing.assert_allclose(fit.scales, scales, atol=1e-5)
    np.testing.assert_allclose(fit.positions, places, atol=1e-5)
    found = markers_in_world(
        model, *(torch.tensor(v) for v in (fit.pose, fit.scales, fit.positions))
    )
    torch.testing.assert_close(found, targets, atol=1e-4, rtol=0.0)


def test_a_full_body_scale_and_one_per_axis_are_found(two_legs):
    model = marked(two_legs, 6)
    truth = 0.4 * noise(30, len(model.coordinates), seed=3)
    scales = torch.full((len(model.bodies), 3), 1.2).double()
    scales[0] = 1.0
    scales[model.body_index("femur_l")] *= torch.tensor([0.9, 1.1, 1.05])
    targets = markers_in_world(model, truth, scales)
    shape = Shape(full=True, groups=(("femur_l",),), per_axis=True, scale_spread=100.0)
    problem = Problem(model, (Markers(model.marker_names, targets),), shape=shape)
    fit = solve(problem, 0.8 * truth, iterations=80, tolerance=1e-13)
    np.testing.assert_allclose(fit.scales, scales, atol=1e-4)


def test_a_marker_moves_along_its_free_axes_only(two_legs):
    model = marked(two_legs, 6)
    markers = list(model.markers)
    markers[7] = BodyMarker(
        markers[7].name, markers[7].body, markers[7].position, (True, False, True)
    )
    model = model.with_markers(markers)
    truth = 0.4 * noise(20, len(model.coordinates), seed=4)
    places = positions(model)
    places[7] += torch.tensor([0.02, 0.01, -0.03])
    targets = markers_in_world(model, truth, positions=places)
    shape = Shape(markers=(markers[7].name,), marker_spread={markers[7].name: 10.0})
    problem = Problem(model, (Markers(model.marker_names, targets),), shape=shape)
    fit = solve(problem, truth, iterations=60)
    shift = fit.positions[7] - markers[7].position
    assert shift[1] == 0.0
    np.testing.assert_allclose(shift[[0, 2]], [0.02, -0.03], atol=5e-3)
    still = np.delete(fit.positions, 7, axis=0)
    np.testing.assert_array_equal(still, np.delete([m.position for m in markers], 7, axis=0))


def test_known_sizes_and_marker_places_are_used_as_they_are():
    model, truth = body(5)
    scales, places = torch.full((25, 3), 1.2).double(), 0.1 * noise(len(model.markers), 3)
    scales[0] = 1.0
    targets = markers_in_world(model, truth, scales, places)
    terms = (Markers(model.marker_names, targets),)
    fit = solve(Problem(model, terms, scales=scales, positions=places), 0.8 * truth)
    same_places(model, fit.pose, truth, 1e-5)
    np.testing.assert_array_equal(fit.scales, scales)
    np.testing.assert_array_equal(fit.positions, places)


@pytest.mark.parametrize("kind", ["frames", "chain", "shape", "chain and shape"])
def test_lm_and_lbfgs_end_at_the_same_value(kind):
    model = arm()
    truth = 0.4 * noise(4, len(model.coordinates), seed=1)
    targets = markers_in_world(model, truth) + 0.02 * noise(4, 6, 3, seed=2)
    targets[2, 1] = math.nan
    terms = [Markers(model.marker_names, targets, robust=0.03), StayNear(truth, 0.1)]
    terms += [Smoothness(0.5)] if "chain" in kind else []
    shape = Shape(full=True, groups=(("upper",),), markers=("HA",)) if "shape" in kind else None
    problem = Problem(model, terms, shape=shape)
    ours = solve(problem, torch.zeros_like(truth), iterations=100, tolerance=1e-10)
    papers = solve(problem, torch.zeros_like(truth), method="lbfgs", iterations=100)
    assert ours.total == pytest.approx(papers.total, rel=1e-6)
    np.testing.assert_allclose(ours.pose, papers.pose, atol=1e-3)
    np.testing.assert_allclose(ours.shared, papers.shared, atol=1e-3)
    assert ours.total < 0.5 * float(problem.at(torch.zeros_like(truth)).total())


def test_hard_bounds_hold_and_the_rest_does_what_it_can(two_legs):
    model = marked(two_legs)
    knee, hip = (model.coordinate_index(name) for name in ("knee_l", "hip_l_z"))
    truth = 0.2 * noise(20, len(model.coordinates), seed=5)
    truth[:, knee], truth[:, hip] = torch.linspace(-0.5, 0.5, 20), 0.3
    bounds = {"knee_l": {"limits": (-0.2, 0.2), "clamped": True}}
    bounds["hip_l_z"] = {"limits": (-1.0, 1.0), "clamped": True}
    limited = model.with_coordinates(bounds)
    targets = markers_in_world(model, truth)
    problem = Problem(limited, (Markers(limited.marker_names, targets),))
    fit = solve(problem, torch.zeros_like(truth), iterations=60, tolerance=1e-10)
    assert fit.pose[:, knee].min() == -0.2
    assert fit.pose[:, knee].max() == 0.2
    inside = np.abs(truth[:, knee].numpy()) < 0.2
    np.testing.assert_allclose(fit.pose[inside, knee], truth[inside, knee], atol=1e-5)
    papers = solve(problem, fit.pose, method="lbfgs")
    assert fit.total <= papers.total * (1.0 + 1e-6)


def test_bounds_hold_where_frames_are_coupled_too(two_legs):
    model = marked(two_legs)
    knee = model.coordinate_index("knee_l")
    truth = 0.2 * noise(8, len(model.coordinates), seed=6)
    truth[:, knee] = 0.5
    limited = model.with_coordinates({"knee_l": {"limits": (-0.2, 0.2), "clamped": True}})
    terms = (Markers(limited.marker_names, markers_in_world(model, truth)), Smoothness(0.1))
    fit = solve(Problem(limited, terms), torch.zeros_like(truth))
    np.testing.assert_array_equal(fit.pose[:, knee], 0.2)


def test_a_start_outside_the_bounds_is_brought_inside(two_legs):
    model = two_legs.with_coordinates({"knee_l": {"limits": (0.1, 0.2), "clamped": True}})
    fit = solve(Problem(model, (StayNear(np.zeros(22)),)), np.full((3, 22), 0.5))
    np.testing.assert_allclose(fit.pose[:, model.coordinate_index("knee_l")], 0.1)


def test_frames_that_fit_best_outside_the_bounds_start_within_them(two_legs):
    model = marked(two_legs)
    knee = model.coordinate_index("knee_l")
    truth = 0.2 * noise(5, len(model.coordinates), seed=8)
    truth[:, knee] = -0.3
    limited = model.with_coordinates({"knee_l": {"limits": (0.0, 1.0), "clamped": True}})
    problem = Problem(limited, (Markers(limited.marker_names, markers_in_world(model, truth)),))
    poses, _, _ = lm.minimise_frames(problem, truth, lm.Settings(), torch.arange(5))
    assert (poses[:, knee] == 0.0).all()


def test_locked_coordinates_and_those_that_may_not_move_keep_every_bit(two_legs):
    model = marked(two_legs).with_coordinates({"ankle_r": {"locked": True}})
    start = 0.3 * noise(10, len(model.coordinates), seed=7)
    targets = markers_in_world(model, start + 0.2)
    moving = ("knee_r", "hip_r_z", "ankle_r")
    fit = solve(Problem(model, (Markers(model.marker_names, targets),), moving), start)
    free = [model.coordinate_index(name) for name in ("knee_r", "hip_r_z")]
    coupled = model.coordinate_index("patella_r")
    still = [c for c in range(len(model.coordinates)) if c not in (*free, coupled)]
    np.testing.assert_array_equal(fit.pose[:, still], start[:, still])
    assert np.abs(fit.pose[:, free] - start[:, free].numpy()).min() > 1e-3


def test_a_pinned_foot_stays_and_the_upper_body_does_not_move():
    drift = np.linspace(0.0, 0.05, 30)[:, None] * [1.0, 1.0, -1.0]
    bent = quaternion.from_rotation_vector(np.array([[-0.4, 0, 0], [0.8, 0, 0], [-0.4, 0, 0]]))
    rotations = np.tile(quaternion.IDENTITY, (30, 24, 1))
    rotations[:, [BODY.index(name) for name in LEGS]] = bent
    motion = Motion(BODY, BODY.offsets[0] + drift, rotations, 60.0)
    foot = BODY.index("left_foot")
    targets = np.full((30, 1, 3), np.nan)
    targets[10:20, 0] = motion.world()[1][10, foot]
    pose = pose_of_motion(motion)
    terms = (
        Points(("left_foot",), targets, weights=300.0),
        StayNear(pose, 1.0),
        SmoothChange(pose, 3.0),
    )
    problem = Problem(model_of_skeleton(BODY), terms, [t for j in LEGS for t in turns_of(j)])
    found = motion_of_pose(solve(problem, pose).pose, motion)
    feet = found.world()[1][:, foot]
    assert np.abs(feet[10:20] - targets[10:20, 0]).max() < 2e-3
    assert np.abs(np.diff(feet, axis=0)).max() < 0.02
    still = [i for i, name in enumerate(BODY.names) if name not in LEGS]
    np.testing.assert_array_equal(found.rotations[:, still], motion.rotations[:, still])
    np.testing.assert_array_equal(found.root_position, motion.root_position)


def test_frames_that_see_nothing_stay_where_they_are(two_legs):
    start = 0.3 * noise(6, 22, seed=8)
    targets = markers_in_world(two_legs, start + 0.1)
    targets[2] = math.nan
    problem = Problem(two_legs, (Markers(two_legs.marker_names, targets),))
    fit = solve(problem, start)
    free = list(two_legs.free_coordinates)
    np.testing.assert_allclose(fit.pose[2, free], start[2, free], atol=1e-12)
    assert np.abs(fit.pose[3, free] - start[3, free].numpy()).max() > 0.01
    assert fit.cost[2] == 0.0


def test_frames_that_see_nothing_are_carried_by_smoothness(two_legs):
    truth = torch.linspace(0.0, 0.3, 9, dtype=torch.float64)[:, None].expand(9, 22).clone()
    model = marked(two_legs)
    targets = markers_in_world(model, truth)
    targets[3:6] = math.nan
    problem = Problem(model, (Markers(model.marker_names, targets), Smoothness(0.1)))
    fit = solve(problem, torch.zeros(9, 22), iterations=60)
    knee = model.coordinate_index("knee_l")
    np.testing.assert_allclose(fit.pose[:, knee], truth[:, knee], atol=1e-3)


def test_an_outlier_pulls_less_when_the_loss_is_robust():
    model, truth = body(1, seed=7)
    targets = markers_in_world(model, truth)
    targets[0, 0, 0] += 0.5

    def error(robust: float | None) -> float:
        problem = Problem(model, (Markers(model.marker_names, targets, robust=robust),))
        found = markers_in_world(model, torch.tensor(solve(problem, truth, iterations=60).pose))
        return float((found - targets)[0, 1:].norm(dim=-1).max())

    assert error(0.01) < 0.2 * error(None)


def test_smoothness_alone_brings_every_frame_to_one_pose():
    model, start = body(6, seed=9)
    fit = solve(Problem(model, (Smoothness(1.0),)), start, iterations=40)
    rotations, origins = bodies_in_world(model, torch.tensor(fit.pose))
    assert (rotations - rotations[:1]).abs().max() < 1e-3
    assert (origins - origins[:1]).abs().max() < 1e-3


def test_contacts_hold_still_what_stands_and_leave_the_rest(two_legs):
    start = 0.1 * noise(12, 22, seed=10)
    standing = np.zeros((12, 1))
    standing[4:9] = 1.0
    terms = (Contacts(("foot_r",), standing, weights=1e3), StayNear(start, 1.0))
    fit = solve(Problem(two_legs, terms), start, iterations=60)
    _, origins = bodies_in_world(two_legs, torch.tensor(fit.pose))
    steps = origins[1:, two_legs.body_index("foot_r")] - origins[:-1, two_legs.body_index("foot_r")]
    assert steps[4:8].norm(dim=-1).max() < 1e-3
    assert steps[9:].norm(dim=-1).min() > 1e-3


@pytest.mark.parametrize("pairs", [False, True])
def test_the_solution_does_not_depend_on_how_many_frames_are_taken_at_a_time(
    two_legs, monkeypatch, pairs
):
    truth = 0.3 * noise(300, 22, seed=11)
    targets = markers_in_world(two_legs, truth) + 0.01 * noise(300, 7, 3, seed=12)
    terms = [Markers(two_legs.marker_names, targets), StayNear(np.zeros(22), 1.0)]
    if pairs:
        standing = noise(300, 1).sigmoid()
        terms += [Smoothness(0.5), Contacts(("foot_r",), standing, weights=5.0)]
    problem = Problem(two_legs, terms, shape=Shape(full=True) if pairs else None)
    fits = []
    for size in (256, 1000):
        monkeypatch.setattr(lm, "_CHUNK", size)
        monkeypatch.setattr(systems, "_CHUNK", size)
        fits.append(solve(problem, truth, iterations=5))
    np.testing.assert_allclose(fits[0].pose, fits[1].pose, atol=1e-7)
    assert fits[0].total == pytest.approx(fits[1].total)


def test_one_pose_starts_every_frame_and_no_frames_are_no_error(two_legs):
    targets = markers_in_world(two_legs, 0.1 * noise(4, 22))
    problem = Problem(two_legs, (Markers(two_legs.marker_names, targets),))
    assert solve(problem, two_legs.default_pose).pose.shape == (4, 22)
    empty = Problem(two_legs, (Markers(two_legs.marker_names, targets[:0]),))
    assert solve(empty, torch.zeros(0, 22)).pose.shape == (0, 22)
