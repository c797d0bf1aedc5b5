"""The equations of every term against autograd of its cost, with shape unknowns and without."""

import pytest
import torch
from torch import Tensor

from pallas.rig.model import BodyMarker, KinematicModel
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world
from pallas.rig.model.skeletons import model_of_skeleton
from pallas.rig.skeleton import body_skeleton
from pallas.rig.solve import (
    Contacts,
    Floor,
    Limits,
    Markers,
    Orientations,
    Pixels,
    Points,
    Problem,
    RelativeMarkers,
    Shape,
    Sightings,
    SmoothChange,
    Smoothness,
    StayNear,
)
from pallas.rig.solve.problem import PairTerm, Term
from pallas.rig.solve.systems import frame_equations, system_at

FRAMES = 5
BODIES = ("foot_r", "foot_l", "pelvis")
CAMERA = torch.tensor(
    [[500.0, 0, 320, 1280], [0, 500, 240, 960], [0, 0, 1, 4]], dtype=torch.float64
)
TERMS = (
    "markers",
    "robust markers",
    "points",
    "pixels",
    "pixels of a moving camera",
    "sightings",
    "sightings of moving cameras",
    "relative markers",
    "floor",
    "orientations",
    "robust orientations",
    "stay near",
    "limits",
    "smoothness",
    "smooth change",
    "contacts",
)
SHAPES = {
    "no shape": None,
    "full and groups": Shape(
        full=True, groups=(("femur_r", "femur_l"), ("tibia_r",)), markers=("PELVIS", "FOOT_R")
    ),
    "per axis": Shape(groups=(("femur_r", "femur_l"), ("tibia_r", "pelvis")), per_axis=True),
    "markers along some axes": Shape(markers=("TIBIA_R", "FEMUR_R"), marker_spread=0.1),
}


def noise(*size: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(size, generator=random, dtype=torch.float64)


def limited(model: KinematicModel) -> KinematicModel:
    """With narrow limits, and a marker that may move along two of its axes only."""
    markers = [
        BodyMarker(m.name, m.body, m.position, (True, False, True)) if m.name == "TIBIA_R" else m
        for m in model.markers
    ]
    limits = {"hip_r_z": {"limits": (-0.1, 0.1)}, "knee_l": {"limits": (0.2, 0.3)}}
    return model.with_coordinates(limits).with_markers(markers)


def seen(places: Tensor, camera: Tensor) -> Tensor:
    """Pixels (T, P, 2)."""
    flat = (camera[:, None, :, :3] @ places[..., None]).squeeze(-1) + camera[:, None, :, 3]
    return flat[..., :2] / flat[..., 2:]


def term(name: str, model: KinematicModel, truth: Tensor) -> Term | PairTerm:
    rotations, origins = bodies_in_world(model, truth)
    index = [model.body_index(body) for body in BODIES]
    rotations, places, offsets = rotations[:, index], origins[:, index], 0.1 * noise(3, 3, seed=4)
    targets = markers_in_world(model, truth) + 0.1 * noise(FRAMES, len(model.markers), 3, seed=5)
    targets[1, 2] = torch.nan
    weights = noise(FRAMES, len(model.markers), seed=6).abs()
    rotations[3, 0] = torch.nan
    camera = CAMERA.expand(FRAMES, 3, 4)
    moving = camera + 0.1 * noise(FRAMES, 3, 4, seed=7)
    drifting = torch.tensor([[0.5, 0.4, 0.1]]).expand(3, 3)
    two = torch.stack([seen(targets, CAMERA[None]), seen(targets, CAMERA.roll(1, 1)[None])])
    makers = {
        "markers": lambda: Markers(model.marker_names, targets, weights),
        "robust markers": lambda: Markers(model.marker_names, targets, 3.0, robust=0.05),
        "points": lambda: Points(BODIES, places, offsets, 2.0, robust=0.3),
        "pixels": lambda: Pixels(BODIES, seen(places, camera), CAMERA, offsets, 0.05),
        "pixels of a moving camera": lambda: Pixels(
            BODIES, seen(places, moving), moving, offsets, 0.05, robust=5.0
        ),
        "sightings": lambda: Sightings(
            model.marker_names, two, torch.stack([CAMERA, CAMERA.roll(1, 1)]), 0.05
        ),
        "sightings of moving cameras": lambda: Sightings(
            model.marker_names, two[:1], moving[None], 0.05, robust=0.4
        ),
        "relative markers": lambda: RelativeMarkers(model.marker_names, targets, weights),
        "floor": lambda: Floor(BODIES, 0.1, offsets, noise(FRAMES, 3).abs()),
        "orientations": lambda: Orientations(BODIES, rotations, weights=drifting),
        "robust orientations": lambda: Orientations(
            BODIES, rotations, rotations[0].roll(1, 0), weights=drifting, robust=0.3
        ),
        "stay near": lambda: StayNear(truth, noise(len(model.coordinates)).abs()),
        "limits": lambda: Limits(3.0),
        "smoothness": lambda: Smoothness(noise(len(model.coordinates)).abs()),
        "smooth change": lambda: SmoothChange(truth, noise(len(model.coordinates)).abs()),
        "contacts": lambda: Contacts(BODIES, noise(FRAMES, 3).sigmoid(), offsets, 1.5),
    }
    return makers[name]()


def check(problem: Problem, pose: Tensor, shared: Tensor) -> None:
    """The gradient of the equations is that of the total, by the steps that the solver takes."""
    system = system_at(problem, pose, shared)
    step = torch.zeros(len(pose), len(problem.unknowns), dtype=torch.float64, requires_grad=True)
    change = torch.zeros_like(shared, requires_grad=True)
    total = problem.at(problem.unknowns.stepped(pose, step), shared + change).total()
    by_step, by_change = torch.autograd.grad(total, (step, change), allow_unused=True)
    assert by_step.abs().max() > 1e-3
    torch.testing.assert_close(system.gradient, by_step, rtol=1e-7, atol=1e-9)
    if len(shared):
        torch.testing.assert_close(system.shared_gradient, by_change, rtol=1e-7, atol=1e-9)


def start_of(model: KinematicModel, truth: Tensor) -> Tensor:
    return truth + 0.2 * noise(len(truth), len(model.coordinates), seed=2)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [*TERMS, "all"])
