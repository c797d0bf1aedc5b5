"""What touches keeps touching on another body: feet their floor, hands what they hold."""

import tarfile

import numpy as np
import pytest
from humanoids import A_POSE, Build, humanoid, posed, reaching, rolled

from pallas.capture import read_amc
from pallas.rig import quaternion
from pallas.rig.retarget import (
    BoneMap,
    Bones,
    Retargeter,
    RetargetOptions,
    SourceMotion,
    match_bones,
)

FPS = 60.0
OTHER = Build(thigh=0.36, shin=0.44, ankle=0.11, upper_arm=0.22, forearm=0.26, shoulders_wide=0.24)
SIDES = ("left", "right")


def swaying(frames: int = 120) -> np.ndarray:
    """(T, 3) metres of a body that bends its knees and leans to its sides."""
    time = np.linspace(0.0, 2.0 * np.pi, frames)
    return np.stack(
        [0.08 * np.sin(time), 0.05 * np.cos(2.0 * time), -0.12 + 0.06 * np.sin(3.0 * time)], axis=-1
    )


def standing_body(wrists=None, hips=None, floor: float = 0.0):
    """A source that sways over feet that stand."""
    bones, bone_map = humanoid(Build())
    hips = swaying() if hips is None else hips
    up = np.array([0.0, 0.0, floor])
    feet = bones.heads[[bones.index(f"{side}_foot") for side in SIDES]]
    turns, heads = reaching(bones, hips, np.tile(feet, (len(hips), 1, 1)), wrists)
    return (bones, bone_map), (turns, heads + up)


def brought(source, motion, contacts, build=OTHER, told=None):
    bones, bone_map = humanoid(build)
    target = rolled(posed(bones, A_POSE), 4)
    maker = Retargeter(*source, target, bone_map, RetargetOptions(contacts=contacts))
    return maker, maker.whole(*motion, FPS, told)


def steps(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(points, axis=0), axis=-1)


def test_feet_that_stand_do_not_slide_on_other_legs():
    source, motion = standing_body()
    _, off = brought(source, motion, "off")
    maker, on = brought(source, motion, "feet")
    assert on.contacts.all()
    for foot, side in enumerate(SIDES):
        limb, before = on.limbs[f"{side}_leg"], off.limbs[f"{side}_leg"]
        assert steps(before.end).max() > 1e-3
        assert steps(limb.end).max() < 1e-4 and steps(limb.ball).max() < 1e-4
        np.testing.assert_allclose(limb.end[:, 2], maker.target.soles[foot], atol=1e-4)


def test_the_bones_of_a_planted_leg_lead_to_its_targets_and_the_trunk_stays_as_it_was():
    source, motion = standing_body()
    maker, on = brought(source, motion, "feet")
    _, off = brought(source, motion, "off")
    target = maker.target.bones
    for name, part in (("left_leg", "left_foot"), ("right_arm", "right_hand")):
        row = on.driven.index(target.index(part))
        np.testing.assert_allclose(on.limbs[name].end, on.heads[:, row], atol=1e-9)
        assert quaternion.angle(on.limbs[name].rotation, on.rotations[:, row]).max() < 1e-6
    above = [
        k
        for k, b in enumerate(on.driven)
        if target.names[b].startswith(("spine", "head", "left_upper"))
    ]
    assert quaternion.angle(on.rotations[:, above], off.rotations[:, above]).max() < 1e-9


def test_a_motion_on_a_floor_elsewhere_stands_on_that_floor():
    low, high = (standing_body(floor=floor) for floor in (0.0, 0.4))
    first, second = (brought(*each, "feet")[1] for each in (low, high))
    up = np.broadcast_to([0.0, 0.0, 0.4], first.heads.shape)
    np.testing.assert_allclose(second.heads - first.heads, up, atol=1e-6)


def test_feet_stand_where_that_is_told():
    source, motion = standing_body()
    contacts = np.zeros((120, 2), dtype=bool)
    contacts[:, 0] = True
    _, on = brought(source, motion, "feet", told=contacts)
    assert steps(on.limbs["left_leg"].end).max() < 1e-4
    assert steps(on.limbs["right_leg"].end).max() > 3e-4


def test_heels_rise_and_hips_come_down_where_a_standing_leg_is_too_short():
    hips = swaying() * (2.5, 1.0, 0.0)  # straight legs, leaning far out
    source, motion = standing_body(hips=hips)
    _, on = brought(source, motion, "feet", Build(hips_wide=0.02))
    for foot, side in enumerate(SIDES):
        assert steps(on.limbs[f"{side}_leg"].ball)[on.contacts[1:, foot]].max() < 1e-3


def test_knees_point_forward_and_elbows_back_whatever_the_limb():
    bones, bone_map = humanoid(Build())
    turns = np.tile(quaternion.IDENTITY, (1, len(bones), 1))
    maker = Retargeter(bones, bone_map, posed(bones, {}, np.pi / 2), bone_map)
    limbs = maker.whole(turns, bones.heads[None], FPS).limbs
    for side in SIDES:
        np.testing.assert_allclose(limbs[f"{side}_leg"].pole, [[0.0, -1.0, 0.0]], atol=1e-6)
        np.testing.assert_allclose(limbs[f"{side}_arm"].pole, [[0.0, 1.0, 0.0]], atol=1e-6)


