"""Datasets in a real window of the newest Blender: a sample of a spec seen, all of it rendered beside."""

import json

import numpy as np
import pytest

pytestmark = pytest.mark.window

SPEC = """
[dataset]
clips = 1
frames = 2
[image]
width = 64
height = 64
samples = 1
denoise = false
[people]
motions = ["poses"]
[scene]
surroundings = ["studio"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, play):
    """What a session in the window left behind."""
    work = tmp_path_factory.mktemp("dataset")
    (work / "tiny.toml").write_text(SPEC)
    return play("drive_dataset.py", work, "dataset.png", "PALLAS_KEEP_DATASET")


def test_the_whole_story_was_told_without_an_error(found):
    assert found["error"] is None, found["error"]
    assert found["finished"] and not found["without a spec"]


def test_a_sample_stands_in_a_scene_of_its_own_before_its_camera(found):
    assert found["preview"] == ["FINISHED"]
    before, after = found["before"], found["preview shows"]
    assert after["scenes"] == before["scenes"] + 1
    assert after["people"] == 1 and after["moving"] and after["camera"]
    assert after["size"] == [64, 64] and found["seen through"] == "CAMERA"


def test_the_dataset_is_rendered_beside_the_window(found):
    assert found["render"] == ["RUNNING_MODAL"]
    assert {"manifest.json", "sheet.png", "statistics.html"} <= set(found["files"])


def test_every_picture_is_told_in_cocos_file(folder):
    told = json.loads((folder / "rendered" / "annotations" / "people.json").read_bytes())
    assert [image["id"] for image in told["images"]] == [1, 2]
    assert all((folder / "rendered" / image["file_name"]).is_file() for image in told["images"])


def test_how_far_it_is_shows_while_it_renders(found, part, screen):
    assert found["frames when looked at"] >= 1
    assert len(np.unique(part("dataset", "view").reshape(-1, 3), axis=0)) > 50
    # The status bar, at the bottom of the screen, has a bar in it.
    words = (screen("dataset")[-22:].max(axis=-1) > 150).mean()
    assert words > 0.001
