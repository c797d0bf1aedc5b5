"""The clock behind a column of times: rounded, with lost frames, or other than the header says."""

import numpy as np
import pytest

from pallas.capture.frame_clock import frame_clock
from pallas.capture.textfile import FormatWarning
from pallas.rig import FormatError


def _clock(times, stated=None):
    times = np.array(times, dtype=float)
    return frame_clock(times, stated, tuple(range(7, 7 + len(times))))


def test_the_stated_rate_holds_against_rounded_times():
    clock = _clock(np.round(np.arange(600) / 60, 3), 60.0)
    assert (clock.fps, clock.start, len(clock.rows)) == (60.0, 0.0, 600)


def test_without_a_stated_rate_rounded_times_still_tell_it():
    assert _clock(np.round(np.arange(600) / 60, 3)).fps == pytest.approx(60.0, abs=0.01)


def test_times_that_are_rounded_until_some_are_alike_are_no_matter():
    assert _clock(np.round(np.arange(50) / 250, 2), 250.0).fps == 250.0


def test_times_that_contradict_the_header_are_believed():
    with pytest.warns(FormatWarning, match="header says 250 frames per second, the times say 25"):
        assert _clock(np.arange(20) / 25, 250.0).fps == pytest.approx(25.0)


def test_a_rate_that_drifts_from_the_stated_one_is_that_of_the_times():
    assert _clock(np.arange(2000) / 59.94, 60.0).fps == pytest.approx(59.94)


def test_lost_frames_are_left_empty_and_told():
    with pytest.warns(
        FormatWarning, match="2 frames are missing, from frame 4 of the recording on"
    ):
        clock = _clock([1.00, 1.01, 1.02, 1.05, 1.06], 100.0)
    values = clock.frames(np.arange(5.0)[:, None])
    np.testing.assert_array_equal(values[:, 0], [0, 1, 2, np.nan, np.nan, 3, 4])


def test_irregular_times_are_drawn_between_but_not_across_gaps():
    with pytest.warns(
        FormatWarning, match=r"irregular \(steps from 0.008 to 0.035 s\); frames are drawn"
    ):
        clock = _clock([0.0, 0.01, 0.02, 0.028, 0.038, 0.048, 0.083])
    assert clock.fps == 100.0
    values = clock.frames(np.array([0, 10, 20, 28, 38, 48, 83.0])[:, None])[:, 0]
    np.testing.assert_allclose(values, [0, 10, 20, 30, 40, np.nan, np.nan, np.nan, np.nan])


def test_one_frame_needs_a_rate():
    assert _clock([0.5], 100.0).start == 0.5
    with pytest.raises(FormatError, match="one frame and no frame rate"):
        _clock([0.5], 0.0)


def test_times_that_go_backwards_name_the_line():
    with pytest.raises(FormatError, match=r"line 9: time is 0.5, expected one after 1.0"):
        _clock([0.0, 1.0, 0.5])


def test_a_time_that_is_missing_names_the_line():
    with pytest.raises(FormatError, match="line 8: the time is missing"):
        _clock([0.0, np.nan, 0.5])


def test_a_leap_of_a_million_frames_makes_nothing_huge():
    with pytest.raises(FormatError, match="4 lines in steps of .* span 1e"):
        _clock([0.0, 0.001, 0.002, 1e6])
