"""Which legs a user gets, and at which rate."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pallas.capture.recording import read_recording_file
from pallas.neural import LegOptions, SolveOptions, solve
from pallas.rig import BODY_JOINTS, ShapeError

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"
LEGS = [
    i for i, n in enumerate(BODY_JOINTS) if n.split("_")[-1] in ("hip", "knee", "ankle", "foot")
]
OTHERS = [i for i in range(24) if i not in LEGS]


@pytest.fixture(scope="module")
def recording():
    whole = read_recording_file(DEMO)
    return replace(
        whole,
        times=whole.times[:180],
        world_from_sensor=whole.world_from_sensor[:180],
        acceleration=whole.acceleration[:180],
    )


@pytest.fixture(scope="module")
def standing(recording):
    return solve(recording)


def test_seated_legs_sit_still_at_the_seat_s_height_under_the_same_upper_body(recording, standing):
    sitting = solve(recording, SolveOptions(legs=LegOptions(mode="seated", seat_height=0.5)))
    np.testing.assert_allclose(sitting.motion.root_position[:, 2], 0.5)
    np.testing.assert_array_equal(
        sitting.motion.rotations[:, OTHERS], standing.motion.rotations[:, OTHERS]
    )
    assert sitting.contacts.all()
    assert (sitting.motion.confidence[:, BODY_JOINTS.index("left_knee")] == 0.5).all()
    assert sitting.report["legs"] == "seated"


def test_every_joint_says_how_sure_it_is(standing):
    sure = standing.motion.confidence
    assert sure.shape == (180, 24)
    assert ((sure > 0.0) & (sure <= 1.0)).all()
    assert sure[:, 0].mean() > sure[:, LEGS].mean()


def test_a_silent_sensor_s_arm_is_less_sure(recording, standing):
    orientation = np.array(recording.world_from_sensor)
    orientation[60:120, 2] = np.nan
    silent = solve(replace(recording, world_from_sensor=orientation)).motion.confidence
    arm = BODY_JOINTS.index("right_elbow")
    assert silent[110, arm] < 0.7 * standing.motion.confidence[110, arm]


def test_feet_are_left_alone_where_the_user_says_so(recording, standing):
    slid = solve(recording, SolveOptions(legs=LegOptions(clean_feet=False)))
    np.testing.assert_array_equal(
        slid.motion.rotations[:, OTHERS], standing.motion.rotations[:, OTHERS]
    )
    assert (slid.motion.rotations[:, LEGS] != standing.motion.rotations[:, LEGS]).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "wooden"}, "no legs 'wooden'; there are: deterministic, generated, seated"),
        ({"takes": 0}, "takes is 0"),
        ({"takes": 3}, "3 takes of deterministic legs would all be the same"),
        ({"seat_height": 0.5}, "the legs are not seated"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(ShapeError, match=message):
        LegOptions(**options)


def test_drift_that_was_taken_out_is_told(recording):
    assert solve(recording).report["drift_removed"] == {}
    told = solve(recording, SolveOptions(remove_drift=True)).report["drift_removed"]
    assert told == {"waist": 0.0, "left_wrist": 0.0, "right_wrist": 0.0, "neck": 0.0}  # too short
