"""How well a sensor stood still or moved while it was calibrated, and what was wrong, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ..calibration import MOVED_ANGLE

__all__ = ["ACCEPTED", "Quality", "spoken", "stillness", "worst"]

ACCEPTED = 0.5  # score from which a calibration can be used
HEARD = 0.5  # share of a pose's frames in which a sensor must have been heard


@dataclass(frozen=True)
class Quality:
    """A verdict.

    Attributes:
        score: 0 to 1.
        reason: one phrase for the performer; of a good one, what was least good.
    """

    score: float
    reason: str

    @property
    def accepted(self) -> bool:
        """Whether a calibration of this quality can be used."""
        return self.score >= ACCEPTED


def spoken(placement: str) -> str:
    """A placement as people say it: "left wrist"."""
    return placement.replace("_", " ")


def worst(qualities: Sequence[Quality]) -> Quality:
    """The verdict that counts."""
    return min(qualities, key=lambda quality: quality.score)


def stillness(placements: Sequence[str], world_from_sensor: Array) -> tuple[Array, Quality]:
    """The orientations held in a pose, and how still each sensor was.

    Args:
        placements: S names.
        world_from_sensor: (T, S, 4) of the pose; NaN where missing.

    Returns:
        (S, 4) mean orientations, NaN where a sensor was hardly heard; and the verdict on the worst.
    """
    heard = ~np.isnan(world_from_sensor).any(axis=-1)
    held = quaternion.mean(world_from_sensor)
    held[heard.mean(axis=0) < HEARD] = np.nan
    moved = np.where(heard, quaternion.angle(held, world_from_sensor), 0.0).max(axis=0)
    found = []
    for placement, angle, missing in zip(
        placements, moved, np.isnan(held).any(axis=-1), strict=True
    ):
        if missing:
            found.append(Quality(0.0, f"{spoken(placement)} sent nothing"))
            continue
        score = float(np.clip(1.0 - 0.5 * angle / MOVED_ANGLE, 0.0, 1.0))
        told = f"{spoken(placement)} moved by {np.degrees(angle):.0f} degrees during the pose"
        found.append(Quality(score, told))
    return held, worst(found)
