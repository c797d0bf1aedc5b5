"""Device clocks mapped to one clock: skew, bursts, wraps, restarts; while it comes and for whole takes."""

import numpy as np
import pytest

from pallas.capture.session.device_clock import DeviceClock
from pallas.capture.session.take_clock import mapped_times

RATE = 100.0
START = 5000.0  # of this computer's clock
TRAVEL = 0.002  # seconds, of the fastest packet


def _sent(seconds: float, *, skew: float = 0.0, bursts: bool = True, seed: int = 0):
    """True times, device times and arrivals: every packet is late by chance, now and then 30 ms."""
    random = np.random.default_rng(seed)
    true = START + np.arange(int(seconds * RATE)) / RATE
    late = random.exponential(0.002, len(true))
    if bursts:
        for start in np.arange(0.0, seconds, 1.3):
            inside = (true - START >= start) & (true - START < start + 0.4)
            late[inside] += 0.03
    arrivals = np.maximum.accumulate(true + TRAVEL + late)
    return true, (true - START) * (1.0 + skew) + 17.0, arrivals


def _online(device, arrivals):
    clock = DeviceClock()
    return np.array([clock.map(*pair) for pair in zip(device, arrivals, strict=True)]), clock


def _error(mapped, true):
    return np.abs(mapped - true - TRAVEL)


@pytest.mark.parametrize("skew", [0.0, 200e-6, -200e-6, 5e-3])
def test_bursts_of_30_ms_and_a_skewed_clock_are_seen_through(skew: float):
    true, device, arrivals = _sent(120.0, skew=skew)
    mapped, clock = _online(device, arrivals)
    settled = true > START + 30.0
    assert _error(mapped, true)[settled].max() < 0.001
    assert clock.skew == pytest.approx(1.0 / (1.0 + skew) - 1.0, abs=2e-5)
    assert _error(mapped_times(device, arrivals), true).max() < 0.001
    assert np.abs(mapped - mapped_times(device, arrivals))[settled].max() < 0.001


def test_the_first_seconds_are_never_worse_than_the_arrivals():
    true, device, arrivals = _sent(20.0, skew=200e-6)
    mapped, _ = _online(device, arrivals)
    assert np.all(mapped <= arrivals)
    assert _error(mapped, true).max() < 0.035
    assert _error(mapped, true)[true > START + 3.0].max() < 0.003


@pytest.mark.parametrize("period", [65.536, 4294.967296])
def test_a_clock_that_wraps_goes_on(period: float):
    true, device, arrivals = _sent(60.0, skew=200e-6)
    wrapped = (device + period - 50.0) % period
    assert np.any(np.diff(wrapped) < 0)
    mapped, clock = _online(wrapped, arrivals)
    assert clock.restarts == 1
    assert _error(mapped, true)[true > START + 30.0].max() < 0.001
    assert _error(mapped_times(wrapped, arrivals), true).max() < 0.001


def test_samples_that_overtake_a_wrap_are_put_before_it():
    true, device, arrivals = _sent(60.0)
    wrapped = (device + 65.536 - 50.0) % 65.536
    turn = int(np.flatnonzero(np.diff(wrapped) < 0)[0])
    arrivals[turn - 2] = arrivals[turn + 3]
    order = np.argsort(arrivals, kind="stable")
    order[turn + 2 : turn + 4] = turn + 3, turn - 2
    true, wrapped, arrivals = true[order], wrapped[order], arrivals[order]
    assert np.diff(wrapped).max() > 65.0
    mapped, clock = _online(wrapped, arrivals)
    assert clock.restarts == 1
    assert _error(mapped, true)[turn - 5 : turn + 5].max() < 0.001


def test_a_tracker_that_starts_again_is_followed_at_once_with_the_skew_it_had():
    true, device, arrivals = _sent(120.0, skew=200e-6)
    again = true > START + 60.0
    device[again] -= device[again][0] - 0.5
    mapped, clock = _online(device, arrivals)
    assert clock.restarts == 2
    assert np.all(_error(mapped, true)[again] < 0.035)
    assert _error(mapped, true)[true > START + 63.0].max() < 0.001
    assert _error(mapped_times(device, arrivals), true).max() < 0.001


@pytest.mark.parametrize("step", [-0.4, 0.3])
def test_a_phone_whose_clock_is_set_while_it_sends_is_followed(step: float):
    true, device, arrivals = _sent(120.0)
    device[true > START + 60.0] += step
    mapped, _ = _online(device, arrivals)
    settled = (true < START + 60.0) | (true > START + 66.0)
    assert _error(mapped, true)[settled & (true > START + 10.0)].max() < 0.002
    assert _error(mapped_times(device, arrivals), true)[settled].max() < 0.002


def test_a_crystal_that_warms_up_is_followed():
    true, _, arrivals = _sent(900.0)
    seconds = true - START
    device = seconds + 10e-6 * seconds**2 / 900.0  # 0 to 20 ppm in a quarter of an hour
    mapped, _ = _online(device, arrivals)
    assert _error(mapped, true)[seconds > 30.0].max() < 0.001
    assert _error(mapped_times(device, arrivals), true).max() < 0.001


def test_a_network_that_stalls_for_seconds_and_then_sends_everything_does_not_move_the_clock():
    true, device, arrivals = _sent(60.0, bursts=False)
    stalled = (true > START + 30.0) & (true < START + 34.0)
    arrivals[stalled] = START + 34.0
    mapped, clock = _online(device, arrivals)
    assert clock.restarts == 1
    assert _error(mapped, true)[true > START + 10.0].max() < 0.002
    assert _error(mapped_times(device, arrivals), true).max() < 0.002


def test_without_device_times_the_arrival_is_all_there_is():
    arrivals = np.array([1.0, 1.02, 1.03])
    nothing = np.full(3, np.nan)
    assert _online(nothing, arrivals)[0].tolist() == arrivals.tolist()
    assert mapped_times(nothing, arrivals).tolist() == arrivals.tolist()
    assert mapped_times(np.zeros(0), np.zeros(0)).shape == (0,)


def test_no_stream_of_times_is_mapped_past_its_arrivals_or_breaks_the_clock():
    random = np.random.default_rng(1)
    for scale in (1e-6, 1.0, 1e6, 1e300):
        device = scale * random.standard_normal(3000)
        device[::7] = np.inf
        arrivals = np.cumsum(random.exponential(0.01, 3000))
        mapped, _ = _online(device, arrivals)
        assert np.all(mapped <= arrivals)
        assert np.all(mapped_times(device, arrivals) <= arrivals)
