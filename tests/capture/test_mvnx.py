"""MVNX: Xsens' segments on our frames, its sensors in the world."""

import numpy as np
import pytest

from pallas.capture.mvnx import parse_mvnx, read_mvnx
from pallas.capture.textfile import FormatWarning
from pallas.capture.virtual_imu import second_derivative
from pallas.rig import FormatError, RecordingError, quaternion

ONE = "1 0 0 0"
QUARTER = "0.7071067811865476 0 0 0.7071067811865476"  # about z


def _mvnx(*frames: str, rate: str = "50") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<mvnx xmlns="http://www.xsens.com/mvn/mvnx" version="4">
<subject label="Ada" frameRate="{rate}" configuration="FullBody">
<segments>
 <segment label="Pelvis" id="1"><points>
  <point label="jL5S1"><pos_b>0.01 0 0.1</pos_b></point>
  <point label="jLeftHip"><pos_b>0 0.09 0</pos_b></point></points></segment>
 <segment label="Head" id="2"><points>
  <point label="pTopOfHead"><pos_b>0 0 0.2</pos_b></point></points></segment>
</segments>
<sensors><sensor label="Head"/><sensor label="Elsewhere"/></sensors>
<joints><joint label="jL5S1"><connector1>Pelvis/jL5S1</connector1>
 <connector2>Head/jL5S1</connector2></joint></joints>
<frames>
<frame time="0" type="identity"><orientation>{ONE} {ONE}</orientation>
 <position>0 0 0.9 0.01 0 1.0</position></frame>
{"".join(frames)}
</frames></subject></mvnx>"""


def _frame(index: int, pelvis: str = ONE, head: str = ONE, sensor: str = ONE) -> str:
    return f"""<frame time="{index * 20}" index="{index}" type="normal">
