"""The live capture of this Blender: devices heard in threads, poses solved in another, characters moved here.

`tick` runs in Blender's main thread, some hundred times a second by a timer, or called by a test: it shows
the newest poses. It never waits; a frame that comes too late is not shown.
"""

import gc
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..capture.devices.opening import open_device
from ..capture.devices.vmc_sender import VmcSender
from ..capture.session.placing import PlacingGuide
from ..capture.session.raw_log import RawLogWriter
from ..capture.session.recorder import Recorder
from ..rig.errors import DeviceError, PallasError, SceneError
from ..rig.skeleton import Skeleton
from ..scene.live_rig import LiveRig
from .bone_table import told_map

if TYPE_CHECKING:
    from ..neural.live.session import LiveSession, ShownPose

__all__ = ["LiveCapture"]

_LOOK = 0.02  # seconds in which the solving thread looks even where nothing came
_DRIFT = 10.0  # seconds between two looks at how headings drift


class LiveCapture:
    """Open devices, the session on them, and the characters that follow.

    Args:
        sources: as `open_device` reads them.
        paired: trackers that are taken although they send over the network.
        vmc: host and port to send the first solved performer to; None for nowhere.

    Raises:
        DeviceError: there is no such source, or no such host.
    """

    def __init__(
        self,
        sources: Sequence[str],
        paired: frozenset[str] = frozenset(),
        vmc: tuple[str, int] | None = None,
    ) -> None:
        self.recorder = Recorder([open_device(source, paired=paired) for source in sources])
        self._sender = None if vmc is None else VmcSender(*vmc)
        self.session: LiveSession | None = None
        self.finding: PlacingGuide | None = None
        self.failed = ""  # why nothing is solved; recording goes on
        self.wrong = ""  # what kept a character from following
        self.began = 0.0  # seconds of `time.monotonic`, when the take did
        self.shown = 0  # poses that characters took
        self._take = Path()
        self._delays: list[float] = []
        self._rigs: dict[str, LiveRig] = {}
        self._targets: dict[str, str] = {}
        self._last: dict[str, ShownPose] = {}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def open(self) -> None:
        """Open the devices and begin to solve.

        Raises:
            DeviceError: a source can't be opened.
        """
        self.recorder.__enter__()
        for work in (self._solve, self._watch_drift):
            self._threads.append(threading.Thread(target=work, name="live", daemon=True))
            self._threads[-1].start()

    def close(self) -> None:
        """End the take, close the devices, and give the characters their poses back; twice is allowed."""
        self._stopping.set()
        while self._threads:
            self._threads.pop().join()
        gc.unfreeze()
        self.recorder.__exit__(None, None, None)
        if self._sender is not None:
            self._sender.close()
        self.release()

    def wait(self, seconds: float) -> "LiveSession":
        """The session, once the networks are loaded.

        Raises:
            DeviceError: they can't be, or it takes longer.
        """
        until = time.monotonic() + seconds
        while self.session is None and not self.failed and time.monotonic() < until:
            time.sleep(0.01)
        if self.session is None:
            raise DeviceError(self.failed or "the networks are still loading; try again")
        return self.session

    def record(self, log: RawLogWriter) -> None:
        """Begin a take, which is told who wears what and how they are calibrated."""
        (self.recorder.start if self.session is None else self.session.record)(log)
        self.began, self._take = time.monotonic(), log.path

    def stop(self) -> tuple[Path, int]:
        """End the take; its file, and how many readings it holds."""
        return self._take, self.recorder.stop()

    def aim(self, targets: Mapping[str, bpy.types.Object | None]) -> None:
        """Say which character follows which performer."""
        names = {performer: item.name for performer, item in targets.items() if item is not None}
        if names != self._targets:
            self.release()
            self._targets = names

    def release(self) -> None:
        """Give all characters their poses back."""
        for rig in self._rigs.values():
            rig.give_back()
        self._rigs, self._last = {}, {}

    def perform(self, name: str, sensors: Mapping[str, str], skeleton: Skeleton) -> None:
        """Say who wears which tracker.

        Raises:
            RecordingError: a placement has no tracker, or two have the same.
        """
        self.wait(60.0).perform(name, sensors, skeleton)

    def tick(self) -> int:
        """Show the newest poses; how many characters moved.

        Raises:
            SceneError: a character can't be moved; it is let go.
        """
        if self.session is None:
            return 0
        moved = 0
        for performer, pose in self.session.newest().items():
            name = self._targets.get(performer) or self._targets.get("")
            if name is None or self._last.get(performer) is pose:
                continue
            item = bpy.data.objects.get(name)
            if item is None:
                self._targets = {p: n for p, n in self._targets.items() if n != name}
                raise SceneError(f"{name!r} was deleted or renamed; choose the character again")
            self._follow(performer, item, pose)
            moved += 1
        return moved

    def delay(self, share: float) -> float:
        """Milliseconds from packet to shown pose that this share of the last poses was faster than."""
        delays = sorted(self._delays[-600:])
        return 1000.0 * delays[int(share * (len(delays) - 1))] if delays else float("nan")

    def report(self) -> dict[str, object]:
        """For `report.json`: delays, and every tracker's counts."""
        solved = {} if self.session is None else self.session.latency.report()
        shown = {
            "frames": self.shown,
            "p50_ms": round(self.delay(0.5), 2),
            "p95_ms": round(self.delay(0.95), 2),
        }
        names = ("received", "lost", "duplicated", "reordered")
        trackers = {
            state.tracker: {name: getattr(state, name) for name in names}
            for state in self.recorder.trackers()
        }
        return {"packet_to_pose": solved, "packet_to_character": shown, "trackers": trackers}

    def _follow(self, performer: str, item: bpy.types.Object, pose: "ShownPose") -> None:
        rig = self._rigs.get(performer)
        try:
            if rig is None or rig.source is not pose.bones:
                if rig is not None:
                    rig.give_back()
                table = bpy.context.scene.pallas.retarget
                rig = LiveRig(item, pose.bones, lambda target: told_map(table, item, target))
                self._rigs[performer] = rig
            rig.show(pose.rotations, pose.heads)
        except PallasError:
            self._targets.pop(performer, None)
            raise
        self._last[performer] = pose
        self.shown += 1
        self._delays.append(time.monotonic() - pose.arrival)
        del self._delays[:-3600]

    def _send(self, performer: str, pose: "ShownPose") -> None:
        """Pass the first performer on who is solved here."""
        first = next(iter(self.session.performers), None) if self.session is not None else None
        if self._sender is not None and pose.solved is not None and performer == first:
            solved = pose.solved
            self._sender.send(solved.rotations, solved.root_position, solved.time)

    def _solve(self) -> None:
        """The solving thread: torch loads here, so that connecting does not stop the viewport."""
        try:
            from ..neural.live.session import LiveSession

            session = LiveSession(self.recorder)
            session.listen(self._send)
            # Else Python looks through all of torch and Blender for garbage now and then: 0.1 s each time.
            gc.collect()
            gc.freeze()
            self.session = session
        except (ImportError, PallasError) as error:
            self.failed = f"recording only, for nothing can be solved: {error}"
            return
        while not self._stopping.is_set():
            self.recorder.heard.wait(_LOOK)
            try:
                self.session.pump()
            except PallasError as error:
                self.failed = str(error)

    def _watch_drift(self) -> None:
        """Beside the solving thread, for a look takes longer than a frame."""
        while not self._stopping.wait(_DRIFT):
            for name in tuple(self.session.performers) if self.session is not None else ():
                try:
                    self.session.estimate_drift(name)
                except PallasError as error:
                    self.failed = str(error)
