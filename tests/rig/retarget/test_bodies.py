"""Retargeting to other bodies: proportions, spines, missing parts, twist, where the root goes, bad input."""

import numpy as np
import pytest
from humanoids import A_POSE, Build, dancing, humanoid, posed, rolled

from pallas.rig import PallasError, quaternion
from pallas.rig.retarget import BoneMap, Bones, Retargeter, RetargetOptions

OFF = RetargetOptions(contacts="off")
LIMBS = (("upper_arm", "forearm"), ("forearm", "hand"), ("thigh", "shin"), ("shin", "foot"))


def brought(source_build, target_build, options=OFF, frames=30, target_pose=A_POSE, most=0.5):
    """A dance of one build on another; source and target with their maps, the dance, and the result."""
    bones, bone_map = humanoid(source_build)
    turns, heads = dancing(bones, frames, most=most)
    other, other_map = humanoid(target_build)
    other = rolled(posed(other, target_pose), 3)
    result = Retargeter(bones, bone_map, other, other_map, options).whole(turns, heads, 30.0)
    return (bones, bone_map), (other, other_map), (turns, heads), result


def place(result, bones: Bones, bone_map: BoneMap, role: str) -> np.ndarray:
    return result.heads[:, result.driven.index(bones.index(bone_map.first(role)))]


def turn(result, bones: Bones, name: str) -> np.ndarray:
    """(T, 4) rotation from rest of a target bone."""
    row = bones.index(name)
    own = result.rotations[:, result.driven.index(row)]
    return quaternion.multiply(own, quaternion.conjugate(bones.rotations[row]))


def angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    sine = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.degrees(np.arctan2(sine, (first * second).sum(-1)))


BUILDS = [
    Build(thigh=0.5, shin=0.3, upper_arm=0.2, forearm=0.35),
    Build(size=0.5, hips_wide=0.2, trunk=0.6, spine=(1.0, 2.0)),
    Build(size=2.0, shoulders=False, necks=2, spine=(1.0,)),
    Build(shoulders_wide=0.4, spine=(1.0, 1.0, 1.0, 1.0, 1.0), fingers=True),
]


@pytest.mark.parametrize("build", BUILDS)
def test_limbs_of_any_build_point_where_the_sources_point(build):
    (bones, bone_map), (other, other_map), (_, heads), result = brought(Build(), build)
    for side in ("left", "right"):
        for part, following in LIMBS:
            ours = [bones.index(bone_map.first(f"{side}_{p}")) for p in (following, part)]
            wanted = heads[:, ours[0]] - heads[:, ours[1]]
            ends = [place(result, other, other_map, f"{side}_{p}") for p in (following, part)]
            assert angles(wanted, ends[0] - ends[1]).max() < 1e-6


def test_a_body_twice_the_size_makes_the_same_motion_twice_the_size():
    _, _, (_, heads), result = brought(Build(), Build(size=2.0), target_pose={})
    np.testing.assert_allclose(result.heads, 2.0 * heads[:, list(result.driven)], atol=1e-9)


def test_a_mirrored_motion_is_retargeted_to_the_mirror_image():
    bones, bone_map = humanoid(Build())
    turns, heads = dancing(bones, 20)
    other, other_map = humanoid(BUILDS[0])
    maker = Retargeter(bones, bone_map, posed(other, A_POSE), other_map, OFF)
    swap = [
        bones.index(n.replace("left", "x").replace("right", "left").replace("x", "right"))
        for n in bones.names
    ]
    back = [
        other.index(n.replace("left", "x").replace("right", "left").replace("x", "right"))
        for n in other.names
    ]
    mirrored = maker.whole(
        turns[:, swap] * (1.0, 1.0, -1.0, -1.0), heads[:, swap] * (-1.0, 1.0, 1.0), 30.0
    )
    plain = maker.whole(turns, heads, 30.0)
    rows = [plain.driven.index(back[bone]) for bone in mirrored.driven]
    np.testing.assert_allclose(mirrored.heads, plain.heads[:, rows] * (-1.0, 1.0, 1.0), atol=1e-9)


@pytest.mark.parametrize(("ours", "theirs"), [(3, 1), (1, 3), (2, 5), (5, 2)])
def test_the_last_bone_of_any_spine_turns_as_the_last_of_the_source(ours, theirs):
    source = Build(spine=(1.0,) * ours)
    (bones, _), (other, _), (turns, _), result = brought(source, Build(spine=(1.0,) * theirs))
    last = turns[:, bones.index(f"spine_{ours}")]
    assert quaternion.angle(turn(result, other, f"spine_{theirs}"), last).max() < 1e-6


