"""Causal filters: they keep what is constant, quieten noise, and are as late as they say."""

import numpy as np

from pallas.neural.live.filters import OneEuro, TwoPole


def test_what_is_constant_passes():
    two_pole, one_euro = TwoPole(0.05, 60.0), OneEuro(1.0, 0.5, 60.0)
    for _ in range(10):
        np.testing.assert_array_equal(two_pole(np.full(3, 2.0)), 2.0)
        np.testing.assert_array_equal(one_euro(np.full((2, 3), 2.0)), 2.0)


def test_two_poles_are_late_by_two_time_constants():
    filtered = TwoPole(0.02, 1000.0)
    ramp = np.arange(1000) / 1000.0
    late = [value - float(filtered(np.array([value]))[0]) for value in ramp]
    np.testing.assert_allclose(late[-1], 0.04, atol=0.0015)


def test_two_poles_with_no_time_pass_everything():
    filtered = TwoPole(0.0, 60.0)
    for value in (1.0, -2.0, 5.0):
        assert filtered(np.array([value])) == value


def test_the_one_euro_filter_is_as_late_as_its_cutoff_says():
    filtered = OneEuro(2.0, 0.0, 1000.0)
    ramp = np.arange(2000) / 1000.0
    late = [value - float(filtered(np.array([[value]]))[0, 0]) for value in ramp]
    np.testing.assert_allclose(late[-1], 1.0 / (2.0 * np.pi * 2.0), atol=0.002)


def test_the_one_euro_filter_quietens_rest_and_follows_motion():
    random = np.random.default_rng(0)
    noise = 0.01 * random.standard_normal((600, 1, 3))
    resting, moving = OneEuro(1.0, 2.0, 60.0), OneEuro(1.0, 2.0, 60.0)
    quiet = np.array([resting(value) for value in noise])
    assert quiet[100:].std() < 0.5 * noise.std()
    ramp = np.arange(600)[:, None, None] / 60.0 * np.array([3.0, 0.0, 0.0])
    late = ramp[-1, 0, 0] - np.array([moving(value) for value in ramp])[-1, 0, 0]
    assert late < 3.0 * 0.03  # 30 ms, where at rest it would be 160 ms
