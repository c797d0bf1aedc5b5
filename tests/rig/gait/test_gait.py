from dataclasses import replace

import numpy as np
import pytest
from strides import CYCLE, FIRST, STANCE, STRIDE, walk

from pallas.capture.storage import read_storage
from pallas.capture.trc import read_trc
from pallas.rig.errors import RecordingError, ShapeError
from pallas.rig.gait import (
    GaitPoints,
    gait_events,
    gait_points,
    gait_summary,
    mean_cycle,
    resampled_cycles,
)
from pallas.rig.gait.extrema import extrema
from pallas.rig.trajectories import MarkerTrajectories

OPENSIM = "markers/opensim"
TREADMILL = f"{OPENSIM}/Gait2354_Simbody/subject01_walk1.trc"
GROUND = f"{OPENSIM}/Rajagopal/motion_capture_walk.trc"
RUNNING = f"{OPENSIM}/Hamner/subject02_running.trc"


def degrees(path, *names):
    table = read_storage(path)
    return table.times, {
        name: np.radians(table.values[:, table.names.index(name)]) for name in names
    }


@pytest.mark.parametrize("fps", [50.0, 100.0, 240.0])
@pytest.mark.parametrize("treadmill", [False, True])
def test_known_steps_are_found(fps, treadmill):
    points = walk(fps, treadmill=treadmill, start=2.0)
    events = gait_events(points)
    for side in (0, 1):
        strikes = FIRST[side] + CYCLE * np.arange(20)
        strikes = strikes[(strikes > 2.05) & (strikes < 7.95)]
        np.testing.assert_allclose(events.strikes[side], strikes, atol=0.025)
        offs = FIRST[side] + CYCLE * (np.arange(20) + STANCE)
        offs = offs[(offs > 2.05) & (offs < 7.95)]
        np.testing.assert_allclose(events.toe_offs[side], offs, atol=0.025)


@pytest.mark.parametrize("treadmill", [False, True])
def test_cadence_strides_and_stance_are_those_of_the_walker(treadmill):
    summary = gait_summary(walk(treadmill=treadmill))
    assert summary.cadence == pytest.approx(120.0 / CYCLE, rel=1e-3)
    assert summary.speed == pytest.approx(STRIDE / CYCLE, rel=0.01)
    assert summary.belt_speed == pytest.approx(STRIDE / CYCLE * treadmill, rel=0.01)
    for side in (summary.left, summary.right):
        assert len(side.cycles) >= 3
        np.testing.assert_allclose(side.stride_times, CYCLE, atol=2e-3)
        np.testing.assert_allclose(side.stride_lengths, STRIDE, rtol=0.01)
        np.testing.assert_allclose(side.stance_shares, STANCE, atol=0.03)


def test_a_walk_in_a_circle_has_the_same_steps():
    straight = walk(seconds=12.0)
    angle = straight.pelvis[:, 0] / 4.0  # radius 4 m
    along = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    aside = np.stack([-np.sin(angle), np.cos(angle), 0 * angle], axis=1)
    centre = 4.0 * np.stack([np.sin(angle), 1.0 - np.cos(angle), 0 * angle], axis=1)

    def bent(path):
        ahead = path - straight.pelvis
        return centre + ahead[:, :1] * along + ahead[:, 1:2] * aside + path * [0.0, 0.0, 1.0]

    points = GaitPoints(
        bent(straight.pelvis),
        np.stack([bent(straight.heels[:, side]) for side in (0, 1)], axis=1),
        np.stack([bent(straight.toes[:, side]) for side in (0, 1)], axis=1),
        100.0,
    )
    expected, found = gait_events(straight), gait_events(points)
    for side in (0, 1):
        np.testing.assert_allclose(found.strikes[side], expected.strikes[side], atol=0.02)
    assert gait_summary(points).belt_speed == 0.0


def test_a_long_gap_takes_its_strides_and_no_others():
    points = walk(seconds=10.0)
    heels = np.array(points.heels)
    strike = round(100 * (FIRST[0] + 3 * CYCLE))
    heels[strike - 20 : strike + 20, 0] = np.nan
    found = gait_summary(replace(points, heels=heels))
    assert len(found.left.cycles) == len(gait_summary(points).left.cycles) - 2
    np.testing.assert_allclose(found.left.stride_times, CYCLE, atol=2e-3)


def test_short_gaps_take_nothing():
    points = walk()
    heels = np.array(points.heels)
    heels[::37] = np.nan
    found = gait_summary(replace(points, heels=heels))
    assert len(found.left.cycles) == len(gait_summary(points).left.cycles)