def test_a_longer_spine_shares_a_bend_evenly():
    bones, bone_map = humanoid(Build(spine=(1.0,), trunk=0.6))
    turns = np.tile(quaternion.IDENTITY, (1, len(bones), 1))
    above = ("spine", "neck", "head", "shoulder", "arm", "hand")
    for row, name in enumerate(bones.names):
        if any(part in name for part in above):
            turns[:, row] = quaternion.from_rotation_vector(np.array([0.9, 0.0, 0.0]))
    other, other_map = humanoid(Build(spine=(1.0, 1.0, 1.0), trunk=0.6))
    result = Retargeter(bones, bone_map, other, other_map, OFF).whole(
        turns, bones.heads[None], 30.0
    )
    bent = [
        quaternion.to_rotation_vector(turn(result, other, f"spine_{k}"))[0, 0] for k in (1, 2, 3)
    ]
    np.testing.assert_allclose(bent, [0.3, 0.6, 0.9], atol=1e-9)


def middle(heads: np.ndarray) -> np.ndarray:
    """(T, 3) between the hip joints, which are the first thigh bones' heads."""
    return 0.5 * (heads[0] + heads[1])


def thighs(result, bones, bone_map) -> list[np.ndarray]:
    return [place(result, bones, bone_map, f"{side}_thigh") for side in ("left", "right")]


def test_hips_go_as_far_as_legs_are_long_and_stand_on_their_own_ankles():
    tall = Build(thigh=0.6, shin=0.5, ankle=0.1)
    (bones, _), target, (_, heads), result = brought(Build(), tall)
    ratio = 1.1 / 0.8075
    source = middle([heads[:, bones.index(f"{side}_thigh")] for side in ("left", "right")])
    found = middle(thighs(result, *target))
    np.testing.assert_allclose(found[:, :2], ratio * source[:, :2], atol=1e-9)
    np.testing.assert_allclose(found[:, 2] - 0.1, ratio * (source[:, 2] - 0.0731), atol=1e-9)


def test_a_given_scale_holds_for_the_way_over_the_floor_alone():
    half = brought(Build(), Build(), RetargetOptions(contacts="off", scale=0.5))
    (_, target, _, whole) = brought(Build(), Build())
    found, usual = middle(thighs(half[3], *target)), middle(thighs(whole, *target))
    np.testing.assert_allclose(found, usual * (0.5, 0.5, 1.0), atol=1e-9)


def test_a_root_bone_carries_the_way_and_the_heading_and_stays_on_the_floor():
    options = RetargetOptions(contacts="off", root="bone")
    _, (other, other_map), _, result = brought(Build(), Build(root=True), options, most=0.2)
    hips, root = place(result, other, other_map, "hips"), place(result, other, other_map, "root")
    assert result.places == (other.index("root"), other.index("hips"))
    np.testing.assert_allclose(root[:, 2], 0.0, atol=1e-12)
    np.testing.assert_allclose(
        root[:, :2], middle(thighs(result, other, other_map))[:, :2], atol=1e-9
    )
    up = quaternion.rotate(turn(result, other, "root"), np.array([0.0, 0.0, 1.0]))
    np.testing.assert_allclose(up, np.tile([0.0, 0.0, 1.0], (len(up), 1)), atol=1e-12)
    assert np.ptp(hips[:, 2]) > 0.01


def test_a_motion_in_place_goes_up_and_down_alone():
    options = RetargetOptions(contacts="off", root="in place")
    _, target, _, result = brought(Build(), Build(), options)
    _, _, _, usual = brought(Build(), Build())
    found, moving = middle(thighs(result, *target)), middle(thighs(usual, *target))
    np.testing.assert_allclose(found[:, :2], 0.0, atol=1e-12)
    np.testing.assert_allclose(found[:, 2], moving[:, 2], atol=1e-12)


def test_a_rig_without_a_root_bone_is_refused_one_to_travel():
    with pytest.raises(PallasError, match="no root bone"):
        brought(Build(), Build(), RetargetOptions(root="bone"))


@pytest.mark.parametrize(
    "lacking",
    [
        Build(feet=False),
        Build(toes=False),
        Build(shoulders=False),
        Build(necks=0),
        Build(spine=()),
    ],
)
@pytest.mark.parametrize("contacts", ["off", "feet", "feet and hands"])
def test_what_a_rig_lacks_is_left_out(lacking, contacts):
    options = RetargetOptions(contacts=contacts)
    for builds in ((Build(), lacking), (lacking, Build())):
        _, _, _, result = brought(*builds, options, frames=20)
        assert np.isfinite(result.rotations).all() and np.isfinite(result.heads).all()
        assert len(result.driven) >= 17


def test_a_bone_without_length_is_turned_as_the_bone_before_it():
    bones, bone_map = humanoid(Build())
    heads, tails = np.array(bones.heads), np.array(bones.tails)
    hand = bones.index("left_hand")
    heads[hand], tails[hand] = (
        heads[bones.index("left_forearm")],
        heads[bones.index("left_forearm")],
    )
    short = Bones(bones.names, bones.parents, bones.rotations, heads, tails)
    turns, places = dancing(bones, 10)
    result = Retargeter(bones, bone_map, short, bone_map, OFF).whole(turns, places, 30.0)
    assert np.isfinite(result.rotations).all()


