"""`pallas demo`, with the rendering left out: what it writes, and what it leaves alone."""

import json
import subprocess
import sys

import pytest

from pallas.capture import formats
from pallas.pallas_blender import cli
from pallas.pallas_blender.commands import demo

pytestmark = pytest.mark.blender
pytest.importorskip("bpy")

SCRIPT = """
import sys
from pathlib import Path
import pallas.render.preview as preview

def stub(path, *words, **options):
    Path(path).write_bytes(b"picture")

preview.render_sheet = preview.render_preview = stub
from pallas.pallas_blender import cli
sys.exit(cli.main(["demo", "--json", "--out", sys.argv[1]]))
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "new folder"
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_every_output_is_there_and_nothing_else(done):
    folder, _ = done
    assert {path.name for path in folder.iterdir()} == set(demo.OUTPUTS)


def test_stdout_is_the_report_that_is_also_in_the_folder(done):
    folder, stdout = done
    assert json.loads(stdout) == json.loads((folder / "report.json").read_text())


def test_the_report_has_the_time_of_every_step_and_the_measures_of_the_solve(done):
    report = json.loads(done[1])
    assert set(report["seconds"]) == {"solve", "character", "sheet", "preview"}
    assert report["solve"]["quality"]


def test_the_motion_lasts_as_long_as_the_take(done):
    take, motion = formats.read_recording(demo.TAKE), formats.read_motion(done[0] / "motion.bvh")
    assert motion.duration == pytest.approx(take.times[-1] - take.times[0], abs=0.05)


def test_a_folder_with_a_demo_in_it_is_left_alone(done, capsys):
    folder, _ = done
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert cli.main(["demo", "--out", str(folder)]) == 1
    assert "--force" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert cli.main(["demo", "--out", str(tmp_path / "file" / "demo")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
