"""The numbers of a marker fit's report, with answers known by hand."""

import numpy as np
import pytest

from pallas.rig.model import BodyMarker, KinematicModel, free
from pallas.rig.solve.marker_ik import MarkerFit
from pallas.rig.solve.marker_report import (
    at_limits,
    differences,
    joint_velocities,
    marker_offsets,
    marker_table,
    report_of,
    stretches,
)
from pallas.rig.trajectories import MarkerTrajectories

MODEL = KinematicModel(
    "block",
    (free("root", "body"),),
    markers=(BodyMarker("a", "body", (1.0, 0.0, 0.0)), BodyMarker("b", "body", (0.0, 1.0, 0.0))),
)


def turned_fit():
    """Two frames: the block at rest, then a quarter turn about z; `a` is 10 mm off along the body's x."""
    pose = np.zeros((2, 6))
    pose[1, MODEL.coordinate_index("root_z")] = np.pi / 2
    measured = np.array([[[1.01, 0, 0], [0, 1, 0]], [[0, 1.01, 0], [np.nan] * 3]])
    errors = np.array([[0.01, 0.0], [0.01, np.nan]])
    fit = MarkerFit(
        MODEL, pose, ("a", "b"), np.array([1.0, 3.0]), errors, np.ones((2, 3)), np.zeros(2, bool), 10.0, 5.0
    )  # fmt: skip
    return fit, MarkerTrajectories(("a", "b"), measured, 10.0, 5.0)


def test_an_offset_is_along_the_bodys_own_axes():
    assert marker_offsets(*turned_fit()) == pytest.approx(np.array([[0.01, 0, 0], [0, 0, 0]]))


def test_markers_come_the_worst_first_with_what_was_seen():
    first, second = marker_table(*turned_fit())
    assert (first["marker"], first["rms_mm"], first["seen"]) == ("a", pytest.approx(10.0), 1.0)
    assert (second["marker"], second["rms_mm"], second["seen"]) == ("b", 0.0, 0.5)
    assert second["max_at_s"] == 5.0


def test_the_weighted_error_counts_what_was_seen():
    report = report_of(*turned_fit())
    assert report["weighted_rms_mm"] == pytest.approx(10.0 * np.sqrt(2.0 / 5.0))
    assert report["rms_mm"] == pytest.approx(10.0 * np.sqrt(2.0 / 3.0))
    assert (report["start"], report["end"]) == (5.0, pytest.approx(5.1))


def test_a_parabola_has_the_velocity_of_a_line():
    time = np.arange(5) / 10.0
    velocity = joint_velocities((time**2)[:, None], 10.0)
    assert velocity[1:-1, 0] == pytest.approx(2.0 * time[1:-1])
    assert joint_velocities(np.zeros((1, 3)), 10.0).tolist() == [[0.0, 0.0, 0.0]]


def test_a_coordinate_at_either_limit_or_beyond_counts():
    model = MODEL.with_coordinates({"root_tx": {"limits": (0.0, 1.0)}})
    pose = np.zeros((5, 6))
    pose[:, model.coordinate_index("root_tx")] = (0.0, 0.5, 1.0, 1.5, 0.2)
    assert at_limits(model, pose) == {"root_tx": pytest.approx(0.6)}


def test_whole_turns_of_angles_are_no_difference_and_what_is_unknown_does_not_count():
    pose = np.array([[0.1, 1.0], [0.2, 2.0]])
    reference = np.array([[0.1 + 2.0 * np.pi, 2.0], [0.2 - 4.0 * np.pi, np.nan]])
    assert differences(pose, reference, np.array([True, False])) == pytest.approx([0.0, 1.0])


def test_stretches_have_their_first_and_last_second():
    frames = np.array([True, True, False, True])
    assert stretches(frames, np.array([0.0, 0.1, 0.2, 0.3])) == [(0.0, 0.1), (0.3, 0.3)]
