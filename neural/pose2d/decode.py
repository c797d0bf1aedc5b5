"""From a network's maps to people."""

from ...rig.arrays import Array
from ...rig.errors import ShapeError
from .layouts import PafLayout
from .limbs import limb_candidates
from .peaks import find_peaks
from .people import People, assembled

__all__ = ["decode"]


def decode(
    confidence: Array,
    pafs: Array,
    layout: PafLayout,
    matching: str = "greedy",
    threshold: float = 0.1,
) -> People:
    """Find people in the maps of one picture.

    Args:
        confidence: (K, h, w), or (K + 1, h, w) with the background.
        pafs: (2L, h, w), x and y of each limb.
        layout: K keypoints and L limbs.
        matching: "greedy" or "hungarian".
        threshold: of a keypoint's confidence.

    Raises:
        ShapeError: the maps are of another layout.
    """
    sizes = (len(confidence) in (layout.points, layout.points + 1), len(pafs) // 2)
    if sizes != (True, len(layout.limbs)) or confidence.shape[1:] != pafs.shape[1:]:
        raise ShapeError(
            f"the maps have shapes {confidence.shape} and {pafs.shape}; expected {layout.points} or one "
            f"more and {2 * len(layout.limbs)} of the same height and width"
        )
    peaks = find_peaks(confidence[: layout.points], threshold)
    return assembled(peaks, limb_candidates(peaks, pafs, layout.limbs), layout, matching)
