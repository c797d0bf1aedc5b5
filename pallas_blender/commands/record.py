"""`pallas record`: live trackers into a take, complete even if the program is killed."""

import argparse
from pathlib import Path

from ...capture.devices.device import TrackerState
from ...capture.session.raw_log import RawLogWriter
from ...rig.errors import RecordingError
from ..console import Console
from ._guided import Guided, add_calibration, check_worn
from ._live import add_live, counts, recorder_of, table, until_done, worn, write_report
from ._shared import add_force, checked_output

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Record live trackers; Ctrl-C ends the take, and a crash loses its last second at most."
EXAMPLE = "pallas record slimevr -o take.pallas --map worn.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_live(parser)
    add_calibration(parser)
    parser.add_argument("-o", "--out", required=True, type=Path, help="take: .pallas")
    parser.add_argument("--name", default="", help="of the take, written into it")
    parser.add_argument("--notes", default="", help="written into the take")
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Record until the user ends it; report what came."""
    out = checked_output(arguments.out, (".pallas",), force=arguments.force)
    sensors = worn(arguments)
    if arguments.calibrate:
        check_worn(sensors)
    recorder = recorder_of(arguments, waits=True)
    with recorder:
        log = RawLogWriter(
            out,
            source=", ".join(device.name for device in recorder.devices),
            name=arguments.name or out.stem,
            notes=arguments.notes,
            force=arguments.force,
        )
        recorder.start(log)
        if sensors:
            recorder.event("placing", performer="", trackers=sensors)

        guided = Guided(recorder, sensors, arguments, console) if arguments.calibrate else None
        look = recorder.take if guided is None else guided.look

        def tell() -> None:
            heading = f"{out}: {recorder.recorded} readings; Ctrl-C ends the take"
            table(recorder.trackers(), sensors, console, heading)

        elapsed = until_done(recorder, arguments.seconds, look, tell)
    states = recorder.trackers()
    if recorder.errors:
        for error in recorder.errors:
            console.note(f"pallas: warning: {error}")
    count = recorder.stop()
    table(states, sensors, console, f"{out}: {count} readings in {elapsed:.1f} s")
    report: dict[str, object] = {
        "out": str(out),
        "seconds": elapsed,
        "readings": count,
        "trackers": {state.tracker: counts(state) for state in states},
        "warnings": [str(error) for error in recorder.errors],
    }
    write_report(arguments.report, report)
    if count == 0:
        raise RecordingError(_nothing(states, arguments.sources))
    return report


def _nothing(states: list[TrackerState], sources: list[str]) -> str:
    unpaired = [state.tracker for state in states if not state.paired]
    if unpaired:
        return (
            f"found {', '.join(unpaired)} but took nothing from there, for they send over the network; "
            f"pair them: --pair {unpaired[0]!r}"
        )
    return (
        f"nothing came from {' and '.join(sources)}; check that the trackers are on and send to this "
        "computer's address, and that its firewall lets them"
    )
