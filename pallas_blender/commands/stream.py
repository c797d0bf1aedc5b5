"""`pallas stream`: watch live trackers; calibrated, they are solved, and the moving body is passed on."""

import argparse
import gc
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ...capture.devices.vmc_sender import VmcSender
from ...capture.session.guide import Phase
from ...capture.session.recorder import Recorder
from ...rig.errors import RecordingError
from ..console import Console
from ._guided import Prompter, add_calibration, check_worn, guide_of
from ._live import add_live, counts, recorder_of, table, until_done, worn, write_report

if TYPE_CHECKING:
    from ...neural.live.session import ShownPose

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Show live trackers; calibrate, solve and send the moving body to other programs."
EXAMPLE = "pallas stream slimevr --map worn.json --calibrate npose --vmc 127.0.0.1:39539"

_NAME = "performer"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_live(parser)
    add_calibration(parser)
    parser.add_argument(
        "--vmc",
        metavar="HOST:PORT",
        type=_address,
        help="send the body there in the VMC protocol, which programs for avatars take",
    )


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Show what comes until the user ends it; report what did."""
    sensors = worn(arguments)
    if arguments.vmc and not arguments.calibrate:
        raise RecordingError("nothing to send without a calibration; add --calibrate npose")
    if arguments.calibrate:
        check_worn(sensors)
    with ExitStack() as opened:
        sender = opened.enter_context(VmcSender(*arguments.vmc)) if arguments.vmc else None
        recorder, guided = recorder_of(arguments), bool(arguments.calibrate)
        # Networks load before anything is listened to, or the countdown would begin without them.
        solving = _Solving(recorder, sensors, arguments, console, sender) if guided else None
        opened.enter_context(recorder)
        look = recorder.take if solving is None else solving.look

        def tell() -> None:
            heading = "Ctrl-C ends it" if solving is None else solving.told()
            table(recorder.trackers(), sensors, console, heading)

        elapsed = until_done(recorder, arguments.seconds, look, tell)
        states = recorder.trackers()
        report: dict[str, object] = {
            "seconds": elapsed,
            "trackers": {state.tracker: counts(state) for state in states},
            "packet_to_pose": {} if solving is None else solving.report(),
            "warnings": [str(error) for error in recorder.errors],
        }
    table(states, sensors, console, f"{elapsed:.1f} s")
    write_report(arguments.report, report)
    return report


class _Solving:
    """The session, once somebody is calibrated on the terminal."""

    def __init__(
        self,
        recorder: Recorder,
        sensors: dict[str, str],
        arguments: argparse.Namespace,
        console: Console,
        sender: VmcSender | None,
    ) -> None:
        from ...neural.live.session import LiveSession

        self._arguments, self._sender = arguments, sender
        self._prompter, self._guide = Prompter(console), guide_of(arguments)
        self._session = LiveSession(recorder)
        self._session.listen(self._send)
        self._session.perform(_NAME, sensors)
        gc.collect()
        gc.freeze()  # else Python looks through all of torch for garbage now and then: 0.1 s each time
        self._session.calibrate(_NAME, self._guide)

    def look(self) -> None:
        """Take what came."""
        self._session.pump()
        self._prompter.say(self._guide)
        if self._guide.phase is Phase.FAILED:
            self._guide = guide_of(self._arguments)
            self._session.calibrate(_NAME, self._guide)

    def told(self) -> str:
        """One line above the table."""
        latency = self._session.latency
        if not latency.frames:
            return "Ctrl-C ends it"
        return (
            f"{latency.frames} poses, {latency.quantile(0.5):.0f} ms after their packet "
            f"(95 % below {latency.quantile(0.95):.0f} ms)"
        )

    def report(self) -> dict[str, float | int]:
        """For `report.json`."""
        return self._session.latency.report()

    def _send(self, performer: str, pose: "ShownPose") -> None:
        if self._sender is not None and pose.solved is not None:
            self._sender.send(pose.solved.rotations, pose.solved.root_position, time.monotonic())


def _address(text: str) -> tuple[str, int]:
    """HOST:PORT as it is written on the command line."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r}: expected HOST:PORT, as 127.0.0.1:39539")
    return host, int(port)
