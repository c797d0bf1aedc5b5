"""In-filling: other legs in a chosen range of frames, given the frames around it."""

from collections.abc import Sequence

from ...rig.arrays import Mask
from ...rig.motion import Motion
from .options import GeneratorOptions

__all__ = ["infill"]


def infill(
    motion: Motion,
    frames: slice,
    *,
    pinned: Sequence[int] = (),
    contacts: Mask | None = None,
    options: GeneratorOptions | None = None,
) -> Motion:
    """Draw the legs anew in a range of frames; everything else stays as it is, to the bit.

    The root's path and the upper body are kept. No joint's velocity jumps at the range's borders.

    Args:
        motion: 24 joints at any rate, floor at z = 0, as solved or as an animator changed it.
        frames: start and stop (not included) of the range, without a step.
        pinned: frames in the range whose leg pose is kept, within 1 mm and 0.1 degrees.
        contacts: (T, 2) True where the left and the right foot must stand where `motion` has it; None
            lets the generator decide.
        options: seed, temperature, top-k; `takes` is not used.

    Raises:
        ModelError: the weights are missing or damaged.
        ShapeError: the range is empty or outside the motion, or a pinned frame is outside the range.
    """
    raise NotImplementedError
