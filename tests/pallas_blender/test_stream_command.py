"""`pallas stream`: trackers in a table; calibrated, solved and passed on to a program that shows avatars."""

import json
import subprocess
import sys
import threading
import time

import pytest
from calibration_moves import calibration_moves, followed_by
from node_peers import free_port, slimevr_emulators
from walks import DEMO, stepping

from pallas.capture.devices.vmc import VmcReceiver
from pallas.capture.session.raw_log import read_raw_log
from pallas.capture.virtual_imu import virtual_recording
from pallas.pallas_blender.cli import main


@pytest.fixture(scope="module")
def performance():
    return virtual_recording(followed_by(calibration_moves(still=9.0), stepping(240)))


def play(performance, port, command, folder):
    """Run a command while someone calibrates and walks in front of it; its result and what it said."""
    trackers = [f"slimevr 02:50:41:4C:00:{number:02X}/0" for number in range(1, 5)]
    worn = folder / "worn.json"
    worn.write_text(json.dumps(dict(zip(performance.placements, trackers, strict=True))))
    words = [sys.executable, "-m", "pallas.pallas_blender.cli", *command, "--map", str(worn)]
    program = subprocess.Popen(
        [*words, "--calibrate", "npose", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = []
    reader = threading.Thread(target=lambda: said.extend(program.stderr))
    reader.start()
    motion = (performance.world_from_sensor, performance.acceleration, performance.fps)
    with slimevr_emulators(("127.0.0.1", port), *motion) as emulators:
        emulators.start(60.0)
        emulators.finish(60.0)
    program.terminate()
    result = program.stdout.read()
    program.stdout.close()
    program.wait(60)
    reader.join()
    program.stderr.close()
    assert program.returncode == 0, "".join(said)
    return json.loads(result), "".join(said)


def played(performance, command, folder):
    """`play`, again where a busy machine stood still for a second and a pose looked like a movement."""
    for _ in range(3):
        port = free_port()
        report, said = play(performance, port, command(port), folder)
        if "calibrated," in said:
            break
    return report, said


def test_a_table_of_trackers_is_shown(capsys):
    assert main(["stream", f"replay:{DEMO}", "--seconds", "1", "--json"]) == 0
    told = capsys.readouterr()
    assert all(name in told.err for name in ("waist", "left_wrist", "right_wrist", "neck", "Hz"))
    assert json.loads(told.out)["trackers"]["neck"]["received"] > 10


def test_a_calibrated_performer_is_sent_to_a_program_for_avatars(performance, tmp_path):
    with VmcReceiver(port=0) as avatar:
        host, vmc = avatar.address

        def command(port):
            return ["stream", f"slimevr:127.0.0.1:{port}", "--vmc", f"{host}:{vmc}"]

        report, said = played(performance, command, tmp_path)
        time.sleep(0.2)
        poses = avatar.take()
    assert "N pose in 3" in said
    assert "calibrated," in said, said
    assert report["packet_to_pose"]["frames"] > 60
    assert len(poses) > 60
    assert len({pose.performer for pose in poses}) == 1


def test_a_guided_take_holds_its_calibration(performance, tmp_path):
    out = tmp_path / "take.pallas"

    def command(port):
        return ["record", f"slimevr:127.0.0.1:{port}", "-o", str(out), "--force"]

    _, said = played(performance, command, tmp_path)
    assert "Bend forwards" in said
    log = read_raw_log(out)
    assert [event.kind for event in log.events] == ["placing", "pose", "mounting"]
    assert log.recording().bone_from_sensor is not None


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--vmc", "127.0.0.1:39539"], 1, "add --calibrate npose"),
        (["--calibrate", "npose"], 1, "--map MAP.json"),
        (["--vmc", "somewhere"], 2, "expected HOST:PORT"),
        (["--seconds", "-1"], 2, "seconds above 0"),
    ],
)
def test_what_is_missing_is_told(capsys, words, status, message):
    assert main(["stream", f"replay:{DEMO}", *words]) == status
    assert message in capsys.readouterr().err
