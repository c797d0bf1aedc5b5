"""What a take's events say of one performer: which tracker sits where, how it is mounted, its heading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from ...rig.arrays import Array
from .applied import Applied
from .log_events import LogEvent

__all__ = ["Step", "Worn", "worn_by"]

_T = TypeVar("_T")


@dataclass
class Step:
    """A calibration or a reset of headings, by tracker.

    Attributes:
        time: seconds from which it counts.
        mounting: bone_from_sensor (4,).
        heading: radians, see `Applied`.
        drift: rad/s.
    """

    time: float
    mounting: dict[str, Array] = field(default_factory=dict)
    heading: dict[str, float] = field(default_factory=dict)
    drift: dict[str, float] = field(default_factory=dict)


@dataclass
class Worn:
    """Everything about one performer.

    Attributes:
        trackers: by placement.
        poses: orientations (4,) by tracker that were held in a pose, by pose.
        steps: calibrations and resets.
    """

    trackers: dict[str, str] = field(default_factory=dict)
    poses: dict[str, dict[str, Array]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def add(self, event: LogEvent) -> None:
        """Take one more event."""
        if event.kind == "placing":
            told = event.texts("trackers")
            kept = {p: t for p, t in self.trackers.items() if t not in told.values()}
            self.trackers = kept | told
        elif event.kind == "pose" and event.text("pose"):
            self.poses[event.text("pose")] = self._of_trackers(event.quaternions("held"))
        elif event.kind in ("mounting", "heading"):
            self.steps.append(
                Step(
                    event.time,
                    self._of_trackers(event.quaternions("bone_from_sensor")),
                    self._of_trackers(event.numbers("heading")),
                    self._of_trackers(event.numbers("drift")),
                )
            )

    def _of_trackers(self, by_placement: Mapping[str, _T]) -> dict[str, _T]:
        return {self.trackers[p]: value for p, value in by_placement.items() if p in self.trackers}

    def applied(self, trackers: tuple[str, ...]) -> list[Applied]:
        """Per step what is put on readings of these trackers; what was never told is not turned.

        The first counts from the start of the take, each until the next. What is told of a tracker first,
        counts from the start, too.
        """
        mounting = {t: np.full(4, np.nan) for t in trackers}
        heading, drift = dict.fromkeys(trackers, 0.0), dict.fromkeys(trackers, 0.0)
        steps = sorted(self.steps, key=lambda step: step.time)
        for step in reversed(steps):
            mounting |= {t: m for t, m in step.mounting.items() if t in mounting}
            heading |= {t: h for t, h in step.heading.items() if t in heading}
        found, since = [], 0.0
        for step in steps:
            passed = step.time - since
            heading = {t: heading[t] + passed * drift[t] for t in trackers}
            mounting |= {t: m for t, m in step.mounting.items() if t in mounting}
            heading |= {t: h for t, h in step.heading.items() if t in heading}
            drift = {t: step.drift.get(t, 0.0) for t in trackers}
            since = step.time
            found.append(
                Applied(
                    np.array([mounting[t] for t in trackers]),
                    np.array([heading[t] for t in trackers]),
                    np.array([drift[t] for t in trackers]),
                    since,
                )
            )
        return found


def worn_by(events: tuple[LogEvent, ...], performer: str) -> Worn:
    """What events say of a performer; events that name nobody are about everybody."""
    worn = Worn()
    for event in events:
        if event.text("performer") in ("", performer):
            worn.add(event)
    return worn
