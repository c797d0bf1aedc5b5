"""Exchanged marker names: found where they were put, and nowhere in recordings without any."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.capture import read_markers
from pallas.capture.osim import read_osim
from pallas.neural.threads import one_thread
from pallas.rig.errors import ShapeError
from pallas.rig.model import BodyMarker, Frame, KinematicModel, free, hinge
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve.marker_ik import fit_markers
from pallas.rig.solve.swaps import Swap, find_swaps, without_swaps
from pallas.rig.trajectories import MarkerTrajectories

GAIT = "markers/opensim/Gait2354_Simbody"
TEN = "markers/opensim/Gait10dof18musc"
HAMNER = "markers/opensim/Hamner"
WALK = "markers/opensim/Rajagopal"
TRIALS = [  # model, marker set, recording: all that fit each other under data/markers
    (f"{GAIT}/subject01_simbody.osim", None, f"{GAIT}/subject01_walk1.trc"),
    (f"{GAIT}/subject01_simbody.osim", None, f"{GAIT}/subject01_static.trc"),
    *(
        (f"{GAIT}/gait2354_simbody.osim", f"{GAIT}/gait2354_Scale_MarkerSet.xml", f"{GAIT}/{trial}")
        for trial in ("subject01_walk1.trc", "subject01_static.trc")
    ),
    (f"{TEN}/subject01.osim", None, f"{TEN}/subject01_walk.trc"),
    (f"{TEN}/subject01.osim", None, f"{TEN}/subject01_static.trc"),
    (f"{HAMNER}/subject02_scaled.osim", None, f"{HAMNER}/subject02_running.trc"),
    (f"{HAMNER}/subject02_scaled.osim", None, f"{HAMNER}/subject02_static.trc"),
    *(
        (f"{WALK}/{model}.osim", f"{WALK}/{markers}.xml", f"{WALK}/{trial}.trc")
        for model in ("Rajagopal2016", "RajagopalLaiUhlrich2023")
        for markers in ("markerset_walk_preScale", "subject_scaled_walk_markerset")
        for trial in ("motion_capture_walk", "static_walk_1")
    ),
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    with one_thread():
        yield


def walker():
    """A pelvis and two legs of a thigh and a shank, three or four markers on each."""
    joints = [free("root", "pelvis")]
    places = {
        "pelvis": ((0.15, 0.1, 0.0), (0.15, -0.1, 0.02), (-0.1, 0.05, 0.1), (-0.1, -0.06, 0.1))
    }
    for side, y in (("l", 0.1), ("r", -0.1)):
        joints.append(hinge(f"hip_{side}", "pelvis", f"thigh_{side}", Frame((0.0, y, 0.0)), "y"))
        knee = Frame((0.0, 0.0, -0.4))
        joints.append(hinge(f"knee_{side}", f"thigh_{side}", f"shank_{side}", knee, "y"))
        places[f"thigh_{side}"] = ((0.06, y, -0.1), (-0.05, y, -0.2), (0.05, 0.5 * y, -0.35))
        places[f"shank_{side}"] = ((0.05, y, -0.1), (-0.04, 0.4 * y, -0.2), (0.12, y, -0.4))
    markers = [
        BodyMarker(
            f"{body}{k}" if body == "pelvis" else f"{body[-1].upper()}.{body[:-2]}{k}", body, at
        )
        for body, found in places.items()
        for k, at in enumerate(found)
    ]
    return KinematicModel("walker", tuple(joints), markers=tuple(markers))


def recorded(model, frames=90):
    """The walker walking, 5 mm off everywhere."""
    time = np.linspace(0.0, 1.5, frames)
    pose = np.tile(model.default_pose, (frames, 1))
    swing = np.sin(2.0 * np.pi * time)
    for name, values in {
        "root_tx": 1.2 * time,
        "root_tz": 0.9 + 0.02 * swing**2,
        "hip_l": 0.4 * swing,
        "hip_r": -0.4 * swing,
        "knee_l": 0.4 + 0.3 * swing,
        "knee_r": 0.4 - 0.3 * swing,
    }.items():
        pose[:, model.coordinate_index(name)] = values
    places = markers_in_world(model, torch.as_tensor(pose)).numpy()
    places += np.random.default_rng(0).normal(0.0, 0.005, places.shape)
    return MarkerTrajectories(model.marker_names, places, 60.0)


WALKER = walker()
RECORDED = recorded(WALKER)


def exchanged(markers, *swaps):
    """The recording with names exchanged: (name, other name, first frame, frame after the last)."""
    made = [Swap("pair", (one, other), first, stop, 0.0, 0.0) for one, other, first, stop in swaps]
    return without_swaps(markers, made)


def found_in(model, markers):
    return find_swaps(model, markers, fit_markers(model, markers))


def told(swaps):
    return [(swap.kind, set(swap.names), swap.first, swap.stop) for swap in swaps]


def test_nothing_is_found_where_nothing_is_exchanged():
    assert found_in(WALKER, RECORDED) == ()


def test_two_markers_of_one_leg_are_found_in_the_frames_in_which_they_are_exchanged():
    swaps = found_in(WALKER, exchanged(RECORDED, ("L.thigh0", "L.shank2", 30, 45)))
    assert told(swaps) == [("pair", {"L.thigh0", "L.shank2"}, 30, 45)]
    assert swaps[0].before > 0.2
    assert swaps[0].after < 0.02


def test_a_marker_that_is_exchanged_with_the_other_sides_is_told_as_such():
    swaps = found_in(WALKER, exchanged(RECORDED, ("L.shank2", "R.shank2", 0, 20)))
    assert told(swaps) == [("left/right", {"L.shank2", "R.shank2"}, 0, 20)]


def test_one_frame_is_enough():
    swaps = found_in(WALKER, exchanged(RECORDED, ("L.thigh1", "pelvis2", 50, 51)))
    assert told(swaps) == [("pair", {"L.thigh1", "pelvis2"}, 50, 51)]


def test_two_that_are_exchanged_in_every_frame_are_found():
    swaps = found_in(WALKER, exchanged(RECORDED, ("L.shank0", "R.thigh1", 0, 90)))
    assert told(swaps) == [("pair", {"L.shank0", "R.thigh1"}, 0, 90)]


def test_left_and_right_of_the_whole_body_are_found():
    every = Swap("all left and right", ("left", "right"), 0, 90, 0.0, 0.0)
    swaps = found_in(WALKER, without_swaps(RECORDED, [every]))
    assert told(swaps) == [("all left and right", {"left", "right"}, 0, 90)]


def test_three_that_go_round_in_a_ring_are_put_right():
    wrong = exchanged(RECORDED, ("L.thigh0", "R.shank0", 20, 60), ("R.shank0", "pelvis0", 20, 60))
    right = without_swaps(wrong, found_in(WALKER, wrong))
    assert np.array_equal(right.positions, RECORDED.positions)


def test_two_swaps_that_overlap_are_put_right():
    wrong = exchanged(RECORDED, ("L.thigh0", "R.shank0", 20, 50), ("pelvis1", "R.thigh2", 35, 70))
    swaps = found_in(WALKER, wrong)
    assert np.array_equal(without_swaps(wrong, swaps).positions, RECORDED.positions)
    assert len(swaps) == 2


def test_a_marker_under_the_name_of_one_that_is_not_seen_is_found():
    positions = np.array(RECORDED.positions)
    positions[30:60, WALKER.marker_index("L.shank2")] = np.nan
    wrong = exchanged(replace(RECORDED, positions=positions), ("L.shank2", "L.thigh0", 30, 60))
    assert told(found_in(WALKER, wrong)) == [("pair", {"L.shank2", "L.thigh0"}, 30, 60)]


def test_frames_without_a_marker_do_no_harm():
    positions = np.array(RECORDED.positions)
    positions[40:50] = np.nan
    wrong = exchanged(replace(RECORDED, positions=positions), ("L.shank2", "R.shank2", 10, 25))
    assert told(found_in(WALKER, wrong)) == [("left/right", {"L.shank2", "R.shank2"}, 10, 25)]


def test_a_name_that_is_not_in_the_recording_is_told():
    with pytest.raises(ShapeError, match="no marker 'nose'"):
        exchanged(RECORDED, ("nose", "pelvis0", 0, 9))


def read(data, model, markers, trial):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_osim(data(model), markers and data(markers)), read_markers(data(trial))


@pytest.mark.parametrize(("model", "markers", "trial"), TRIALS)
def test_no_alarm_in_any_recording_of_the_data(data, model, markers, trial):
    assert found_in(*read(data, model, markers, trial)) == ()


def test_someone_who_walks_beyond_the_range_of_the_models_root_is_no_alarm(data):
    """Bound to 90°, the pelvis would rather be turned the other way round, with left and right exchanged."""
    model, markers = read(
        data, f"{WALK}/Rajagopal2016.osim", None, "markers/pycgm/Movement_trial.c3d"
    )
    assert found_in(model, markers) == ()


@pytest.mark.parametrize("place", [0, 4, 6, 9])
def test_swaps_in_real_recordings_are_found_in_their_frames(data, place):
    model, markers = read(data, *TRIALS[place])
    shared = [name for name in markers.names if name in model.marker_names]
    sides = ("L.Heel", "R.Heel", 60, 95)
    others = (shared[3], shared[8], 20, 50)
    for one, other, first, stop in (sides, others):
        swaps = found_in(model, exchanged(markers, (one, other, first, stop)))
        kind = "left/right" if one == "L.Heel" else "pair"
        assert told(swaps) == [(kind, {one, other}, first, stop)]


@pytest.mark.parametrize("place", [0, 4, 6, 9])
def test_left_and_right_of_real_recordings_are_found(data, place):
    model, markers = read(data, *TRIALS[place])
    every = Swap("all left and right", ("left", "right"), 0, len(markers), 0.0, 0.0)
    swaps = found_in(model, without_swaps(markers, [every]))
    assert [swap.kind for swap in swaps] == ["all left and right"]
