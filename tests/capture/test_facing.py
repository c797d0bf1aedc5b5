"""Which way the performer faces, told by a real walk; exchanged wrists; one heading for all."""

from pathlib import Path

import numpy as np
import pytest

from pallas.capture.calibration import POSES
from pallas.capture.facing import estimate_facing, sides_look_swapped
from pallas.capture.imu import PLACEMENTS
from pallas.capture.recording import read_recording_file
from pallas.rig import quaternion

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"
TURNED = np.array([POSES["npose"].get(name, quaternion.IDENTITY) for name in PLACEMENTS])
Z = np.array([0.0, 0.0, 1.0])


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """Bones (T, 4, 4) of the walk in the package, known from its mounting."""
    recording = read_recording_file(DEMO)
    return quaternion.multiply(
        recording.world_from_sensor, quaternion.conjugate(recording.bone_from_sensor)
    )


def believed(bones: np.ndarray, facing: float) -> np.ndarray:
    """The bones as a calibration believes them that takes a performer facing `facing` to face -Y."""
    heading = quaternion.from_axis_angle(Z, facing)
    wrong = quaternion.multiply(quaternion.conjugate(heading), TURNED)
    return quaternion.multiply(bones, quaternion.multiply(quaternion.conjugate(TURNED), wrong))


@pytest.mark.parametrize("facing", [-3.0, -1.2, 0.0, 0.7, 2.0])
def test_the_facing_of_a_walk_is_found_whatever_it_was(walk, facing):
    error = estimate_facing(believed(walk, facing), TURNED) - facing
    error = (error + np.pi) % (2 * np.pi) - np.pi
    assert abs(np.degrees(error)) < 15.0


def test_gaps_are_left_out(walk):
    gappy = np.array(believed(walk, 0.7))
    gappy[100:300, 2] = np.nan
    assert estimate_facing(gappy, TURNED) == pytest.approx(0.7, abs=np.radians(15.0))


def test_wrists_in_the_right_order_pass_and_exchanged_ones_are_noticed(walk):
    exchanged = walk[:, [0, 2, 1, 3]]
    assert not sides_look_swapped(walk, by_pose=False)
    assert sides_look_swapped(exchanged, by_pose=False)
