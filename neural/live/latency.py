"""How long poses took from the packet that brought their newest reading."""

from collections import deque

import numpy as np

__all__ = ["Latency"]

_KEPT = 3600  # poses; a minute at 60 a second


class Latency:
    """The last minute's delays, and how many frames were left out because they came too late to show."""

    def __init__(self) -> None:
        self.frames = self.dropped = 0
        self._seconds: deque[float] = deque(maxlen=_KEPT)

    def add(self, seconds: float) -> None:
        """Count a pose that was there `seconds` after its packet."""
        self.frames += 1
        self._seconds.append(seconds)

    def quantile(self, share: float) -> float:
        """Milliseconds that this share of the poses was faster than; NaN before the first."""
        if not self._seconds:
            return float("nan")
        return float(1000.0 * np.quantile(np.array(self._seconds), share))

    def report(self) -> dict[str, float | int]:
        """For `report.json`: poses, p50 and p95 in milliseconds, frames that were not shown."""
        return {
            "frames": self.frames,
            "p50_ms": round(self.quantile(0.50), 2),
            "p95_ms": round(self.quantile(0.95), 2),
            "dropped": self.dropped,
        }
