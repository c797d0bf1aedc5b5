"""The anatomical model: what it wears, how tall it stands, which way its angles go."""

import numpy as np
import pytest

from pallas.rig import ShapeError
from pallas.rig.anatomy import anatomical_model, measured_weights, without_unseen
from pallas.rig.anatomy.sizes import sizes_of
from pallas.rig.model.places import body_places
from pallas.rig.sides import side_pairs

_BOTH = "Shoulder Elbow Wrist Hip Knee Ankle BigToe SmallToe Heel"
KEYPOINTS = ("Neck", "midHip", *(side + name for name in _BOTH.split() for side in "RL"))


def places(model, **degrees):
    """World places of all markers and bodies, by name, in a pose."""
    pose = np.array(model.default_pose)
    for name, value in degrees.items():
        pose[model.coordinate_index(name)] = np.radians(value)
    turns, origins = body_places(model, pose[None])
    found = dict(zip(model.bodies, origins[0], strict=True))
    for marker in model.markers:
        body = model.body_index(marker.body)
        found[marker.name] = origins[0, body] + turns[0, body] @ np.array(marker.position)
    return found


def test_it_wears_the_augmenters_43_markers_and_opencaps_20_keypoints():
    names = anatomical_model().marker_names
    assert sum(name.endswith("_study") for name in names) == 43
    assert set(KEYPOINTS) <= set(names)


def test_its_joints_stand_as_high_as_winters_tables_say():
    found = places(anatomical_model(1.60))
    assert found["femur_r"][2] == pytest.approx(1.60 * 0.530, abs=1e-3)
    assert found["tibia_l"][2] == pytest.approx(1.60 * 0.285, abs=1e-3)
    assert found["talus_r"][2] == pytest.approx(1.60 * 0.039, abs=1e-3)


def test_its_hips_are_where_harringtons_regression_puts_them():
    found = places(
        anatomical_model(), pelvis_tilt=-5.0
    )  # the regression is in the frame of ASIS and PSIS
    turned = places(anatomical_model(), pelvis_tilt=5.0)
    middle = 0.5 * (turned["r.ASIS_study"] + turned["L.ASIS_study"])
    hip = turned["femur_r"] - middle
    width = np.linalg.norm(found["r.ASIS_study"] - found["L.ASIS_study"])
    assert hip[0] == pytest.approx(-0.24 * 0.155 - 0.0099, abs=2e-3)
    assert hip[2] == pytest.approx(-0.30 * width - 0.0109, abs=2e-3)
    assert -hip[1] == pytest.approx(0.33 * width + 0.0073, abs=2e-3)


@pytest.mark.parametrize(
    ("coordinate", "marker", "axis", "sign"),
    [
        ("hip_flexion_r", "RKnee", 0, 1),
        ("hip_adduction_r", "RKnee", 1, 1),
        ("hip_rotation_r", "r_toe_study", 1, 1),
        ("knee_angle_r", "RAnkle", 0, -1),
        ("ankle_angle_r", "r_toe_study", 2, 1),
        ("subtalar_angle_r", "r_5meta_study", 2, -1),
        ("pelvis_tilt", "C7_study", 0, -1),
        ("pelvis_list", "L.ASIS_study", 2, 1),
        ("pelvis_rotation", "r.ASIS_study", 0, 1),
        ("lumbar_extension", "C7_study", 0, -1),
        ("arm_flex_r", "RElbow", 0, 1),
        ("arm_add_r", "RElbow", 1, 1),
        ("elbow_flex_r", "RWrist", 0, 1),
    ],
)
def test_angles_go_the_way_they_do_in_opensims_gait_models(coordinate, marker, axis, sign):
    model = anatomical_model()
    step = (places(model, **{coordinate: 10.0})[marker] - places(model)[marker])[axis]
    assert sign * step > 0.004


def test_pronation_carries_the_radius_from_the_outside_to_the_front():
    model = anatomical_model()
    supine, prone = (places(model, pro_sup_r=angle) for angle in (0.0, 90.0))
    assert supine["r_lwrist_study"][1] < supine["r_mwrist_study"][1] - 0.05
    assert prone["r_lwrist_study"][0] > prone["r_mwrist_study"][0] + 0.05


def test_the_left_half_mirrors_the_right_one():
    model = anatomical_model()
    rng = np.random.default_rng(1)
    pose, mirrored = {}, {}
    for name in model.coordinate_names:
        if name.endswith("_r"):
            pose[name], pose[f"{name[:-1]}l"] = rng.uniform(-40.0, 40.0, 2)
            mirrored[name], mirrored[f"{name[:-1]}l"] = pose[f"{name[:-1]}l"], pose[name]
    here, there = places(model, **pose), places(model, **mirrored)
    for left, right in side_pairs(model.marker_names):
        np.testing.assert_allclose(here[left], there[right] * [1.0, -1.0, 1.0], atol=1e-9)


def test_nobody_is_175_metres_tall():
    with pytest.raises(ShapeError, match="175 m"):
        anatomical_model(175.0)


def test_keypoints_count_where_no_markers_are():
    model = anatomical_model()
    alone = measured_weights(model, KEYPOINTS)
    assert set(alone.values()) == {1.0}
    both = measured_weights(model, model.marker_names)
    assert both["RKnee"] == both["midHip"] == 0.0 < both["Nose"]
    assert both["r_thigh1_study"] < both["r_knee_study"]


def test_what_no_marker_tells_of_stays_as_it_is():
    model = anatomical_model()
    locked = {c.name for c in without_unseen(model, KEYPOINTS).coordinates if c.locked}
    assert {"neck_flexion", "pro_sup_r", "wrist_flex_l", "mtp_angle_r"} <= locked
    assert not locked & {"hip_rotation_r", "subtalar_angle_l", "arm_rot_r", "lumbar_bending"}
    seen = {c.name for c in without_unseen(model, model.marker_names).coordinates if not c.locked}
    assert {"neck_flexion", "pro_sup_r"} <= seen


def test_sizes_are_unknown_of_what_was_measured_alone():
    shape = sizes_of(anatomical_model(), ["RKnee", "LKnee", "RHip", "LHip"], markers=True)
    assert shape.groups == (("pelvis",), ("femur_r", "femur_l"))
    assert set(shape.markers) == {"RKnee", "LKnee", "RHip", "LHip"}
