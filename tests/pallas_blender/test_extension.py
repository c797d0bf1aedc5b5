"""The zip in a Blender that never saw it: install, enable, the three operators, disable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pallas.pallas_blender.commands.demo import TAKE

pytestmark = pytest.mark.blender
pytest.importorskip("bpy")

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, sys
import bpy
package = "bl_ext.user_default.pallas"
archive, take = sys.argv[1:]
found = {}
bpy.ops.extensions.package_install_files(
    filepath=archive, repo="user_default", enable_on_install=True
)
found["enabled"] = package in bpy.context.preferences.addons
found["torch after enabling"] = "torch" in sys.modules
before = set(bpy.data.actions)
found["load"] = list(bpy.ops.pallas.load_take(filepath=take))
found["solve"] = list(bpy.ops.pallas.solve())
found["apply"] = list(bpy.ops.pallas.apply_to_character())
made = [action for action in bpy.data.actions if action not in before]
found["actions"] = len(made)
found["frames"] = [*made[0].frame_range] if made else None
found["armatures"] = [o.name for o in bpy.data.objects if o.type == "ARMATURE"]
found["from the root"] = sorted(m for m in sys.modules if m.split(".")[0] in ("rig", "pallas"))
bpy.ops.preferences.addon_disable(module=package)
found["operators left"] = "load_take" in dir(bpy.ops.pallas)
print("FOUND", json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extension")
    command = [sys.executable, str(ROOT / "dev" / "zip"), "--output-dir", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    archive = next(folder.glob("*.zip"))
    # Away from the checkout, with settings of its own: what is found is what the zip brought.
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "blender")}
    (folder / "blender").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(archive), str(TAKE)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[0].removeprefix("FOUND "))


def test_the_zip_installs_and_is_enabled(found):
    assert found["enabled"]


def test_enabling_loads_no_torch(found):
    assert not found["torch after enabling"]


def test_a_take_is_loaded_solved_and_applied_to_a_character(found):
    assert [found[step] for step in ("load", "solve", "apply")] == [["FINISHED"]] * 3
    assert found["actions"] == 1
    assert len(found["armatures"]) == 1


def test_the_action_lasts_as_long_as_the_take(found):
    start, end = found["frames"]
    assert end - start > 100


def test_no_second_copy_of_the_package_is_loaded(found):
    assert found["from the root"] == []


def test_disabling_takes_every_operator_out(found):
    assert not found["operators left"]