def test_curves_are_cut_into_the_cycles_of_their_side():
    points = walk(seconds=8.0)
    phase = 2.0 * np.pi * (points.times - FIRST[1]) / CYCLE
    angles = {
        "knee_angle_r": 0.5 * np.cos(phase),
        "knee_angle_l": 0.1 * np.cos(phase),
        "lumbar": phase,
    }
    found = gait_summary(points, angles)
    assert set(found.right.angles) == {"knee_angle_r", "lumbar"}
    curve = found.right.angles["knee_angle_r"]
    assert curve.mean.shape == (101,)
    np.testing.assert_allclose(
        curve.mean, 0.5 * np.cos(2.0 * np.pi * np.linspace(0, 1, 101)), atol=0.05
    )
    assert curve.count == len(found.right.cycles)
    assert curve.sd.max() < 0.01
    np.testing.assert_allclose(found.left.ranges["knee_angle_l"], 0.2, rtol=0.01)
    report = found.report()
    assert report["right"]["range_deg"]["knee_angle_r"]["mean"] == pytest.approx(57.3, abs=0.3)


def test_angles_of_a_shorter_time_leave_the_other_cycles_out():
    points = walk(seconds=8.0)
    inside = slice(100, 500)
    found = gait_summary(points, {"hip": points.times[inside]}, points.times[inside])
    assert 0 < found.left.angles["hip"].count < len(found.left.cycles)
    assert np.isnan(found.left.ranges["hip"]).any()
    with pytest.raises(ShapeError, match="expected"):
        gait_summary(points, {"hip": np.zeros(3)})


def test_a_cycle_is_resampled_from_strike_to_strike():
    times = np.linspace(0.0, 4.0, 401)
    values = np.stack([times, np.sin(2.0 * np.pi * times)], axis=1)
    found = resampled_cycles(times, values, [[0.5, 1.5], [1.5, 3.5], [3.5, 4.5]])
    assert found.shape == (3, 101, 2)
    np.testing.assert_allclose(found[1, :, 0], np.linspace(1.5, 3.5, 101))
    np.testing.assert_allclose(
        found[0, :, 1], np.sin(2.0 * np.pi * np.linspace(0.5, 1.5, 101)), atol=1e-3
    )
    assert np.isfinite(found[2, 0]).all() and np.isnan(found[2, -1]).all()


def test_mean_and_scatter_are_those_of_whole_cycles():
    cycles = np.array([[1.0, 2.0], [3.0, 6.0], [np.nan, 9.0]])
    found = mean_cycle(cycles)
    np.testing.assert_allclose(found.mean, [2.0, 4.0])
    np.testing.assert_allclose(found.sd, [np.sqrt(2.0), np.sqrt(8.0)])
    assert found.count == 2
    alone = mean_cycle(cycles[:1])
    assert np.isnan(alone.sd).all() and alone.count == 1
    assert np.isnan(mean_cycle(np.zeros((0, 5))).mean).all()


def test_tops_are_found_between_frames_and_ripples_are_not():
    times = np.arange(300) / 100.0
    curve = np.cos(2.0 * np.pi * (times - 0.503)) + 0.02 * np.cos(40.0 * np.pi * times)
    np.testing.assert_allclose(extrema(curve, 0.5, 5) / 100.0, [0.503, 1.503, 2.503], atol=0.02)
    clean = np.cos(2.0 * np.pi * (times - 0.503))
    np.testing.assert_allclose(extrema(clean, 0.5, 5) / 100.0, [0.503, 1.503, 2.503], atol=1e-4)
    assert len(extrema(times, 0.5, 5)) == 0
    assert len(extrema(np.zeros(50), 0.5, 5)) == 0


def test_standing_still_and_too_little_are_told():
    points = walk()
    still = np.repeat(points.heels[:1], 600, axis=0)
    standing = GaitPoints(
        np.repeat(points.pelvis[:1], 600, axis=0), still, still + np.array([0.2, 0.0, 0.0]), 100.0
    )
    with pytest.raises(RecordingError, match="the left heel strikes 0 times, the right 0"):
        gait_summary(standing)
    one = GaitPoints(points.pelvis[:1], points.heels[:1], points.toes[:1], 100.0)
    with pytest.raises(RecordingError, match="no whole stride in 0.01 s"):
        gait_summary(one)
    with pytest.raises(RecordingError, match="never seen together"):
        gait_summary(replace(points, pelvis=np.full((600, 3), np.nan)))
    with pytest.raises(RecordingError, match="never seen together"):
        gait_summary(GaitPoints(np.zeros((0, 3)), np.zeros((0, 2, 3)), np.zeros((0, 2, 3)), 60.0))


