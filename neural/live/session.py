"""A live capture: who wears which tracker, who is calibrated, and everybody's newest pose.

All that happens between packets and poses happens in `pump`, which never waits: a thread, a timer or a test
calls it. The recorder's own thread writes the raw log, so nothing that arrived waits for `pump`.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...capture.devices.samples import PoseSample, Sample
from ...capture.session.calibrating import Calibrating
from ...capture.session.frames import FrameAssembler
from ...capture.session.placing import PlacingGuide
from ...capture.session.recorder import Log, Recorder
from ...rig.arrays import Array
from ...rig.errors import CalibrationError, ModelError, RecordingError
from ...rig.retarget.bones import Bones
from ...rig.skeleton import Skeleton
from ..features import NETWORK_FPS
from ..network import Pallas
from ..threads import one_thread
from ..weights import EMBEDDED, load_network
from .body import LivePose
from .latency import Latency
from .performer import PATIENCE, LivePerformer

__all__ = ["LiveSession", "ShownPose"]

_PAUSE = 0.02  # seconds between two pieces of work that is done beside the frames


@dataclass(frozen=True, eq=False)
class ShownPose:
    """A performer's newest pose, whoever solved it.

    Attributes:
        bones: at rest; the same object as long as the skeleton stays the same.
        rotations: (B, 4) world_from_bone.
        heads: (B, 3) metres.
        time: seconds of `time.monotonic`, the moment that it is of.
        arrival: the same clock, when its packet came.
        solved: the pose that was solved here, None where another program did.
    """

    bones: Bones
    rotations: Array
    heads: Array
    time: float
    arrival: float
    solved: LivePose | None = None


class LiveSession:
    """Performers on what a recorder hears.

    Args:
        recorder: open.
        network: the embedded one if None; loaded when the first performer needs it.
        clock: seconds, as `time.monotonic`.
    """

    def __init__(
        self,
        recorder: Recorder,
        network: Pallas | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recorder = recorder
        self.latency = Latency()
        self.performers: dict[str, LivePerformer] = {}
        self._network, self._clock = network, clock
        self._bones: dict[str, Bones] = {}
        self._newest: dict[str, ShownPose] = {}
        self._watchers: list[Callable[[list[Sample]], None]] = []
        self._listeners: list[Callable[[str, ShownPose], None]] = []
        self._told: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self._lock = threading.RLock()  # between `pump` and the calls of who looks

    def perform(
        self, name: str, sensors: Mapping[str, str], skeleton: Skeleton | None = None
    ) -> LivePerformer:
        """Say who wears which tracker; a performer of that name starts anew.

        Args:
            name: of the performer.
            sensors: the tracker at each of `PLACEMENTS`.
            skeleton: of the performer; of average height if None.

        Raises:
            RecordingError: a placement has no tracker, or two have the same.
            ModelError: the embedded network is missing or damaged.
        """
        performer = LivePerformer(name, sensors, self._loaded(), skeleton)
        with self._lock:
            self.performers[name] = performer
            self._bones[name] = Bones.of_skeleton(performer.skeleton)
            self._newest.pop(name, None)
        self._told.pop(name, None)
        self.event("placing", name, trackers=dict(sensors))
        return performer

    def find(self, trackers: Sequence[str]) -> PlacingGuide:
        """Find out who of these trackers is worn where, by one movement each.

        Returns:
            A guide that hears them from now on until it is over.

        Raises:
            CalibrationError: there are fewer trackers than placements.
        """
        guide = PlacingGuide(trackers)
        frames = FrameAssembler(tuple(trackers), fps=NETWORK_FPS, patience=PATIENCE)

        def hear(samples: list[Sample]) -> None:
            for frame in frames.push(samples, self._clock()):
                guide.push(frame)
            if guide.phase.over:
                stop()

        stop = self.watch(hear)
        return guide

    def calibrate(self, name: str, guide: Calibrating) -> None:
        """Guide a performer; when that is done they are solved, and takes are told of it.

        Raises:
            RecordingError: nobody of that name wears trackers.
        """
        performer = self._known(name)
        with self._lock:
            performer.guide = guide

    def reset_heading(self, name: str, *, keep_facing: bool = True) -> None:
        """Put a performer's headings right; see `LiveCalibration.reset_heading`.

        Raises:
            RecordingError: nobody of that name wears trackers.
            CalibrationError: they are not calibrated, or do not stand as they did then.
        """
        performer = self._known(name)
        with self._lock:
            frame, calibration = performer.newest_frame, performer.calibration
            if calibration is None or frame is None:
                raise CalibrationError(f"{name} is not calibrated yet; calibrate first")
            calibration.reset_heading(frame, keep_facing=keep_facing)
            self.event("heading", name, **calibration.fields())

    def estimate_drift(self, name: str) -> Array:
        """Degrees a minute (4,) by which a performer's headings drift; outside `pump`, it takes a while.

        Raises:
            RecordingError: nobody of that name wears trackers.
        """
        calibration = self._known(name).calibration
        if calibration is None:
            return np.zeros(4)
        # Python gives way to another thread every 5 ms only: too late for one that poses frames.
        calibration.estimate_drift(lambda: time.sleep(_PAUSE))
        if calibration.remove_drift:
            self.event("heading", name, **calibration.fields())
        return calibration.degrees_per_minute

    def event(self, kind: str, performer: str, **fields: Any) -> None:  # noqa: ANN401  whatever JSON holds
        """Note what a take must know of a performer, in the log that is open and in those to come."""
        entry = {"time": self._clock(), **fields, "performer": performer}
        with self._lock:
            self._told.setdefault(performer, []).append((kind, entry))
        self.recorder.event(kind, **entry)

    def record(self, log: Log) -> None:
        """Begin a take: it is told who wears what and how they are calibrated, then all goes in."""
        with self._lock:
            self.recorder.start(log)
            for entries in self._told.values():
                for kind, entry in entries:
                    self.recorder.event(kind, **entry)

    def watch(self, watcher: Callable[[list[Sample]], None]) -> Callable[[], None]:
        """Call someone with every sample from now on; returns what ends that."""
        with self._lock:
            self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def listen(self, listener: Callable[[str, ShownPose], None]) -> None:
        """Call someone with every pose and its performer's name, from within `pump`."""
        with self._lock:
            self._listeners.append(listener)

    def newest(self) -> dict[str, ShownPose]:
        """Everybody's newest pose by name; never waits for `pump`."""
        return self._newest.copy()

    def pump(self) -> int:
        """Turn what came since the last call into poses; how many there are."""
        with self._lock, one_thread():
            samples = self.recorder.take()
            for watcher in tuple(self._watchers):
                watcher(samples)
            return self._solved(samples) + self._given(samples)

    def _loaded(self) -> Pallas:
        if self._network is None:
            network = load_network(EMBEDDED / "pallas")[0]
            if not isinstance(network, Pallas):
                raise ModelError("the embedded network is of another kind; install PALLAS again")
            self._network = network
        return self._network

    def _known(self, name: str) -> LivePerformer:
        if name not in self.performers:
            raise RecordingError(
                f"{name!r} wears no trackers; expected one of: {', '.join(self.performers) or 'nobody yet'}"
            )
        return self.performers[name]

    def _settle(self, name: str, performer: LivePerformer) -> None:
        """Begin to solve whoever has just been calibrated."""
        guide = performer.guide
        found = guide.calibration if isinstance(guide, Calibrating) else None
        if isinstance(guide, Calibrating) and found not in (None, performer.calibration):
            performer.calibration = found
            for kind, fields in guide.events:
                self.event(kind, name, **fields)

    def _given(self, samples: list[Sample]) -> int:
        """Poses that other programs have solved; of each performer only the newest is shown."""
        poses = {s.performer: s for s in samples if isinstance(s, PoseSample)}
        for name, sample in poses.items():
            if np.isfinite(sample.rotations).all() and np.isfinite(sample.heads).all():
                when = (sample.arrival, sample.arrival)
                self._show(name, ShownPose(sample.bones, sample.rotations, sample.heads, *when))
        return len(poses)

    def _solved(self, samples: list[Sample]) -> int:
        count = 0
        for name, performer in self.performers.items():
            before = performer.dropped
            for timed in performer.push(samples, self._clock()):
                pose = timed.pose
                body = (self._bones[name], pose.world_from_joint, pose.joints)
                self._show(name, ShownPose(*body, timed.time, timed.arrival, pose))
                count += 1
            self.latency.dropped += performer.dropped - before
            self._settle(name, performer)
        return count

    def _show(self, name: str, pose: ShownPose) -> None:
        self._newest[name] = pose
        self.latency.add(self._clock() - pose.arrival)
        for listener in self._listeners:
            listener(name, pose)
