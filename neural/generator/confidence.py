"""How sure drawn joints are: where takes of one recording agree, the recording says where the joint is."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.motion import Motion

__all__ = ["agreement", "with_confidence"]

HALF = np.radians(30.0)  # spread of the takes at which confidence is one half


def agreement(takes: Sequence[Motion]) -> Array:
    """Confidence (T, J) between 0 and 1 of every joint over at least two takes of one recording.

    With s the root mean square angle of the takes' local rotations from their mean, it is
    1 / (1 + (s / 30°)^2): one where all takes agree, which is all of the upper body.
    """
    rotations = np.stack([take.rotations for take in takes])
    off = quaternion.angle(rotations, quaternion.mean(rotations)[None])
    confidence: Array = 1.0 / (1.0 + (off**2).mean(axis=0) / HALF**2)
    return confidence


def with_confidence(takes: Sequence[Motion]) -> tuple[Motion, ...]:
    """The takes, each with their agreement as its confidence; a single take stays as it is."""
    if len(takes) < 2:
        return tuple(takes)
    shared = agreement(takes)
    return tuple(replace(take, confidence=shared) for take in takes)
