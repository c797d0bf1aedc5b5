"""The extension in a real window of the newest Blender, from the zip to a screenshot."""

import json

import numpy as np
import pytest

pytestmark = pytest.mark.window


@pytest.fixture(scope="module")
def folder(tmp_path_factory, play):
    """What a session in the window left behind."""
    return play("drive.py", tmp_path_factory.mktemp("window"), "after.png", keep="PALLAS_KEEP")


def test_the_whole_story_was_told_without_an_error(found):
    assert found["error"] is None, found["error"]
    assert found["finished"]


def test_nothing_loads_torch_before_the_solve(found):
    assert not found["torch before solving"]


def test_a_take_is_loaded_solved_and_applied(found):
    assert found["load"] == ["FINISHED"]
    assert found["solve"] in (["FINISHED"], ["RUNNING_MODAL"])
    assert found["solved"]
    assert found["apply"] == ["FINISHED"]
    assert found["after applying"] == {"animated": 1, "armatures": 1}


def test_esc_cancels_a_solve(found):
    assert not found["solved in spite of Esc"]


def test_one_undo_takes_the_character_away_and_one_redo_brings_it_back(found):
    assert found["after one undo"] == {"animated": 0, "armatures": 0}
    assert found["after redoing"] == found["after applying"]


def test_the_character_stands_out_from_the_empty_view(part):
    before, after = (part(name, "view") for name in ("before", "after"))
    changed = (np.abs(after - before).max(axis=-1) > 24).mean()
    assert 0.01 < changed < 0.6


def test_the_tab_shows_panels_with_words_and_buttons(part):
    picture = part("after", "sidebar")
    brightness = picture.max(axis=-1)
    words = (brightness > 170).mean()
    assert 0.005 < words < 0.3
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_the_screen_is_neither_black_nor_the_pink_of_a_broken_shader(screen):
    picture = screen("after")
    red, green, blue = np.moveaxis(picture, -1, 0)
    assert picture.std() > 10
    assert ((red > 200) & (blue > 200) & (green < 60)).mean() < 0.001


def test_the_command_line_works_through_blender_and_prints_one_json_object(folder):
    doctor = json.loads((folder / "doctor.json").read_text())
    assert doctor["works"] == {"solve": True, "demo": True}
    solved = json.loads((folder / "solved.json").read_text())
    assert solved["frames"] > 100
    assert (folder / "solved.bvh").read_text().startswith("HIERARCHY")
