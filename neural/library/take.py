"""What a set of motion data hands to the library: a performer's takes as 24-joint motions."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...rig.motion import Motion

__all__ = ["Take", "Takes"]


@dataclass(frozen=True, eq=False)
class Take:
    """One clip before it is put on the floor and checked.

    Attributes:
        name: unique, such as "cmu/02_01".
        subject: who moves, such as "cmu/02"; the takes of one subject come one after the other.
        source: where the data came from.
        licence: under which it is used.
        motion: of the 24-joint body; None where it can't be had.
        problem: why it can't be used; empty if nothing is known to be wrong.
        weight: how much to trust it, 1 for optical motion capture of the person itself.
        retargeted: someone moved the motion to another figure.
        mended: frames that were repaired.
        residual: metres, root mean square distance of the markers from the body; NaN without markers.
    """

    name: str
    subject: str
    source: str
    licence: str
    motion: Motion | None
    problem: str = ""
    weight: float = 1.0
    retargeted: bool = False
    mended: int = 0
    residual: float = float("nan")


Takes = Iterator[Take]
