"""The panel of live capture, its buttons pressed in the order of work, while emulated trackers send."""

import json
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from calibration_moves import calibration_moves, followed_by  # noqa: E402  after the skip
from file_hash import file_hash  # noqa: E402
from linked_characters import shown_by_empty  # noqa: E402
from node_peers import slimevr_emulators  # noqa: E402
from walks import DEMO, stepping  # noqa: E402

from pallas.capture.imu import PLACEMENTS  # noqa: E402
from pallas.capture.session.raw_log import read_raw_log  # noqa: E402
from pallas.capture.virtual_imu import virtual_recording  # noqa: E402
from pallas.operators import live_current, live_lists  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402

pytest.importorskip("torch")


@pytest.fixture
def live(scene, tmp_path):
    """The panel's settings; whatever was connected is let go in the end."""
    live = scene.pallas.live
    live.folder = str(tmp_path)
    yield live
    live_current.disconnect()


def step(seconds, done=lambda: False):
    """What Blender's timer does, until something is so; poses shown."""
    shown, end, listed = 0, time.monotonic() + seconds, 0.0
    capture = live_current.current()
    while time.monotonic() < end and not done():
        shown += capture.tick()
        if time.monotonic() - listed > 0.1:
            live_lists.look(capture)
            listed = time.monotonic()
        time.sleep(0.004)
    return shown


def connect(live, source):
    live.source = source
    assert bpy.ops.pallas.add_live_source() == {"FINISHED"}
    assert bpy.ops.pallas.connect_live() == {"FINISHED"}
    return live_current.current()


def performance():
    return virtual_recording(followed_by(calibration_moves(still=10.0), stepping(240)))


@contextmanager
def calibrated(live, capture, sensed):
    """Play a performance until its calibration is done, again where a busy machine spoilt it."""
    motion = (sensed.world_from_sensor, sensed.acceleration, sensed.fps)
    for _ in range(3):
        with slimevr_emulators(capture.recorder.devices[0].address, *motion) as emulators:
            emulators.start()
            step(30.0, lambda: len(live.trackers) == 4)
            for placement, tracker in zip(sensed.placements, emulators.trackers, strict=True):
                live.trackers[tracker].placement = placement
            assert bpy.ops.pallas.calibrate_live() == {"FINISHED"}
            performer = capture.session.performers["Performer 1"]
            step(19.0, lambda who=performer: who.calibration is not None)
            if performer.calibration is not None:
                yield
                return
    pytest.fail("the performer was never calibrated")


def test_a_performer_calibrates_moves_a_character_and_is_recorded_and_solved(live):
    sensed = performance()
    character = add_character()
    capture = connect(live, "slimevr:127.0.0.1:0")
    capture.wait(60.0)
    live.performers[0].target = character
    assert bpy.ops.pallas.record_take() == {"FINISHED"}
    with calibrated(live, capture, sensed):
        assert any("Quality" in line for line in live_current.guidance())
        before = np.array(character.pose.bones["mixamorig:LeftArm"].matrix_basis)
        assert step(4.0) > 5
        after = np.array(character.pose.bones["mixamorig:LeftArm"].matrix_basis)
        assert np.abs(after - before).max() > 0.05
    assert bpy.ops.pallas.stop_take() == {"FINISHED"}
    take = Path(bpy.context.scene.pallas.capture.take)
    assert take.name == "take.pallas"
    report = json.loads(take.with_suffix(".report.json").read_text())
    assert report["packet_to_character"]["frames"] > 5
    assert report["packet_to_pose"]["p50_ms"] > 0.0
    kinds = [event.kind for event in read_raw_log(take).events]
    assert kinds[-3:] == ["placing", "pose", "mounting"]
    assert bpy.ops.pallas.disconnect_live() == {"FINISHED"}
    assert character.pose.bones["mixamorig:LeftArm"].matrix_basis.to_quaternion().angle < 1e-6
    assert bpy.ops.pallas.solve_take() == {"FINISHED"}
    assert "frames at 60 Hz" in bpy.context.scene.pallas.solve.summary


def test_a_recording_plays_as_a_source(live):
    capture = connect(live, f"replay:{DEMO}")
    step(10.0, lambda: len(live.trackers) == 4)
    assert {tracker.name for tracker in live.trackers} == set(PLACEMENTS)
    step(10.0, lambda: live_current.states()["neck"].rate > 0.0)
    assert live_current.states()["neck"].rate > 0.0
    assert live_current.told(capture) == []


