"""What `record` and `stream` share: sources, who wears which tracker, the table of trackers, when to end."""

import argparse
import json
import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...capture.devices.device import TrackerState
from ...capture.devices.opening import open_device
from ...capture.output import new_file
from ...capture.placements import read_map
from ...capture.session.recorder import Recorder
from ...rig.errors import DeviceError, RecordingError
from ..console import Console, plain

__all__ = [
    "add_live",
    "counts",
    "recorder_of",
    "seconds_or_more",
    "table",
    "until_done",
    "worn",
    "write_report",
]

_LOOK = 0.02  # seconds between two looks at what came
_TOLD = 1.0  # seconds between two tables on a terminal, ten times that elsewhere
_COLUMNS = ("tracker", "worn", "state", "rate", "received", "lost", "battery", "signal", "note")


def add_live(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments about sources."""
    parser.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        help="what to listen to: slimevr, vmc, xsens, mocopi, rokoko, phone, serial:PORT?columns=…, "
        "udp:PORT?columns=…, ximu3:PORT, replay:FILE; KIND:HOST:PORT to listen on another interface "
        "than this computer's own",
    )
    parser.add_argument(
        "--pair",
        metavar="TRACKER",
        action="append",
        default=[],
        help="take this tracker although it sends over the network (again for each)",
    )
    parser.add_argument(
        "--map",
        metavar="MAP.json",
        type=Path,
        help='which tracker is worn where, such as {"waist": "slimevr AA:BB:CC:DD:EE:FF/0"}',
    )
    parser.add_argument(
        "--seconds", type=seconds_or_more, metavar="S", help="end by itself (Ctrl-C ends it, too)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.json", help="write counts and delays at the end"
    )


def seconds_or_more(text: str) -> float:
    """A length of time as it is written on the command line."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds above 0, as 60")
    return seconds


def recorder_of(arguments: argparse.Namespace, *, waits: bool = False) -> Recorder:
    """A recorder of the sources, not open yet; see there what it may wait for.

    Raises:
        DeviceError: a source is none that is known.
    """
    paired = frozenset(arguments.pair)
    return Recorder(
        [open_device(source, paired=paired) for source in arguments.sources], waits=waits
    )


def worn(arguments: argparse.Namespace) -> dict[str, str]:
    """The tracker at each placement that the map names.

    Raises:
        FileError: the map can't be read.
        RecordingError: it gives one tracker to two placements.
    """
    found = read_map(arguments.map) if arguments.map else {}
    if len(set(found.values())) < len(found):
        raise RecordingError(f"{arguments.map} names one tracker twice; expected each once")
    return found


@contextmanager
def _ended() -> Iterator[threading.Event]:
    """Set when the user (Ctrl-C) or the system asks the program to end."""
    end = threading.Event()
    kinds = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        yield end
        return
    before = [signal.signal(kind, lambda *_: end.set()) for kind in kinds]
    try:
        yield end
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def until_done(
    recorder: Recorder,
    seconds: float | None,
    look: Callable[[], object],
    tell: Callable[[], None],
) -> float:
    """Look again and again until the time is over, the user ends it or every device has; how long it was.

    Args:
        recorder: open.
        seconds: how long at most.
        look: takes what came; called as soon as something has, and some 50 times a second.
        tell: says how it goes; called now and then.

    Raises:
        DeviceError: every device has ended by itself.
    """
    began = time.monotonic()
    step = _TOLD if sys.stderr.isatty() else 10.0 * _TOLD
    told = began + (step if sys.stderr.isatty() else 0.0)
    with _ended() as end:
        while not end.is_set() and (seconds is None or time.monotonic() - began < seconds):
            recorder.heard.wait(_LOOK)
            look()
            if time.monotonic() >= told + step:
                told = time.monotonic()
                tell()
            _check(recorder)
            if all(getattr(device, "finished", False) for device in recorder.devices):
                break
    look()
    return time.monotonic() - began


def _check(recorder: Recorder) -> None:
    """One device that ended leaves the others; when all have for good, so does the program."""
    ended = [
        device.error
        for device in recorder.devices
        if device.error is not None and not getattr(device, "reconnects", False)
    ]
    if len(ended) == len(recorder.devices):
        raise DeviceError("; ".join(str(error) for error in ended))


def table(
    states: Iterable[TrackerState], where: Mapping[str, str], console: Console, heading: str
) -> None:
    """Say what every tracker does, a row each."""
    named = {tracker: placement for placement, tracker in where.items()}
    rows = [_row(state, named.get(state.tracker, "")) for state in states]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    console.note(heading)
    for row in (_COLUMNS, *rows) if rows else ():
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.note("  " + "  ".join(cells).rstrip())


def _row(state: TrackerState, placement: str) -> tuple[str, ...]:
    silent = state.rate == 0.0
    came = state.received + state.lost
    return (
        state.tracker,
        placement or "-",
        ("silent" if silent else "sends") if state.paired else "not paired",
        f"{state.rate:.0f} Hz",
        str(state.received),
        f"{100.0 * state.lost / came:.1f} %" if came else "-",
        "-" if state.battery is None else f"{100.0 * state.battery:.0f} %",
        "-" if state.signal is None else f"{state.signal:.0f} dBm",
        state.note,
    )


def counts(state: TrackerState) -> dict[str, object]:
    """What came of a tracker, for a report."""
    names = ("received", "lost", "duplicated", "reordered", "battery", "signal", "note")
    return {name: getattr(state, name) for name in names}


def write_report(path: Path | None, report: Mapping[str, object]) -> None:
    """Write a report as JSON where one was asked for; one that is there is replaced.

    Raises:
        OutputError: it can't be written.
    """
    if path is not None:
        with new_file(path, force=True) as temporary:
            temporary.write_text(json.dumps(plain(report), indent=2) + "\n", encoding="utf-8")
