"""Finds which tracker sits where by asking for one movement each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import CalibrationError
from ..imu import PLACEMENTS
from .frames import SensorFrame
from .guide import Phase
from .quality import spoken

__all__ = ["PlacingGuide"]


@dataclass(frozen=True)
class _Ask:
    """One movement: what is said, and by how much its tracker must turn, radians."""

    placement: str
    prompt: str
    only: str
    enough: float


# In this order each movement moves one tracker much more than all that are not yet placed.
_ASKS: Final = (
    _Ask("left_wrist", "Lift your left hand in front of you and lower it", "your left hand", 0.7),
    _Ask(
        "right_wrist", "Lift your right hand in front of you and lower it", "your right hand", 0.7
    ),
    _Ask("neck", "Nod deeply, chin to the chest, hips still", "your head and neck", 0.25),
    _Ask("waist", "Bow a little from the hips and come up", "your trunk", 0.25),
)
_ALIKE = 0.5  # share of the most moved tracker's turn by which another one may turn
_RESTING = np.radians(3.0)  # that all turn within `_REST` seconds before a movement is asked for
_REST = 0.5
_LONGEST_REST = 5.0  # seconds that rest is waited for
_SETTLES = (
    1.0  # seconds after a tracker has turned enough, in which others may show that they did too
)
_LONGEST = 8.0  # seconds that are waited for one movement


class PlacingGuide:
    """Takes frames of trackers in any order, says what to move, and ends with who is where.

    Attributes:
        found: tracker by placement, as far as it is known.
        reason: why a movement is asked for again; empty if it is not.

    Args:
        trackers: N names, in the order of the frames' rows; more than placements are allowed.
        placements: those of `PLACEMENTS` that are asked for.
        attempts: how often one movement is asked for before it fails.
    """

    def __init__(
        self, trackers: Sequence[str], placements: Sequence[str] = PLACEMENTS, attempts: int = 3
    ) -> None:
        known = {ask.placement for ask in _ASKS}
        unknown = [placement for placement in placements if placement not in known]
        if unknown or len(trackers) < len(placements):
            raise CalibrationError(
                f"found {len(trackers)} trackers for {', '.join(placements) or 'nothing'}; expected one "
                f"each for some of {', '.join(PLACEMENTS)}: connect and pair more"
            )
        self.trackers = tuple(trackers)
        self.found: dict[str, str] = {}
        self.reason = ""
        self.phase = Phase.COUNTDOWN
        self._asks = [ask for ask in _ASKS if ask.placement in placements]
        self._attempts, self._left = attempts, attempts
        self._since: float | None = None
        self._asked: float | None = None
        self._rest: Array | None = None
        self._begin()

    def push(self, frame: SensorFrame) -> None:
        """Take the next frame; the time is the frames'."""
        if self.phase.over:
            return
        turns = np.where(frame.silent[:, None], np.nan, frame.world_from_sensor)
        if self._since is None:
            self._since = frame.time
        self._now = frame.time - self._since
        if self.phase is Phase.COUNTDOWN:
            self._wait_for_rest(frame.time, turns)
        else:
            self._look(turns)

    @property
    def seconds_left(self) -> float:
        """For the movement that is asked for."""
        return max(_LONGEST - self._now, 0.0) if self.phase is Phase.MOVE else 0.0

    @property
    def prompt(self) -> str:
        """One line for the performer."""
        if self.phase is Phase.DONE:
            return "Every tracker is placed"
        if self.phase is Phase.FAILED:
            return self.reason
        again = f"{self.reason}. " if self.reason else ""
        return again + ("Stand still" if self.phase is Phase.COUNTDOWN else self._asks[0].prompt)

    def _begin(self) -> None:
        self.phase = Phase.COUNTDOWN if self._asks else Phase.DONE
        self._since = self._rest = self._asked = None
        self._now = 0.0
        self._most = np.zeros(len(self.trackers))
        self._decided: float | None = None

    def _wait_for_rest(self, time: float, turns: Array) -> None:
        """Go on once nobody has turned for a moment; not for ever, others may be wearing trackers, too."""
        self._asked = time if self._asked is None else self._asked
        if self._rest is None or _turned(self._rest, turns).max(initial=0.0) > _RESTING:
            self._rest, self._since, self._now = turns, time, 0.0
        if self._now >= _REST or time - self._asked > _LONGEST_REST:
            self.phase, self._since, self._now = Phase.MOVE, time, 0.0

    def _look(self, turns: Array) -> None:
        ask = self._asks[0]
        assert self._rest is not None
        self._rest = np.where(np.isnan(self._rest), turns, self._rest)
        self._most = np.fmax(self._most, _turned(self._rest, turns))
        if self._decided is None and self._free().max() >= ask.enough:
            self._decided = self._now
        if self._decided is not None and self._now >= self._decided + _SETTLES:
            self._decide(ask)
        elif self._now > _LONGEST:
            self._again(f"No tracker moved enough for {_called(ask)}")

    def _free(self) -> Array:
        """How much each tracker turned, zero for those that are placed."""
        placed = np.array([tracker in self.found.values() for tracker in self.trackers])
        return np.where(placed, 0.0, self._most)

    def _decide(self, ask: _Ask) -> None:
        moved = self._free()
        order = np.argsort(-moved, kind="stable")
        first, others = int(order[0]), [int(row) for row in order[1:]]
        alike = [row for row in others if moved[row] > _ALIKE * moved[first]]
        if alike:
            told = " and ".join(
                f"{self.trackers[row]} by {np.degrees(moved[row]):.0f} degrees"
                for row in (first, alike[0])
            )
            self._again(f"Two moved alike, {told}; move only {ask.only}")
            return
        self.found[ask.placement] = self.trackers[first]
        self._asks.pop(0)
        self.reason, self._left = "", self._attempts
        self._begin()

    def _again(self, reason: str) -> None:
        self._left -= 1
        self.reason = reason
        self._begin()
        if not self._left:
            self.phase = Phase.FAILED


def _turned(rest: Array, turns: Array) -> Array:
    """Radians (N,) since the trackers were at rest, zero for those that are silent."""
    return np.nan_to_num(quaternion.angle(rest, turns))


def _called(ask: _Ask) -> str:
    return f"the {spoken(ask.placement)}"
