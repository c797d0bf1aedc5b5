"""Calibration by guides: a pose, one functional move, and who wears what."""

import numpy as np
import pytest
from bows import FPS, START, UP, Performer, X

from pallas.capture.imu import PLACEMENTS
from pallas.capture.session.frames import SensorFrame
from pallas.capture.session.functional import FunctionalGuide
from pallas.capture.session.guide import Phase, PoseGuide
from pallas.capture.session.placing import PlacingGuide
from pallas.rig import CalibrationError, quaternion


def _hold(performer, bones=None, **guide):
    guide = PoseGuide(**{"countdown": 1.0, "hold": 1.0, **guide})
    for frame in performer.frames(performer.standing(3.0) if bones is None else bones):
        guide.push(frame)
    return guide


def _bow(performer, guide, bones):
    for frame in performer.frames(bones):
        guide.push(frame)
    return guide


def _error(performer, applied):
    """Degrees by which each mounting is off."""
    return np.degrees(quaternion.angle(applied.bone_from_sensor, performer.bone_from_sensor))


def test_a_pose_is_counted_down_held_and_taken():
    performer = Performer(1)
    guide = PoseGuide(countdown=3.0, hold=2.0)
    told = []
    for frame in performer.frames(performer.standing(6.0)):
        guide.push(frame)
        told.append((guide.phase, guide.prompt, guide.seconds_left))
    phases = [phase for phase, _, _ in told]
    assert phases.index(Phase.HOLD) == pytest.approx(3.0 * FPS, abs=1)
    assert phases.index(Phase.DONE) == pytest.approx(5.0 * FPS, abs=2)
    assert told[0][1] == "N pose in 3: stand upright, arms hanging, palms on your thighs"
    assert told[61][2] == pytest.approx(2.0, abs=0.05)
    assert told[200][1] == "Hold the N pose: 2"
    assert guide.prompt == "N pose taken"
    assert guide.quality.score > 0.99
    expected = quaternion.multiply(
        quaternion.from_axis_angle(UP, -performer.heading),
        quaternion.multiply(performer.standing(1.0)[0], performer.bone_from_sensor),
    )
    assert quaternion.angle(guide.held, expected).max() < 1e-6


def test_who_moves_during_the_pose_is_named():
    performer = Performer(2)
    bones = performer.standing(3.0)
    bones[90:, 1] = quaternion.multiply(
        quaternion.from_axis_angle(X, np.radians(28.0)), bones[90:, 1]
    )
    guide = _hold(performer, bones)
    assert guide.phase is Phase.FAILED
    assert guide.quality.score < 0.5
    assert guide.quality.reason == "left wrist moved by 14 degrees during the pose"
    assert guide.prompt == "Again, please: left wrist moved by 14 degrees during the pose"


def test_a_little_sway_is_worse_than_none_and_good_enough():
    guide = _hold(Performer(2), Performer(2).standing(3.0, sway=np.radians(4.0)))
    assert guide.phase is Phase.DONE
    assert 0.7 < guide.quality.score < 0.9


def test_who_sends_nothing_during_the_pose_is_named():
    performer = Performer(3)
    guide = PoseGuide(countdown=0.5, hold=1.0)
    for frame in performer.frames(performer.standing(2.0)):
        bridged = np.arange(4) == 3  # by its last orientation, which is no measurement
        guide.push(
            SensorFrame(
                frame.time, frame.world_from_sensor, frame.acceleration, bridged, frame.time
            )
        )
    assert (guide.phase, guide.quality.reason) == (Phase.FAILED, "neck sent nothing")
    assert np.isnan(guide.held[3]).all()
    assert not np.isnan(guide.held[:3]).any()


def test_a_pose_that_nobody_knows_is_refused():
    with pytest.raises(CalibrationError, match="the poses are: npose, tpose"):
        PoseGuide("apose")


