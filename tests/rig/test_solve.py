"""The solver: derivatives against finite differences, poses that are known, pins that are reached."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.rig import Motion, ShapeError, body_skeleton, quaternion
from pallas.rig.solve import Points, Problem, Shape, SmoothChange, Smoothness, StayNear, solve
from pallas.rig.solve.equations import equations_at, total_cost
from pallas.rig.solve.lm import _state, _with_shared

BODY = body_skeleton(1.7)
LEGS = ("left_hip", "left_knee", "left_ankle")


def posed(seed: int, frames: int = 4, size: float = 0.3) -> Motion:
    """A random motion about the T-pose."""
    random = np.random.default_rng(seed)
    turns = quaternion.from_rotation_vector(size * random.standard_normal((frames, 24, 3)))
    return Motion(BODY, BODY.offsets[0] + 0.1 * random.standard_normal((frames, 3)), turns, 60.0)


def marked(motion: Motion, joints: tuple[str, ...], offsets: np.ndarray) -> np.ndarray:
    """Where markers are."""
    world, origins = motion.world()
    index = [motion.skeleton.index(name) for name in joints]
    return origins[:, index] + quaternion.rotate(world[:, index], offsets)


def test_the_derivatives_of_every_term_are_those_of_its_cost():
    truth, start = posed(1), posed(2)
    joints = ("left_ankle", "right_elbow", "head")
    offsets = np.random.default_rng(3).standard_normal((3, 3)) * 0.1
    targets = marked(truth, joints, offsets)
    targets[1, 0] = np.nan
    problem = Problem(
        BODY,
        (
            Points(joints, targets, offsets, weights=3.0, free=1.0),
            Points(("left_foot",), marked(truth, ("left_foot",), np.zeros((1, 3))), weights=2.0),
            StayNear(truth, rotation_weight=0.7, root_weight=0.4),
            SmoothChange(truth, rotation_weight=0.5, root_weight=0.3),
            Smoothness(rotation_weight=0.6, root_weight=0.2),
        ),
        shape=Shape((("left_knee", "right_knee"), ("spine1", "spine2", "spine3"))),
    )
    state = _state(problem, start)
    equations = equations_at(problem, state, 0)
    assert equations.total == pytest.approx(total_cost(problem, state, 0))
    random = torch.Generator().manual_seed(0)
    for _ in range(5):
        step = torch.randn(4, problem.size, dtype=torch.float64, generator=random)
        shared = torch.randn(len(equations.shared), dtype=torch.float64, generator=random)
        h = 1e-6

        def cost(sign: float, step=step, shared=shared, h=h) -> float:
            moved = _with_shared(problem.stepped(state, sign * h * step), sign * h * shared)
            return total_cost(problem, moved, 0)

        slope = (cost(1.0) - cost(-1.0)) / (2.0 * h)
        expected = float((equations.gradient * step).sum() + equations.shared_gradient @ shared)
        assert slope == pytest.approx(expected, rel=1e-6)


def test_a_pose_is_found_again_from_its_markers():
    truth = posed(4, frames=60)
    joints = tuple(name for name in BODY.names for _ in range(3))
    offsets = np.tile(0.1 * np.eye(3), (24, 1))
    problem = Problem(BODY, (Points(joints, marked(truth, joints, offsets), offsets),))
    start = Motion(BODY, np.zeros((60, 3)), np.tile(quaternion.IDENTITY, (60, 24, 1)), 60.0)
    found = solve(problem, start, iterations=30).motion
    assert quaternion.angle(found.rotations, truth.rotations).max() < 1e-6
    np.testing.assert_allclose(found.root_position, truth.root_position, atol=1e-6)


def test_bone_lengths_and_marker_places_are_found_with_the_poses():
    longer = BODY.scaled([1.1 if "knee" in n or "ankle" in n else 1.0 for n in BODY.names])
    truth = replace(posed(5, frames=40, size=0.5), skeleton=longer)
    joints = tuple(name for name in BODY.names for _ in range(3))
    offsets = np.tile(0.1 * np.eye(3), (24, 1))
    targets = marked(truth, joints, offsets + 0.01)
    shape = Shape((("left_knee", "right_knee"), ("left_ankle", "right_ankle")), weight=0.1)
    problem = Problem(BODY, (Points(joints, targets, offsets, free=0.1),), shape=shape)
    solution = solve(problem, posed(5, frames=40, size=0.5), iterations=30)
    lengths = np.linalg.norm(solution.motion.skeleton.offsets, axis=-1)
    expected = np.linalg.norm(longer.offsets, axis=-1)
    np.testing.assert_allclose(lengths[4:9], expected[4:9], atol=1e-3)
    fitted = marked(solution.motion, joints, solution.own[0].reshape(-1, 3))
    np.testing.assert_allclose(fitted, targets, atol=1e-3)


def test_a_pinned_foot_stays_and_locked_joints_do_not_move():
    drift = np.linspace(0.0, 0.05, 30)[:, None] * [1.0, 1.0, -1.0]
    bent = quaternion.from_rotation_vector(np.array([[-0.4, 0, 0], [0.8, 0, 0], [-0.4, 0, 0]]))
    rotations = np.tile(quaternion.IDENTITY, (30, 24, 1))
    rotations[:, [BODY.index(name) for name in LEGS]] = bent
    motion = Motion(BODY, BODY.offsets[0] + drift, rotations, 60.0)
    targets = np.full((30, 1, 3), np.nan)
    targets[10:20, 0] = motion.world()[1][10, BODY.index("left_foot")]
    problem = Problem(
        BODY,
        (
            Points(("left_foot",), targets, weights=300.0),
            StayNear(motion, rotation_weight=1.0),
            SmoothChange(motion, rotation_weight=3.0),
        ),
        moving=LEGS,
        moves_root=False,
    )
    found = solve(problem, motion).motion
    feet = found.world()[1][10:20, BODY.index("left_foot")]
    assert np.abs(feet - targets[10:20, 0]).max() < 0.002
    locked = [i for i, name in enumerate(BODY.names) if name not in LEGS]
    np.testing.assert_array_equal(found.rotations[:, locked], motion.rotations[:, locked])
    np.testing.assert_array_equal(found.root_position, motion.root_position)


def test_an_outlier_pulls_less_when_the_loss_is_robust():
    truth = posed(7, frames=1)
    joints = tuple(name for name in BODY.names for _ in range(3))
    offsets = np.tile(0.1 * np.eye(3), (24, 1))
    targets = marked(truth, joints, offsets)
    targets[0, 0] += 0.5

    def error(robust: float | None) -> float:
        problem = Problem(BODY, (Points(joints, targets, offsets, robust=robust),))
        found = solve(problem, posed(8, frames=1, size=0.0), iterations=60).motion
        return float(quaternion.angle(found.rotations, truth.rotations).max())

    assert error(0.01) < 0.2 * error(None)


def test_smoothness_alone_brings_every_frame_to_one_pose():
    motion = posed(9, frames=6)
    found = solve(Problem(BODY, (Smoothness(1.0, 1.0),)), motion, iterations=40).motion
    assert quaternion.angle(found.rotations[:1], found.rotations).max() < 1e-3
    assert np.ptp(found.root_position, axis=0).max() < 1e-3


def test_unknowns_that_nothing_sees_stay_where_they_are():
    motion = posed(10)
    targets = np.full((4, 1, 3), np.nan)
    found = solve(Problem(BODY, (Points(("head",), targets),)), motion).motion
    np.testing.assert_allclose(found.root_position, motion.root_position)


def test_a_term_of_another_length_is_told():
    problem = Problem(BODY, (StayNear(posed(1, frames=3)),))
    with pytest.raises(ShapeError, match="StayNear has 3 frames, the motion 4"):
        solve(problem, posed(1))
    with pytest.raises(ShapeError, match="no joint 'knee'; the joints are"):
        Problem(BODY, (), moving=("knee",))
