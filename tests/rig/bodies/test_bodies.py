import numpy as np
import pytest

from pallas.rig import BODY_JOINTS, Motion, ShapeError, body_skeleton, quaternion
from pallas.rig.bodies import (
    KEYPOINTS,
    MARKERS,
    REGIONS,
    body_names,
    landmark_places,
    load_body,
    pose_body,
)

# Heights of the table that the bodies were baked from, metres.
HEIGHTS = {"girl_4": 1.03, "boy_11": 1.45, "woman_33": 1.69, "man_36": 1.92, "woman_78": 1.53}


def standing(turns=None):
    """One frame of our T-pose, some joints turned by quaternions."""
    skeleton = body_skeleton()
    rotations = np.tile(quaternion.IDENTITY, (1, 24, 1)).astype(float)
    for name, turn in (turns or {}).items():
        rotations[0, skeleton.index(name)] = turn
    return Motion(skeleton, np.array([[0.0, 0.0, 0.918]]), rotations, 25.0)


def test_there_are_children_grown_ups_and_old_people_of_both_sexes():
    bodies = [load_body(name) for name in body_names()]
    years = np.array([body.phenotype["years"] for body in bodies])
    assert len(bodies) >= 24
    assert (years < 12).sum() >= 4
    assert (years > 60).sum() >= 4
    assert {body.phenotype["sex"] for body in bodies} == {"female", "male"}


@pytest.mark.parametrize(("name", "height"), HEIGHTS.items())
def test_a_body_is_as_tall_as_it_was_made(name, height):
    body = load_body(name)
    assert body.height == pytest.approx(height, abs=0.003)
    assert body.vertices[:, 2].min() == pytest.approx(0.0, abs=1e-3)


def test_mass_goes_with_height_and_is_a_person_s():
    bodies = [load_body(name) for name in body_names()]
    index = [body.mass / body.height**2 for body in bodies]
    assert min(index) > 12.0
    assert max(index) < 40.0


def test_every_part_has_faces_on_both_sides_alike():
    body = load_body("man_27")
    counts = {part: body.faces_of(part).sum() for part in REGIONS}
    assert min(counts.values()) > 40
    for part in REGIONS:
        if part.startswith("left_"):
            assert counts[part] == pytest.approx(counts[part.replace("left", "right")], rel=0.02)


def test_weights_of_a_vertex_are_one_in_sum():
    np.testing.assert_allclose(load_body("man_27").weights.sum(axis=1), 1.0)


@pytest.mark.parametrize("name", ["girl_4", "woman_46", "man_36"])
def test_left_landmarks_mirror_right_ones(name):
    body = load_body(name)
    pairs = [(m, "r" + m[1:]) for m in MARKERS if m.startswith("L") and m != "LHJC_study"]
    pairs += [(k, k.replace("left", "right")) for k in KEYPOINTS if k.startswith("left")]
    left = landmark_places(body, [one for one, _ in pairs])
    right = landmark_places(body, [other for _, other in pairs])
    np.testing.assert_allclose(left, right * (-1.0, 1.0, 1.0), atol=0.012)
    assert (left[:, 0] > 0.01).all()


def test_markers_lie_where_anatomy_has_them():
    body = load_body("woman_33")
    place = dict(zip(MARKERS, landmark_places(body, MARKERS), strict=True))
    joint = dict(zip(BODY_JOINTS, landmark_places(body, BODY_JOINTS), strict=True))
    assert place["L_knee_study"][0] > joint["left_knee"][0] > place["L_mknee_study"][0]
    assert place["L_mankle_study"][2] > place["L_ankle_study"][2] - 0.002
    assert place["L.ASIS_study"][1] < joint["pelvis"][1] < place["L.PSIS_study"][1]
    assert place["L_calc_study"][1] > place["L_5meta_study"][1] > place["L_toe_study"][1]
    np.testing.assert_array_equal(place["LHJC_study"], joint["left_hip"])
    assert len(MARKERS) == len(set(MARKERS)) == 43


def test_heels_and_toes_are_low_and_the_nose_is_ahead():
    body = load_body("man_58")
    place = dict(zip(KEYPOINTS, landmark_places(body, KEYPOINTS), strict=True))
    for point in ("left_heel", "right_big_toe", "right_small_toe"):
        assert place[point][2] < 0.05
    assert place["nose"][1] < place["left_eye"][1] < place["left_ear"][1]


def test_a_body_in_the_t_pose_has_level_arms_and_keeps_its_bones():
    body = load_body("man_19")
    pose = pose_body(body, standing())
    joints = ["left_shoulder", "left_elbow", "left_wrist"]
    arm = landmark_places(pose, joints)[0]
    assert np.ptp(arm[:, 2]) < 1e-6
    lengths = np.linalg.norm(np.diff(arm, axis=0), axis=1)
    rest = np.linalg.norm(np.diff(landmark_places(body, joints), axis=0), axis=1)
    np.testing.assert_allclose(lengths, rest, atol=1e-6)


def test_skin_follows_the_forearm():
    quarter = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), -np.pi / 2)
    body = load_body("man_19")
    straight, bent = (pose_body(body, standing(t)) for t in ({}, {"left_elbow": quarter}))
    moved = landmark_places(bent, ["L_lwrist_study"]) - landmark_places(
        straight, ["L_lwrist_study"]
    )
    elbow = landmark_places(straight, ["left_elbow"])[0, 0]
    wrist = landmark_places(straight, ["left_wrist"])[0, 0]
    # The forearm pointed left and points ahead: its end moves by its length to the right and ahead.
    length = np.linalg.norm(wrist - elbow)
    np.testing.assert_allclose(moved[0, 0, :2], [-length, -length], atol=0.05)


def test_an_unknown_body_names_those_there_are():
    with pytest.raises(ShapeError, match="girl_4, boy_5"):
        load_body("nobody")
    with pytest.raises(ShapeError, match="left_thigh"):
        load_body("girl_4").faces_of("tail")
    with pytest.raises(ShapeError, match="C7_study"):
        landmark_places(load_body("girl_4"), ["C8_study"])
