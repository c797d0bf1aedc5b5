import numpy as np
import pytest
from scipy import interpolate, signal

from pallas.rig.errors import ShapeError
from pallas.rig.filters import (
    FILTERS,
    Butterworth,
    Hampel,
    KalmanSmoother,
    Median,
    OneEuro,
    SavitzkyGolay,
    filter_from_text,
    filtered,
)

EVERY = [kind() for kind in FILTERS.values()]
LOW_PASSES = [
    *[Butterworth(5.0, order) for order in (2, 4, 6, 8)],
    KalmanSmoother(5.0, "velocity"),
    KalmanSmoother(5.0, "acceleration"),
]
SYMMETRIC = [*LOW_PASSES, SavitzkyGolay(), Median(), Hampel()]


@pytest.fixture
def noisy():
    times = np.arange(400) / 100.0
    noise = np.random.default_rng(3).normal(size=(400, 4, 3))
    return np.sin(2.0 * np.pi * times)[:, None, None] + 0.05 * noise


def gain(options, frequency, fps=200.0):
    """Of a sine's size, in the middle of four seconds."""
    times = np.arange(int(4.0 * fps)) / fps
    wave = np.exp(2j * np.pi * frequency * times)
    found = filtered(np.stack([wave.real, wave.imag], axis=1), fps, options)
    middle = slice(int(1.5 * fps), int(2.5 * fps))
    return np.mean(((found[:, 0] + 1j * found[:, 1]) / wave)[middle])


@pytest.mark.parametrize("options", LOW_PASSES, ids=str)
def test_at_the_cut_off_a_sine_keeps_one_over_the_square_root_of_two_and_its_phase(options):
    assert gain(options, 5.0) == pytest.approx(np.sqrt(0.5), abs=1e-4)
    assert abs(gain(options, 0.5)) == pytest.approx(1.0, abs=5e-3 if "2" in str(options) else 1e-3)


