"""The anatomical model fitted to markers, and as a motion of the 24 joints."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.rig import ShapeError, quaternion
from pallas.rig.anatomy import (
    anatomical_model,
    measured_weights,
    motion_of_anatomy,
    without_unseen,
)
from pallas.rig.anatomy.fit import fit_anatomy
from pallas.rig.anatomy.sizes import sizes_of
from pallas.rig.model import KinematicModel, hinge
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.model.places import body_places
from pallas.rig.model.scaling import scaled
from pallas.rig.solve.marker_ik import MarkerOptions, fit_markers
from pallas.rig.trajectories import MarkerTrajectories


def walk(model, frames=12):
    """Poses (T, D) with every free angle in motion."""
    pose = np.tile(model.default_pose, (frames, 1))
    phase = 2.0 * np.pi * np.arange(frames) / frames
    for k, place in enumerate(model.free_coordinates):
        pose[:, place] += 0.25 * (1.0 + np.sin(phase + k)) if place > 2 else 0.1 * np.sin(phase)
    return pose


def markers_of(model, pose, names):
    found = markers_in_world(model, torch.as_tensor(pose)).numpy()
    return MarkerTrajectories(
        tuple(names), found[:, [model.marker_index(name) for name in names]], 60.0
    )


def test_a_person_of_another_size_is_found_from_the_augmenters_markers():
    model = anatomical_model()
    longer = {"femur_r": 1.1, "femur_l": 1.1, "tibia_r": 0.9, "tibia_l": 0.9}
    person = scaled(model, longer)
    names = [name for name in model.marker_names if name.endswith("_study")]
    pose = walk(without_unseen(model, names))
    recording = markers_of(person, pose, names)
    options = MarkerOptions(weights=measured_weights(model, names), shape=sizes_of(model, names))
    fit = fit_markers(without_unseen(model, names), recording, options)
    assert fit.rms < 2e-3
    legs = [
        model.coordinate_index(f"{name}_r") for name in ("hip_flexion", "knee_angle", "ankle_angle")
    ]
    assert np.degrees(np.abs(fit.pose[:, legs] - pose[:, legs])).max() < 1.0
    ratio = fit.scales[model.body_index("femur_r"), 0] / fit.scales[model.body_index("tibia_r"), 0]
    assert ratio == pytest.approx(1.1 / 0.9, rel=0.01)


def test_the_sizes_of_a_few_frames_are_those_of_all_of_them():
    model = anatomical_model()
    names = [name for name in model.marker_names if name.endswith("_study")]
    recording = markers_of(scaled(model, {"femur_r": 1.1, "femur_l": 1.1}), walk(model, 75), names)
    noise = 0.005 * np.random.default_rng(0).standard_normal(recording.positions.shape)
    recording = replace(recording, positions=recording.positions + noise)
    few = fit_anatomy(recording)
    weights = measured_weights(model, few.names)
    every = MarkerOptions(weights, 0.0, shape=sizes_of(model, few.names, markers=True))
    found = fit_markers(without_unseen(model, few.names), recording, every)
    np.testing.assert_allclose(few.scales, found.scales, rtol=0.01)
    assert few.rms < 1.02 * found.rms


def test_its_motion_stands_in_a_t_pose_where_every_joint_is_at_rest():
    model = anatomical_model()
    pose = np.array(model.default_pose)
    for name, angle in (("pelvis_rotation", -90.0), ("arm_add_r", -90.0), ("arm_add_l", -90.0)):
        pose[model.coordinate_index(name)] = np.radians(angle)
    motion = motion_of_anatomy(model, pose[None], 60.0)
    np.testing.assert_allclose(motion.rotations[..., 1:], 0.0, atol=1e-9)
    wrist = motion.world()[1][0, motion.skeleton.index("left_wrist")]
    assert wrist[0] == pytest.approx(0.180 + 0.280 + 0.268)


def test_its_motion_has_every_limb_where_the_model_has_it():
    model = anatomical_model(1.62)
    pose = walk(model)
    motion = motion_of_anatomy(model, pose, 60.0)
    joints = dict(zip(motion.skeleton.names, motion.world()[1].swapaxes(0, 1), strict=True))
    bodies = dict(zip(model.bodies, body_places(model, pose)[1].swapaxes(0, 1), strict=True))
    for side in ("left", "right"):
        for joint, body in (("hip", "femur"), ("knee", "tibia"), ("ankle", "talus")):
            np.testing.assert_allclose(
                joints[f"{side}_{joint}"], bodies[f"{body}_{side[0]}"], atol=2e-3
            )
        upper = joints[f"{side}_elbow"] - joints[f"{side}_shoulder"]
        np.testing.assert_allclose(
            upper, bodies[f"ulna_{side[0]}"] - bodies[f"humerus_{side[0]}"], atol=1e-9
        )
        away = joints[f"{side}_shoulder"] - bodies[f"humerus_{side[0]}"]
        assert np.linalg.norm(away, axis=-1).max() < 0.03
    assert np.allclose(np.linalg.norm(motion.rotations, axis=-1), 1.0)


def test_the_spine_bends_evenly():
    model = anatomical_model()
    pose = np.array(model.default_pose)
    pose[model.coordinate_index("lumbar_extension")] = -0.6
    motion = motion_of_anatomy(model, pose[None], 60.0)
    turned = [motion.rotations[0, motion.skeleton.index(f"spine{k}")] for k in (1, 2, 3)]
    angles = [np.linalg.norm(quaternion.to_rotation_vector(turn)) for turn in turned]
    np.testing.assert_allclose(angles, 0.2, atol=1e-9)


def test_another_model_is_no_anatomy():
    other = KinematicModel("arm", (hinge("elbow", "ground", "forearm"),))
    with pytest.raises(ShapeError, match="pelvis"):
        motion_of_anatomy(other, np.zeros((1, 1)), 60.0)
