"""FBX, glTF and VRM as sources: their motion comes out, and the open file stays as it was."""

import shutil

import numpy as np
import pytest

from pallas.rig import FileError, FormatError, quaternion

bpy = pytest.importorskip("bpy")
addon_utils = pytest.importorskip("addon_utils")

from pallas.scene.armature import add_armature, editing_bones  # noqa: E402
from pallas.scene.importing import clips_in, imported, read_motion_file  # noqa: E402
from pallas.scene.keyframes import write_keyframes  # noqa: E402
from pallas.scene.source_motion import read_armature_motion  # noqa: E402

FRAMES = 13
KINDS = (
    "objects",
    "meshes",
    "armatures",
    "actions",
    "scenes",
    "materials",
    "images",
    "collections",
)


@pytest.fixture
def files(scene, tmp_path):
    """A moving leg in three formats; what it does; the scene has other settings afterwards."""
    scene.render.fps, scene.frame_end = 25, FRAMES
    leg = add_armature("leg", scene.collection)
    with editing_bones(leg) as bones:
        thigh, shin = bones.new("thigh"), bones.new("shin")
        thigh.head, thigh.tail = (0.1, 0, 1), (0.1, -0.02, 0.5)
        shin.head, shin.tail, shin.parent = (0.1, -0.02, 0.5), (0.1, 0, 0.1), thigh
    turns = quaternion.from_axis_angle(np.array([1.0, 0, 0]), np.linspace(0, 1, FRAMES))
    steps = np.linspace([0, 0, 0], [0.5, 0, 0.2], FRAMES)
    frames = np.arange(1.0, FRAMES + 1)
    write_keyframes(leg, "kick", frames, {"thigh": turns, "shin": turns}, {"thigh": steps})
    source = read_armature_motion(leg, 1, FRAMES)
    bpy.ops.export_scene.fbx(
        filepath=str(tmp_path / "kick.fbx"), add_leaf_bones=False, bake_anim_simplify_factor=0.0,
        bake_anim_use_all_actions=False, bake_anim_use_nla_strips=False,
    )  # fmt: skip
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "kick.glb"), export_format="GLB")
    shutil.copy(tmp_path / "kick.glb", tmp_path / "kick.vrm")
    scene.render.fps = 30
    return tmp_path, source


def state():
    render, layer = bpy.context.scene.render, bpy.context.view_layer
    names = {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in KINDS}
    chosen = [item.name for item in layer.objects if item.select_get()]
    active = layer.objects.active and layer.objects.active.name
    scene = bpy.context.scene
    return names, chosen, active, bpy.context.mode, render.fps, scene.frame_end, scene.name


@pytest.mark.parametrize("suffix", ["fbx", "glb", "vrm"])
def test_a_motion_comes_back_from_a_file_and_nothing_stays(files, suffix):
    folder, source = files
    before = state()
    read = read_motion_file(folder / f"kick.{suffix}")
    assert state() == before
    assert (read.fps, len(read), read.name) == (25.0, FRAMES, "kick")
    for bone in ("thigh", "shin"):
        ours, theirs = source.bones.index(bone), read.bones.index(bone)
        np.testing.assert_allclose(read.heads[:, theirs], source.heads[:, ours], atol=1e-4)


def test_the_rate_may_be_overridden(files):
    assert read_motion_file(files[0] / "kick.glb", fps=50.0).fps == 50.0


def test_another_clip_is_told_by_name(files):
    with pytest.raises(FormatError, match="no clip 'jump'; its clips: kick"):
        read_motion_file(files[0] / "kick.glb", clip="jump")


def test_clips_are_listed_and_nothing_stays(files):
    before = state()
    assert clips_in(files[0] / "kick.glb") == ("kick",)
    assert clips_in(files[0] / "kick.fbx") == ("leg|Scene",)
    assert state() == before


def test_a_disabled_importer_is_enabled_meanwhile(files):
    addon_utils.disable("io_scene_gltf2", default_set=False)
    try:
        assert len(read_motion_file(files[0] / "kick.glb")) == FRAMES
        assert not addon_utils.check("io_scene_gltf2")[1]
    finally:
        addon_utils.enable("io_scene_gltf2", default_set=False)


@pytest.mark.parametrize("suffix", ["fbx", "glb", "vrm", "gltf"])
@pytest.mark.parametrize(
    "content", [b"", b"glTF\x02\x00\x00\x00", b"Kaydara FBX Binary  \x00\x1a\x00"]
)
def test_a_damaged_file_is_one_error_and_nothing_stays(files, suffix, content):
    path = files[0] / f"bad.{suffix}"
    path.write_bytes(content)
    before = state()
    with pytest.raises(FormatError, match=f"bad.{suffix}") as error:
        read_motion_file(path)
    assert "\n" not in str(error.value)
    assert state() == before


def test_a_file_without_a_moving_armature_is_refused(scene, tmp_path):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "cube.glb"), export_format="GLB")
    with pytest.raises(FormatError, match="no armature that moves"):
        read_motion_file(tmp_path / "cube.glb")
    with pytest.raises(FileError, match="does not exist"):
        read_motion_file(tmp_path / "none.fbx")


def test_a_knight_is_imported_with_all_its_clips(scene, data):
    with imported(data("rigs/kaykit/Knight.glb")) as objects:
        rigs = [item for item in objects if item.type == "ARMATURE"]
        assert len(rigs[0].data.bones) == 41
    assert not bpy.data.objects
    assert not bpy.data.actions