@pytest.mark.parametrize("order", [2, 4, 6, 8, 10])
def test_butterworth_is_scipys_there_and_back_with_its_cut_off_corrected(noisy, order):
    once = np.tan(np.pi * 6.0 / 100.0) / (np.sqrt(2.0) - 1.0) ** (1.0 / order)
    sections = signal.butter(order // 2, np.arctan(once) * 100.0 / np.pi, fs=100.0, output="sos")
    theirs = signal.sosfiltfilt(sections, noisy, axis=0, padlen=17)
    np.testing.assert_allclose(filtered(noisy, 100.0, Butterworth(6.0, order)), theirs, atol=1e-12)


def test_the_kalman_smoother_of_constant_velocity_is_scipys_cubic_smoothing_spline(noisy):
    half = 2.0 * np.pi * 6.0 / (np.sqrt(2.0) - 1.0) ** 0.25
    spline = interpolate.make_smoothing_spline(
        np.arange(400) / 100.0, noisy.reshape(400, -1), lam=100.0 / half**4
    )
    ours = filtered(noisy, 100.0, KalmanSmoother(6.0, "velocity")).reshape(400, -1)
    np.testing.assert_allclose(ours, spline(np.arange(400) / 100.0), atol=1e-8)


def test_savitzky_golay_is_scipys_with_interpolated_ends(noisy):
    theirs = signal.savgol_filter(noisy, 21, 3, axis=0, mode="interp")
    np.testing.assert_allclose(filtered(noisy, 100.0, SavitzkyGolay(0.21, 3)), theirs, atol=1e-12)


def test_the_median_is_scipys_away_from_the_ends(noisy):
    theirs = signal.medfilt(noisy[:, 0, 0], 11)
    ours = filtered(noisy, 100.0, Median(0.11))[:, 0, 0]
    np.testing.assert_allclose(ours[5:-5], theirs[5:-5])


@pytest.mark.parametrize("options", EVERY, ids=str)
@pytest.mark.parametrize("fps", [23.976, 60.0, 1000.0])
def test_every_filter_leaves_what_stands_still(options, fps):
    still = np.full((40, 2), 1234.5)
    np.testing.assert_allclose(filtered(still, fps, options), still, rtol=1e-9)


@pytest.mark.parametrize("options", SYMMETRIC, ids=str)
def test_all_but_the_one_euro_filter_see_no_direction_in_time(noisy, options):
    there = filtered(noisy, 100.0, options)
    back = filtered(noisy[::-1], 100.0, options)[::-1]
    inside = slice(
        100, -100
    )  # the end that a Butterworth filter comes to first is not quite as the other
    np.testing.assert_allclose(there[inside], back[inside], atol=1e-6)
    np.testing.assert_allclose(there, back, atol=0.03)


def test_the_one_euro_filter_knows_no_future_and_lags():
    ramp = np.arange(200) / 100.0
    changed = ramp.copy()
    changed[100:] += 5.0
    ours, theirs = (filtered(values, 100.0, OneEuro()) for values in (ramp, changed))
    np.testing.assert_array_equal(ours[:100], theirs[:100])
    assert np.all(ours[1:] < ramp[1:])


def test_the_one_euro_filters_first_steps_are_those_of_its_paper():
    # Constant cut-off: a share of 1 / (1 + fps / (2 pi cutoff)) of every step.
    share = 1.0 / (1.0 + 100.0 / (2.0 * np.pi * 2.0))
    found = filtered([0.0, 1.0, 1.0], 100.0, OneEuro(cutoff=2.0, beta=0.0))
    np.testing.assert_allclose(found, [0.0, share, share + (1.0 - share) * share])


@pytest.mark.parametrize("options", EVERY, ids=str)
def test_short_gaps_are_bridged_and_long_ones_stay(noisy, options):
    noisy[50:55, 0] = np.nan
    noisy[80:100, 1] = np.nan
    noisy[:3, 2] = np.nan
    noisy[200, 3, 1] = np.inf
    found = filtered(noisy, 100.0, options, longest_gap=0.05)
    missing = np.zeros(noisy.shape, dtype=bool)
    missing[80:100, 1] = missing[:3, 2] = True
    np.testing.assert_array_equal(np.isnan(found), missing)
    truth = np.sin(2.0 * np.pi * np.arange(50, 55) / 100.0)[:, None]
    if not isinstance(options, OneEuro):
        assert np.abs(found[50:55, 0] - truth).max() < 0.15
    assert np.isnan(filtered(noisy, 100.0, options)[50:55, 0]).all()


@pytest.mark.parametrize("options", EVERY, ids=str)
def test_what_lies_beyond_a_gap_changes_nothing(noisy, options):
    noisy[100:140] = np.nan
    whole = filtered(noisy, 100.0, options, longest_gap=0.1)
    np.testing.assert_array_equal(whole[:100], filtered(noisy[:100], 100.0, options))
    np.testing.assert_array_equal(whole[140:], filtered(noisy[140:], 100.0, options))


@pytest.mark.parametrize("options", EVERY, ids=str)
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 4])
def test_a_few_frames_and_none_go_through(options, frames):
    values = np.linspace(0.0, 1.0, frames)[:, None] * [1.0, 2.0]
    found = filtered(values, 60.0, options)
    assert found.shape == values.shape
    assert np.isfinite(found).all()
    empty = filtered(np.full((frames, 2), np.nan), 60.0, options, longest_gap=1.0)
    assert np.isnan(empty).all()


@pytest.mark.parametrize("kind", [Median, Hampel, SavitzkyGolay])
def test_a_window_longer_than_the_trial_is_the_trial(noisy, kind):
    found = filtered(noisy[:20], 100.0, kind(1e6))
    np.testing.assert_array_equal(found, filtered(noisy[:20], 100.0, kind(0.41)))


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (Butterworth(), 0.4),
        (KalmanSmoother(), 0.4),
        (SavitzkyGolay(), 0.45),
        (Median(), 0.6),
        (OneEuro(1.5, 0.0), 0.3),
    ],
    ids=str,
)
def test_noise_becomes_less(options, left):
    noise = np.random.default_rng(5).normal(size=(2000, 3))
    assert filtered(noise, 100.0, options)[100:-100].std() < left


