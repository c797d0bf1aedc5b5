"""Orientation transfer: bone directions stay, whatever the rest pose was."""

import numpy as np
import pytest

from pallas.capture.formats import read_motion
from pallas.rig import Motion, ShapeError, Skeleton, body_skeleton, quaternion
from pallas.rig.joint_maps import JOINT_MAPS, Between, From
from pallas.rig.transfer import (
    body_from_motion,
    bone_errors,
    detect_map,
    fitted_body,
    transfer_motion,
)

BODY = body_skeleton(1.7)
SPLAY = np.radians(20.0)


def walk(skeleton: Skeleton, seed: int = 0) -> Motion:
    """Random smooth turns of every joint."""
    random = np.random.default_rng(seed)
    turns = (
        0.4 * random.standard_normal((1, len(skeleton), 3)) * np.linspace(0, 1, 8)[:, None, None]
    )
    root = np.linspace([0.0, 0.0, 0.9], [0.3, -1.0, 1.0], 8)
    return Motion(skeleton, root, quaternion.from_rotation_vector(turns), 30.0)


def splayed() -> Skeleton:
    """The body, but with its legs 20 degrees apart at rest, as CMU's figures stand."""
    offsets = np.array(BODY.offsets)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turn = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.asarray(-sign * SPLAY))
        for joint in ("knee", "ankle", "foot"):
            index = BODY.index(f"{side}_{joint}")
            offsets[index] = quaternion.rotate(turn, offsets[index])
    return Skeleton(BODY.names, BODY.parents, offsets, BODY.tips)


IDENTITY_MAP = {name: From(name) for name in BODY.names}


def test_legs_that_rest_apart_give_the_same_bone_directions():
    motion = walk(splayed())
    body = transfer_motion(motion, IDENTITY_MAP)
    for error in bone_errors(motion, body, IDENTITY_MAP).values():
        assert np.degrees(error.max()) < 1e-3
    np.testing.assert_allclose(body.world()[1], motion.world()[1], atol=1e-9)


def test_standing_at_a_splayed_rest_is_seen_as_legs_apart_by_that_angle():
    skeleton = splayed()
    still = np.tile(quaternion.IDENTITY, (1, 24, 1))
    body = transfer_motion(Motion(skeleton, np.zeros((1, 3)), still, 30.0), IDENTITY_MAP)
    hip = body.rotations[0, BODY.index("left_hip")]
    expected = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.asarray(-SPLAY))
    assert quaternion.angle(hip, expected) < 1e-9
    ankle = body.rotations[0, BODY.index("left_ankle")]
    assert (
        quaternion.angle(ankle, quaternion.IDENTITY) < 1e-9
    )  # the foot hangs from the leg unturned


def test_the_fitted_body_rests_in_a_clean_t_pose_with_the_sources_lengths():
    body = fitted_body(walk(splayed()), IDENTITY_MAP)
    np.testing.assert_allclose(body.offsets, BODY.offsets, atol=1e-9)


def test_a_source_that_faces_away_at_rest_is_turned_and_its_motion_is_not():
    turn = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.asarray(np.pi))
    turned = Skeleton(BODY.names, BODY.parents, quaternion.rotate(turn, BODY.offsets), BODY.tips)
    motion = walk(turned)
    body = transfer_motion(motion, IDENTITY_MAP)
    np.testing.assert_allclose(body.world()[1], motion.world()[1], atol=1e-9)
    np.testing.assert_allclose(body.skeleton.offsets, BODY.offsets, atol=1e-9)


def test_a_joint_between_two_shares_their_rotation():
    names = {"spine2": From(Between("spine1", "spine3", 0.5), Between("spine1", "spine3", 0.5))}
    straight = np.array(BODY.offsets)
    straight[BODY.index("spine3")] = straight[BODY.index("spine2")] = (0.0, 0.0, 0.12)
    skeleton = Skeleton(BODY.names, BODY.parents, straight, BODY.tips)
    rotations = np.tile(quaternion.IDENTITY, (1, 24, 1))
    twist = np.array([0.0, 0.0, 1.0])
    rotations[0, BODY.index("spine3")] = quaternion.from_axis_angle(twist, np.asarray(0.4))
    motion = Motion(skeleton, np.zeros((1, 3)), rotations, 30.0)
    body = transfer_motion(motion, {**IDENTITY_MAP, **names})
    half = quaternion.from_axis_angle(twist, np.asarray(0.2))
    assert quaternion.angle(body.rotations[0, BODY.index("spine2")], half) < 1e-9


def test_joints_that_the_source_lacks_follow_their_parent():
    without = {n: s for n, s in IDENTITY_MAP.items() if "wrist" not in n and "hand" not in n}
    body = transfer_motion(walk(BODY), without)
    wrists = body.rotations[:, [BODY.index("left_wrist"), BODY.index("right_hand")]]
    assert quaternion.angle(wrists, quaternion.IDENTITY).max() < 1e-9


@pytest.mark.parametrize("name", ["cmu_asf", "cmu_bvh", "cmu_daz", "xsens"])
def test_every_map_knows_both_sides_of_all_24_joints(name: str):
    assert set(JOINT_MAPS[name]) == set(BODY.names)
    left, right = (str(JOINT_MAPS[name][f"{s}_elbow"].driver) for s in ("left", "right"))
    assert left != right


def test_an_unknown_skeleton_is_told():
    chain = Skeleton(("a", "b"), (-1, 0), np.zeros((2, 3)))
    with pytest.raises(ShapeError, match="joints a, b"):
        detect_map(chain)
    with pytest.raises(ShapeError, match="no joint map 'mars'; there are: auto, pallas, cmu_asf"):
        body_from_motion(walk(BODY), "mars")


def test_our_own_motion_passes_unchanged():
    motion = walk(BODY)
    assert body_from_motion(motion) is motion


@pytest.mark.filterwarnings("ignore::pallas.capture.textfile.FormatWarning")
@pytest.mark.parametrize(
    "file",
    ["imu/xsens_mvnx/test_mocap.mvnx", "imu/slimevr_bvh/2501_BVH-Recording3.bvh"],
)
def test_bones_of_real_recordings_keep_their_directions(data, file: str):
    motion = read_motion(data(file))
    body = body_from_motion(motion)
    errors = bone_errors(motion, body, detect_map(motion.skeleton))
    assert len(errors) >= 10
    assert max(np.degrees(error.max()) for error in errors.values()) < 1.0


def test_an_xsens_performer_is_upright_and_of_human_size(data):
    body = body_from_motion(read_motion(data("imu/xsens_mvnx/test_mocap.mvnx")))
    _, origins = body.world()
    head, feet = BODY.index("head"), [BODY.index("left_foot"), BODY.index("right_foot")]
    assert np.all(origins[:, head, 2] > origins[:, 0, 2] + 0.4)
    assert np.all(origins[:, feet, 2] < origins[:, :1, 2] - 0.7)
    assert 1.5 < body.skeleton.rest_positions[head, 2] + body.skeleton.tips[head, 2] < 2.0
