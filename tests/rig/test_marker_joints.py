"""Marker names tell the bone."""

import pytest

from pallas.rig.marker_joints import joint_of_marker, joints_of_markers
from pallas.rig.marker_sets import PLUG_IN_GAIT


def test_all_of_plug_in_gait_is_known():
    joints = joints_of_markers([marker.name for marker in PLUG_IN_GAIT])
    assert joints == {marker.name: marker.joint for marker in PLUG_IN_GAIT}


@pytest.mark.parametrize(
    ("name", "joint"),
    [
        ("R.Midfoot.Lat", "right_ankle"),
        ("R.Toe.Tip", "right_ankle"),
        ("R.Shank.Front", "right_knee"),
        ("R.Knee.Med", "right_hip"),
        ("R.Thigh.Upper", "right_hip"),
        ("R.Acromium", "right_collar"),
        ("R.Bicep", "right_shoulder"),
        ("R.Wrist.Med", "right_elbow"),
        ("R.Temple", "head"),
        ("R.ASIS", "pelvis"),
    ],
)
def test_opensim_s_usual_names_are_known(name, joint):
    assert joint_of_marker(name, "right") == joint
    left = name.replace("R.", "L.")
    assert joints_of_markers([name, left])[left] == joint.replace("right", "left")


def test_a_name_that_tells_nothing_is_left_out():
    assert joints_of_markers(["*111", "M7", "LKNE"]) == {}  # no pair tells that L is left
    assert joint_of_marker("Subject 1:V.Sacral") == "pelvis"
    assert joint_of_marker("LeftForeArm", "left") == "left_elbow"  # not the ear
