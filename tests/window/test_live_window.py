"""Live capture in a real window of the newest Blender: stream, calibrate, record, solve."""

import json

import numpy as np
import pytest
from calibration_moves import calibration_moves, followed_by
from node_peers import free_port, slimevr_emulators
from walks import stepping

from pallas.capture.virtual_imu import virtual_recording

pytestmark = pytest.mark.window

STILL = 15.0  # seconds of standing, in which a calibration must begin
TRACKERS = tuple(f"slimevr 02:50:41:4C:00:{number:02X}/0" for number in range(1, 5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, play):
    """What a session in the window left behind, while four emulated trackers sent."""
    work = tmp_path_factory.mktemp("live")
    sensed = virtual_recording(followed_by(calibration_moves(still=STILL), stepping(60 * 20)))
    port = free_port()
    asked = {
        "source": f"slimevr:127.0.0.1:{port}",
        "worn": dict(zip(sensed.placements, TRACKERS, strict=True)),
    }
    (work / "live.json").write_text(json.dumps(asked))
    motion = (sensed.world_from_sensor, sensed.acceleration, sensed.fps)
    with slimevr_emulators(("127.0.0.1", port), *motion, loop=True):
        return play("drive_live.py", work, "live.png", "PALLAS_KEEP_LIVE")


def test_the_whole_story_was_told_without_an_error(found):
    assert found["error"] is None, found["error"]
    assert found["finished"]
    assert not found["failed"]


def test_the_trackers_that_send_are_listed(found):
    assert found["trackers"] == sorted(TRACKERS)


def test_the_performer_is_guided_to_a_calibration(found):
    assert any("Quality" in line for line in found["guidance"]), found["guidance"]


def test_the_character_moves_while_it_streams_and_gets_its_pose_back(found):
    assert found["shown"] >= 5  # few in a second: it is drawn without a graphics card
    assert found["report"]["packet_to_pose"]["frames"] > 30
    before, after = np.array(found["arm before"]), np.array(found["arm after"])
    assert np.abs(before - after).max() > 0.01
    assert found["arm given back"] == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=1e-6)


def test_the_take_is_solved(found):
    assert found["stop"] == ["FINISHED"]
    assert "frames at 60 Hz" in found["solved"]


def test_the_picture_shows_a_character(part):
    picture = part("live", "view")
    background = np.median(picture.reshape(-1, 3), axis=0)
    assert (np.abs(picture - background).max(axis=-1) > 40).mean() > 0.01
