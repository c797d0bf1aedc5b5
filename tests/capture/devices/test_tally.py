"""Loss, repetition and disorder are told from the sender's own count."""

import pytest

from pallas.capture.devices.tally import Tally


def heard(sequences, modulus=None, gap=0.01, paired=True):
    tally = Tally("one", "test", paired=paired, modulus=modulus)
    taken = [n for i, n in enumerate(sequences) if tally.hear(100.0 + gap * i, n)]
    return tally.state(100.0 + gap * len(sequences)), taken


def counts(state):
    return state.received, state.lost, state.duplicated, state.reordered


@pytest.mark.parametrize(
    ("sequences", "received", "lost", "duplicated", "reordered"),
    [
        pytest.param([5, 6, 7], 3, 0, 0, 0, id="all came"),
        pytest.param([5, 6, 9], 3, 2, 0, 0, id="two were lost"),
        pytest.param([5, 6, 6, 7], 3, 0, 1, 0, id="one came twice"),
        pytest.param([5, 7, 6, 8], 4, 0, 0, 1, id="one came late"),
        pytest.param([5, 8, 6, 6, 9], 4, 1, 1, 1, id="one lost, one late, and that one twice"),
        pytest.param([9000, 9001, 0, 1], 4, 0, 0, 0, id="the sender started again"),
        pytest.param([0, 2**63, 2**63 + 1], 3, 0, 0, 0, id="a leap is no loss"),
    ],
)
def test_the_senders_count_tells(sequences, received, lost, duplicated, reordered):
    state, _ = heard(sequences)
    assert counts(state) == (received, lost, duplicated, reordered)


def test_what_came_twice_is_not_taken_again():
    _, taken = heard([1, 2, 2, 3, 1])
    assert taken == [1, 2, 3]


def test_a_count_that_wraps_loses_nothing():
    state, taken = heard([254, 255, 0, 1, 3], modulus=256)
    assert counts(state) == (5, 1, 0, 0)
    assert taken == [254, 255, 0, 1, 3]


def test_a_sender_that_starts_again_soon_after_its_start_is_heard_after_a_silence():
    tally = Tally("one", "test", paired=True)
    assert all(tally.hear(i / 100, i) for i in range(20))
    assert all(tally.hear(5.0 + i / 100, i) for i in range(20))
    assert counts(tally.state(5.2)) == (40, 0, 0, 0)


def test_the_rate_is_that_of_the_last_seconds_and_falls_to_nothing_in_silence():
    tally = Tally("one", "test", paired=True)
    for i in range(300):
        tally.hear(i / 100, None)
    assert tally.state(3.0).rate == pytest.approx(100, rel=0.02)
    assert tally.state(4.5).rate < 80
    assert tally.state(7.0).rate == 0.0


def test_an_unpaired_tracker_is_heard_but_not_taken():
    state, taken = heard([1, 2, 3], paired=False)
    assert taken == []
    assert state.last > 100.0
    assert counts(state) == (0, 0, 0, 0)