@pytest.mark.parametrize("seed", range(5))
def test_a_bow_finds_every_mounting_and_heading_exactly(seed):
    performer = Performer(seed)
    guide = FunctionalGuide(_hold(performer).held)
    assert guide.prompt == "Bend forwards and come up again, both arms swinging forwards, 3 times"
    _bow(performer, guide, performer.bowing(4))
    assert guide.phase is Phase.DONE
    assert guide.prompt == "Sensors calibrated"
    assert guide.quality.score > 0.99
    assert _error(performer, guide.applied).max() < 0.01
    off = guide.applied.heading - performer.heading
    assert np.abs(np.angle(np.exp(1j * off))).max() < 1e-4
    frame = next(performer.frames(performer.bowing(1)[60:61]))
    bones = guide.applied.bones(frame.world_from_sensor, frame.time)
    assert quaternion.angle(bones, performer.bowing(1)[60]).max() < 1e-3


def test_noise_forearms_that_turn_and_arms_that_are_not_together_cost_little():
    errors = []
    for seed in range(6):
        performer = Performer(seed, noise=np.radians(1.0), twist=np.radians(40.0), apart=0.2)
        guide = FunctionalGuide(_hold(performer).held)
        _bow(performer, guide, performer.bowing(4))
        errors.append(_error(performer, guide.applied))
    assert np.median(errors) < 2.5
    assert np.max(errors) < 7.0


def test_sloppy_moves_give_what_they_can_and_say_so():
    errors, scores = [], []
    for seed in range(10):
        performer = Performer(seed, noise=np.radians(1.0), sloppy=np.radians(12.5), apart=0.2)
        guide = FunctionalGuide(_hold(performer).held)
        _bow(performer, guide, performer.bowing(4))
        scores.append(guide.quality.score)
        if guide.applied is not None:
            errors.append(_error(performer, guide.applied))
        else:
            assert "left its plane by" in guide.prompt
    assert len(errors) >= 7
    assert np.median(errors) < 6.0
    assert np.max(errors) < 25.0
    assert np.mean(scores) < 0.75


def test_sensors_with_one_heading_share_what_they_find():
    performer = Performer(5, sloppy=np.radians(12.5))
    performer.heading[:] = 1.0
    held = _hold(performer).held
    alone, shared = FunctionalGuide(held), FunctionalGuide(held, shared_heading=True)
    for frame in performer.frames(performer.bowing(4)):
        alone.push(frame)
        shared.push(frame)
    assert np.ptp(shared.applied.heading) == 0.0
    assert _error(performer, shared.applied).max() < _error(performer, alone.applied).max()


def test_who_does_not_take_part_is_named():
    performer = Performer(6)
    bones = performer.bowing(10)
    bones[:, 2] = quaternion.multiply(
        quaternion.from_axis_angle(X, np.radians(-9.0) * np.sin(np.arange(len(bones)) / 30.0)),
        performer.standing(1.0)[0, 2],
    )
    guide = _bow(performer, FunctionalGuide(_hold(performer).held, longest=20.0), bones)
    assert guide.phase is Phase.FAILED
    assert guide.quality.reason == "right wrist turned by only 9 degrees"
    assert guide.applied is None
    assert [quality.accepted for quality in guide.qualities] == [True, True, False, True]


def test_who_sends_nothing_during_the_move_is_named():
    performer = Performer(7)
    guide = FunctionalGuide(_hold(performer).held, longest=5.0)
    for frame in performer.frames(performer.bowing(4)):
        turns = frame.world_from_sensor.copy()
        turns[0] = np.nan
        guide.push(
            SensorFrame(frame.time, turns, frame.acceleration, np.arange(4) == 0, frame.time)
        )
    assert (guide.phase, guide.quality.reason) == (Phase.FAILED, "waist sent nothing")


TRACKERS = ("t0", "t1", "t2", "t3", "spare")
WEARS = {"left_wrist": "t2", "right_wrist": "t0", "neck": "t3", "waist": "t1"}
# Degrees by which each placement turns when one is asked for.
MOVES = {
    "left_wrist": {"left_wrist": 80, "neck": 6, "waist": 3},
    "right_wrist": {"right_wrist": 80, "neck": 6, "waist": 3},
    "neck": {"neck": 35, "waist": 4, "left_wrist": 5, "right_wrist": 5},
    "waist": {"waist": 30, "neck": 55, "left_wrist": 40, "right_wrist": 40},
}
ASKED = {"left hand": "left_wrist", "right hand": "right_wrist", "Nod": "neck", "Bow": "waist"}


