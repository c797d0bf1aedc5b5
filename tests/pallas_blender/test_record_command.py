"""`pallas record`: what comes is in the take, however the program ends."""

import json
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from node_peers import free_port, slimevr_emulators
from walks import DEMO

from pallas.capture.recording import read_recording_file
from pallas.capture.session.raw_log import read_raw_log
from pallas.pallas_blender.cli import main
from pallas.rig import quaternion

COLUMNS = "columns=id,count,qw,qx,qy,qz"


def recording(*words):
    command = [sys.executable, "-m", "pallas.pallas_blender.cli", "record", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def send_until(port, done, patience=30.0):
    """Send a reading every 5 ms until something is so; how many."""
    count, end = 0, time.monotonic() + patience
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        while not done(count):
            assert time.monotonic() < end, "waited in vain"
            opened.sendto(f"chest,{count},1,0,0,0\n".encode(), ("127.0.0.1", port))
            count += 1
            time.sleep(0.005)
    return count


def test_a_replay_is_recorded_and_ends_by_itself(tmp_path, capsys):
    out = tmp_path / "take.pallas"
    worn = tmp_path / "worn.json"
    worn.write_text('{"waist": "waist", "neck": "neck"}')
    words = ["record", f"replay:{DEMO}?speed=max", "-o", str(out), "--map", str(worn), "--json"]
    assert main([*words, "--name", "walk", "--notes", "left shoe untied"]) == 0
    said = json.loads(capsys.readouterr().out)
    log, demo = read_raw_log(out), read_recording_file(DEMO)
    assert said["readings"] == len(log.readings) == 4 * len(demo)
    assert (log.name, log.notes) == ("walk", "left shoe untied")
    assert log.events[0].texts("trackers") == {"waist": "waist", "neck": "neck"}


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_take_and_it_is_complete(tmp_path, kind):
    out, report = tmp_path / "take.pallas", tmp_path / "report.json"
    port = free_port()
    program = recording(f"udp:127.0.0.1:{port}?{COLUMNS}", "-o", out, "--report", report)
    send_until(port, lambda count: out.exists())
    send_until(port, lambda count: count > 200)
    program.send_signal(kind)
    _, told = program.communicate(timeout=60)
    assert program.returncode == 0, told
    (counts,) = json.loads(report.read_text())["trackers"].values()
    assert len(read_raw_log(out).readings) == counts["received"] > 100
    assert "readings in" in told


def test_a_killed_program_loses_its_last_second_at_most(tmp_path):
    out = tmp_path / "take.pallas"
    port = free_port()
    program = recording(f"udp:127.0.0.1:{port}?{COLUMNS}", "-o", out)
    send_until(port, lambda count: out.exists())
    began = time.monotonic()
    send_until(port, lambda count: time.monotonic() - began > 3.0)
    killed = time.monotonic()
    program.kill()
    program.communicate()
    arrivals = read_raw_log(out).readings["arrival"]
    assert killed - arrivals[-1] < 1.2
    assert np.diff(arrivals).max() < 1.0


def test_where_nothing_comes_one_line_says_what_to_look_at(tmp_path, capsys):
    out = tmp_path / "take.pallas"
    source = f"slimevr:127.0.0.1:{free_port()}"
    assert main(["record", source, "-o", str(out), "--seconds", "0.2"]) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"nothing came from {source}" in last
    assert "firewall" in last


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["smellovision", "-o", "a.pallas"], "is no device; expected one of: slimevr"),
        (["slimevr:127.0.0.1:99999999", "-o", "a.pallas"], "port"),
        (["replay:missing.pallas", "-o", "a.pallas"], "missing.pallas"),
        (["slimevr", "-o", "a.csv"], "expected .pallas"),
        (["slimevr", "-o", "there.pallas"], "is there already"),
        (["slimevr", "-o", "a.pallas", "--map", "twice.json"], "names one tracker twice"),
    ],
)
def test_mistakes_are_told_in_one_line_and_touch_nothing(
    tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.pallas").write_text("mine")
    (tmp_path / "twice.json").write_text('{"waist": "a", "neck": "a"}')
    assert main(["record", *words]) == 1
    told = capsys.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert message in told[0]
    assert (tmp_path / "there.pallas").read_text() == "mine"
    assert not (tmp_path / "a.pallas").exists()


def test_four_emulated_trackers_with_losses_give_the_take(tmp_path):
    demo = read_recording_file(DEMO)
    frames = slice(0, 240)
    out, port = tmp_path / "take.pallas", free_port()
    program = recording(f"slimevr:127.0.0.1:{port}", "-o", out)
    sent = slimevr_emulators(
        ("127.0.0.1", port),
        demo.world_from_sensor[frames],
        demo.acceleration[frames],
        demo.fps,
        loss=0.05,
    )
    with sent as emulators:
        emulators.start()
        emulators.finish(60.0)
    program.send_signal(signal.SIGINT)
    _, told = program.communicate(timeout=60)
    assert program.returncode == 0, told
    log = read_raw_log(out)
    came = [int((log.readings["sender"] == log.senders.index(t)).sum()) for t in emulators.trackers]
    assert came == [s - d for s, d in zip(emulators.sent, emulators.dropped, strict=True)]
    worn = dict(zip(demo.placements, emulators.trackers, strict=True))
    taken = log.recording(worn)
    # The take begins with some frame of the grid; find which.
    errors = [
        np.degrees(
            np.nanmedian(
                quaternion.angle(
                    taken.world_from_sensor[20:200],
                    demo.world_from_sensor[20 + shift : 200 + shift],
                )
            )
        )
        for shift in range(-5, 6)
    ]
    assert min(errors) < 1.0
