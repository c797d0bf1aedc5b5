"""Presets: whole, different from each other, and recognised on the rigs that they are of."""

from pathlib import Path

import pytest
from retarget_rigs import embedded_rig, glb_rig, mpfb_rig, truth

from pallas.rig.errors import SceneError
from pallas.rig.retarget import PRESETS, ROLES, fit_preset, preset, recognised
from pallas.rig.retarget.presets import preset_controls, preset_decides, preset_title

FOLDER = Path(__file__).resolve().parent.parent.parent.parent / "rig" / "retarget" / "presets"
# The names of these are another's too; what else such a rig has tells them apart.
ALIKE = {"smpl_x": {"smpl_h"}, "pallas": {"smpl"}, "cmu_bvh": {"mpfb_cmu_mb"}}


def names_of(bone_map):
    return [bone for own in bone_map.bones.values() for bone in own]


def test_every_preset_is_a_file_and_every_file_a_preset():
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_known_roles_to_bones_that_it_names_once(name):
    known = preset(name)
    names = names_of(known)
    assert set(known.bones) <= set(ROLES)
    assert len(names) == len(set(names))
    assert known.rig == name
    assert preset_title(name)
    assert preset_decides(name) <= set(known.bones)
    for role in known.bones:
        if role.startswith("left_"):
            assert role.replace("left", "right") in known.bones


@pytest.mark.parametrize("name", PRESETS)
def test_a_rig_with_a_preset_s_names_is_recognised_as_it(name):
    assert recognised(names_of(preset(name))) in {name} | ALIKE.get(name, set())


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("smpl_x", ("jaw", "left_eye_smplhf", "right_eye_smplhf")),
        ("smpl_x", ("jaw", "left_eye", "right_eye")),  # of the Meshcapade add-on
        ("cmu_bvh", ("LHipJoint", "RHipJoint", "LeftHandIndex1", "RightHandIndex1")),
    ],
)
def test_bones_without_a_role_tell_presets_apart(name, more):
    assert recognised([*names_of(preset(name)), *more]) == name


@pytest.mark.parametrize(
    ("rig", "name"),
    [
        ("default", "mpfb_default"),
        ("default_no_toes", "mpfb_default"),
        ("cmu_mb", "mpfb_cmu_mb"),
        ("game_engine", "mpfb_game_engine"),
        ("mixamo", "mixamo"),
        ("mixamo_unity", "mpfb_mixamo"),
        ("human", "rigify_metarig"),
    ],
)
def test_the_rigs_of_mpfb_are_recognised_and_fit_their_preset(data, rig, name):
    bones = mpfb_rig(data(f"rigs/mpfb/rig.{rig}.json"))
    assert recognised(bones.names) == name
    fitted = fit_preset(name, bones.names)
    if rig != "human":  # it has one vertebra more than Rigify's own
        assert dict(fitted.bones) == truth(f"mpfb {rig}")
    assert sorted([*names_of(fitted), *fitted.unmapped]) == sorted(bones.names)


def test_the_knight_and_the_embedded_character_are_recognised(data):
    knight = glb_rig(data("rigs/kaykit/Knight.glb"))
    assert recognised(knight.names) == "kaykit"
    assert dict(fit_preset("kaykit", knight.names).bones) == truth("kaykit")
    assert recognised(embedded_rig().names) == "mixamo"
    assert dict(fit_preset("mixamo", embedded_rig().names).bones) == truth("embedded")


def test_a_preset_fits_under_another_prefix():
    bare = [name.removeprefix("mixamorig:") for name in embedded_rig().names]
    assert recognised(bare) == "mixamo"
    assert fit_preset("mixamo", bare).first("left_thigh") == "LeftUpLeg"
    male = [f"m_avg_{name}" for name in names_of(preset("smpl_fbx"))]
    assert recognised(male) == "smpl_fbx"


def test_other_names_are_not_recognised():
    assert recognised([]) is None
    assert recognised([f"bone_{i}" for i in range(60)]) is None
    assert recognised(["Hips", "Spine", "Head"]) is None


def test_a_rig_that_lacks_bones_gets_the_rest_of_the_preset():
    names = [name for name in embedded_rig().names if "Thumb" not in name]
    fitted = fit_preset("mixamo", names)
    assert "left_thumb_1" not in fitted.bones
    assert len(fitted.bones) == len(truth("embedded")) - 6


def test_the_controls_of_rigify_name_poles_and_switches():
    controls = preset_controls("rigify_ik")
    assert controls["left_knee_pole"] == "thigh_ik_target.L"
    assert controls["right_elbow_pole"] == "upper_arm_ik_target.R"
    assert controls["left_leg_switch"] == "thigh_parent.L"
    assert preset_controls("mixamo") == {}


def test_a_preset_that_does_not_exist_or_fit_is_told():
    with pytest.raises(SceneError, match="no preset 'maya'.*mixamo"):
        preset("maya")
    with pytest.raises(SceneError, match="none of the rig's 2 bones is named as in Mixamo"):
        fit_preset("mixamo", ["a", "b"])
