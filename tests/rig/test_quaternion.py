"""Quaternions against answers known by hand, and against the matrices of the torch half."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pallas.rig import quaternion, so3

X, Y, Z = np.eye(3)
RANDOM = quaternion.normalised(np.random.default_rng(0).normal(size=(200, 4)))


def test_a_quarter_turn_about_z_takes_x_to_y():
    turn = quaternion.from_axis_angle(Z, math.pi / 2)
    np.testing.assert_allclose(quaternion.rotate(turn, X), Y, atol=1e-15)


def test_neighbouring_frames_cancel():
    a_from_b, b_from_c = RANDOM[:100], RANDOM[100:]
    vector = np.array([0.3, -2.0, 1.0])
    step_by_step = quaternion.rotate(a_from_b, quaternion.rotate(b_from_c, vector))
    at_once = quaternion.rotate(quaternion.multiply(a_from_b, b_from_c), vector)
    np.testing.assert_allclose(at_once, step_by_step, atol=1e-14)


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_euler_angles_come_back_in_every_order(order):
    angles = quaternion.to_euler(RANDOM, order)
    back = quaternion.from_euler(angles, order)
    assert quaternion.angle(back, RANDOM).max() < 1e-12


def test_euler_angles_in_gimbal_lock_are_the_same_rotation():
    locked = quaternion.from_euler(np.array([0.4, math.pi / 2, -0.3]), "XYZ")
    back = quaternion.from_euler(quaternion.to_euler(locked, "XYZ"), "XYZ")
    assert quaternion.angle(back, locked) < 1e-6


def test_intrinsic_zxy_is_first_about_z_then_about_the_new_x():
    turn = quaternion.from_euler(np.array([math.pi / 2, math.pi / 2]), "ZX")
    np.testing.assert_allclose(quaternion.rotate(turn, Y), Z, atol=1e-15)


def test_matrices_agree_with_the_torch_half():
    matrices = so3.from_quaternion(torch.tensor(RANDOM))
    np.testing.assert_allclose(quaternion.to_matrix(RANDOM), matrices, atol=1e-14)
    back = quaternion.from_matrix(matrices.numpy())
    assert quaternion.angle(back, RANDOM).max() < 1e-7
    np.testing.assert_allclose(so3.to_quaternion(matrices), back, atol=1e-14)


def test_half_turns_survive_the_way_through_matrices():
    for axis in (X, Y, Z, np.ones(3) / math.sqrt(3)):
        half = quaternion.from_axis_angle(axis, math.pi)
        assert quaternion.angle(quaternion.from_matrix(quaternion.to_matrix(half)), half) < 1e-7


@given(st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3))
def test_logarithm_undoes_the_exponential(vector):
    vector = np.array(vector)
    if np.linalg.norm(vector) >= math.pi:
        vector = vector / np.linalg.norm(vector) * 3.1
    turn = quaternion.from_rotation_vector(vector)
    np.testing.assert_allclose(quaternion.to_rotation_vector(turn), vector, atol=1e-9)


def test_the_shortest_arc_turns_one_direction_onto_the_other_even_when_opposite():
    targets = np.stack([X, -X, Y, np.array([0.1, -0.7, 0.7])])
    arcs = quaternion.shortest_arc(X, targets)
    expected = targets / np.linalg.norm(targets, axis=-1, keepdims=True)
    np.testing.assert_allclose(quaternion.rotate(arcs, X), expected, atol=1e-12)


def test_swing_and_twist_multiply_to_the_whole_and_the_swing_has_no_twist():
    swing, twist = quaternion.swing_twist(RANDOM, Z)
    assert quaternion.angle(quaternion.multiply(swing, twist), RANDOM).max() < 1e-7
    np.testing.assert_allclose(swing[:, 3], 0.0, atol=1e-12)


def test_slerp_goes_half_way_along_the_shorter_arc():
    start = quaternion.from_axis_angle(Z, 0.0)
    end = -quaternion.from_axis_angle(Z, 1.0)
    half = quaternion.slerp(start, end, 0.5)
    assert quaternion.angle(half, quaternion.from_axis_angle(Z, 0.5)) < 1e-12


def test_resampling_interpolates_inside_and_holds_the_ends():
    times = np.array([0.0, 1.0, 3.0])
    turns = quaternion.from_axis_angle(Z, np.array([0.0, 0.5, 1.5]))
    new = quaternion.resample(turns, times, np.array([-1.0, 0.5, 2.0, 9.0]))
    expected = quaternion.from_axis_angle(Z, np.array([0.0, 0.25, 1.0, 1.5]))
    assert quaternion.angle(new, expected).max() < 1e-12


def test_the_mean_leaves_missing_rows_and_signs_out():
    turns = quaternion.from_axis_angle(Z, np.array([0.1, 0.3, 0.2]))
    turns[1] *= -1
    rows = np.concatenate([turns, np.full((1, 4), np.nan)])
    assert quaternion.angle(quaternion.mean(rows), turns[2]) < 1e-6


def test_frames_are_built_from_an_axis_and_a_hint():
    turn = quaternion.from_frames(Y, -X + 0.5 * Y)
    np.testing.assert_allclose(quaternion.rotate(turn, X), Y, atol=1e-12)
    np.testing.assert_allclose(quaternion.rotate(turn, Y), -X, atol=1e-12)


def test_a_zero_quaternion_is_missing():
    assert np.isnan(quaternion.normalised(np.zeros(4))).all()
