"""Legs in a real window of the newest Blender: takes, pins, other legs in a range, Esc, undo."""

import numpy as np
import pytest

pytestmark = pytest.mark.window


@pytest.fixture(scope="module")
def folder(tmp_path_factory, play):
    """What a session in the window left behind."""
    return play("drive_legs.py", tmp_path_factory.mktemp("legs"), "legs.png", "PALLAS_KEEP_LEGS")


def test_the_whole_story_was_told_without_an_error(found):
    assert found["error"] is None, found["error"]
    assert found["finished"]


def test_nothing_loads_torch_before_the_solve(found):
    assert not found["torch before solving"]


def test_takes_come_as_an_action_and_muted_tracks(found):
    assert found["apply"] == ["FINISHED"]
    after = found["after applying"]
    assert after["action"] == "take take 1 seed 7"
    assert after["tracks"] == [["take take 2 seed 7", True], ["take take 3 seed 7", True]]


def test_one_undo_takes_all_takes_away_and_one_redo_brings_them_back(found):
    assert (found["applying undone"]["actions"], found["applying undone"]["tracks"]) == (0, [])
    assert found["applying redone"] == found["after applying"]


def test_esc_leaves_the_legs_as_they_were(found):
    assert found["after pinning"]["pins"] == 1
    assert found["drawn in spite of Esc"] == found["after pinning"]


def test_other_legs_are_a_new_action_that_one_undo_takes_away(found):
    after = found["after regenerating"]
    assert after["action"] == "take take 1 seed 7 legs seed 7"
    assert after["actions"] == found["after pinning"]["actions"] + 1
    assert found["regenerating undone"] == found["after pinning"]
    assert found["regenerating redone"] == after


def test_confidence_is_keyed(found):
    assert found["after confidence"]["confidence"]


def test_the_panel_shows_words_and_buttons(part):
    picture = part("legs", "sidebar")
    words = (picture.max(axis=-1) > 170).mean()
    assert 0.005 < words < 0.3
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
