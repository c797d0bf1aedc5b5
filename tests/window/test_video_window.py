"""Video in a real window of the newest Blender: the one-button route, Esc, reprojection, a stretch mended."""

import shutil

import numpy as np
import pytest

pytestmark = pytest.mark.window


@pytest.fixture(scope="module")
def folder(tmp_path_factory, play, data):
    """What a session in the window left behind."""
    work = tmp_path_factory.mktemp("video")
    trial = work / "trial"
    trial.mkdir()
    for number in range(1, 5):
        keypoints = data(f"video/pose2sim/openpose/pose_cam{number}_json.tar.xz")
        shutil.copyfile(keypoints, trial / f"cam{number}_json.tar.xz")
        clip = data(f"video/pose2sim/single/videos/cam0{number}.mp4")
        shutil.copyfile(clip, trial / f"cam0{number}.mp4")
    shutil.copyfile(data("video/pose2sim/openpose/Calib_qualisys.toml"), trial / "Calib.toml")
    return play("drive_video.py", work, "video.png", "PALLAS_KEEP_VIDEO")


def test_the_whole_story_was_told_without_an_error(found):
    assert found["error"] is None, found["error"]
    assert found["finished"]


def test_a_folder_becomes_four_rows_with_clip_and_keypoints_each(found):
    assert [row[1:] for row in found["rows"]] == [[True, True]] * 4


def test_esc_leaves_everything_as_it_was(found):
    assert found["in spite of Esc"] == found["before"]


def test_one_button_makes_cameras_keypoints_and_a_character_that_moves(found):
    after = found["after the route"]
    assert (after["cameras"], after["characters"], after["keypoints"]) == (4, 1, 25)
    assert after["actions"] == 3  # of the empties, of the solved ones and of the character
    assert "100 frames at 60 Hz" in found["summary"]
    assert found["rate"][0] == 24  # the scene's own


def test_the_report_is_written(found):
    assert found["report"] > 1000, found["problems"]


def test_one_undo_takes_it_all_away_and_redo_brings_it_back(found):
    assert found["looked away"] == found["after the route"]
    assert found["undone"] == found["before"]
    assert found["redone"] == found["after the route"]


def test_a_stretch_that_was_taken_away_is_filled_by_the_next_solve(found):
    assert 90 > found["keys left"] > 70  # six frames of the scene are fifteen of the keypoints
    assert found["keys after"] >= 99
    assert "keys filled in" in found["summary after"]


def test_the_clip_and_the_marks_are_seen_through_the_camera(part, found):
    assert found["seen through"][1] == "CAMERA"
    red, green, blue = np.moveaxis(part("video", "view"), -1, 0)
    crosses = (blue > 200) & (green > 170) & (red < 110)
    diamonds = (red > 200) & (green > 100) & (green < 190) & (blue < 80)
    assert crosses.sum() > 50
    assert diamonds.sum() > 50
    assert len(np.unique(part("video", "view").reshape(-1, 3), axis=0)) > 2000  # a photograph
