"""Automatic bone maps of Rigify's rigs, which Blender makes: the metarig, the generated rig, its animals."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from retarget_rigs import bones_of, renamed, truth, with_extra

from pallas.rig.errors import SceneError
from pallas.rig.retarget import fit_preset, match_bones, recognised
from pallas.rig.retarget.presets import preset_controls

pytestmark = pytest.mark.blender

SCRIPT = """
import bpy, json, os, sys
import addon_utils
bpy.ops.wm.read_factory_settings(use_empty=True)
addon_utils.enable("rigify", default_set=True)
def bones():
    return [(b.name, b.parent.name if b.parent else None, list(b.head_local), list(b.tail_local))
            for b in bpy.context.object.data.bones]
rigs = {}
for kind in ("basic_human", "human", "basic_quadruped", "wolf", "horse", "cat"):
    getattr(bpy.ops.object, f"armature_{kind}_metarig_add")()
    rigs[kind] = bones()
bpy.ops.object.armature_human_metarig_add()
before = set(bpy.data.objects)
bpy.ops.object.mode_set(mode="EDIT")
edit = bpy.context.object.data.edit_bones
for name in [b.name for b in edit["face"].children_recursive] + ["face"]:
    edit.remove(edit[name])  # its controls take long to make
bpy.ops.object.mode_set(mode="OBJECT")
from rigify.generate import generate_rig
generate_rig(bpy.context, bpy.context.object)
made = [o for o in set(bpy.data.objects) - before if o.type == "ARMATURE"][0]
bpy.context.view_layer.objects.active = made
rigs["generated"] = bones()
with open(sys.argv[1], "w") as out:
    json.dump(rigs, out)
print("DONE", flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def rigify(tmp_path_factory):
    """Rigify's rigs, made in a process of its own: it can hang when the interpreter ends."""
    pytest.importorskip("bpy")
    path = tmp_path_factory.mktemp("rigify") / "rigs.json"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)],
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert "DONE" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    rigs = json.loads(path.read_text(encoding="utf-8"))
    return {kind: bones_of(rows) for kind, rows in rigs.items()}


@pytest.mark.parametrize("presets", [False, True])
def test_the_metarig_is_mapped(rigify, presets):
    found = match_bones(rigify["human"], presets=presets)
    assert dict(found.bones) == truth("rigify_metarig")
    assert recognised(rigify["human"].names) == "rigify_metarig"


def test_the_metarig_is_mapped_by_structure_alone(rigify):
    bones = rigify["human"]
    plain = {f"bone_{i:03d}": told for i, told in enumerate(bones.names)}
    found = match_bones(renamed(bones, plain))
    assert {r: tuple(plain[b] for b in own) for r, own in found.bones.items()} == truth(
        "rigify_metarig"
    )
    assert max(found.confidence.values()) < 0.5


def test_the_basic_metarig_has_no_fingers(rigify):
    found = match_bones(rigify["basic_human"])
    expected = {r: own for r, own in truth("rigify_metarig").items() if not r[-1].isdigit()}
    assert dict(found.bones) == expected


@pytest.mark.parametrize("presets", [False, True])
def test_a_generated_rig_is_mapped_by_its_bones_for_the_skin(rigify, presets):
    found = match_bones(rigify["generated"], presets=presets)
    assert dict(found.bones) == truth("rigify_generated")
    assert recognised(rigify["generated"].names) == "rigify_def"


@pytest.mark.parametrize("name", ["rigify_def", "rigify_fk", "rigify_ik"])
def test_a_generated_rig_has_every_bone_of_its_presets(rigify, name):
    bones = rigify["generated"]
    fitted = fit_preset(name, bones.names)
    assert set(fitted.bones) >= {"root", "hips", "spine", "neck", "head", "left_hand", "left_toe"}
    assert all(len(own) == 1 for r, own in fitted.bones.items() if r.startswith("left_"))
    assert set(preset_controls(name).values()) <= set(bones.names)


def test_controls_begin_where_the_bones_of_their_role_do(rigify):
    bones = rigify["generated"]
    skin = fit_preset("rigify_def", bones.names)
    for name in ("rigify_fk", "rigify_ik"):
        for role, own in fit_preset(name, bones.names).bones.items():
            if role not in ("root", "hips", "spine"):
                ours, theirs = bones.index(own[0]), bones.index(skin.bones[role][0])
                np.testing.assert_allclose(bones.heads[ours], bones.heads[theirs], atol=1e-4)


@pytest.mark.parametrize("kind", ["basic_quadruped", "wolf", "horse", "cat"])
def test_rigify_s_animals_are_refused(rigify, kind):
    with pytest.raises(SceneError, match="level trunk on 4 legs"):
        match_bones(rigify[kind])


def test_matching_a_thousand_bones_of_a_generated_rig_is_quick(rigify):
    bones = rigify["generated"]
    lips = {f"{kind}-lip.{i:03d}": "ORG-spine.006" for kind in ("DEF", "MCH") for i in range(300)}
    many = with_extra(bones, lips)
    assert len(many) > 1000
    assert match_bones(many).bones == match_bones(bones).bones
    start = time.process_time()
    match_bones(many)
    assert time.process_time() - start < 0.5
