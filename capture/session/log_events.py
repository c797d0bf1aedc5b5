"""What happened in a take besides samples: its name, who wore what where, calibrations, heading resets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ..textfile import LARGEST

__all__ = ["LogEvent", "log_event"]

_MOST_ENTRIES = 1000


@dataclass(frozen=True, eq=False)
class LogEvent:
    """One event.

    Attributes:
        kind: such as "take", "placing", "pose", "mounting", "heading", "gap".
        time: seconds of the clock of arrivals.
        fields: whatever else was written.
    """

    kind: str
    time: float
    fields: Mapping[str, Any]

    def text(self, key: str) -> str:
        """A field that is text; empty if there is none."""
        value = self.fields.get(key)
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> dict[str, str]:
        """A field that names something by something."""
        return {name: value for name, value in self._entries(key) if isinstance(value, str)}

    def numbers(self, key: str) -> dict[str, float]:
        """A field of finite numbers by name."""
        return {name: float(value) for name, value in self._entries(key) if _is_number(value)}

    def quaternions(self, key: str) -> dict[str, Array]:
        """A field of unit quaternions (4,) by name; those that are missing are left out."""
        found = {}
        for name, value in self._entries(key):
            if isinstance(value, list) and [_is_number(n) for n in value] == [True] * 4:
                unit = quaternion.normalised(np.array(value, dtype=np.float64))
                if np.isfinite(unit).all():
                    found[name] = unit
        return found

    def _entries(self, key: str) -> list[tuple[str, Any]]:
        value = self.fields.get(key)
        return list(value.items())[:_MOST_ENTRIES] if isinstance(value, dict) else []


def log_event(entry: object) -> LogEvent:
    """An event as JSON holds it.

    Raises:
        ValueError: it has no kind or no time.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        raise ValueError("an event has no kind")
    time = entry.get("time")
    if not _is_number(time):
        raise ValueError("an event has no time")
    rest = {key: value for key, value in entry.items() if key not in ("kind", "time")}
    return LogEvent(entry["kind"], float(entry["time"]), rest)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    return type(value) in (int, float) and abs(value) < LARGEST