def test_hands_that_meet_meet_on_wider_shoulders_and_shorter_arms():
    together = np.array([[0.03, -0.3, 1.15], [-0.03, -0.3, 1.15]])
    hips = np.tile([0.0, 0.0, -0.05], (30, 1))
    source, motion = standing_body(np.tile(together, (30, 1, 1)), hips)
    gaps = {}
    for contacts in ("feet", "feet and hands"):
        _, result = brought(source, motion, contacts)
        gaps[contacts] = result.limbs["left_arm"].end[0] - result.limbs["right_arm"].end[0]
    ratio = 0.80 / 0.8075
    assert np.linalg.norm(gaps["feet"]) > 0.15
    np.testing.assert_allclose(gaps["feet and hands"], [0.06 * ratio, 0.0, 0.0], atol=1e-3)


def test_arms_that_hang_are_left_to_hang():
    source, motion = standing_body()
    _, on = brought(source, motion, "feet and hands")
    _, off = brought(source, motion, "feet")
    assert quaternion.angle(on.rotations, off.rotations).max() < 1e-9


def test_a_hand_that_holds_on_while_the_body_moves_stays_where_it_is():
    hips = swaying() * (1.0, 2.0, 1.0)
    rail = np.tile([[0.3, -0.4, 1.1], [-0.3, -0.4, 1.1]], (120, 1, 1))
    source, motion = standing_body(rail, hips)
    moved = {}
    for contacts in ("feet", "feet and hands"):
        _, result = brought(source, motion, contacts)
        moved[contacts] = steps(result.limbs["left_arm"].end).max()
    assert moved["feet"] > 2e-3
    assert moved["feet and hands"] < 1e-4


@pytest.fixture(scope="module")
def walk(data, tmp_path_factory):
    """A walk of the CMU library and its map."""
    folder = tmp_path_factory.mktemp("cmu")
    wanted = ["02.asf", "02_01.amc"]
    with tarfile.open(data("motion/cmu.tar.xz")) as archive:
        for member in archive:
            name = member.name.split("/")[-1]
            if name in wanted:
                (folder / name).write_bytes(archive.extractfile(member).read())
                wanted.remove(name)
            if not wanted:
                break
    motion = SourceMotion.of_motion(read_amc(folder / "02.asf", folder / "02_01.amc"))
    found = dict(match_bones(motion.bones).bones)
    found |= {f"{side}_hand": (f"{side[0]}hand",) for side in SIDES}
    return motion.clipped(0, len(motion), 2), BoneMap(found)


def aimed(
    result, target: Bones, target_map: BoneMap, motion: SourceMotion, own: BoneMap
) -> np.ndarray:
    """Angles in degrees between limb bones of both rigs."""
    found = []
    for side in SIDES:
        for part, end in (
            ("upper_arm", "forearm"),
            ("forearm", "hand"),
            ("thigh", "shin"),
            ("shin", "foot"),
        ):
            rows = [motion.bones.index(own.first(f"{side}_{p}")) for p in (part, end)]
            there = [
                result.driven.index(target.index(target_map.first(f"{side}_{p}")))
                for p in (part, end)
            ]
            wanted = motion.heads[:, rows[1]] - motion.heads[:, rows[0]]
            is_ = result.heads[:, there[1]] - result.heads[:, there[0]]
            sine = np.linalg.norm(np.cross(wanted, is_), axis=-1)
            found.append(np.degrees(np.arctan2(sine, (wanted * is_).sum(-1))))
    return np.concatenate(found)


@pytest.mark.parametrize("build", [OTHER, Build(size=0.6, thigh=0.3), Build(size=1.5, ankle=0.15)])
def test_a_recorded_walk_keeps_its_directions_and_its_feet_on_any_body(walk, build):
    motion, own = walk
    bones, bone_map = humanoid(build)
    target = rolled(posed(bones, A_POSE), 4)
    both = {}
    for contacts in ("off", "feet"):
        maker = Retargeter(motion.bones, own, target, bone_map, RetargetOptions(contacts=contacts))
        both[contacts] = maker.whole(motion.rotations, motion.heads, motion.fps)
    assert aimed(both["off"], target, bone_map, motion, own).max() < 1e-3
    contacts = both["feet"].contacts
    assert 0.3 < contacts.mean() < 0.8
    worst = {}
    for mode, result in both.items():
        slid = []
        for foot, side in enumerate(SIDES):
            planted = contacts[1:, foot] & contacts[:-1, foot]
            soles = maker.target.soles[[foot, 2 + foot]]
            slid.append(standing_steps(result.limbs[f"{side}_leg"], *soles)[planted])
        worst[mode] = np.concatenate(slid).max()
    assert worst["feet"] < 1e-3 < worst["off"]
    turned = aimed(both["feet"], target, bone_map, motion, own).reshape(2, 4, -1)[:, 2:]
    assert np.median(turned) < 0.5
    assert turned.max() < 15.0
    assert aimed(both["feet"], target, bone_map, motion, own).reshape(2, 4, -1)[:, :2].max() < 1e-3


def standing_steps(limb, ankle: float, ball: float) -> np.ndarray:
    """Metres over ground of the ball, or of the heel under the ankle where the foot is on it."""
    foot = limb.ball - limb.end
    length = np.linalg.norm(foot, axis=-1)
    up = np.arcsin(foot[:, 2] / length) + np.arcsin((ankle - ball) / length)
    over = foot[:, :2] / np.linalg.norm(foot[:, :2], axis=-1, keepdims=True)
    heel = limb.end[:, :2] + ankle * np.sin(up)[:, None] * over
    on_heel = up > np.radians(1.0)
    both = steps(heel), steps(limb.ball[:, :2])
    held = np.where(on_heel[1:], *both)
    return np.where(on_heel[1:] == on_heel[:-1], held, np.minimum(*both))
