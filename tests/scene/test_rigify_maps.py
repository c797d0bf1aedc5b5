"""Bone maps that name a generated Rigify rig's controls or skin are maps of that rig."""

import json
from dataclasses import replace

import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from blender_rigs import append_rigify, write_rigify  # noqa: E402

from pallas.rig import SceneError  # noqa: E402
from pallas.rig.errors import FormatError  # noqa: E402
from pallas.rig.retarget import fit_preset, load_map, match_bones, preset, save_map  # noqa: E402
from pallas.rig.retarget.map_file import bone_map_from_text  # noqa: E402
from pallas.scene.retarget_target import read_target  # noqa: E402


@pytest.fixture(scope="module", params=["basic_human", "human"])
def target(request, tmp_path_factory):
    path = write_rigify(tmp_path_factory.mktemp("rigify") / "rig.blend", request.param)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return read_target(append_rigify(path))


def told(**bones):
    table = {"format": "pallas bone map", "version": 1}
    return json.dumps({**table, "bones": {role: list(own) for role, own in bones.items()}})


@pytest.mark.parametrize("terms", ["rigify_fk", "rigify_ik", "rigify_def"])
def test_a_preset_s_map_is_the_rig_s_own(target, tmp_path, terms):
    save_map(tmp_path / "map.json", fit_preset(terms, target.rig.rest.names))
    found = load_map(tmp_path / "map.json", target.bones)
    assert found.bones == match_bones(target.bones).bones
    assert set(found.confidence.values()) == {0.99}
    assert found.unmapped == ()


def test_a_metarig_s_map_is_its_generated_rig_s_but_for_the_root(target, tmp_path):
    own = dict(match_bones(target.bones).bones)
    own.pop("root")
    written = preset("rigify_metarig")
    there = {role: names for role, names in written.bones.items() if role in own}
    save_map(tmp_path / "map.json", replace(written, bones=there))
    assert load_map(tmp_path / "map.json", target.bones).bones == own


def test_what_a_person_changed_stays_changed(target):
    """No left hand, a spine of one control, a forearm where the hand would be."""
    found = bone_map_from_text(
        told(hips=["torso"], spine=["spine_fk.001"], right_hand=["DEF-forearm.R"]), target.bones
    )
    assert found.bones == {
        "hips": ("ORG-spine",),
        "spine": ("ORG-spine.001",),
        "right_hand": ("ORG-forearm.R",),
    }


def test_an_ik_hand_stands_for_its_arm_unless_the_map_has_one(target):
    whole = bone_map_from_text(told(hips=["torso"], left_hand=["hand_ik.L"]), target.bones)
    assert whole.bones["left_upper_arm"] == ("ORG-upper_arm.L",)
    assert whole.bones["left_forearm"] == ("ORG-forearm.L",)
    own = told(hips=["torso"], left_forearm=["forearm_fk.L"], left_hand=["hand_ik.L"])
    assert "left_upper_arm" not in bone_map_from_text(own, target.bones).bones


def test_two_controls_of_one_bone_are_told(target):
    twice = told(hips=["torso"], left_forearm=["DEF-hand.L"], left_hand=["hand_ik.L"])
    with pytest.raises(FormatError, match=r"ORG-hand\.L' to left_forearm and left_hand"):
        bone_map_from_text(twice, target.bones)


def test_a_map_of_another_rig_is_still_refused(target):
    with pytest.raises(SceneError, match=r"for another rig: 1 of its 2 bones .*\(mixamorig:Hips\)"):
        bone_map_from_text(told(hips=["mixamorig:Hips"], head=["DEF-spine.006"]), target.bones)