<orientation>{pelvis} {head}</orientation><position>0 0 0.9 0 0 1</position>
<sensorOrientation>{sensor} {ONE}</sensorOrientation>
<sensorFreeAcceleration>0 0 1 NaN 0 0</sensorFreeAcceleration></frame>"""


def test_identity_segments_are_our_rest_pose_turned_to_face_plus_x():
    motion = parse_mvnx(_mvnx(_frame(0))).motion
    front = quaternion.rotate(motion.rotations[0, 0], np.array([0.0, -1.0, 0.0]))
    np.testing.assert_allclose(front, [1, 0, 0], atol=1e-12)


def test_bones_at_rest_face_minus_y():
    skeleton = parse_mvnx(_mvnx(_frame(0))).motion.skeleton
    # One centimetre forward is -Y; the root stands where the identity pose has it.
    np.testing.assert_allclose(skeleton.offsets, [[0, 0, 0.9], [0, -0.01, 0.1]], atol=1e-12)
    np.testing.assert_allclose(skeleton.tips[1], [0, 0, 0.2], atol=1e-12)


def test_positions_follow_from_rotations():
    _, origins = parse_mvnx(_mvnx(_frame(0), _frame(1, pelvis=QUARTER))).motion.world()
    np.testing.assert_allclose(origins[0, 1], [0.01, 0, 1.0], atol=1e-12)
    np.testing.assert_allclose(origins[1, 1], [0, 0.01, 1.0], atol=1e-12)


def test_the_mounting_is_relative_to_the_bone_in_our_frame():
    # A sensor aligned with a bone of our skeleton when the person faces +X: turned by a quarter.
    recording = parse_mvnx(_mvnx(_frame(0, sensor=QUARTER), _frame(1, sensor=QUARTER))).recording
    np.testing.assert_allclose(recording.bone_from_sensor[0], quaternion.IDENTITY, atol=1e-12)
    assert np.isnan(recording.bone_from_sensor[1]).all()  # no segment of that name


def test_the_clock_is_the_index_where_there_is_one():
    recording = parse_mvnx(_mvnx(*(_frame(i) for i in range(4)), rate="60")).recording
    np.testing.assert_allclose(recording.times, np.arange(4) / 60)


def test_without_an_index_the_clock_is_the_time_in_milliseconds():
    text = _mvnx(*(_frame(i) for i in range(3)))
    for index in range(3):
        text = text.replace(f' index="{index}"', "")
    np.testing.assert_allclose(parse_mvnx(text).recording.times, [0, 0.02, 0.04])


def test_zero_quaternions_and_nan_are_missing():
    recording = parse_mvnx(_mvnx(_frame(0), _frame(1, sensor="0 0 0 0"))).recording
    assert recording.missing.tolist() == [[False, True], [True, True]]


def test_a_clock_that_stands_still_is_refused():
    with pytest.raises(RecordingError, match="at sample 1 of 2"):
        parse_mvnx(_mvnx(_frame(3), _frame(3)))


def test_skipped_frames_are_told():
    with pytest.warns(FormatWarning, match="missing at 1 places"):
        parse_mvnx(_mvnx(_frame(0), _frame(1), _frame(5)))


def test_sensors_without_free_acceleration_are_read_with_it_missing():
    text = _mvnx(_frame(0)).replace("FreeAcceleration", "Something")
    with pytest.warns(FormatWarning, match="no sensorFreeAcceleration"):
        recording = parse_mvnx(text).recording
    assert np.isnan(recording.acceleration).all()


def test_a_calibration_pose_of_the_sensors_is_kept():
    pose = f'<frame type="tpose"><sensorOrientation>{QUARTER} {ONE}</sensorOrientation></frame>'
    recording = parse_mvnx(_mvnx(pose, _frame(0))).recording
    np.testing.assert_allclose(recording.poses["tpose"][0], np.array(QUARTER.split(), dtype=float))
    assert dict(parse_mvnx(_mvnx(_frame(0))).recording.poses) == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</frames></subject></mvnx>", "", "cut or damaged"),
        ("<mvnx ", "<html ", "no well-formed"),
        ('frameRate="50"', 'frameRate="fast"', "frameRate is 'fast'"),
        ("0 0 0.9 0 0 1<", "0 0 0.9 0 0<", "<position> of frame 0 has 5 values, expected 6"),
        ("0 0 1 NaN 0 0", "0 0 1 none 0 0", "<sensorFreeAcceleration> of frame 0: found 'none'"),
        ("Head/jL5S1", "Tail/jL5S1", "connects no known segment"),
        ('label="Elsewhere"', 'label="Head"', "same label"),
        ('type="normal"', 'type="other"', "no frames of type 'normal'"),
        ("<mvnx ", '<!DOCTYPE a [<!ENTITY b "c">]><mvnx ', "entities"),
    ],
)
def test_damage_is_told_in_one_line(old: str, new: str, message: str):
    with pytest.raises(FormatError, match=message):
        parse_mvnx(_mvnx(_frame(0)).replace(old, new))


@pytest.fixture(scope="module")
def take(data):
    return read_mvnx(data("imu/xsens_mvnx/test_mocap.mvnx"))


def test_the_suit_recording_has_its_segments_sensors_and_rate(take):
    assert take.configuration == "UpperBody"
    assert len(take.motion) == len(take.recording) == 112
    assert len(take.motion.skeleton) == 23
    assert len(take.recording.placements) == 11
    assert take.recording.placements[:2] == ("Pelvis", "T8")
    assert take.recording.fps == pytest.approx(60.0)
    assert dict(take.recording.poses) == {}
    assert not take.recording.missing.any()


def test_our_kinematics_put_the_suit_s_segments_where_it_puts_them(take):
    # Positions of the first frame, as the file has them; the shoulders slide by 2 mm in Xsens' model.
    _, origins = take.motion.world()
    places = dict(zip(take.motion.skeleton.names, origins[0], strict=True))
    np.testing.assert_allclose(places["Head"], [0.018556, -0.007836, 0.570135], atol=2e-5)
    np.testing.assert_allclose(places["RightHand"], [0.109994, -0.336647, 0.019775], atol=3e-3)
    np.testing.assert_allclose(places["LeftHand"], [0.002404, -0.046579, 0.214200], atol=3e-3)


def test_the_vendor_s_mounting_explains_every_sensor_within_three_degrees(take):
    world, _ = take.motion.world()
    joints = [take.motion.skeleton.index(name) for name in take.recording.placements]
    expected = quaternion.multiply(world[:, joints], take.recording.bone_from_sensor)
    error = np.degrees(quaternion.angle(expected, take.recording.world_from_sensor))
    assert error.max() < 3.0


def test_the_free_acceleration_is_the_second_derivative_of_where_the_hand_goes(take):
    # Confirms the world frame: read as the sensor's own frame the correlation would be -0.5.
    _, origins = take.motion.world()
    hand = origins[:, take.motion.skeleton.index("LeftHand")]
    derived = second_derivative(hand, 60.0, 0.02)
    measured = take.recording.acceleration[:, take.recording.placements.index("LeftHand")]
    assert np.corrcoef(derived[6:-6].ravel(), measured[6:-6].ravel())[0, 1] > 0.9
