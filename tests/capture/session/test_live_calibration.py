"""Calibration while it streams: bones in one world, headings put right, drift; and the same from the log."""

import dataclasses

import numpy as np
import pytest
from bows import FPS, TURNED, UP, Performer, X
from walks import DEMO, stepping

from pallas.capture import read_recording
from pallas.capture.devices import TrackerSample
from pallas.capture.imu import PLACEMENTS
from pallas.capture.session.applied import Applied
from pallas.capture.session.frames import FrameAssembler, SensorFrame
from pallas.capture.session.functional import FunctionalGuide
from pallas.capture.session.guide import PoseGuide
from pallas.capture.session.live_calibration import LiveCalibration
from pallas.capture.session.raw_log import RawLogWriter, read_raw_log
from pallas.capture.virtual_imu import virtual_recording
from pallas.rig import CalibrationError, ShapeError, quaternion


def _calibrated(performer, **options):
    pose = PoseGuide(countdown=0.5, hold=1.0)
    for frame in performer.frames(performer.standing(2.0)):
        pose.push(frame)
    move = FunctionalGuide(pose.held)
    for frame in performer.frames(performer.bowing(4)):
        move.push(frame)
    return LiveCalibration(move.applied, **options)


def _turned(bones, radians):
    return quaternion.multiply(quaternion.from_axis_angle(UP, np.asarray(radians)), bones)


def _heading(bones):
    """Radians by which bones in an N pose face away from -Y."""
    since = quaternion.multiply(bones, quaternion.conjugate(TURNED))
    twist = quaternion.swing_twist(since, UP)[1]
    return 2.0 * np.arctan2(twist[..., 3], twist[..., 0])


WALK = virtual_recording(stepping(300), fps=FPS)


def test_bones_and_accelerations_come_out_in_the_world_in_which_the_performer_faced_forwards():
    performer = Performer(3)
    calibration = _calibrated(performer)
    for row, frame in enumerate(performer.frames(WALK.world_from_sensor, WALK.acceleration)):
        bones, felt = calibration.apply(frame)
        assert quaternion.angle(bones, WALK.world_from_sensor[row]).max() < 1e-3
        np.testing.assert_allclose(felt, WALK.acceleration[row], atol=0.01)


def test_what_is_silent_stays_missing():
    performer = Performer(3)
    calibration = _calibrated(performer)
    frame = next(performer.frames(performer.standing(1.0)))
    turns, felt = frame.world_from_sensor.copy(), frame.acceleration.copy()
    turns[1], felt[2] = np.nan, np.nan
    bones, felt = calibration.apply(SensorFrame(frame.time, turns, felt, np.zeros(4, bool), 0.0))
    assert np.isnan(bones).any(axis=1).tolist() == [False, True, False, False]
    assert np.isnan(felt).any(axis=1).tolist() == [False, False, True, False]


def test_a_pose_alone_calibrates_sensors_that_share_a_heading():
    performer = Performer(4)
    performer.heading[:] = -0.7  # the world in which the performer faces 0.7 away from -Y
    pose = PoseGuide(countdown=0.5, hold=1.0)
    for frame in performer.frames(performer.standing(2.0)):
        pose.push(frame)
    calibration = LiveCalibration.from_pose(pose.held, facing=0.7)
    frame = next(performer.frames(WALK.world_from_sensor[100:101]))
    assert quaternion.angle(calibration.apply(frame)[0], WALK.world_from_sensor[100]).max() < 1e-3


def _drifted(performer, seconds=0.0, by=(0.1, 0.5, -0.6, 0.3)):
    """The performer's own headings after they ran away, in an N pose that faces 1 rad to the left."""
    performer.heading = performer.heading - np.array(by)
    bones = _turned(performer.standing(1.0), 1.0)
    return next(performer.frames(bones))


def test_headings_are_put_right_against_the_waist_and_the_character_does_not_turn():
    performer = Performer(5)
    calibration = _calibrated(performer)
    frame = _drifted(performer)
    before = calibration.apply(frame)[0]
    assert np.ptp(_heading(before)) > 0.5
    calibration.reset_heading(frame)
    after = calibration.apply(frame)[0]
    np.testing.assert_allclose(_heading(after), _heading(before)[0], atol=1e-4)
    assert quaternion.angle(after[0], before[0]) < 1e-6


def test_headings_may_be_reset_to_forwards():
    performer = Performer(6)
    calibration = _calibrated(performer)
    frame = _drifted(performer)
    calibration.reset_heading(frame, keep_facing=False)
    np.testing.assert_allclose(_heading(calibration.apply(frame)[0]), 0.0, atol=1e-4)


def test_everything_can_be_turned_forwards_in_any_pose():
    performer = Performer(7)
    calibration = _calibrated(performer)
    bones = _turned(WALK.world_from_sensor[40:41], 2.0)
    frame = next(performer.frames(bones))
    before = calibration.apply(frame)[0]
    calibration.face_forwards(frame)
    after = calibration.apply(frame)[0]
    assert abs(_heading(after)[0]) < 1e-6
    between = quaternion.multiply(after, quaternion.conjugate(before))
    assert quaternion.angle(between, between[:1]).max() < 1e-6


def test_a_reset_out_of_the_pose_or_without_a_sensor_is_refused_and_changes_nothing():
    performer = Performer(8)
    calibration = _calibrated(performer)
    applied = calibration.applied
    bones = performer.standing(1.0)[:1].copy()
    bones[0, 2] = quaternion.multiply(quaternion.from_axis_angle(X, np.radians(-70.0)), bones[0, 2])
    (lifted,) = performer.frames(bones)
    with pytest.raises(CalibrationError, match="right wrist leans 70 degrees away"):
        calibration.reset_heading(lifted)
    turns = lifted.world_from_sensor.copy()
    turns[0] = np.nan
    silent = dataclasses.replace(lifted, world_from_sensor=turns)
    for reset in (calibration.reset_heading, calibration.face_forwards):
        with pytest.raises(CalibrationError, match="waist sends nothing"):
            reset(silent)
    assert calibration.applied is applied


