"""Nobody flies for long: where no drawn foot stands for longer than a jump lasts, the lower one does."""

import numpy as np

from ...rig.arrays import Array
from ..contacts import ANKLES, STANDING, TOES
from ..root import SOLES

__all__ = ["grounded"]

LONGEST_FLIGHT = 0.5  # seconds; a jump 31 cm high
SURE = 0.75  # probability that the lower foot stands


def grounded(contacts: Array, joints: Array, scale: float, fps: float) -> Array:
    """Contact probabilities (T, 2) without flights that are too long.

    Args:
        contacts: (T, 2) as drawn.
        joints: (T, 24, 3) joint origins relative to the root, world axes, metres.
        scale: size of the body; 1 is 1.70 m tall.
        fps: frames per second.
    """
    flying = contacts.max(axis=1) <= STANDING
    edges = np.flatnonzero(np.diff(flying, prepend=False, append=False)).reshape(-1, 2)
    soles = joints[:, [*ANKLES, *TOES], 2] - SOLES * scale
    lower = np.minimum(soles[:, :2], soles[:, 2:]).argmin(axis=1)
    result = np.array(contacts)
    for start, stop in edges:
        if stop - start > LONGEST_FLIGHT * fps:
            frames = np.arange(start, stop)
            result[frames, lower[frames]] = SURE
    return result
