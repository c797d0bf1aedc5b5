import numpy as np
import pytest
from scipy.interpolate import BSpline

from pallas.rig.errors import ShapeError
from pallas.rig.filters import differentiated, unwrapped


def quintic_spline(values, fps, cutoff):
    """The smoothing spline and two derivatives, by least squares over B-splines."""
    frames = np.arange(len(values), dtype=float)
    knots = np.arange(-5.0, len(values) + 5.0)
    basis = BSpline.design_matrix(frames, knots, 5).toarray()
    places, weights = np.polynomial.legendre.leggauss(4)
    inside = (frames[:-1, None] + 0.5 + 0.5 * places).ravel()
    third = BSpline(knots, np.eye(basis.shape[1]), 5).derivative(3)(inside)
    half = 2.0 * np.pi * cutoff / (np.sqrt(2.0) - 1.0) ** (1.0 / 6.0)
    stiffness = (fps / half) ** 6 * np.tile(0.5 * weights, len(values) - 1)
    rows = np.concatenate([basis, np.sqrt(stiffness)[:, None] * third])
    sides = np.concatenate([values, np.zeros(len(third))])
    spline = BSpline(knots, np.linalg.lstsq(rows, sides, rcond=None)[0], 5)
    return [spline(frames), *(spline.derivative(k)(frames) * fps**k for k in (1, 2))]


@pytest.mark.parametrize(("fps", "cutoff"), [(100.0, 6.0), (1000.0, 5.0), (30.0, 14.0)])
def test_they_are_those_of_the_quintic_smoothing_spline(fps, cutoff):
    times = np.arange(150) / fps
    values = np.sin(3.0 * times) + 0.05 * np.random.default_rng(1).normal(size=150)
    found = differentiated(values, fps, cutoff)
    for ours, theirs in zip(
        (found.values, found.velocity, found.acceleration),
        quintic_spline(values, fps, cutoff),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("fps", [50.0, 120.0, 1000.0])
def test_a_noisy_sines_speed_and_acceleration_are_known(fps):
    turn = 2.0 * np.pi * 1.5  # radians per second, of a wave of 30 cm; noise of 1 mm
    times = np.arange(int(6.0 * fps)) / fps
    noise = np.random.default_rng(2).normal(scale=1e-3, size=(len(times), 2))
    found = differentiated(0.3 * np.sin(turn * times)[:, None] + noise, fps, 8.0)
    inside = slice(int(0.5 * fps), int(5.5 * fps))
    speed = 0.3 * turn * np.cos(turn * times)[:, None]
    acceleration = -0.3 * turn**2 * np.sin(turn * times)[:, None]
    assert np.sqrt(np.mean((found.velocity - speed)[inside] ** 2)) < 0.015 * 0.3 * turn
    assert np.sqrt(np.mean((found.acceleration - acceleration)[inside] ** 2)) < 0.04 * 0.3 * turn**2
    naive = np.gradient(np.gradient(noise[:, 0], 1.0 / fps), 1.0 / fps)
    assert (
        np.sqrt(np.mean((found.acceleration - acceleration)[inside] ** 2)) < naive.std()
        or fps < 100
    )


def test_at_the_cut_off_the_speed_is_one_over_the_square_root_of_two_of_itself():
    times = np.arange(1000) / 200.0
    wave = np.sin(2.0 * np.pi * 6.0 * times)
    found = differentiated(wave, 200.0, 6.0)
    middle = slice(400, 600)
    for ours, size in (
        (found.velocity, 12.0 * np.pi),
        (found.acceleration, (12.0 * np.pi) ** 2),
    ):
        assert np.abs(ours[middle]).max() == pytest.approx(size * np.sqrt(0.5), rel=2e-3)


def test_a_parabola_has_a_constant_acceleration_up_to_its_ends():
    times = np.arange(120) / 60.0
    found = differentiated(0.5 * 9.81 * times**2, 60.0, 5.0)
    np.testing.assert_allclose(found.acceleration, 9.81, rtol=1e-4)
    np.testing.assert_allclose(found.velocity, 9.81 * times, atol=1e-4)


def test_a_turning_angle_has_no_jumps():
    times = np.arange(200) / 100.0
    angle = np.angle(np.exp(1j * 7.0 * times))
    angle[50:60] = np.nan
    found = differentiated(angle, 100.0, 6.0, angles=True, longest_gap=0.1)
    np.testing.assert_allclose(found.velocity, 7.0, atol=1e-4)
    np.testing.assert_allclose(unwrapped(angle)[60:], 7.0 * times[60:], atol=1e-9)


def test_unwrapping_goes_over_gaps_and_leaves_them():
    angles = np.radians([[170.0, 0.0], [np.nan, 10.0], [-170.0, np.nan], [np.nan, 20.0]])
    found = np.degrees(unwrapped(angles))
    np.testing.assert_allclose(
        found, [[170.0, 0.0], [np.nan, 10.0], [190.0, np.nan], [np.nan, 20.0]]
    )


def test_stretches_too_short_for_an_acceleration_have_none():
    values = np.arange(10.0)
    values[[2, 6]] = np.nan
    found = differentiated(values, 60.0)
    np.testing.assert_array_equal(np.isfinite(found.velocity), [0, 0, 0, 1, 1, 1, 0, 1, 1, 1])
    np.testing.assert_allclose(found.velocity[3:6], 60.0, rtol=1e-3)


def test_cut_offs_that_can_not_be_are_told():
    with pytest.raises(ShapeError, match="cut-off of 30 Hz at 60 frames"):
        differentiated(np.zeros(10), 60.0, 30.0)