def test_the_gradient_of_a_term_is_that_of_its_cost(two_legs, name, shape):
    model = limited(two_legs)
    truth = 0.4 * noise(FRAMES, len(model.coordinates), seed=1)
    terms = [term(n, model, truth) for n in (TERMS if name == "all" else (name,))]
    problem = Problem(model, terms, shape=SHAPES[shape])
    shared = problem.shared.first + 0.05 * noise(len(problem.shared), seed=3)
    check(problem, start_of(model, truth), shared)


@pytest.mark.parametrize("shape", ["no shape", "full and groups"])
def test_the_gradient_is_right_where_only_some_coordinates_may_move(two_legs, shape):
    model = limited(two_legs)
    truth = 0.4 * noise(FRAMES, len(model.coordinates), seed=1)
    moving = ("knee_r", "slide_r", "root_x", "root_y", "root_z", "ankle_l")
    terms = [term(n, model, truth) for n in TERMS]
    problem = Problem(model, terms, moving, SHAPES[shape])
    assert len(problem.unknowns) == 6
    shared = problem.shared.first + 0.05 * noise(len(problem.shared), seed=3)
    check(problem, start_of(model, truth), shared)


def test_the_gradient_is_right_for_a_skeleton_of_ball_joints():
    model = model_of_skeleton(body_skeleton())
    truth = 0.4 * noise(FRAMES, len(model.coordinates), seed=1)
    joints = ("left_foot", "head", "right_wrist")
    _, origins = bodies_in_world(model, truth)
    terms = (
        Points(joints, origins[:, [model.body_index(j) for j in joints]], 0.1 * noise(3, 3)),
        StayNear(truth, 0.7),
        Smoothness(0.3),
        SmoothChange(truth, 0.2),
    )
    problem = Problem(model, terms, shape=Shape(groups=(("left_hip", "right_hip"), ("spine1",))))
    shared = torch.tensor([1.1, 0.9], dtype=torch.float64)
    check(problem, start_of(model, truth), shared)


