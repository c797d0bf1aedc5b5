"""Lines in datagrams, from several hosts' programs at once."""

import socket

import pytest
from pty_sensors import COLUMNS, wait_for

from pallas.capture.devices import threaded
from pallas.capture.devices.column_decoder import ColumnDecoder
from pallas.capture.devices.column_template import parse_template
from pallas.capture.devices.udp_text import UdpLines


@pytest.fixture
def board():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        yield opened


def device(columns=COLUMNS, **options):
    return UdpLines(ColumnDecoder(parse_template(columns), "udp"), port=0, **options)


def test_every_line_of_a_datagram_is_read_and_its_end_need_not_be_there(board):
    with device() as opened:
        board.sendto(b"left,0,1,0,0,0,0,0,1\r\nright,0,1,0,0,0,0,0,1", opened.address)
        samples = wait_for(lambda: len(opened.trackers()) == 2 and opened.take())
    assert [sample.tracker for sample in samples] == ["udp 127.0.0.1/left", "udp 127.0.0.1/right"]


def test_a_board_that_starts_again_on_another_port_is_the_same_tracker(board):
    with device() as opened:
        board.sendto(b"left,0,1,0,0,0,0,0,1", opened.address)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"left,0,1,0,0,0,0,0,1", opened.address)
            wait_for(lambda: opened.trackers() and opened.trackers()[0].received == 2)
        assert len(opened.trackers()) == 1


def test_losses_and_duplicates_are_counted_where_lines_are(board):
    with device("count,qw,qx,qy,qz") as opened:
        for count in (0, 1, 1, 4, 3):
            board.sendto(f"{count},1,0,0,0\n".encode(), opened.address)
        wait_for(lambda: opened.trackers() and opened.trackers()[0].reordered)
        (state,) = opened.trackers()
    assert (state.received, state.lost, state.duplicated, state.reordered) == (4, 1, 1, 1)


def test_what_is_no_line_is_noted_and_harms_no_other(board):
    with device() as opened:
        board.sendto(b"\xff\x00\nleft,0,1,0,0,0,0,0,1\n,,,\n", opened.address)
        wait_for(lambda: len(opened.trackers()) == 2)
        wait_for(lambda: "not understood" in opened.trackers()[1].note)
        assert len(opened.take()) == 1


def test_on_an_interface_of_the_network_only_paired_boards_are_taken(board):
    paired = frozenset({"udp 127.0.0.1/right"})
    with device(host="0.0.0.0", paired=paired) as opened:
        to = ("127.0.0.1", opened.address[1])
        board.sendto(b"left,0,1,0,0,0,0,0,1\nright,0,1,0,0,0,0,0,1", to)
        wait_for(lambda: len(opened.trackers()) == 2)
        assert [sample.tracker for sample in opened.take()] == ["udp 127.0.0.1/right"]
        opened.pair("udp 127.0.0.1/left")
        board.sendto(b"left,0,1,0,0,0,0,0,1", to)
        wait_for(opened.take)


def test_a_note_of_samples_that_nobody_took_stays(monkeypatch):
    monkeypatch.setattr(threaded, "LONGEST_QUEUE", 2)
    opened = device()
    for n in range(5):
        opened.receive(b"left,%d,1,0,0,0,0,0,1" % n, ("127.0.0.1", 1), n / 100)
    (state,) = opened.trackers()
    assert state.note == "samples dropped: they were not taken in time"
    assert opened.dropped == 3
