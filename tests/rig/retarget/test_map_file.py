"""Bone maps as files: the same when read again, and one clear error for whatever else is in them."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from retarget_rigs import embedded_rig, rig_of_map, without

from pallas.rig.errors import FormatError, OutputError, PallasError, SceneError
from pallas.rig.retarget import BoneMap, load_map, match_bones, preset, save_map
from pallas.rig.retarget.map_file import bone_map_from_text, text_of_bone_map

RIG = embedded_rig()
MAP = match_bones(RIG)
TEXT = text_of_bone_map(MAP)


def changed(**entries):
    return json.dumps({**json.loads(TEXT), **entries})


def test_a_map_is_the_same_when_it_is_read_again(tmp_path):
    path = tmp_path / "mine.json"
    save_map(path, MAP)
    assert load_map(path, RIG) == MAP
    first = path.read_bytes()
    save_map(path, load_map(path, RIG), force=True)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_there_is_not_overwritten(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text("keep", encoding="utf-8")
    with pytest.raises(OutputError, match="there already"):
        save_map(path, MAP)
    assert path.read_text(encoding="utf-8") == "keep"
    with pytest.raises(OutputError, match="can't be written"):
        save_map(tmp_path / "no folder" / "mine.json", MAP)


def test_a_map_by_hand_needs_no_confidence_and_is_certain():
    table = {"format": "pallas bone map", "version": 1, "bones": {"hips": ["mixamorig:Hips"]}}
    found = bone_map_from_text(json.dumps(table), RIG)
    assert found.bones == {"hips": ("mixamorig:Hips",)}
    assert found.confidence == {"mixamorig:Hips": 1.0}
    assert len(found.unmapped) == len(RIG) - 1


def test_names_in_any_script_survive():
    bones = rig_of_map(BoneMap({"hips": ("腰",), "spine": ("dos é",)}))
    written = BoneMap({"hips": ("腰",), "spine": ("dos é",)}, {"腰": 1.0, "dos é": 0.5})
    assert bone_map_from_text(text_of_bone_map(written), bones) == written


def test_a_map_of_another_rig_is_refused_with_the_bones_that_lack(tmp_path):
    path = tmp_path / "mixamo.json"
    save_map(path, MAP)
    other = rig_of_map(preset("unreal_5"))
    with pytest.raises(
        SceneError, match=r"mixamo.json is for another rig: 52 of its 52 bones.*Hips"
    ):
        load_map(path, other)
    fewer = without(RIG, {"mixamorig:LeftToeBase"})
    with pytest.raises(SceneError, match=r"1 of its 52 bones .*\(mixamorig:LeftToeBase\)"):
        load_map(path, fewer)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged"),
        ("{", "damaged"),
        (TEXT[:200], "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "no bone map"),
        ('{"bones": {}}', "no bone map"),
        (changed(version=2), "version 2.*update"),
        (changed(version=0), "version is 0"),
        (changed(version=True), "version is True"),
        (changed(version="1"), "version is '1'"),
        (changed(bones=[]), "expected roles"),
        (changed(bones={"elbow": ["a"]}), "unknown role 'elbow'"),
        (changed(bones={"hips": "mixamorig:Hips"}), "expected a list"),
        (changed(bones={"hips": [1]}), "expected a list"),
        (changed(bones={"hips": ["mixamorig:Hips"], "head": ["mixamorig:Hips"]}), "keep one"),
        (changed(confidence=[]), "expected numbers"),
        (changed(confidence={"mixamorig:Hips": 2}), "expected 0 to 1"),
        (changed(confidence={"mixamorig:Hips": float("nan")}), "expected 0 to 1"),
        (changed(confidence={"mixamorig:Hips": True}), "expected 0 to 1"),
        (changed(confidence={"mixamorig:Hips": 10**400}), "expected 0 to 1|damaged"),
    ],
)
def test_damage_is_told_in_one_line(text, message):
    with pytest.raises(FormatError, match=message) as caught:
        bone_map_from_text(text, RIG, "mine.json")
    assert "\n" not in str(caught.value)
    assert "mine.json" in str(caught.value)


def test_files_that_are_no_text_or_missing_or_huge_are_told(tmp_path):
    path = tmp_path / "mine.json"
    with pytest.raises(FormatError, match="can't be read"):
        load_map(path, RIG)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not UTF-8"):
        load_map(path, RIG)
    path.write_bytes(b" " * 4_000_001)
    with pytest.raises(FormatError, match="that large"):
        load_map(path, RIG)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["format", "version", "bones", "confidence", "rig", "hips", "head", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.sampled_from(["format", "version", "bones", "confidence", "rig", "none"]))
@example({"hips": []}, "bones")
def test_any_json_is_read_or_refused(value, key):
    text = json.dumps(value) if key == "none" else changed(**{key: value})
    try:
        found = bone_map_from_text(text, RIG)
    except PallasError as error:
        assert "\n" not in str(error)
    else:
        assert set(found.confidence) <= set(RIG.names)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 5), st.text(max_size=4))
def test_a_damaged_file_is_read_or_refused(place, cut, put):
    text = TEXT[:place] + put + TEXT[place + cut :]
    try:
        bone_map_from_text(text, RIG)
    except PallasError as error:
        assert "\n" not in str(error)
