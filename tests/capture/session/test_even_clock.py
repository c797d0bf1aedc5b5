"""Trackers that send no times: when they measured, told by how evenly they do."""

import numpy as np
import pytest

from pallas.capture.session.even_clock import EvenClock

START = 300.0
TRAVEL = 0.002


def _sent(*, rate=100.0, seconds=60.0, lost=0.0, late=0.004, bursts=True, step=2, extra=0.0):
    """True times, arrivals and counts of what came."""
    random = np.random.default_rng(0)
    true = START + np.arange(int(seconds * rate)) / rate
    delay = random.exponential(late, len(true))
    if bursts:  # 30 ms, a quarter of a second long
        delay[(true - START) % 1.3 < 0.25] += 0.03
    arrivals = np.maximum.accumulate(true + TRAVEL + delay)
    counts = np.cumsum(step + (random.random(len(true)) < extra))
    kept = random.random(len(true)) >= lost
    return true[kept], arrivals[kept], counts[kept].tolist()


def _mapped(arrivals, counts):
    clock = EvenClock()
    return np.array([clock.map(*pair) for pair in zip(arrivals.tolist(), counts, strict=True)])


def _error(mapped, true):
    """Milliseconds, after the first seconds."""
    return 1e3 * np.abs(mapped - true - TRAVEL)[true > START + 4.0]


@pytest.mark.parametrize("rate", [60.0, 100.0])
@pytest.mark.parametrize(("lost", "milliseconds"), [(0.0, 2.0), (0.05, 5.0)])
def test_bursts_and_losses_are_seen_through(rate, lost, milliseconds):
    true, arrivals, counts = _sent(rate=rate, lost=lost)
    assert np.sqrt((_error(arrivals, true) ** 2).mean()) > 14.0
    assert np.sqrt((_error(_mapped(arrivals, counts), true) ** 2).mean()) < milliseconds


def test_what_else_the_tracker_counts_does_no_harm():
    true, arrivals, counts = _sent(extra=0.03, lost=0.05)
    assert np.sqrt((_error(_mapped(arrivals, counts), true) ** 2).mean()) < 5.0
    true, arrivals, counts = _sent(extra=0.03, lost=0.05, step=1, bursts=False, late=0.001)
    assert np.sqrt((_error(_mapped(arrivals, counts), true) ** 2).mean()) < 1.5


def test_lines_that_are_read_several_at_a_time_lie_apart():
    _, arrivals, _ = _sent(bursts=False, late=0.0002)
    arrivals = np.ceil(arrivals / 0.05) * 0.05
    mapped = _mapped(arrivals, [None] * len(arrivals))
    steps = np.diff(mapped)[400:]
    assert steps.min() > 0.009
    assert steps.max() < 0.011


def test_without_a_count_losses_can_not_be_seen_and_the_arrival_is_taken():
    _, arrivals, _ = _sent(lost=0.05, bursts=False)
    mapped = _mapped(arrivals, [None] * len(arrivals))
    np.testing.assert_allclose(mapped, arrivals, atol=0.002)


def test_times_go_forwards_and_never_past_the_arrival():
    _, arrivals, counts = _sent(lost=0.1)
    mapped = _mapped(arrivals, counts)
    assert np.all(np.diff(mapped) > 0.0)
    assert np.all((mapped <= arrivals)[200:])


def test_a_pause_another_rate_and_a_count_that_starts_again_are_followed():
    true, arrivals, counts = _sent(seconds=10.0, bursts=False, late=0.001)
    later = true + 13.0, arrivals + 13.0, [count - counts[0] for count in counts]
    slower_true = START + 30.0 + np.arange(500) / 50
    slower = slower_true, slower_true + TRAVEL, list(range(0, 1000, 2))
    true, arrivals = (np.concatenate([one, two, three]) for one, two, three in
                      ((true, later[0], slower[0]), (arrivals, later[1], slower[1])))  # fmt: skip
    mapped = _mapped(arrivals, counts + later[2] + slower[2])
    error = 1e3 * np.abs(mapped - true - TRAVEL)
    assert error.max() < 15.0
    assert error[true > START + 38.0].max() < 1.0


def test_no_counts_or_arrivals_break_it():
    random = np.random.default_rng(1)
    clock = EvenClock()
    arrival, last = 0.0, -np.inf
    for _ in range(5000):
        arrival += random.choice([0.0, 1e-6, 0.01, 0.3, 100.0])
        count = random.choice([None, 0, 1, 7, 2**62, int(random.integers(0, 1000))])
        time = clock.map(arrival, count)
        assert time > last
        last = time
