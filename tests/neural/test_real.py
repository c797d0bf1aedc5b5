"""Real recordings: which ones serve, and whether injected errors are removed."""

import numpy as np
import pytest

from pallas.neural.evaluation import real
from pallas.neural.evaluation.real import evaluate_real, injected, raw_log, real_takes
from pallas.rig import FileError, quaternion


@pytest.fixture(scope="module")
def found(data):
    return real_takes(data("imu").parent)


def test_one_set_serves_and_the_others_say_what_they_lack(found):
    takes, lacking = found
    assert [take.name for take in takes] == ["test_mocap"]
    assert "no sensor for left_wrist and right_wrist" in lacking["opensense"]
    assert "no sensor for left_wrist and right_wrist and neck" in lacking["xio_lower_body"]
    assert set(lacking) == {"mocopi", "opensense", "slimevr_bvh", "xio_lower_body", "xsens_mt"}


def test_the_injected_errors_are_as_large_as_they_say(found):
    log = raw_log(found[0][0].recording)
    wrong = injected(log, 0)
    angle = np.degrees(quaternion.angle(wrong.world_from_sensor, log.world_from_sensor))
    np.testing.assert_allclose(angle[0], 20.0, atol=1e-6)
    seconds = log.times[-1] - log.times[0]
    turned = quaternion.multiply(
        wrong.world_from_sensor[-1], quaternion.conjugate(log.world_from_sensor[-1])
    )
    assert seconds > 5.0
    assert (np.degrees(quaternion.angle(turned, quaternion.IDENTITY)) > 19.0).all()


def test_four_fifths_of_the_injected_error_are_removed_from_a_real_take(found, monkeypatch):
    monkeypatch.setattr(real, "LONG", 4.0)
    short, longer = evaluate_real(found[0], lambda *_: None)
    assert short.share > 0.8
    assert longer.share > 0.8
    assert short.wrong["left_elbow"] > short.clean["left_elbow"] + 5.0


def test_a_folder_without_recordings_is_told(tmp_path):
    with pytest.raises(FileError, match="expected a folder of recordings"):
        real_takes(tmp_path)
