"""The HTTP server for phones: what it takes, what it refuses, and that nobody can hold it up."""

import http.client
import json
import socket
import threading
import time

import pytest
from pty_sensors import wait_for

from pallas.capture.devices import phone_server
from pallas.capture.devices.phone_server import SensorLogger
from pallas.capture.devices.sensor_logger import LARGEST_MESSAGE
from pallas.rig.errors import DeviceError


def body(device="ABC", number=0, count=1):
    rows = [
        {
            "name": "orientation",
            "time": 1_698_501_144_000_000_000 + n * 10_000_000,
            "values": {"qw": 1, "qx": 0, "qy": 0, "qz": 0},
        }
        for n in range(count)
    ]
    message = {"messageId": number, "sessionId": "s", "deviceId": device, "payload": rows}
    return json.dumps(message).encode()


def post(device, content, headers=None, method="POST"):
    host, port = device.address
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request(method, "/data", content, headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def raw(device, content, patience=5.0):
    """Send bytes as they are; what comes back until the other side ends the connection."""
    with socket.create_connection(device.address, timeout=patience) as opened:
        opened.sendall(content)
        answer = b""
        while piece := opened.recv(4096):
            answer += piece
        return answer


@pytest.fixture
def server():
    with SensorLogger(port=0) as opened:
        yield opened


def test_a_phone_that_pushes_becomes_samples(server):
    assert post(server, body(count=25)) == 200
    (state,) = server.trackers()
    assert len(server.take()) == 25
    assert (state.tracker, state.address, state.received) == ("phone ABC", "127.0.0.1", 25)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff" * 100, b"[" * 50_000])
def test_what_the_app_does_not_send_is_answered_and_counted(server, content):
    assert post(server, content) == 400
    assert server.refused == 1
    assert server.take() == []


def test_only_posts_are_taken(server):
    assert post(server, None, method="GET") == 405
    assert b"501" in raw(server, b"DELETE / HTTP/1.0\r\n\r\n")


def test_a_web_page_in_a_browser_cannot_send(server):
    """Browsers let any page post to loopback; they say so."""
    for headers in ({"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}):
        assert post(server, body(), headers) == 403
    assert server.take() == []


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 99999999", b"413"),
        (f"Content-Length: {LARGEST_MESSAGE + 1}".encode(), b"413"),
        (b"Content-Length: -5", b"411"),
        (b"Content-Length: 1e3", b"411"),
        (b"Content-Length: " + b"9" * 5000, b"411"),
        (b"Transfer-Encoding: chunked", b"411"),
        (b"X: " + b"a" * 70_000, b"431"),
        (b"\r\n".join(b"X%d: 1" % n for n in range(200)), b"431"),
    ],
)
def test_a_body_of_no_sensible_length_is_not_read(server, head, status):
    assert status in raw(server, b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\n").split(b"\r\n")[0]
    assert post(server, body()) == 200


NO_HTTP = (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"A" * 70_000 + b"\r\n")


@pytest.mark.parametrize("line", NO_HTTP)
def test_what_is_no_http_harms_nobody(server, line):
    raw(server, line)
    assert post(server, body()) == 200


def test_a_connection_serves_one_request(server):
    one = body()
    request = b"POST / HTTP/1.1\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(one)
    answer = raw(server, (request + one) * 3)
    assert answer.count(b"HTTP/1.0 200") == 1
    assert len(server.take()) == 1


def test_a_sender_that_stops_in_the_middle_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(phone_server, "_LONGEST", 0.3)
    with SensorLogger(port=0) as server:
        began = time.monotonic()
        raw(server, b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{")
        assert time.monotonic() - began < 4.0
        assert post(server, body()) == 200


def test_a_sender_that_drips_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(phone_server, "_LONGEST", 0.3)
    with (
        SensorLogger(port=0) as server,
        socket.create_connection(server.address, timeout=5) as slow,
    ):
        slow.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
        began = time.monotonic()

        def hung_up():
            assert time.monotonic() - began < 4.0
            time.sleep(0.05)
            try:
                slow.sendall(b" ")
            except OSError:
                return True
            return False

        wait_for(hung_up)


def test_connections_are_few_and_those_refused_get_no_thread(server):
    before = threading.active_count()
    held = [socket.create_connection(server.address, timeout=5) for _ in range(60)]
    try:
        wait_for(lambda: server.refused >= 60 - phone_server._MOST_CONNECTIONS)
        assert threading.active_count() - before <= phone_server._MOST_CONNECTIONS
    finally:
        for one in held:
            one.close()
    wait_for(lambda: post_or_none(server) == 200)


def post_or_none(server):
    try:
        return post(server, body())
    except (OSError, http.client.HTTPException):
        return None


def test_requests_are_few_a_second(server, monkeypatch):
    monkeypatch.setattr(phone_server, "_FASTEST", 5.0)
    statuses = [post(server, body(number=n)) for n in range(30)]
    assert 200 in statuses
    assert 429 in statuses


def test_invented_phones_are_not_all_remembered(server, monkeypatch):
    monkeypatch.setattr(phone_server, "_FASTEST", 1e6)
    for n in range(100):
        server.receive(body(device=f"phone{n}"), "127.0.0.1")
    assert len(server.trackers()) == 64


def test_on_an_interface_of_the_network_only_paired_phones_are_taken():
    with SensorLogger("0.0.0.0", 0, frozenset({"phone B"})) as server:
        server.receive(body("A"), "192.168.1.2")
        server.receive(body("B"), "192.168.1.3")
        assert [sample.tracker for sample in server.take()] == ["phone B"]
        assert [state.paired for state in server.trackers()] == [False, True]


def test_a_port_that_another_program_has_is_told(server):
    with pytest.raises(DeviceError, match="can't listen: Address already in use; expected an"):
        SensorLogger(port=server.address[1]).__enter__()


def test_it_closes_twice_and_leaves_no_thread():
    before = threading.active_count()
    device = SensorLogger(port=0)
    with device as server:
        idle = socket.create_connection(server.address)
        post(server, body())
    device.__exit__(None, None, None)
    wait_for(lambda: threading.active_count() <= before)
    idle.close()
    with pytest.raises(DeviceError, match="is not open"):
        _ = device.address
