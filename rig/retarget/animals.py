"""Animals on four legs, which are no humanoids: refused before a motion bends them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ..arrays import Array
from ..errors import SceneError
from .limbs import Limb
from .structure import Tree
from .trunk import Trunk, level_trunk

__all__ = ["refuse_four_legs", "refuse_level_trunk"]

_STANDS: Final = 0.15  # of a leg's length: a chain that ends this near the floor stands on it
_TALL: Final = 0.5  # of the tallest leg's length; shorter chains on the floor are no legs
_APART: Final = (
    0.35  # of a leg's length between front and hind legs; a coat hangs nearer to its legs
)


def refuse_four_legs(tree: Tree, pairs: Sequence[tuple[int, int]]) -> None:
    """Refuse a rig with two pairs of legs, one in front of the other.

    Args:
        tree: the rig.
        pairs: first bones of what comes in pairs.

    Raises:
        SceneError: it has.
    """
    spans = [_span(tree, pair) for pair in pairs if min(pair) >= 0]
    standing = [(tall, place) for low, tall, place in spans if low < _STANDS * tall]
    most = max((tall for tall, _ in standing), default=0.0)
    legs = [(tall, place) for tall, place in standing if tall > max(_TALL * most, 1e-9)]
    for number, (tall, place) in enumerate(legs):
        for other_tall, other in legs[:number]:
            x, y, rise = np.abs(place - other)
            if np.hypot(x, y) > max(_APART * min(tall, other_tall), rise):
                raise _refusal(2 * len(legs))


def refuse_level_trunk(
    tree: Tree, pairs: Sequence[tuple[int, int]], legs: Sequence[Limb], trunk: Trunk
) -> None:
    """Refuse a rig whose trunk lies level on its legs.

    Args:
        tree: the rig.
        pairs: first bones of what comes in pairs.
        legs: one or two.
        trunk: its bones.

    Raises:
        SceneError: it does.
    """
    if not level_trunk(tree, trunk, legs):
        return
    length = legs[0].length
    spans = [_span(tree, pair) for pair in pairs]
    standing = [tall for low, tall, _ in spans if low < _STANDS * length and tall > _TALL * length]
    raise _refusal(2 * max(len(standing), 1))


def _span(tree: Tree, pair: tuple[int, int]) -> tuple[float, float, Array]:
    """How far over the floor a pair of chains ends, how tall it is, and (3,) where it begins, metres."""
    roots = [root for root in pair if root >= 0]
    under = [bone for root in roots for bone in tree.under(root)]
    heights = np.concatenate([tree.heads[under, 2], tree.tails[under, 2]])
    lowest, highest = float(np.nanmin(heights)), float(np.nanmax(heights))
    return lowest - tree.floor, highest - lowest, tree.heads[roots].mean(axis=0)


def _refusal(legs: int) -> SceneError:
    return SceneError(
        f"the rig has a level trunk on {legs} legs, as an animal; expected an upright humanoid: "
        "choose a humanoid rig, or set the bones by hand"
    )
