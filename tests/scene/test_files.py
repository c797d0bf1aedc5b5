import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.rig import OutputError  # noqa: E402  after the skip where there is no bpy
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.files import save_copy  # noqa: E402


@pytest.fixture(autouse=True)
def character():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return add_character()


def test_a_copy_holds_the_character_and_the_open_file_keeps_its_name(tmp_path):
    path = tmp_path / "my take.blend"
    save_copy(path)
    assert bpy.data.filepath == ""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert len(bpy.data.objects["PALLAS"].data.bones) == 52


def test_a_file_that_is_there_is_replaced_only_with_force(tmp_path):
    path = tmp_path / "take.blend"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="there already"):
        save_copy(path)
    assert path.read_bytes() == b"mine"
    save_copy(path, force=True)
    assert path.stat().st_size > 10_000