def twisting(angle: float) -> tuple:
    """A rig whose left upper arm and hand are twisted about the arm, in its T-pose."""
    bones, bone_map = humanoid(Build())
    turns = np.tile(quaternion.IDENTITY, (1, len(bones), 1))
    twist = quaternion.from_rotation_vector(np.array([angle, 0.0, 0.0]))
    for name in ("left_upper_arm", "left_forearm"):
        turns[:, bones.index(name)] = twist
    turns[:, bones.index("left_hand")] = quaternion.multiply(twist, twist)
    return bones, bone_map, turns


@pytest.mark.parametrize(("inline", "own"), [(False, 1.0), (True, 0.0)])
def test_twist_bones_share_the_twist_of_their_limb(inline, own):
    bones, bone_map, turns = twisting(0.8)
    other, other_map = humanoid(Build(twists=True, inline=inline))
    other = rolled(other, 5)
    maker = Retargeter(bones, bone_map, other, other_map, OFF)
    result = maker.whole(turns, bones.heads[None], 30.0)
    names = ("upper_arm", "upper_arm_twist", "forearm", "forearm_twist", "hand")
    found = [quaternion.to_rotation_vector(turn(result, other, f"left_{n}"))[0, 0] for n in names]
    half = 1.0 if inline else 0.5
    np.testing.assert_allclose(found, 0.8 * np.array([own, half, 1.0, 1.0 + half, 2.0]), atol=1e-6)


def test_twist_bones_beside_their_limb_s_line_carry_the_next_joint_to_its_place():
    bones, bone_map = humanoid(Build())
    turns, heads = dancing(bones, 20)
    other, other_map = humanoid(Build(twists=True, inline=True))
    places = np.array(other.heads)
    for row, name in enumerate(other.names):
        places[row] += (0.0, 0.01, 0.004) if name.endswith("_twist") else 0.0
    other = Bones(other.names, other.parents, other.rotations, places, other.tails)
    result = Retargeter(bones, bone_map, other, other_map, OFF).whole(turns, heads, 30.0)
    driven = list(result.driven)
    for place, bone in enumerate(driven):
        if (parent := other.parents[bone]) in driven:
            step = quaternion.rotate(
                turn(result, other, other.names[parent]), places[bone] - places[parent]
            )
            carried = result.heads[:, driven.index(parent)] + step
            np.testing.assert_allclose(result.heads[:, place], carried, atol=1e-9)


def test_twist_bones_stay_as_they_are_where_that_is_asked():
    options = RetargetOptions(contacts="off", twist=False)
    _, (other, _), _, result = brought(Build(), Build(twists=True), options)
    assert not any("twist" in other.names[bone] for bone in result.driven)


def test_fingers_stay_as_they_are_where_that_is_asked():
    options = RetargetOptions(contacts="off", fingers=False)
    build = Build(fingers=True)
    _, (other, _), _, result = brought(build, build, options)
    assert not any("index" in other.names[bone] for bone in result.driven)


def test_a_gap_in_the_motion_is_named():
    bones, bone_map = humanoid(Build())
    turns, heads = dancing(bones, 4)
    turns[2, bones.index("left_shin"), 1] = np.nan
    with pytest.raises(PallasError, match=r"frame 2 of bone 'left_shin' has no finite rotation"):
        Retargeter(bones, bone_map, bones, bone_map).whole(turns, heads, 30.0)


def test_a_motion_without_frames_is_refused():
    bones, bone_map = humanoid(Build())
    turns, heads = dancing(bones, 1)
    with pytest.raises(PallasError, match="no frames"):
        Retargeter(bones, bone_map, bones, bone_map).whole(turns[:0], heads[:0], 30.0)


def test_a_bone_with_two_roles_is_refused():
    bones, bone_map = humanoid(Build())
    twice = BoneMap({**bone_map.bones, "root": ("hips",)})
    with pytest.raises(PallasError, match="'hips' is both hips and root"):
        Retargeter(bones, bone_map, bones, twice)


def test_a_map_without_hips_or_of_another_rig_is_refused():
    bones, bone_map = humanoid(Build())
    without = BoneMap({role: names for role, names in bone_map.bones.items() if role != "hips"})
    with pytest.raises(PallasError, match="the target has no hips"):
        Retargeter(bones, bone_map, bones, without)
    with pytest.raises(PallasError, match="no bone 'pelvis'"):
        Retargeter(bones, BoneMap({"hips": ("pelvis",)}), bones, bone_map)


@pytest.mark.parametrize("wrong", [{"contacts": "hands"}, {"root": "feet"}, {"scale": -1.0}])
def test_options_that_mean_nothing_are_refused(wrong):
    with pytest.raises(PallasError, match="expected"):
        RetargetOptions(**wrong)
