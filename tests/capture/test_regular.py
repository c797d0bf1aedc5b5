"""Even samples from uneven ones: what is bridged, what is held, what is refused."""

import numpy as np
import pytest

from pallas.capture.imu import ImuRecording
from pallas.capture.regular import regular_samples
from pallas.rig import RecordingError, quaternion

Z = np.array([0.0, 0.0, 1.0])


def turning(times: np.ndarray, silent: np.ndarray | None = None) -> ImuRecording:
    """One sensor that turns at 1 rad/s and feels an acceleration that grows with time."""
    orientation = quaternion.from_axis_angle(Z, times)[:, None]
    acceleration = np.stack([times, 0 * times, 0 * times], axis=-1)[:, None]
    if silent is not None:
        orientation[silent], acceleration[silent] = np.nan, np.nan
    return ImuRecording(times, orientation, acceleration, ("neck",))


@pytest.mark.parametrize("rate", [15.0, 60.0, 1000.0])
def test_every_rate_gives_the_same_even_samples_over_the_whole_span(rate):
    times = np.arange(int(2 * rate) + 1) / rate
    regular = regular_samples(turning(times), 60.0, 0.25)
    assert len(regular.acceleration) == 121
    expected = quaternion.from_axis_angle(Z, np.arange(121) / 60)
    assert quaternion.angle(regular.world_from_sensor[:, 0], expected).max() < 1e-6
    np.testing.assert_allclose(
        regular.acceleration[6:-6, 0, 0], np.arange(121)[6:-6] / 60, atol=1e-3
    )


def test_a_short_gap_is_bridged():
    times = np.arange(121) / 60.0
    regular = regular_samples(turning(times, (times > 1.0) & (times < 1.2)), 60.0, 0.25)
    assert not regular.held
    assert quaternion.angle(
        regular.world_from_sensor[66, 0], quaternion.from_axis_angle(Z, 1.1)
    ) == pytest.approx(0.0, abs=1e-6)


def test_a_long_gap_is_held_told_and_feels_nothing():
    times = np.arange(181) / 60.0
    regular = regular_samples(turning(times, (times > 1.0) & (times < 2.0)), 60.0, 0.25)
    assert [round(gap.end - gap.start, 3) for gap in regular.held] == [1.0]
    assert quaternion.angle(
        regular.world_from_sensor[90, 0], quaternion.from_axis_angle(Z, 1.0)
    ) == pytest.approx(0.0, abs=1e-6)
    assert regular.acceleration[90, 0, 0] == 0.0


def test_one_sample_is_refused_and_a_sensor_never_heard_is_named():
    with pytest.raises(RecordingError, match="1 sample, expected at least 2"):
        regular_samples(turning(np.zeros(1)), 60.0, 0.25)
    times = np.arange(10) / 60.0
    with pytest.raises(RecordingError, match="neck was never heard"):
        regular_samples(turning(times, np.ones(10, dtype=bool)), 60.0, 0.25)
