"""OSC datagrams as python-osc writes and reads them."""

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

from pallas.capture.devices.osc import format_osc_bundle, format_osc_message, parse_osc
from pallas.rig.errors import DeviceError


def built(address, *arguments):
    builder = OscMessageBuilder(address=address)
    for argument in arguments:
        if isinstance(argument, tuple):
            builder.add_arg(argument[1], argument[0])
        else:
            builder.add_arg(argument)
    return builder.build()


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="none"),
        pytest.param((1, -2, 0.5, "abc", "abcd", ""), id="numbers and texts"),
        pytest.param((("h", 2**40), ("d", 0.1), b"abcde", True, False), id="rarer ones"),
        pytest.param(([1, [2.0, "x"]],), id="arrays, read flat"),
    ],
)
def test_what_python_osc_writes_is_read(arguments):
    (message,) = parse_osc(built("/a/b", *arguments).dgram)
    plain = tuple(
        argument[1] if isinstance(argument, tuple) else argument for argument in arguments
    )
    if arguments and isinstance(arguments[0], list):
        plain = (1, 2.0, "x")
    assert (message.address, message.arguments) == ("/a/b", plain)


def test_bundles_in_bundles_are_opened_in_order():
    inner, outer = OscBundleBuilder(IMMEDIATELY), OscBundleBuilder(IMMEDIATELY)
    inner.add_content(built("/2", 2))
    inner.add_content(built("/3", 3))
    outer.add_content(built("/1", 1))
    outer.add_content(inner.build())
    outer.add_content(built("/4", 4))
    assert [m.address for m in parse_osc(outer.build().dgram)] == ["/1", "/2", "/3", "/4"]


def test_python_osc_reads_what_we_write():
    bundle = format_osc_bundle(
        [format_osc_message("/one", 7, 0.25, "four"), format_osc_message("/two")]
    )
    messages = [timed.message for timed in OscPacket(bundle).messages]
    assert [(m.address, m.params) for m in messages] == [("/one", [7, 0.25, "four"]), ("/two", [])]


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="no OSC"),
        pytest.param(b"/a\0\0,f\0\0\0\0", id="a number cut off"),
        pytest.param(b"/a\0\0,s\0\0abcd", id="a text without an end"),
        pytest.param(b"/a\0\0,b\0\0\x7f\xff\xff\xff", id="a blob that is longer than everything"),
        pytest.param(b"/a\0\0,b\0\0\xff\xff\xff\xf0", id="a blob of a negative size"),
        pytest.param(b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc", id="a negative size, for ever"),
        pytest.param(b"#bundle\0" + bytes(8) + b"\0\0\0\0" * 9, id="nothing, again and again"),
        pytest.param(b"/a\0\0,?\0\0", id="an unknown type"),
    ],
)
def test_what_is_no_osc_is_refused_in_one_line(datagram):
    with pytest.raises(DeviceError, match=r"^[^\n]+$"):
        parse_osc(datagram)


def test_bundles_nested_without_end_are_refused():
    datagram = format_osc_message("/a")
    for _ in range(400):
        datagram = format_osc_bundle([datagram])
    with pytest.raises(DeviceError, match="nested"):
        parse_osc(datagram)