def test_hampel_mends_outliers_and_touches_nothing_else():
    wave = np.sin(2.0 * np.pi * np.arange(200) / 100.0)
    spoilt = wave.copy()
    spoilt[[40, 41, 120]] += [2.0, -3.0, 1.0]
    found = filtered(spoilt, 100.0, Hampel(0.15))
    assert np.abs(found - wave).max() < 0.12
    same = np.abs(spoilt - wave) == 0.0
    assert (found[same] == wave[same]).mean() > 0.95


def test_the_kalman_smoother_trusts_confident_measurements_more():
    truth = np.sin(2.0 * np.pi * np.arange(300) / 100.0)
    random = np.random.default_rng(7)
    confidence = np.where(np.arange(300) % 3 == 0, 0.1, 1.0)
    values = truth + random.normal(size=300) * 0.02 / confidence
    blind = filtered(values, 100.0, KalmanSmoother())
    told = filtered(values, 100.0, KalmanSmoother(), confidence=confidence)
    assert np.std(told - truth) < 0.5 * np.std(blind - truth)


def test_a_confidence_of_zero_or_none_is_a_missing_measurement(noisy):
    confidence = np.ones((400, 4))
    confidence[100:104, 2] = 0.0
    confidence[105, 1] = np.nan
    noisy[100:104, 2] = 1e6
    found = filtered(noisy, 100.0, KalmanSmoother(), confidence=confidence, longest_gap=0.1)
    assert np.abs(found).max() < 1.3
    found = filtered(noisy, 100.0, Butterworth(), confidence=confidence)
    assert np.isnan(found[100:104, 2]).all()
    assert np.isnan(found).sum() == 15


def test_the_kalman_smoother_bridges_by_its_own_model():
    line = np.arange(100.0)
    line[40:60] = np.nan
    found = filtered(line, 100.0, KalmanSmoother(4.0, "velocity"), longest_gap=0.2)
    np.testing.assert_allclose(found, np.arange(100.0), atol=1e-5)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("butterworth", Butterworth()),
        ("butterworth:cutoff=5,order=2", Butterworth(5.0, 2)),
        ("kalman:model=velocity", KalmanSmoother(model="velocity")),
        ("hampel: threshold=2.5", Hampel(threshold=2.5)),
    ],
)
def test_filters_have_names(text, options):
    assert filter_from_text(text) == options


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bessel", "no filter 'bessel'; expected one of: butterworth"),
        ("median:size=3", "no option 'size'; expected some of: window"),
        ("butterworth:order=2.5", "'2.5'; expected a whole number"),
        ("butterworth:order=3", "order 3; expected an even number"),
        ("butterworth:cutoff=nan", "cut-off is nan; expected a number above 0"),
        ("kalman:model=jerk", "'velocity' or 'acceleration'"),
        ("one-euro:beta=-1", "beta is -1; expected 0 or more"),
        ("savitzky-golay:degree=11", "degree 11; expected"),
    ],
)
def test_what_is_no_filter_is_told(text, said):
    with pytest.raises(ShapeError, match=said):
        filter_from_text(text)


def test_rates_cut_offs_and_shapes_that_can_not_be_are_told():
    values = np.zeros((10, 2))
    with pytest.raises(ShapeError, match="6 Hz at 12 frames per second; expected below 6"):
        filtered(values, 12.0, Butterworth())
    with pytest.raises(ShapeError, match="expected above 0"):
        filtered(values, np.nan, Median())
    with pytest.raises(ShapeError, match="longest gap"):
        filtered(values, 60.0, Median(), longest_gap=-1.0)
    with pytest.raises(ShapeError, match="same first axes"):
        filtered(values, 60.0, KalmanSmoother(), confidence=np.ones((9, 2)))
    with pytest.raises(ShapeError, match="a single number"):
        filtered(1.0, 60.0, Median())
