"""Poses of the anatomical model to start from, from where keypoints were seen."""

import numpy as np
import pytest
import torch

from pallas.rig import ShapeError
from pallas.rig.anatomy import anatomical_model, without_unseen
from pallas.rig.anatomy.first_pose import first_poses
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve.marker_ik import MarkerOptions, fit_markers
from pallas.rig.trajectories import MarkerTrajectories

KEYPOINTS = tuple(
    name for name in anatomical_model().marker_names if "_study" not in name and name != "Hip"
)


def bent(frames=8, **degrees):
    """The model at rest, and poses (T, D) in which these angles rise to what is said."""
    model = without_unseen(anatomical_model(), KEYPOINTS)
    pose = np.tile(model.default_pose, (frames, 1))
    for name, angle in degrees.items():
        place = model.coordinate_index(name)
        pose[:, place] += np.linspace(0.0, np.radians(angle), frames)
    return model, pose


def seen(model, pose, names=KEYPOINTS):
    places = [model.marker_index(name) for name in names]
    found = markers_in_world(model, torch.as_tensor(pose)).numpy()[:, places]
    return MarkerTrajectories(tuple(names), found, 60.0)


@pytest.mark.parametrize(
    ("name", "degrees"),
    [
        ("hip_flexion_r", 70.0),
        ("hip_adduction_l", -25.0),
        ("knee_angle_r", 80.0),
        ("knee_angle_l", 80.0),
        ("elbow_flex_l", 90.0),
        ("arm_flex_r", 120.0),
        ("arm_add_l", -80.0),
        ("pelvis_rotation", 200.0),
        ("lumbar_bending", 30.0),
    ],
)
def test_an_angle_is_about_what_it_is(name, degrees):
    model, pose = bent(**{name: degrees})
    place = model.coordinate_index(name)
    found = first_poses(model, seen(model, pose))
    off = np.degrees(found[:, place] - pose[:, place])
    assert np.abs(off - 360.0 * np.round(off.mean() / 360.0)).max() < 25.0
    assert np.ptp(found[:, place]) == pytest.approx(np.radians(abs(degrees)), abs=0.3)


def test_arms_that_go_up_sideways_and_over_turn_without_a_jump():
    model, pose = bent(40, arm_add_r=-170.0, arm_add_l=-170.0)
    found = first_poses(model, seen(model, pose))
    arms = [model.coordinate_index(f"arm_{n}_{s}") for s in "rl" for n in ("flex", "add", "rot")]
    # They pass near the pole of the three angles, where two of them swing; a jump would be half a turn.
    assert np.abs(np.diff(found[:, arms], axis=0)).max() < 0.6 * np.pi


def test_a_frame_without_hips_is_between_its_neighbours():
    model, pose = bent(9, hip_flexion_r=40.0)
    markers = seen(model, pose)
    whole = first_poses(model, markers)
    markers.positions.flags.writeable = True
    markers.positions[4, [KEYPOINTS.index(name) for name in ("LHip", "RHip")]] = np.nan
    found = first_poses(model, markers)
    np.testing.assert_allclose(found[4], 0.5 * (whole[3] + whole[5]), atol=0.05)


def test_without_shoulders_nothing_is_said():
    model, pose = bent()
    names = [name for name in KEYPOINTS if "Shoulder" not in name]
    assert first_poses(model, seen(model, pose, names)) is None


def test_a_fit_from_there_finds_the_pose_and_poses_of_another_shape_are_told():
    model, pose = bent(
        10, hip_flexion_r=60.0, knee_angle_r=50.0, arm_flex_l=80.0, elbow_flex_l=60.0
    )
    pose[:, model.coordinate_index("elbow_flex_l")] += 0.3
    markers = seen(model, pose)
    fit = fit_markers(model, markers, MarkerOptions(), initial=first_poses(model, markers))
    assert fit.rms < 1e-4
    with pytest.raises(ShapeError, match="initial"):
        fit_markers(model, markers, MarkerOptions(), initial=pose[:3])
