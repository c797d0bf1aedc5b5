"""Retargeting in a real window of the newest Blender: match, preview, Esc, the Action, undo."""

import numpy as np
import pytest

pytestmark = pytest.mark.window


@pytest.fixture(scope="module")
def folder(tmp_path_factory, play):
    """What a session in the window left behind."""
    work = tmp_path_factory.mktemp("retarget")
    return play("drive_retarget.py", work, "retarget.png", "PALLAS_KEEP_RETARGET")


def test_the_whole_story_was_told_without_an_error(found):
    assert found["error"] is None, found["error"]
    assert found["finished"]


def test_bones_of_other_names_are_matched(found):
    rows = found["rows"]
    assert rows["hips"] == "pelvis"
    assert (rows["left_shin"], rows["right_upper_arm"]) == ("calf_l", "upperarm_r")


def test_a_preview_bends_the_knee_and_undo_takes_it_back(found):
    assert found["preview"] == ["FINISHED"]
    assert found["preview bends"] > 0.1
    assert abs(found["preview undone"]) < 1e-6


def test_esc_writes_nothing(found):
    assert found["in spite of Esc"] == {"actions": 0, "action": ""}


def test_the_motion_is_one_action_that_one_undo_takes_away(found):
    after = found["after retargeting"]
    assert after["actions"] == 1
    assert after["action"].startswith("take")
    assert found["undone"] == {"actions": 0, "action": ""}
    assert found["redone"] == after


def test_another_armature_is_read_in_slices_that_undo_can_not_disturb_and_esc_ends(found):
    assert found["while reading"] == [2, 1]  # the scene of the samples, and no new Action
    assert found["reading given up"] == [1, 1]
    assert found["read to the end"] == [1, 2]


def test_the_panel_shows_words_and_buttons(part):
    picture = part("retarget", "sidebar")
    words = (picture.max(axis=-1) > 170).mean()
    assert 0.005 < words < 0.3
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50
