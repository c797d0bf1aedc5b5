import numpy as np
import pytest
from tiny_dataset import TINY

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.operators.rendering import DatasetJob  # noqa: E402


@pytest.fixture
def settings(scene, tmp_path):
    """The panel's settings with a tiny spec."""
    (tmp_path / "tiny.toml").write_text(TINY)
    chosen = scene.pallas.dataset
    chosen.spec, chosen.folder = str(tmp_path / "tiny.toml"), str(tmp_path / "out")
    return chosen


def test_a_spec_is_asked_for(scene):
    assert not bpy.ops.pallas.preview_sample.poll()
    assert not bpy.ops.pallas.render_dataset.poll()


def test_a_sample_of_a_spec_stands_in_a_scene_of_its_own(settings):
    before = bpy.context.scene
    settings.clip = 1
    assert bpy.ops.pallas.preview_sample() == {"FINISHED"}
    sample = bpy.context.scene
    assert sample is not before and sample.camera is not None
    people = [item for item in sample.objects if item.type == "ARMATURE"]
    assert len(people) == 1 and people[0].animation_data.action is not None
    assert np.isclose(sample.render.fps / sample.render.fps_base, 10.0)
    assert sample.pallas.dataset.spec == settings.spec


def test_a_clip_that_there_is_not_is_told_and_leaves_no_scene(settings):
    settings.clip = 7
    with pytest.raises(RuntimeError, match="clips 0 to 1, not 7"):
        bpy.ops.pallas.preview_sample()
    assert len(bpy.data.scenes) == 1


def test_a_dataset_is_rendered_in_a_process_of_its_own(settings, tmp_path):
    (tmp_path / "tiny.toml").write_text(
        TINY.replace("clips = 2", "clips = 1").replace("frames = 2", "frames = 1")
    )
    assert bpy.ops.pallas.render_dataset() == {"FINISHED"}
    assert (tmp_path / "out" / "manifest.json").is_file()
    assert (tmp_path / "out" / "sheet.png").is_file()


def test_how_far_a_dataset_is_shows_in_its_records(tmp_path):
    job = DatasetJob(["true"], tmp_path, 4)
    assert job.fraction == 0.0
    (tmp_path / "frames" / "000000").mkdir(parents=True)
    (tmp_path / "frames" / "000000" / "000000.json").write_text("{}")
    assert job.fraction == 0.25
    job.result()