def _play(guide, moves, *, limit=120.0):
    """Do what the prompt asks for, as `moves` say; what was asked."""
    random = np.random.default_rng(0)
    mounting = quaternion.normalised(random.normal(size=(len(guide.trackers), 4)))
    time, asked, since = START, [], 0.0
    while not guide.phase.over and time < START + limit:
        placement = None
        if guide.phase is Phase.MOVE:
            placement = next(p for word, p in ASKED.items() if word in guide.prompt.split(". ")[-1])
            if not asked or asked[-1] != (placement, guide.reason):
                asked.append((placement, guide.reason))
                since = time
        lean = np.sin(np.pi * min((time - since) / 2.0, 1.0)) ** 2
        degrees = moves(placement, len(asked)) if placement else {}
        angles = [
            np.radians(next((d for p, d in degrees.items() if WEARS.get(p) == tracker), 0)) * lean
            for tracker in guide.trackers
        ]
        turns = quaternion.multiply(quaternion.from_axis_angle(X, np.array(angles)), mounting)
        silent = np.array([tracker == "spare" for tracker in guide.trackers])
        turns = np.where(silent[:, None], np.nan, turns)
        guide.push(SensorFrame(time, turns, np.zeros((len(turns), 3)), silent, time))
        time += 1.0 / FPS
    return asked


def test_trackers_are_found_by_one_movement_each():
    guide = PlacingGuide(TRACKERS)
    assert guide.prompt == "Stand still"
    asked = _play(guide, lambda placement, _: MOVES[placement])
    assert guide.phase is Phase.DONE
    assert guide.found == WEARS
    assert [placement for placement, _ in asked] == ["left_wrist", "right_wrist", "neck", "waist"]
    assert guide.prompt == "Every tracker is placed"


def test_where_two_moved_alike_it_says_so_and_asks_again():
    guide = PlacingGuide(TRACKERS)
    both = {"left_wrist": 80, "right_wrist": 70}
    asked = _play(guide, lambda placement, n: both if n == 1 else MOVES[placement])
    assert guide.found == WEARS
    assert asked[1] == (
        "left_wrist",
        "Two moved alike, t2 by 80 degrees and t0 by 70 degrees; move only your left hand",
    )


def test_where_nobody_moves_it_fails_in_the_end_and_says_what_was_missing():
    guide = PlacingGuide(TRACKERS, attempts=2)
    _play(guide, lambda placement, _: {})
    assert guide.phase is Phase.FAILED
    assert guide.prompt == "No tracker moved enough for the left wrist"


def test_rest_is_not_waited_for_for_ever():
    guide = PlacingGuide(("t0", "restless"), ("left_wrist",))
    for i in range(int(6 * FPS)):
        turns = quaternion.from_axis_angle(X, np.array([0.0, 0.1 * i]))
        guide.push(SensorFrame(START + i / FPS, turns, np.zeros((2, 3)), np.zeros(2, bool), START))
        assert (guide.phase is Phase.MOVE) == (i > 5.0 * FPS)
        if guide.phase is Phase.MOVE:
            break
    assert guide.phase is Phase.MOVE


def test_only_some_placements_may_be_asked_for_and_too_few_trackers_are_told():
    guide = PlacingGuide(("t1", "t0"), ("waist", "right_wrist"))
    _play(guide, lambda placement, _: MOVES[placement])
    assert guide.found == {"waist": "t1", "right_wrist": "t0"}
    assert PlacingGuide((), ()).phase is Phase.DONE
    with pytest.raises(CalibrationError, match="found 3 trackers for waist, left_wrist"):
        PlacingGuide(TRACKERS[:3])
    with pytest.raises(CalibrationError, match="connect and pair more"):
        PlacingGuide(TRACKERS, ("foot",))
    assert set(PLACEMENTS) == set(MOVES)
