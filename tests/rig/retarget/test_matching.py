"""Automatic bone maps: right on every rig at hand, by names and by structure, and never a quiet guess."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from retarget_rigs import (
    TABLES,
    bones_of,
    embedded_rig,
    glb_rig,
    mpfb_rig,
    renamed,
    rig_of_map,
    truth,
    with_extra,
    without,
)

from pallas.capture.bvh import read_bvh
from pallas.rig.errors import PallasError, SceneError
from pallas.rig.retarget import PRESETS, ROLES, BoneMap, Bones, match_bones, preset
from pallas.rig.retarget.naming import read_name

MPFB = (
    "default", "default_no_toes", "cmu_mb", "game_engine", "game_engine_with_breast", "mixamo",
    "mixamo_unity", "human", "human_toes", "openpose",
)  # fmt: skip
RIGS = (*(f"mpfb {name}" for name in MPFB), "kaykit", "embedded")


@pytest.fixture
def rig(data):
    def load(name):
        if name == "embedded":
            return embedded_rig()
        if name == "kaykit":
            return glb_rig(data("rigs/kaykit/Knight.glb"))
        return mpfb_rig(data(f"rigs/mpfb/rig.{name.removeprefix('mpfb ')}.json"))

    return load


@pytest.mark.parametrize("presets", [False, True], ids=["without presets", "with presets"])
@pytest.mark.parametrize("name", RIGS)
def test_every_bone_of_a_rig_gets_the_role_that_a_person_gives_it(rig, name, presets):
    bones = rig(name)
    found = match_bones(bones, presets=presets)
    assert dict(found.bones) == truth(name)
    mapped = {bone for own in found.bones.values() for bone in own}
    assert set(found.unmapped) == set(bones.names) - mapped
    assert set(found.confidence) == mapped


# Roles that places can't tell: a root that isn't on the floor in the file, a hand of two bones.
UNTOLD = {
    "mpfb game_engine": {"root"},
    "mpfb game_engine_with_breast": {"root"},
    "mpfb mixamo_unity": {"root"},
    "mpfb cmu_mb": {"left_thumb_1", "right_thumb_1"},
}


@pytest.mark.parametrize("name", ["embedded", *(f"mpfb {n}" for n in MPFB if n != "openpose")])
def test_a_rig_with_meaningless_names_is_mapped_by_structure_with_less_confidence(rig, name):
    bones = rig(name)
    plain = {f"bone_{i:03d}": told for i, told in enumerate(bones.names)}
    found = match_bones(renamed(bones, plain))
    expected = {r: own for r, own in truth(name).items() if r not in UNTOLD.get(name, ())}
    got = {role: tuple(plain[bone] for bone in own) for role, own in found.bones.items()}
    if name in ("mpfb default", "mpfb human_toes"):  # one of five toes, whichever
        for roles in (expected, got):
            roles.pop("left_toe"), roles.pop("right_toe")
    assert got == expected
    assert max(found.confidence.values()) < 0.5


def test_confidence_is_high_where_names_are_clear(rig):
    assert min(match_bones(rig("embedded"), presets=False).confidence.values()) > 0.9


@pytest.mark.parametrize("in_chain", [False, True], ids=["twists beside", "twists in the chain"])
@pytest.mark.parametrize(
    # Rigify's IK controls have no limbs, SlimeVR's trunk hangs from the head, CMU's BVH files call the
    # forearm's twist a hand: there the presets know better.
    "name", [n for n in PRESETS if n not in ("rigify_ik", "slimevr", "cmu_bvh")]
)  # fmt: skip
def test_names_of_every_style_are_matched_as_their_preset_says(name, in_chain):
    if name == "cmu_asf" and not in_chain:
        pytest.skip("the forearm of Acclaim files turns at a bone in its chain")
    known = preset(name)
    found = match_bones(rig_of_map(known, twists_in_chain=in_chain), presets=False)
    assert dict(found.bones) == dict(known.bones)
    assert found.unmapped == ()


@pytest.mark.parametrize("style", json.loads((TABLES / "styles.json").read_text(encoding="utf-8")))
def test_names_of_styles_without_a_preset_are_matched(style):
    known = BoneMap(truth(style, "styles.json"))
    found = match_bones(rig_of_map(known))
    assert dict(found.bones) == dict(known.bones)


def test_the_preset_decides_where_the_names_of_cmu_mislead():
    fingers = {f"{s}HandIndex1": f"{s}FingerBase" for s in ("Left", "Right")}
    bones = with_extra(rig_of_map(preset("cmu_bvh"), twists_in_chain=True), fingers)
    assert match_bones(bones, presets=False).first("left_hand") == "LeftHand"
    found = match_bones(bones)
    assert found.rig == "cmu_bvh"
    assert found.first("left_hand") == "LeftFingerBase"
    assert found.bones["left_forearm_twist"] == ("LeftHand",)


def test_slimevr_s_trunk_that_hangs_from_the_head_is_its_preset_s(data):
    recording = next(data("imu/slimevr_bvh").glob("*.bvh"))
    bones = Bones.of_skeleton(read_bvh(recording).skeleton)
    by_names = match_bones(bones, presets=False)
    assert by_names.first("hips") == "Hip"
    assert by_names.bones["spine"] == ("Waist", "Chest")
    assert by_names.first("head") == "Head"
    found = match_bones(bones)
    assert found.rig == "slimevr"
    assert dict(found.bones) == dict(preset("slimevr").bones)


@pytest.mark.parametrize(
    ("name", "side", "part"),
    [
        ("LeftUpLeg", "left", "thigh"),
        ("thigh.L", "left", "thigh"),
        ("L_Thigh", "left", "thigh"),
        ("Bip01 R Calf", "right", "shin"),
        ("ValveBiped.Bip01_R_Clavicle", "right", "shoulder"),
        ("mixamorig:RightForeArm", "right", "forearm"),
        ("lThighBend", "left", "thigh"),
        ("rShldrTwist", "right", "upper_arm"),
        ("J_Bip_L_UpperLeg", "left", "thigh"),
        ("CC_Base_R_Upperarm", "right", "upper_arm"),
        ("DEF-upper_arm.R.001", "right", "upper_arm"),
        ("lfemur", "left", "thigh"),
        ("upperarm_twist_01_r", "right", "upper_arm"),
        ("l_indexmetacarpal", "left", "index"),
        ("LEFT_KNEE", "left", "shin"),
        ("forearm_stretch.l", "left", "forearm"),
        ("leftLowerArm", "left", "forearm"),
        ("Character1_LeftHandIndex2", "left", "index"),
        ("T12", "", "spine"),
        ("L5", "", "spine"),
        ("CC_Base_NeckTwist01", "", "neck"),
        ("upperChest", "", "spine"),
    ],
)
def test_a_name_tells_side_and_part_in_every_common_style(name, side, part):
    reading = read_name(name)
    assert reading.side == side
    assert max(reading.parts, key=reading.parts.get) == part


@pytest.mark.parametrize(
    "name",
    ["foot_ik.L", "MCH-thigh.L", "kneeIK.l", "upper_arm_ik_target.R", "HeadTop_End", "handslot.l",
     "Bip01 HeadNub", "LeftLegPoleTarget", "f_index.01_master.L", "VIS_thigh_ik_pole.L"],
)  # fmt: skip
def test_bones_that_move_or_end_others_are_no_part_of_the_body(name):
    assert read_name(name).helper


def test_extra_bones_are_listed_and_never_taken():
    known = preset("mixamo")
    extra = {
        "mixamorig:HeadTop_End": "mixamorig:Head",
        "mixamorig:LeftToe_End": "mixamorig:LeftToeBase",
        "mixamorig:LeftEye": "mixamorig:Head",
        "mixamorig:LeftHandIndex4": "mixamorig:LeftHandIndex3",
        "IK_LeftFoot": None,
        "LeftKneePole": None,
        "Cape_01": "mixamorig:Spine2",
    }
    found = match_bones(with_extra(rig_of_map(known), extra), presets=False)
    assert dict(found.bones) == dict(known.bones)
    assert set(found.unmapped) == set(extra)


def test_left_stays_left_when_a_nameless_rig_faces_backwards():
    bones = embedded_rig()
    turn = np.array((-1.0, -1.0, 1.0))  # half a turn about z
    turned = Bones(
        tuple(f"b{i}" for i in range(len(bones))),
        bones.parents,
        bones.rotations,
        bones.heads * turn,
        bones.tails * turn,
    )
    found = match_bones(turned)
    arm = found.first("left_upper_arm")
    assert bones.names[turned.index(arm)] == "mixamorig:LeftArm"


def test_a_rig_without_feet_is_mapped_and_lacks_them():
    bones = embedded_rig()
    feet = {f"mixamorig:{s}{part}" for s in ("Left", "Right") for part in ("Foot", "ToeBase")}
    found = match_bones(without(bones, feet), presets=False)
    assert found.first("left_shin") == "mixamorig:LeftLeg"
    assert {"left_foot", "left_toe", "right_foot", "right_toe"} & set(found.bones) == set()


def test_a_rig_without_fingers_is_mapped_and_lacks_them():
    bones = embedded_rig()
    fingers = {n for n in bones.names if "Hand" in n and n[-1].isdigit()}
    found = match_bones(without(bones, fingers), presets=False)
    assert found.first("right_hand") == "mixamorig:RightHand"
    assert not any("index" in role or "thumb" in role for role in found.bones)


def test_a_rig_without_arms_is_mapped_and_lacks_them():
    bones = embedded_rig()
    arms = {n for n in bones.names if any(w in n for w in ("Shoulder", "Arm", "Hand"))}
    found = match_bones(without(bones, arms), presets=False)
    assert found.bones["spine"] == truth("embedded")["spine"]
    assert found.first("head") == "mixamorig:Head"
    assert "left_upper_arm" not in found.bones


@pytest.mark.parametrize("known_names", [True, False])
def test_bones_without_length_do_not_disturb_the_match(known_names):
    bones = embedded_rig()
    flat = Bones(bones.names, bones.parents, bones.rotations, bones.heads, bones.heads.copy())
    if not known_names:
        flat = renamed(flat, [f"b{i}" for i in range(len(bones))])
        assert len(match_bones(flat).bones) == len(truth("embedded"))
    else:
        assert dict(match_bones(flat, presets=False).bones) == truth("embedded")


def test_names_alone_are_enough_when_every_bone_is_at_the_origin():
    bones = embedded_rig()
    nowhere = np.zeros_like(bones.heads)
    flat = Bones(bones.names, bones.parents, bones.rotations, nowhere, nowhere)
    assert dict(match_bones(flat, presets=False).bones) == truth("embedded")


def test_a_person_who_lies_on_the_floor_is_no_animal():
    bones = embedded_rig()
    lying = bones.heads[:, [0, 2, 1]], bones.tails[:, [0, 2, 1]]
    found = match_bones(Bones(bones.names, bones.parents, bones.rotations, *lying), presets=False)
    assert dict(found.bones) == truth("embedded")


def test_bones_that_are_no_body_are_refused_with_what_is_expected():
    chain = bones_of(
        [(f"link{i}", f"link{i - 1}" if i else None, (0, 0, i), (0, 0, i + 1)) for i in range(9)]
    )
    with pytest.raises(SceneError, match="no pair of legs.*hips, thighs and shins"):
        match_bones(chain)


def test_no_bones_at_all_are_refused():
    empty = np.empty((0, 3))
    with pytest.raises(SceneError, match="no pair of legs"):
        match_bones(Bones((), (), np.empty((0, 4)), empty, empty))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_tree_of_bones_is_matched_or_refused_in_one_line(data):
    count = data.draw(st.integers(1, 30))
    words = st.sampled_from(
        ["LeftLeg", "thigh.L", "thigh.R", "shin.L", "shin.R", "spine", "hips", "Head", "hand_l", "x", "ik",
         "finger1-1.L", "left", "", "DEF-thigh.L", "toe.L", "ORG-spine", "123", "LHip", "RHip"]
    )  # fmt: skip
    names = tuple(f"{data.draw(words)}.{i:03d}" for i in range(count))
    parents = tuple(data.draw(st.integers(-1, i - 1)) for i in range(count))
    number = st.floats(-2, 2) | st.just(float("nan"))
    heads = np.array([[data.draw(st.floats(-2, 2)) for _ in range(3)] for _ in range(count)])
    tails = np.array([[data.draw(number) for _ in range(3)] for _ in range(count)])
    bones = Bones(names, parents, np.tile((1.0, 0, 0, 0), (count, 1)), heads, tails)
    try:
        found = match_bones(bones)
    except PallasError as error:
        assert "\n" not in str(error)
        return
    mapped = [bone for own in found.bones.values() for bone in own]
    assert set(found.bones) <= set(ROLES)
    assert len(mapped) == len(set(mapped))
    assert sorted([*mapped, *found.unmapped]) == sorted(names)


def test_matching_two_hundred_bones_is_quick(rig):
    bones = rig("mpfb human_toes")
    for names in (bones.names, [f"b{i}" for i in range(len(bones))]):
        same = renamed(bones, names)
        match_bones(same)
        took = []
        for _ in range(3):
            start = time.process_time()
            match_bones(same)
            took.append(time.process_time() - start)
        assert min(took) < 0.05
