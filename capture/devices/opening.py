"""A device from one line of text, such as "slimevr" or "serial:/dev/ttyUSB0?columns=t,qw,qx,qy,qz"."""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from ...rig.errors import DeviceError
from .column_decoder import ColumnDecoder
from .column_template import parse_template
from .device import Device
from .movella_dot import MovellaDot
from .phone_server import SensorLogger
from .replay import Replay
from .serial_lines import SerialLines
from .udp_text import UdpLines
from .ximu3_decoder import Ximu3Decoder

__all__ = ["KINDS", "Kind", "open_device"]

_Options = Mapping[str, str]
_Open = Callable[[str, _Options, frozenset[str]], Device]
_LOOPBACK: Final = "127.0.0.1"
_COLUMN_OPTIONS: Final = ("columns", "separator", "gravity", "frame", "magnetometer")
_YES: Final = ("yes", "true", "1")
_NO: Final = ("no", "false", "0")


@dataclass(frozen=True)
class Kind:
    """One kind of device.

    Attributes:
        what: what it is, in a few words.
        example: how one is asked for.
        options: what may stand behind the "?".
        open: makes one of an address, options and paired trackers.
    """

    what: str
    example: str
    options: tuple[str, ...]
    open: _Open


def open_device(spec: str, *, paired: frozenset[str] = frozenset()) -> Device:
    """The device that a line of text asks for; enter it to open its port.

    Args:
        spec: KIND, KIND:ADDRESS or KIND:ADDRESS?OPTION=VALUE&OPTION=VALUE; see `KINDS`. An address of the
            network is HOST:PORT, HOST or PORT; the host is 127.0.0.1 unless told.
        paired: trackers whose samples are taken, where the device listens to more than this computer.

    Raises:
        DeviceError: there is no such kind or option, or a package that it needs is missing.
    """
    word = re.split("[:?]", spec.strip(), maxsplit=1)[0]
    kind = KINDS.get(word.lower())
    if kind is None:
        raise DeviceError(f"{spec[:60]!r} is no device; expected one of: {', '.join(KINDS)}")
    address, query = _split(spec.strip()[len(word) :].removeprefix(":"))
    return kind.open(address, _options(word.lower(), kind, query), paired)


def _split(rest: str) -> tuple[str, str]:
    """Address and options; a file whose name holds a "?" is taken by its whole name."""
    if "?" in rest and os.path.exists(rest):  # noqa: PTH110 - Path's own raises for names too long
        return rest, ""
    address, _, query = rest.partition("?")
    return address, query


