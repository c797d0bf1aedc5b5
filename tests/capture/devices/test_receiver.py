"""What comes over UDP is bounded: in size, in rate, in senders, in memory."""

import socket
import time

import numpy as np
import pytest

from pallas.capture.devices import threaded
from pallas.capture.devices.receiver import UdpReceiver, is_loopback
from pallas.capture.devices.samples import TrackerSample
from pallas.rig import FormatError, PallasError, quaternion
from pallas.rig.errors import DeviceError


class Numbers(UdpReceiver):
    """Datagrams `NAME NUMBER`."""

    def __init__(self, host="127.0.0.1", port=0, paired=frozenset(), **options):
        super().__init__("numbers", "Numbers", host, port, paired, **options)
        self.by_address = {}

    def receive(self, datagram, sender, now):
        name, _, number = datagram.decode("ascii", "replace").partition(" ")
        tally = self.tally(name, f"{sender[0]}:{sender[1]}")
        self.by_address[sender] = tally
        if not number.isdigit():
            raise FormatError(f"{number!r} is no number")
        if tally is not None and tally.hear(now, int(number)):
            sample = TrackerSample(name, now, np.nan, quaternion.IDENTITY, np.zeros(3), int(number))
            self.give(sample)

    def tally_of(self, sender):
        return self.by_address.get(sender)


@pytest.fixture
def program():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        yield opened


def wait_for(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


def test_samples_come_in_the_order_in_which_they_were_sent(program):
    with Numbers() as device:
        for number in range(100):
            program.sendto(f"a {number}".encode(), device.address)
        wait_for(lambda: device.trackers() and device.trackers()[0].received == 100)
        assert [sample.sequence for sample in device.take()] == list(range(100))
        assert device.take() == []


def test_a_device_closes_twice_and_opens_again(program):
    device = Numbers()
    for _ in range(2):
        with device:
            program.sendto(b"a 1", device.address)
            wait_for(device.take)
        device.__exit__(None, None, None)
    with pytest.raises(DeviceError, match="is not open"):
        _ = device.address


def test_a_port_that_another_program_has_is_told():
    with (
        Numbers() as first,
        pytest.raises(DeviceError, match=r"can't listen: Address already in use; expected"),
        Numbers(port=first.address[1]),
    ):
        pass


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_cannot_be_is_told(port):
    with pytest.raises(DeviceError, match="can't listen"), Numbers(port=port):
        pass


def test_packets_too_large_are_refused(program):
    with Numbers(largest=64) as device:
        program.sendto(b"a " + b"1" * 63, device.address)
        program.sendto(b"a 7", device.address)
        wait_for(device.trackers)
        assert device.refused == 1
        assert [sample.sequence for sample in device.take()] == [7]


def test_a_flood_is_refused_beyond_the_rate_while_others_are_heard(program):
    with (
        Numbers(fastest=1.0) as device,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for number in range(700):
            program.sendto(f"flood {number}".encode(), device.address)
            if number % 100 == 99:
                time.sleep(0.01)
        other.sendto(b"calm 1", device.address)
        wait_for(lambda: len(device.trackers()) == 2)
        assert device.refused >= 150
        assert device.trackers()[0].received <= 550


def test_a_crowd_of_made_up_addresses_is_not_listened_to_but_who_is_known_is():
    device = Numbers()
    start = time.monotonic()
    device.pass_on(b"mine 0", ("127.0.0.1", 1), start)
    for number in range(1, 3000):
        now = start + number / 1000
        device.pass_on(b"stranger 1", (f"127.0.{number // 250}.{number % 250}", 2), now)
        device.pass_on(f"mine {number}".encode(), ("127.0.0.1", 1), now)
    mine, stranger = device.trackers()
    assert mine.received == 3000
    assert device.refused == pytest.approx(2999 - 63 - 3 * 20, abs=2)
    assert stranger.tracker == "stranger"
    assert len(device._senders) <= threaded.MOST_TRACKERS


def test_the_number_of_remembered_senders_is_bounded(program):
    with Numbers() as device:
        for number in range(500):
            program.sendto(f"stranger{number} 1".encode(), device.address)
        program.sendto(b"last 1", device.address)
        wait_for(lambda: device.trackers() and device.trackers()[-1].tracker == "last")
        assert len(device.trackers()) == threaded.MOST_TRACKERS


def test_strangers_do_not_push_out_a_paired_tracker():
    device = Numbers("0.0.0.0", paired=frozenset({"mine"}))
    mine = device.tally("mine")
    for number in range(500):
        device.tally(f"stranger{number}").hear(float(number), 1)
    assert device.tally("mine") is mine
    assert len(device.trackers()) == threaded.MOST_TRACKERS


def test_the_queue_drops_the_oldest_and_says_so(monkeypatch):
    monkeypatch.setattr(threaded, "LONGEST_QUEUE", 10)
    device = Numbers()
    for number in range(25):
        device.receive(f"a {number}".encode(), ("127.0.0.1", 1), 0.01 * number)
    assert [sample.sequence for sample in device.take()] == list(range(15, 25))
    assert device.dropped == 15
    assert "not taken in time" in device.trackers()[0].note


def test_beyond_this_computer_only_paired_trackers_are_taken():
    device = Numbers("0.0.0.0", paired=frozenset({"mine"}))
    for name in ("mine", "theirs"):
        device.receive(f"{name} 1".encode(), ("192.168.1.9", 5), 1.0)
    assert [sample.tracker for sample in device.take()] == ["mine"]
    assert [state.paired for state in device.trackers()] == [True, False]
    device.pair("theirs")
    device.pair("mine", False)
    for name in ("mine", "theirs"):
        device.receive(f"{name} 2".encode(), ("192.168.1.9", 5), 2.0)
    assert [sample.tracker for sample in device.take()] == ["theirs"]


def test_on_loopback_everyone_is_paired_but_whom_the_user_left_out():
    device = Numbers()
    device.pair("loud", False)
    for name in ("calm", "loud"):
        device.receive(f"{name} 1".encode(), ("127.0.0.1", 5), 1.0)
    assert [sample.tracker for sample in device.take()] == ["calm"]


def test_what_is_not_understood_is_counted_in_the_note(program):
    with Numbers() as device:
        for text in (b"a 1", b"a x", b"a \xff", b"a 2"):
            program.sendto(text, device.address)
        wait_for(lambda: device.trackers() and device.trackers()[0].received == 2)
        assert device.trackers()[0].note.startswith("2 packets not understood: ")
        assert device.error is None


def test_a_thread_that_ends_by_itself_leaves_its_error():
    class Breaks(Numbers):
        def tick(self, now):
            raise PallasError("unplugged")

    with Breaks() as device:
        wait_for(lambda: device.error is not None)
        assert str(device.error) == "unplugged"


@pytest.mark.parametrize(
    ("host", "only_here"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("me", False)],
)
def test_loopback_is_told_from_the_rest(host, only_here):
    assert is_loopback(host) == only_here