@pytest.mark.parametrize(
    ("names", "heels", "toes", "pelvis"),
    [
        (
            "R.ASIS L.ASIS V.Sacral R.Heel L.Heel R.Toe.Lat L.Toe.Lat R.Toe.Tip L.Toe.Tip",
            (5, 4),
            (9, 8),
            3,
        ),
        ("LASI RASI LPSI RPSI LHEE LTOE RHEE RTOE LKNE RKNE", (5, 7), (6, 8), (3, 4)),
        ("Hip RHip LHip RBigToe RSmallToe RHeel LBigToe LSmallToe LHeel", (9, 6), (7, 4), (3, 2)),
        (
            "r.PSIS_study L.PSIS_study r_calc_study L_calc_study r_toe_study L_toe_study",
            (4, 3),
            (6, 5),
            (2, 1),
        ),
        (
            "left_heel right_heel left_foot_index right_foot_index left_hip right_hip",
            (1, 2),
            (3, 4),
            (5, 6),
        ),
    ],
)
def test_points_are_found_by_the_usual_names(names, heels, toes, pelvis):
    labels = tuple(names.split())
    places = np.arange(1.0, len(labels) + 1.0)
    markers = MarkerTrajectories(
        labels, np.repeat(places[None, :, None], 2, axis=0) * [1.0, 1.0, 1.0], 60.0
    )
    found = gait_points(markers)
    np.testing.assert_array_equal(found.heels[0, :, 0], heels)
    np.testing.assert_array_equal(found.toes[0, :, 0], toes)
    assert found.pelvis[0, 0] == np.mean(pelvis)


def test_points_that_are_not_there_are_told_or_named():
    markers = MarkerTrajectories(("a", "b", "c"), np.zeros((3, 3, 3)), 60.0)
    with pytest.raises(RecordingError, match="no points of heels among a, b, c"):
        gait_points(markers)
    named = gait_points(markers, heels=("a", "b"), toes=("b", "a"), pelvis=["c"])
    assert named.heels.shape == (3, 2, 3)


# Over ground, at 100 Hz, the heel goes on sinking for some frames after it has come to a stop.
@pytest.mark.parametrize(("trial", "frames"), [(TREADMILL, 2.0), (RUNNING, 3.0), (GROUND, 4.5)])
def test_heels_strike_where_their_markers_are_lowest(data, trial, frames):
    markers = read_trc(data(trial)).markers
    events = gait_summary(gait_points(markers)).events
    for side, name in enumerate(("L.Heel", "R.Heel")):
        height = markers.chosen([name]).positions[:, 0, 2]
        for strike in (events.strikes[side] - markers.start) * markers.fps:
            around = slice(max(round(strike) - 12, 0), round(strike) + 13)
            if around.stop <= len(markers):
                lowest = around.start + np.argmin(height[around])
                assert abs(lowest - strike) <= frames


def test_a_walk_on_a_treadmill_is_within_what_people_do(data):
    points = gait_points(read_trc(data(TREADMILL)).markers)
    times, angles = degrees(
        data(f"{OPENSIM}/Gait10dof18musc/subject01_walk_IK.mot"),
        *("hip_flexion_l", "hip_flexion_r", "knee_angle_l", "knee_angle_r"),
    )
    found = gait_summary(points, angles, times)
    assert 95.0 < found.cadence < 125.0
    assert 1.0 < found.belt_speed < 1.4
    for side, letter in ((found.left, "l"), (found.right, "r")):
        assert 1.2 < side.stride_lengths[0] < 1.6
        assert 0.58 < side.stance_shares[0] < 0.64
        assert 50.0 < np.degrees(side.ranges[f"knee_angle_{letter}"][0]) < 80.0
        assert 35.0 < np.degrees(side.ranges[f"hip_flexion_{letter}"][0]) < 55.0
    assert found.left.stride_times[0] == pytest.approx(found.right.stride_times[0], rel=0.03)


def test_a_walk_over_ground_is_within_what_people_do(data):
    found = gait_summary(gait_points(read_trc(data(GROUND)).markers))
    assert found.belt_speed == 0.0
    assert 95.0 < found.cadence < 125.0
    assert 1.1 < found.speed < 1.5
    for side in (found.left, found.right):
        assert 1.2 < side.stride_lengths[0] < 1.6
        assert 0.58 < side.stance_shares[0] < 0.64


def test_the_runners_belt_goes_at_the_four_metres_per_second_it_was_set_to(data):
    found = gait_summary(gait_points(read_trc(data(RUNNING)).markers))
    assert found.belt_speed == pytest.approx(4.0, abs=0.05)
    assert found.speed == pytest.approx(4.0, abs=0.05)
    assert 150.0 < found.cadence < 190.0
    assert len(found.left.cycles) >= 13
    assert np.isnan(found.left.stance_shares).all()
    assert found.report()["left"]["stance_percent"] == {"mean": None, "sd": None}
