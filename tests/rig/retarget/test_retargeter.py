"""Retargeting: bones point where the source's point, whatever the rests, rolls and proportions."""

import numpy as np
import pytest
from humanoids import A_POSE, Build, dancing, humanoid, of_rest, posed, rolled, swung

from pallas.rig import quaternion
from pallas.rig.retarget import Bones, Retargeter, RetargetOptions

OFF = RetargetOptions(contacts="off")
FULL = Build(fingers=True, root=True)


def heads_of(result, bones: Bones, names) -> np.ndarray:
    return np.stack([result.heads[:, result.driven.index(bones.index(n))] for n in names], axis=1)


def same_rig(rest_of_source, rest_of_target, build=FULL, frames=20):
    """Retarget between two rests (poses) of one body; the result, and what it must be."""
    bones, bone_map = humanoid(build)
    turns, heads = dancing(bones, frames)
    source = rolled(rest_of_source(bones, bone_map), 1)
    target = rolled(rest_of_target(bones, bone_map), 2)
    motion = of_rest(turns, rest_of_source(bones, bone_map), source)
    wanted = of_rest(turns, rest_of_target(bones, bone_map), target)
    result = Retargeter(source, bone_map, target, bone_map, OFF).whole(motion, heads, 30.0)
    driven = list(result.driven)
    return result, wanted[:, driven], heads[:, driven]


def test_a_motion_on_its_own_rig_is_the_same_motion():
    result, rotations, heads = same_rig(lambda b, m: b, lambda b, m: b)
    assert len(result.driven) == 52
    assert quaternion.angle(result.rotations, rotations).max() < 1e-9
    np.testing.assert_allclose(result.heads, heads, atol=1e-12)


def test_an_a_pose_with_other_rolls_gives_the_same_world_poses():
    result, rotations, heads = same_rig(lambda b, m: b, lambda b, m: posed(b, A_POSE))
    assert quaternion.angle(result.rotations, rotations).max() < 1e-9
    np.testing.assert_allclose(result.heads, heads, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_any_swing_of_a_limb_at_rest_gives_the_same_world_poses(seed):
    build = Build(root=True, toes=False, feet=False)
    result, _, heads = same_rig(
        lambda b, m: posed(b, swung(b, m, seed)),
        lambda b, m: posed(b, swung(b, m, seed + 10)),
        build,
    )
    np.testing.assert_allclose(result.heads, heads, atol=1e-9)


@pytest.mark.parametrize("yaw", [np.pi / 2, -np.pi, 0.4])
def test_a_rig_that_faces_elsewhere_at_rest_ends_where_the_source_is(yaw):
    result, _, heads = same_rig(lambda b, m: b, lambda b, m: posed(b, A_POSE, yaw))
    np.testing.assert_allclose(result.heads, heads, atol=1e-9)


def test_a_frame_of_a_stream_is_a_frame_of_the_whole():
    bones, bone_map = humanoid(FULL)
    turns, heads = dancing(bones, 5)
    mover = Retargeter(bones, bone_map, posed(bones, A_POSE), bone_map, OFF)
    whole = mover.whole(turns, heads, 30.0)
    one = mover.step(turns[3], heads[3])
    assert quaternion.angle(one.rotations[0], whole.rotations[3]).max() < 1e-9
    np.testing.assert_allclose(one.heads[0], whole.heads[3], atol=1e-12)


def test_hands_that_are_turned_over_at_rest_still_turn_palm_to_palm():
    over = {"left_hand": (1.5, 0.0, 0.0), "right_hand": (-0.7, 0.0, 0.0)}
    result, rotations, heads = same_rig(lambda b, m: b, lambda b, m: posed(b, over))
    assert quaternion.angle(result.rotations, rotations).max() < 1e-9
    np.testing.assert_allclose(result.heads, heads, atol=1e-9)


def test_legs_that_are_folded_up_at_rest_come_down_about_the_hips_own_axis():
    up = {f"{side}_thigh": (np.pi, 0.0, 0.0) for side in ("left", "right")}
    build = Build(feet=False)
    result, rotations, heads = same_rig(lambda b, m: posed(b, up), lambda b, m: b, build)
    height = (heads - result.heads)[..., 2]  # a rest that doesn't stand tells no height of ankles
    np.testing.assert_allclose(height, height[0, 0], atol=1e-9)
    assert quaternion.angle(result.rotations, rotations).max() < 1e-6


def test_a_rest_that_lies_on_its_back_makes_the_same_motion():
    lying = {"hips": (-np.pi / 2, 0.0, 0.0)}
    result, rotations, _ = same_rig(lambda b, m: posed(b, lying), lambda b, m: b, Build())
    assert quaternion.angle(result.rotations, rotations).max() < 1e-6


def test_limbs_follow_joints_that_move_against_their_bones():
    bones, bone_map = humanoid(Build())
    turns, heads = dancing(bones, 20)
    heads = heads + np.random.default_rng(0).normal(0.0, 0.02, heads.shape)
    result = Retargeter(bones, bone_map, posed(bones, A_POSE), bone_map, OFF).whole(
        turns, heads, 30.0
    )
    for part, end in (
        ("upper_arm", "forearm"),
        ("forearm", "hand"),
        ("thigh", "shin"),
        ("shin", "foot"),
    ):
        names = [f"left_{end}", f"left_{part}"]
        ours = heads_of(result, bones, names)
        theirs = heads[:, [bones.index(name) for name in names]]
        way, wanted = ours[:, 0] - ours[:, 1], theirs[:, 0] - theirs[:, 1]
        cosine = (
            (way * wanted).sum(-1) / np.linalg.norm(way, axis=-1) / np.linalg.norm(wanted, axis=-1)
        )
        np.testing.assert_allclose(cosine, 1.0, atol=1e-12)


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("contacts", ["off", "feet", "feet and hands"])
def test_a_motion_of_few_frames_is_retargeted_too(frames, contacts):
    bones, bone_map = humanoid(Build(twists=True))
    turns = np.tile(quaternion.IDENTITY, (frames, len(bones), 1))
    heads = np.tile(bones.heads, (frames, 1, 1))
    maker = Retargeter(
        bones, bone_map, posed(bones, A_POSE), bone_map, RetargetOptions(contacts=contacts)
    )
    result = maker.whole(turns, heads, 30.0)
    assert result.rotations.shape == (frames, len(result.driven), 4)
    assert np.isfinite(result.rotations).all()


def test_the_second_run_gives_the_same_bits():
    bones, bone_map = humanoid(FULL)
    turns, heads = dancing(bones, 40)
    runs = [
        Retargeter(bones, bone_map, posed(bones, A_POSE), bone_map).whole(turns, heads, 30.0)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(runs[0].rotations, runs[1].rotations)
    np.testing.assert_array_equal(runs[0].heads, runs[1].heads)