def test_a_pose_that_mocopi_solved_moves_the_first_performers_character(live, data):
    packets = [data(f"imu/mocopi/sample_{kind}.bin").read_bytes() for kind in ("skdf", "fram")]
    live.performers.add().name = "anna"
    live.performers[0].target = character = add_character()
    capture = connect(live, "mocopi:127.0.0.1:0")
    capture.wait(60.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as app:
        for packet in packets:
            app.sendto(packet, capture.recorder.devices[0].address)
        step(10.0, lambda: capture.shown > 0)
    assert capture.shown > 0, live_current.told(capture)
    assert character.pose.bones["mixamorig:LeftArm"].matrix_basis.to_quaternion().angle > 0.05


def test_a_linked_character_is_overridden_before_it_follows(live, scene, tmp_path):
    linked = shown_by_empty(scene, add_character(), tmp_path / "cast.blend")
    live.performers.add().name = "anna"
    live.performers[0].target = linked
    connect(live, "mocopi:127.0.0.1:0")
    assert live.performers[0].target.override_library.reference == linked
    assert tuple(live.performers[0].target.location) == (2.0, 0.0, 0.0)


def test_takes_never_replace_each_other(live):
    connect(live, f"replay:{DEMO}")
    for name in ("take.pallas", "take 2.pallas"):
        assert bpy.ops.pallas.record_take() == {"FINISHED"}
        step(0.5)
        assert bpy.ops.pallas.stop_take() == {"FINISHED"}
        assert Path(bpy.context.scene.pallas.capture.take).name == name
        assert Path(bpy.context.scene.pallas.capture.take).exists()


def test_a_second_time_leaves_the_file_as_it_was(live):
    live.performers.add().name = "anna"
    live.performers[0].target = add_character()
    connect(live, f"replay:{DEMO}")
    step(10.0, lambda: len(live.trackers) == 4)
    bpy.ops.pallas.disconnect_live()
    before = file_hash()
    bpy.ops.pallas.connect_live()
    step(0.5)
    bpy.ops.pallas.disconnect_live()
    assert file_hash() == before


@pytest.mark.parametrize(
    ("press", "message"),
    [
        ("calibrate_live", "nobody wears a tracker"),
        ("reset_heading", "nobody is calibrated yet"),
        ("find_trackers", "connect and pair more"),
    ],
)
def test_buttons_out_of_order_say_what_to_do(live, press, message, tmp_path):
    (tmp_path / "empty.csv").write_text(
        "time,a.qw,a.qx,a.qy,a.qz,a.ax,a.ay,a.az\n0,1,0,0,0,0,0,0\n"
    )
    connect(live, f"replay:{tmp_path / 'empty.csv'}")
    with pytest.raises(RuntimeError, match=message):
        getattr(bpy.ops.pallas, press)()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("smellovision", "is no device"),
        ("replay:nowhere.pallas", "nowhere.pallas"),
        ("slimevr:0.0.0.0", "Allow Online Access"),
    ],
)
def test_a_source_that_cannot_be_used_is_told_in_one_line(live, monkeypatch, source, message):
    live.source = source
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.pallas.add_live_source() and bpy.ops.pallas.connect_live()
    assert live_current.current() is None


def test_vmc_needs_a_host_and_a_port(live):
    live.source, live.vmc = f"replay:{DEMO}", "somewhere"
    with pytest.raises(RuntimeError, match="expected HOST:PORT"):
        bpy.ops.pallas.connect_live()


def test_a_file_that_was_never_saved_has_no_folder_beside_it(live):
    live.folder = "//takes"
    connect(live, f"replay:{DEMO}")
    with pytest.raises(RuntimeError, match="never saved"):
        bpy.ops.pallas.record_take()


def test_opening_another_file_ends_the_capture(live):
    connect(live, f"replay:{DEMO}")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert live_current.current() is None


def test_buttons_are_grey_until_something_is_connected(live):
    for name in ("disconnect_live", "record_take", "stop_take", "calibrate_live", "find_trackers"):
        assert not getattr(bpy.ops.pallas, name).poll()
    assert bpy.ops.pallas.connect_live.poll()
