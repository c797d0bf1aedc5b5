"""Which sensor is which, by the names that suits and people use."""

import pytest

from pallas.capture.placements import map_sensors, read_map
from pallas.rig import FileError, FormatError, RecordingError


@pytest.mark.parametrize(
    ("names", "left", "right"),
    [
        (["Pelvis", "T8", "RightForeArm", "LeftForeArm"], "LeftForeArm", "RightForeArm"),
        (["waist", "left_wrist", "right_wrist", "neck"], "left_wrist", "right_wrist"),
        (["Neck (C7)", "Hips", "Forearm L", "Forearm R"], "Forearm L", "Forearm R"),
        (["pelvis_imu", "torso_imu", "l_forearm", "r_forearm"], "l_forearm", "r_forearm"),
        (
            ["HIP", "CHEST", "LEFT_LOWER_ARM", "RIGHT_LOWER_ARM"],
            "LEFT_LOWER_ARM",
            "RIGHT_LOWER_ARM",
        ),
        (["lefthand", "righthand", "sacrum", "upper back"], "lefthand", "righthand"),
    ],
)
def test_all_four_are_found_and_no_side_is_swapped(names, left, right):
    found = map_sensors(names)
    assert set(found) == {"waist", "left_wrist", "right_wrist", "neck"}
    assert (found["left_wrist"], found["right_wrist"]) == (left, right)


def test_a_forearm_is_preferred_to_a_hand_and_the_upper_back_to_the_head():
    names = ["Head", "T8", "LeftHand", "LeftForeArm", "RightHand", "RightForeArm", "Pelvis"]
    found = map_sensors(names)
    assert found["left_wrist"] == "LeftForeArm"
    assert found["neck"] == "T8"


def test_what_is_missing_is_told_with_what_there_is():
    with pytest.raises(RecordingError, match="no sensor for right_wrist.*Pelvis, Neck, LeftWrist"):
        map_sensors(["Pelvis", "Neck", "LeftWrist"])


def test_a_given_sensor_wins_and_the_rest_goes_by_names():
    names = ["Pelvis", "T8", "A", "LeftForeArm", "RightForeArm"]
    found = map_sensors(names, {"right_wrist": "A"})
    assert found["right_wrist"] == "A"
    assert found["left_wrist"] == "LeftForeArm"


def test_a_map_to_a_sensor_that_is_not_there_is_told():
    with pytest.raises(RecordingError, match="names Foot, but the recording has Pelvis"):
        map_sensors(["Pelvis"], {"waist": "Foot"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ("[]", "does not map"),
        ('{"waist": 1}', "does not map"),
        ('{"hip": "Pelvis"}', "names the placement hip"),
    ],
)
def test_a_map_that_maps_nothing_is_told(tmp_path, text, complaint):
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=complaint):
        read_map(path)


def test_a_map_is_placements_and_sensor_names(tmp_path):
    path = tmp_path / "map.json"
    path.write_text('{"waist": "Pelvis"}')
    assert read_map(path) == {"waist": "Pelvis"}


def test_a_map_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        read_map(tmp_path / "none.json")
