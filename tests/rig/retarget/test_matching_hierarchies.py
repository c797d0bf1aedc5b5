"""Automatic bone maps of rigs as programs make them, with all the bones beside those of the body."""

import json
from pathlib import Path

import pytest
from retarget_rigs import rig_of_tree

from pallas.rig.retarget import fit_preset, match_bones, preset

TREES = json.loads((Path(__file__).parent / "trees.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("presets", [False, True])
@pytest.mark.parametrize("name", TREES)
def test_only_the_body_s_bones_are_taken_from_a_program_s_rig(name, presets):
    bones = rig_of_tree(TREES[name], preset(name))
    known = fit_preset(name, bones.names)
    assert set(known.bones) == set(preset(name).bones)
    wanted = {bone for own in known.bones.values() for bone in own}
    assert len(bones) > len(wanted)
    found = match_bones(bones, presets=presets)
    assert dict(found.bones) == dict(known.bones)
    assert set(found.unmapped) == set(bones.names) - wanted