def _acting(seconds):
    """Bones (T, 4, 4) of the embedded take, again and again, from its N pose on."""
    take = read_recording(DEMO)
    bones = quaternion.multiply(take.world_from_sensor, quaternion.conjugate(take.bone_from_sensor))
    step = max(1, round(take.fps / RATE))
    bones = bones[::step]
    count = int(seconds * RATE)
    return np.concatenate([bones] * (count // len(bones) + 1))[:count]


RATE = 10  # frames a second
DRIFT = np.radians([0.0, 8.0, -10.0, 6.0]) / 60.0  # rad/s


def _watch(calibration, bones, start=100.0):
    """Frames of sensors that drift."""
    base = quaternion.conjugate(quaternion.conjugate(calibration.applied.bone_from_sensor))
    for i, row in enumerate(bones):
        time = start + i / RATE
        turns = quaternion.multiply(_turned(row, DRIFT * (time - start)), base)
        yield SensorFrame(time, turns, np.zeros((4, 3)), np.zeros(4, bool), time), row


def test_drift_is_told_as_it_is_for_whole_takes_and_memory_stays_bounded():
    calibration = LiveCalibration(Applied.mounted(Performer(9).bone_from_sensor))
    for count, (frame, _) in enumerate(_watch(calibration, _acting(240.0))):
        calibration.apply(frame)
        if count == 20 * RATE:
            assert not calibration.estimate_drift().any()  # too early to tell
    calibration.estimate_drift()
    np.testing.assert_allclose(calibration.degrees_per_minute, [0.0, 8.0, -10.0, 6.0], atol=1.5)
    assert len(calibration._times) <= 1024
    assert not calibration.applied.drift.any()


def test_drift_may_be_taken_out_while_it_streams():
    calibration = LiveCalibration(Applied.mounted(Performer(9).bone_from_sensor), remove_drift=True)
    errors = []
    for count, (frame, row) in enumerate(_watch(calibration, _acting(120.0))):
        bones, _ = calibration.apply(frame)
        errors.append(np.degrees(quaternion.angle(bones, row)))
        if count and count % 100 == 0:
            before = calibration.applied
            calibration.estimate_drift()
            assert calibration.applied is not before or count < 300
    assert np.max(errors[250]) == pytest.approx(10.0 * 25 / 60, abs=0.1)
    assert np.max(errors[-1]) < 3.0  # 20 without


def test_the_same_numbers_come_from_the_log(tmp_path):
    performer = Performer(10, noise=np.radians(0.5))
    take = tmp_path / "take.pallas"
    names = {placement: f"tracker {row}" for row, placement in enumerate(PLACEMENTS)}
    assembler, pose, move = FrameAssembler(tuple(names.values())), PoseGuide(hold=1.0), None
    calibration, live = None, {}
    start = performer.time
    moves = [
        performer.standing(4.5),
        performer.bowing(4),
        WALK.world_from_sensor,
        WALK.world_from_sensor,
    ]
    felt = [None, None, WALK.acceleration, WALK.acceleration]
    with RawLogWriter(take, source="test") as log:
        log.event("placing", performer="A", trackers=names)
        for bones, accelerations in zip(moves, felt, strict=True):
            for sent in performer.frames(bones, accelerations):
                samples = [
                    TrackerSample(name, sent.time + 0.002, sent.time - start + 0.004 * row,
                                  sent.world_from_sensor[row], sent.acceleration[row])
                    for row, name in enumerate(names.values())
                ]  # fmt: skip
                for sample in samples:
                    log.write(sample)
                for frame in assembler.push(samples, sent.time + 0.002):
                    if not pose.phase.over:
                        pose.push(frame)
                    elif calibration is None:
                        move = move or FunctionalGuide(pose.held)
                        move.push(frame)
                        if move.applied is not None:
                            calibration = LiveCalibration(move.applied)
                            log.event("mounting", performer="A", **calibration.fields())
                    else:
                        live[frame.time] = calibration.apply(frame)
            if calibration is not None and bones is moves[2]:
                calibration.face_forwards(frame)
                calibration._turn(frame.time, np.array([0.0, 0.3, -0.3, 0.1]))
                log.event("heading", performer="A", **calibration.fields())
    read = read_raw_log(take)
    recording = read.recording(fps=60.0)
    bones = quaternion.multiply(
        recording.world_from_sensor, quaternion.conjugate(recording.bone_from_sensor)
    )
    rows = np.array([int(np.argmin(np.abs(recording.times + read.clock - time))) for time in live])
    found = np.array([one[0] for one in live.values()])
    apart = np.degrees(quaternion.angle(found, bones[rows]))
    assert len(rows) > 590
    assert np.nanmedian(apart) < 0.01
    assert np.nanpercentile(apart, 99) < 0.5
    known = ~np.isnan(recording.acceleration[rows]).any(axis=(1, 2))
    felt = np.array([one[1] for one in live.values()])
    assert np.median(np.abs(felt - recording.acceleration[rows])[known]) < 0.01
    np.testing.assert_allclose(
        recording.bone_from_sensor, move.applied.bone_from_sensor, rtol=1e-12
    )


def test_arrays_of_other_shapes_are_refused():
    with pytest.raises(ShapeError, match="bone_from_sensor has shape"):
        Applied.mounted(np.zeros((4, 3)))