def _options(word: str, kind: Kind, query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for one in filter(None, query.split("&")):
        name, equals, value = one.partition("=")
        if name not in kind.options or not equals:
            allowed = ", ".join(f"{option}=…" for option in kind.options) or "none"
            raise DeviceError(f"{word} has no option {one[:40]!r}; allowed: {allowed}")
        options[name] = unquote(value)
    return options


def _host_and_port(word: str, address: str, port: int) -> tuple[str, int]:
    """Of HOST:PORT, HOST, PORT, :PORT, [IPV6]:PORT; what isn't told is loopback and `port`."""
    host, colon, number = address.rpartition(":")
    if (not colon and not number.isdigit()) or address.endswith("]"):
        host, number = address, ""
    if number and not (number.isascii() and number.isdigit() and int(number) <= 65_535):
        raise DeviceError(f"{word} has the port {number[:20]!r}, expected 0 to 65535")
    return host.strip("[]") or _LOOPBACK, int(number) if number else port


def _number(word: str, name: str, options: _Options, default: float) -> float:
    text = options.get(name)
    if text is None:
        return default
    try:
        return math.inf if text == "max" else float(text)
    except ValueError:
        raise DeviceError(f"{word} has {name}={text[:20]!r}, expected a number") from None


def _switch(word: str, name: str, options: _Options) -> bool:
    text = options.get(name, "no").lower()
    if text not in (*_YES, *_NO):
        raise DeviceError(f"{word} has {name}={text[:20]!r}, expected yes or no")
    return text in _YES


def _listener(module: str, name: str, word: str, port: int) -> _Open:
    """Of a class that takes host, port and paired trackers; loaded when it is asked for."""

    def make(address: str, options: _Options, paired: frozenset[str]) -> Device:
        made: Device = getattr(import_module(f".{module}", __package__), name)(
            *_host_and_port(word, address, port), paired
        )
        return made

    return make


def _movella(address: str, options: _Options, paired: frozenset[str]) -> Device:
    if not address:
        raise DeviceError(f"movella needs a Bluetooth address, expected {KINDS['movella'].example}")
    return MovellaDot(address)


def _columns(word: str, options: _Options) -> ColumnDecoder:
    if "columns" not in options:
        raise DeviceError(
            f"{word} needs to know what stands in a line; expected such as "
            f"{word}:…?columns=id,t[us],qw,qx,qy,qz,ax[g],ay[g],az[g]"
        )
    template = parse_template(
        options["columns"],
        options.get("separator"),
        options.get("gravity", "in"),
        options.get("frame", "sensor"),
    )
    return ColumnDecoder(template, word, _switch(word, "magnetometer", options))


def _port(word: str, address: str) -> str:
    if not address:
        raise DeviceError(f"{word} needs a port, expected such as {KINDS[word].example}")
    return address.replace("tcp://", "socket://", 1) if address.startswith("tcp://") else address


def _baud(word: str, options: _Options) -> int:
    baud = _number(word, "baud", options, 115_200)
    if not 50 <= baud <= 20_000_000:
        raise DeviceError(f"{word} has baud={baud:g}, expected such as 115200")
    return int(baud)


def _serial(address: str, options: _Options, paired: frozenset[str]) -> Device:
    decoder = _columns("serial", options)
    return SerialLines(_port("serial", address), decoder, _baud("serial", options))


def _udp(address: str, options: _Options, paired: frozenset[str]) -> Device:
    host, port = _host_and_port("udp", address, 9000)
    return UdpLines(_columns("udp", options), host, port, paired)


def _phone(address: str, options: _Options, paired: frozenset[str]) -> Device:
    host, port = _host_and_port("phone", address, 8000)
    platform = options.get("platform", "auto")
    if platform not in ("auto", "ios", "android"):
        raise DeviceError(f"phone has platform={platform[:20]!r}, expected auto, ios or android")
    return SensorLogger(host, port, paired, platform)  # type: ignore[arg-type]


def _ximu3(address: str, options: _Options, paired: frozenset[str]) -> Device:
    if address.startswith("udp://"):
        host, port = _host_and_port("ximu3", address.removeprefix("udp://"), 8001)
        return UdpLines(Ximu3Decoder(asks=False), host, port, paired, "x-IMU3", "ximu3")
    port_name = _port("ximu3", address)
    decoder = Ximu3Decoder(asks=True)
    return SerialLines(port_name, decoder, _baud("ximu3", options), "x-IMU3", "ximu3")


def _replay(address: str, options: _Options, paired: frozenset[str]) -> Device:
    if not address:
        raise DeviceError("replay needs a file, expected such as replay:TAKE.pallas?speed=2")
    return Replay(
        Path(address), _number("replay", "speed", options, 1.0), _switch("replay", "loop", options)
    )


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "slimevr": Kind(
            "SlimeVR trackers",
            "slimevr:0.0.0.0",
            (),
            _listener("slimevr", "SlimeVr", "slimevr", 6969),
        ),
        "vmc": Kind(
            "programs that send VMC over OSC",
            "vmc",
            (),
            _listener("vmc", "VmcReceiver", "vmc", 39539),
        ),
        "xsens": Kind(
            "Xsens MVN's network streamer",
            "xsens",
            (),
            _listener("xsens", "XsensMvn", "xsens", 9763),
        ),
        "mocopi": Kind(
            "Sony mocopi's app",
            "mocopi:0.0.0.0",
            (),
            _listener("mocopi", "Mocopi", "mocopi", 12351),
        ),
        "rokoko": Kind(
            "Rokoko Studio's live stream",
            "rokoko",
            (),
            _listener("rokoko", "Rokoko", "rokoko", 14043),
        ),
        "serial": Kind(
            "lines of text from a serial port",
            "serial:/dev/ttyUSB0?columns=t[us],qw,qx,qy,qz,ax[g],ay[g],az[g]",
            ("baud", *_COLUMN_OPTIONS),
            _serial,
        ),
        "udp": Kind(
            "lines of text in UDP packets",
            "udp:0.0.0.0:9000?columns=id,t[ms],qw,qx,qy,qz",
            _COLUMN_OPTIONS,
            _udp,
        ),
        "phone": Kind(
            "phones and watches with the app Sensor Logger",
            "phone:0.0.0.0:8000",
            ("platform",),
            _phone,
        ),
        "ximu3": Kind(
            "x-IMU3 sensors by USB, tcp:// or udp://", "ximu3:/dev/ttyACM0", ("baud",), _ximu3
        ),
        "movella": Kind("a Movella DOT over Bluetooth", "movella:D4:22:CD:00:00:01", (), _movella),
        "replay": Kind(
            "a recording, as if it were sent now",
            "replay:TAKE.pallas?speed=2",
            ("speed", "loop"),
            _replay,
        ),
    }
)
