"""Which of a tracker's readings are new and in order, told by its own count of them."""

import math

__all__ = ["Counted"]

_ONE_COUNT = 100  # readings by which a count may go back before it has started again


class Counted:
    """Call it for each reading in order of arrival."""

    def __init__(self) -> None:
        self._newest: int | None = None

    def __call__(self, sequence: int | None, device_time: float) -> bool:
        """Whether a reading is to be used: it did not come before, and it is known where it belongs.

        Args:
            sequence: the tracker's own count, None where it sends none.
            device_time: seconds; NaN where it sends none, and then a reading that was overtaken has no place.
        """
        newest = self._newest
        if sequence is None or newest is None or not 0 <= newest - sequence < _ONE_COUNT:
            self._newest = sequence
            return True
        return sequence != newest and math.isfinite(device_time)
