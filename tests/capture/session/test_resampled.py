"""The usual rate of readings, whatever was lost or held up."""

import numpy as np
import pytest

from pallas.capture.session.resampled import usual_rate

EVEN = 5.0 + np.arange(1200) / 60.0


def test_the_rate_of_even_readings_is_theirs():
    assert usual_rate(EVEN) == pytest.approx(60.0)


def test_lost_readings_do_not_lower_the_rate():
    kept = np.random.default_rng(0).random(len(EVEN)) > 0.1
    assert usual_rate(EVEN[kept]) == pytest.approx(60.0)


def test_readings_that_were_held_up_and_came_at_once_do_not_raise_the_rate():
    held = EVEN.copy()
    for start in (120, 400, 700, 1000):
        held[start : start + 100] = held[start + 100] - np.arange(100, 0, -1) * 1e-3
    assert usual_rate(held) == pytest.approx(60.0, rel=0.02)


@pytest.mark.parametrize("count", [0, 1])
def test_less_than_two_readings_have_no_rate(count):
    assert np.isnan(usual_rate(EVEN[:count]))
