"""`pallas retarget`: one file a motion, whatever happens to the others."""

import json

import numpy as np
import pytest
from smpl_files import amass_arrays, as_pkl, as_plain_npz, body_arrays

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.capture import formats  # noqa: E402  after the skip where there is no bpy
from pallas.pallas_blender.cli import main  # noqa: E402
from pallas.rig import Motion, body_skeleton, quaternion  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402


def write_walk(path, frames=12):
    skeleton = body_skeleton()
    time = np.linspace(0.0, 1.0, frames)[:, None]
    root = skeleton.offsets[0] + time * np.array([0.0, -0.5, 0.0])
    turns = np.tile(quaternion.IDENTITY, (frames, 24, 1))
    turns[:, 1] = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.4 * time[:, 0])
    formats.write_motion(path, Motion(skeleton, root, turns, 30.0), force=True)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("retarget")


@pytest.fixture(scope="module")
def rig(folder):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    add_character("Hero")
    path = folder / "hero.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture(scope="module")
def walk(folder):
    return write_walk(folder / "walk.npz")


def test_a_motion_goes_onto_a_character_in_a_blend_file(rig, walk, tmp_path, capfd):
    out = tmp_path / "out.blend"
    assert main(["retarget", str(walk), "--rig", str(rig), "-o", str(out), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["motions"][0]["frames"] == 12
    bpy.ops.wm.open_mainfile(filepath=str(out))
    assert bpy.data.objects["Hero"].animation_data.action.name == "walk"


def test_a_linked_character_is_overridden_in_the_file_that_is_written(rig, walk, tmp_path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(rig), link=True) as (there, wanted):
        wanted.objects = there.objects
    for item in wanted.objects:
        bpy.context.scene.collection.objects.link(item)
    shot, out = tmp_path / "shot.blend", tmp_path / "out.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(shot))
    before = rig.read_bytes(), shot.read_bytes()
    assert main(["retarget", str(walk), "--rig", str(shot), "-o", str(out)]) == 0
    assert (rig.read_bytes(), shot.read_bytes()) == before
    bpy.ops.wm.open_mainfile(filepath=str(out))
    hero = bpy.context.scene.objects["Hero"]
    assert hero.override_library is not None
    assert hero.animation_data.action.name == "walk"


@pytest.mark.parametrize("suffix", ["bvh", "glb", "fbx"])
def test_blender_s_exporters_write_it_and_the_motion_is_in_the_file(rig, walk, tmp_path, suffix):
    out = tmp_path / f"out.{suffix}"
    assert main(["retarget", str(walk), "--rig", str(rig), "-o", str(out)]) == 0
    if suffix == "bvh":
        assert len(formats.read_motion(out)) > 5
        return
    back = tmp_path / "back.bvh"
    assert main(["retarget", str(out), "--rig", str(rig), "-o", str(back)]) == 0
    assert len(formats.read_motion(back)) > 5


def test_the_same_input_gives_the_same_bytes(rig, walk, tmp_path):
    outs = [tmp_path / f"{name}.bvh" for name in ("one", "two")]
    for out in outs:
        assert main(["retarget", str(walk), "--rig", str(rig), "-o", str(out)]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_person_s_own_body_model_says_whose_bones_move(rig, tmp_path, capfd):
    take, body, out = (tmp_path / name for name in ("amass.npz", "smplh.pkl", "out.bvh"))
    take.write_bytes(as_plain_npz(amass_arrays(52, 8)))
    body.write_bytes(as_pkl(body_arrays(52)))
    given = [str(take), "--body", str(body), "--fps", "60", "--rig", str(rig), "-o", str(out)]
    assert main(["retarget", *given, "--json"]) == 0
    told = json.loads(capfd.readouterr().out)["motions"][0]
    assert (told["frames"], told["fps"]) == (8, 60.0)


def test_a_folder_of_motions_gives_a_file_each_and_a_bad_one_is_listed(rig, tmp_path, capfd):
    takes = tmp_path / "takes"
    takes.mkdir()
    write_walk(takes / "a.npz")
    (takes / "b.bvh").write_text("HIERARCHY\nnonsense")
    write_walk(takes / "c.npz")
    out = tmp_path / "out"
    command = ["retarget", str(takes), "--rig", str(rig), "-o", str(out), "--format", "bvh"]
    assert main(command) == 1
    assert sorted(path.name for path in out.iterdir()) == ["a.bvh", "c.bvh"]
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("pallas: 1 of 3 motions failed: ")
    assert "b.bvh" in last


def test_what_is_there_is_kept_unless_told(rig, walk, tmp_path, capfd):
    out = tmp_path / "out.bvh"
    out.write_text("mine")
    command = ["retarget", str(walk), "--rig", str(rig), "-o", str(out)]
    assert main(command) == 1
    assert "there already" in capfd.readouterr().err
    assert out.read_text() == "mine"
    assert main([*command, "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.npz", "-o", "o.bvh"], "does not exist"),
        (["{walk}", "-o", "o.xyz"], "expected .blend"),
        (["{walk}", "{walk}", "-o", "o.bvh"], "name a folder"),
        (["{walk}", "-o", "o.bvh", "--armature", "Nobody"], "no armature 'Nobody'"),
        (["{walk}", "-o", "o.bvh", "--map", "{walk}"], "walk.npz"),
        (["{walk}", "-o", "o.bvh", "--person", "7"], "found no person '7'; there are: 0"),
    ],
)
def test_a_mistake_is_told_in_one_line(rig, walk, tmp_path, monkeypatch, capfd, arguments, told):
    monkeypatch.chdir(tmp_path)
    given = [argument.format(walk=walk) for argument in arguments]
    assert main(["retarget", *given, "--rig", str(rig)]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert told in last
    assert "Traceback" not in last
