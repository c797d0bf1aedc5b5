"""What arrived is in the log, whether or not anyone looks at it live."""

import socket
import time

import pytest

from pallas.capture.devices.column_decoder import ColumnDecoder
from pallas.capture.devices.column_template import parse_template
from pallas.capture.devices.udp_text import UdpLines
from pallas.capture.session import recorder as module
from pallas.capture.session.recorder import Recorder
from pallas.rig.errors import DeviceError, OutputError, RecordingError


class Notebook:
    """A log that is kept in memory, and is full after `room` samples."""

    def __init__(self, room=10**9):
        self.samples, self.events, self.closed, self.room = [], [], False, room

    def write(self, sample):
        if len(self.samples) >= self.room:
            raise OutputError("take.pallas can't be written: no space left")
        self.samples.append(sample)

    def event(self, kind, **fields):
        self.events.append((kind, fields))

    def tick(self):
        pass

    def close(self):
        self.closed = True


def device(port=0):
    return UdpLines(ColumnDecoder(parse_template("id,count,qw,qx,qy,qz"), "udp"), port=port)


def send(to, count, first=0):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        for number in range(first, first + count):
            opened.sendto(f"chest,{number},1,0,0,0\n".encode(), to.address)


def until(done, patience=10.0):
    end = time.monotonic() + patience
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_everything_that_arrives_is_written_and_can_be_taken():
    log = Notebook()
    with Recorder([device()]) as recorder:
        recorder.start(log)
        send(recorder.devices[0], 50)
        until(lambda: recorder.recorded == 50)
        assert [sample.sequence for sample in recorder.take()] == list(range(50))
        assert recorder.take() == []
    assert [sample.sequence for sample in log.samples] == list(range(50))
    assert log.closed


def test_what_nobody_takes_live_is_in_the_log_all_the_same(monkeypatch):
    monkeypatch.setattr(module, "_LONGEST_QUEUE", 10)
    log = Notebook()
    with Recorder([device()]) as recorder:
        recorder.start(log)
        send(recorder.devices[0], 100)
        until(lambda: recorder.recorded == 100)
        assert [sample.sequence for sample in recorder.take()] == list(range(90, 100))
        assert recorder.missed == 90


def test_what_comes_just_before_the_end_is_written():
    log = Notebook()
    with Recorder([device()]) as recorder:
        recorder.start(log)
        send(recorder.devices[0], 20)
        until(lambda: recorder.trackers() and recorder.trackers()[0].received == 20)
    assert len(log.samples) == 20


def test_a_recorder_that_waits_leaves_nothing_out_before_its_first_log():
    log = Notebook()
    with Recorder([device()], waits=True) as recorder:
        send(recorder.devices[0], 20)
        until(lambda: recorder.trackers() and recorder.trackers()[0].received == 20)
        recorder.start(log)
        until(lambda: recorder.recorded == 20)
    assert len(log.samples) == 20


def test_events_go_into_the_log_that_is_open_and_nowhere_else():
    log = Notebook()
    with Recorder([device()]) as recorder:
        recorder.event("note", text="too early")
        recorder.start(log)
        recorder.event("note", text="in time")
        recorder.stop()
        recorder.event("note", text="too late")
    assert log.events == [("note", {"text": "in time"})]


def test_a_full_disk_ends_the_take_and_not_the_stream():
    log = Notebook(room=5)
    with Recorder([device()]) as recorder:
        recorder.start(log)
        send(recorder.devices[0], 5)
        until(lambda: recorder.recorded == 5)
        send(recorder.devices[0], 5, first=5)
        until(lambda: not recorder.recording)
        assert log.closed
        assert "no space left" in str(recorder.errors[0])
        until(lambda: len(recorder.take()) >= 0 and recorder.trackers()[0].received == 10)
        send(recorder.devices[0], 1, first=10)
        until(recorder.take)
    assert len(log.samples) == 5


def test_a_sample_that_no_log_can_hold_is_left_out_and_told():
    class Picky(Notebook):
        def write(self, sample):
            if sample.sequence == 1:
                raise RecordingError("too many senders")
            super().write(sample)

    log = Picky()
    with Recorder([device()]) as recorder:
        recorder.start(log)
        send(recorder.devices[0], 3)
        until(lambda: len(log.samples) == 2)
        assert recorder.recording
        assert "too many senders" in str(recorder.errors[0])


def test_a_second_take_ends_the_first():
    first, second = Notebook(), Notebook()
    with Recorder([device()]) as recorder:
        recorder.start(first)
        recorder.start(second)
        assert first.closed
        send(recorder.devices[0], 3)
        until(lambda: recorder.recorded == 3)
    assert (len(first.samples), len(second.samples)) == (0, 3)


def test_a_port_that_is_taken_closes_what_was_open():
    with Recorder([device()]) as recorder:
        port = recorder.devices[0].address[1]
        other = device()
        with (
            pytest.raises(DeviceError, match="choose another port"),
            Recorder([other, device(port)]),
        ):
            pass
        with pytest.raises(DeviceError, match="not open"):
            other.address  # noqa: B018  asking is what fails
