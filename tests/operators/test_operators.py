"""The buttons, pressed in the order of work and out of it."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from walks import write_start_of_demo  # noqa: E402

from pallas.capture import formats  # noqa: E402  after the skip where there is no bpy
from pallas.operators.common import ProcessJob, ThreadJob  # noqa: E402
from pallas.rig import PallasError  # noqa: E402

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"


@pytest.fixture(scope="module")
def short_take(tmp_path_factory):
    return write_start_of_demo(tmp_path_factory.mktemp("take") / "Täke one.pallas")


@pytest.fixture
def solved(scene, short_take):
    bpy.ops.pallas.load_take(filepath=str(short_take))
    bpy.ops.pallas.solve()
    return scene


def test_loading_keeps_the_path_and_says_what_the_take_holds(scene, short_take):
    assert bpy.ops.pallas.load_take(filepath=str(short_take)) == {"FINISHED"}
    assert scene.pallas.capture.take == str(short_take)
    assert scene.pallas.capture.summary == "4.0 s at 60 Hz, 4 sensors"


def test_a_damaged_take_is_reported_and_the_loaded_one_kept(scene, short_take, tmp_path):
    bpy.ops.pallas.load_take(filepath=str(short_take))
    broken = tmp_path / "broken.pallas"
    broken.write_bytes(os.urandom(200))
    with pytest.raises(RuntimeError, match=r"Error: .*broken\.pallas"):
        bpy.ops.pallas.load_take(filepath=str(broken))
    assert scene.pallas.capture.take == str(short_take)


def test_solving_without_a_take_says_what_to_do_first(scene):
    with pytest.raises(RuntimeError, match="Load a take first"):
        bpy.ops.pallas.solve()


def test_applying_without_a_motion_says_what_to_do_first(scene):
    with pytest.raises(RuntimeError, match="Solve a take first"):
        bpy.ops.pallas.apply_to_character()


def test_rendering_without_a_character_says_what_to_select(scene):
    with pytest.raises(RuntimeError, match="Select an animated armature"):
        bpy.ops.pallas.render_sheet()


def test_a_solved_take_is_a_motion_of_the_same_length(solved, short_take):
    motion = formats.read_motion(solved.pallas.solve.motion)
    assert len(motion) == len(formats.read_recording(short_take))
    assert np.isfinite(motion.rotations).all()
    assert solved.pallas.solve.summary == f"{len(motion)} frames at 60 Hz"


def test_the_motion_goes_onto_a_new_character_if_none_is_active(solved):
    assert bpy.ops.pallas.apply_to_character() == {"FINISHED"}
    character = bpy.context.object
    assert character.type == "ARMATURE"
    assert character.animation_data.action.name == "Täke one"
    assert len(character.children) == 5  # the body and four sensors


def test_the_motion_goes_onto_the_active_armature(solved):
    bpy.ops.pallas.add_character(sensors=False)
    character = bpy.context.object
    bpy.ops.pallas.apply_to_character(name="Mine")
    assert [o.name for o in bpy.data.objects if o.type == "ARMATURE"] == [character.name]
    assert character.animation_data.action.name == "Mine"
    assert solved.render.fps == 24


def test_the_scene_s_last_frame_moves_only_if_wanted(solved):
    solved.frame_end = 10
    solved.pallas.retarget.fit_range = False
    bpy.ops.pallas.apply_to_character()
    assert solved.frame_end == 10
    solved.pallas.retarget.fit_range = True
    bpy.ops.pallas.apply_to_character()
    assert solved.frame_end == 97


def test_another_rig_is_reported_without_a_traceback(solved):
    bpy.ops.object.armature_add()
    with pytest.raises(RuntimeError, match="expected a humanoid"):
        bpy.ops.pallas.apply_to_character()


def test_a_sheet_is_rendered_where_the_panel_says(solved, tmp_path):
    bpy.ops.pallas.apply_to_character()
    solved.pallas.render.sheet = str(tmp_path / "sheet.png")
    solved.pallas.render.frames, solved.pallas.render.height = 1, 32
    assert bpy.ops.pallas.render_sheet() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="there already"):
        bpy.ops.pallas.render_sheet()
    solved.pallas.render.overwrite = True
    assert bpy.ops.pallas.render_sheet() == {"FINISHED"}


def test_a_sheet_beside_an_unsaved_file_is_refused(solved):
    bpy.ops.pallas.apply_to_character()
    with pytest.raises(RuntimeError, match="isn't saved yet"):
        bpy.ops.pallas.render_sheet()


def test_a_motion_of_a_past_session_is_told(solved):
    Path(solved.pallas.solve.motion).unlink()
    with pytest.raises(RuntimeError, match="solve again"):
        bpy.ops.pallas.apply_to_character()


def test_a_process_that_fails_is_told_in_its_operator_s_words():
    told = "Traceback\nRuntimeError: Error: a.png is there already\n\nError: script failed"
    script = f"import sys; sys.stderr.write({told!r}); sys.exit(3)"
    with pytest.raises(PallasError, match=r"^a\.png is there already$"):
        ProcessJob([sys.executable, "-c", script]).result()
    ProcessJob([sys.executable, "-c", ""]).result()


def test_a_thread_s_error_is_raised_where_its_result_is_asked_for():
    def fail():
        raise PallasError("no")

    assert ThreadJob(lambda: 3).result() == 3
    with pytest.raises(PallasError, match="no"):
        ThreadJob(fail).result()