def residuals(name: str, problem: Problem, pose: Tensor, shared: Tensor, given: Term) -> Tensor:
    """Every weighted residual of a term, in one row."""
    at = problem.at(pose, shared)
    if name == "stay near":
        return given.weight(at) * problem.unknowns.away(given.reference(at), pose)
    if name == "orientations":
        return given.weights.permute(2, 1, 0) * given.residual(at)
    return given.weights.T * given.residual(at)


@pytest.mark.parametrize("name", ["markers", "pixels", "orientations", "stay near"])
def test_the_hessian_is_gausss_of_the_residuals(two_legs, name):
    model = limited(two_legs)
    truth = 0.4 * noise(FRAMES, len(model.coordinates), seed=1)
    given = term(name, model, truth)
    problem = Problem(model, (given,), shape=SHAPES["full and groups"])
    pose, shared = start_of(model, truth), problem.shared.first + 0.05
    system = system_at(problem, pose, shared)
    count = len(problem.unknowns)

    def all_of_them(step: Tensor, change: Tensor) -> Tensor:
        moved = problem.unknowns.stepped(pose, step)
        return residuals(name, problem, moved, shared + change, given).flatten()

    zero = (torch.zeros(FRAMES, count).double(), torch.zeros_like(shared))
    by_step, by_change = torch.autograd.functional.jacobian(all_of_them, zero)
    full = torch.einsum("rtu,rtv->tuv", by_step, by_step)
    torch.testing.assert_close(system.hessian.tril(), full.tril(), rtol=1e-7, atol=1e-9)
    border = torch.einsum("rtu,rs->tus", by_step, by_change)
    torch.testing.assert_close(system.border, border, rtol=1e-7, atol=1e-9)
    prior = FRAMES * torch.diag(problem.shared.stiffness)
    torch.testing.assert_close(system.shared, by_change.T @ by_change + prior, rtol=1e-7, atol=1e-9)


def test_newtons_equations_have_the_curvature_of_the_markers_too(two_legs):
    truth = 0.4 * noise(FRAMES, len(two_legs.coordinates), seed=1)
    # Axes and couplings that are straight, one unknown per axis: the curvature that is left out is zero.
    moving = [f"{joint}_r" for joint in ("hip", "ankle")]
    moving = [n for n in two_legs.coordinate_names if n.startswith(tuple(moving)) or n == "foot_r"]
    problem = Problem(two_legs, (term("markers", two_legs, truth),), moving)
    pose = start_of(two_legs, truth)
    at = problem.at(pose)
    hessian, _ = frame_equations(at, torch.ones(FRAMES).double())

    def cost(step: Tensor) -> Tensor:
        return problem.at(problem.unknowns.stepped(pose, step)).total()

    zero = torch.zeros(FRAMES, len(problem.unknowns), dtype=torch.float64)
    exact = torch.autograd.functional.hessian(cost, zero)
    exact = torch.stack([exact[t, :, t] for t in range(FRAMES)])
    torch.testing.assert_close(hessian.tril(), exact.tril(), rtol=1e-7, atol=1e-9)


def test_a_marker_that_was_measured_twice_counts_twice(two_legs):
    truth = 0.4 * noise(FRAMES, len(two_legs.coordinates), seed=1)
    names = ("PELVIS", "FOOT_R", "PELVIS")
    targets = noise(FRAMES, 3, 3, seed=2)
    shape = Shape(groups=(("pelvis", "foot_r"),), markers=("PELVIS", "FOOT_L"))
    problem = Problem(two_legs, (Markers(names, targets, 2.0),), shape=shape)
    shared = problem.shared.first + 0.05 * noise(len(problem.shared), seed=3)
    check(problem, truth, shared)
    assert system_at(problem, truth, shared).shared_gradient[4:].abs().max() > 0.0


@pytest.mark.parametrize("frames", [2, 257, 600])
def test_pairs_across_the_borders_of_chunks_count_once(two_legs, frames):
    truth = 0.4 * noise(frames, len(two_legs.coordinates), seed=1)
    standing = noise(frames, 3).sigmoid()
    terms = (Smoothness(0.5), SmoothChange(truth, 0.3), Contacts(BODIES, standing, None, 1.5))
    problem = Problem(two_legs, terms, shape=Shape(full=True))
    check(problem, start_of(two_legs, truth), torch.tensor([1.1], dtype=torch.float64))
