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
