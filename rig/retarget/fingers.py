"""Which chains on a hand are which fingers, by name, by number, or by their place beside the thumb."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from .structure import Tree

__all__ = ["find_fingers"]

_ORDER: Final = ("thumb", "index", "middle", "ring", "pinky")
_WORDS: Final = (*_ORDER, "finger")
_PALM: Final = 0.5  # a first bone this near the wrist, beside the second, lies in the palm


def find_fingers(tree: Tree, hand: int) -> dict[str, tuple[int, ...]]:
    """Up to three bones of every finger found, from the palm outwards."""
    chains = [chain for base in tree.children[hand] for chain in _chains(tree, base)]
    called = [_called(tree, chain) for chain in chains]
    found: dict[str, tuple[int, ...]] = {}
    for finger in _ORDER:
        own = [chain for chain, name in zip(chains, called, strict=True) if name == finger]
        if own:
            found[finger] = _phalanges(tree, hand, max(own, key=len), finger)
    rest = [c for c, name in zip(chains, called, strict=True) if name == "finger"]
    if len(rest) >= 3 and not found:
        rest.sort(key=lambda chain: tree.readings[chain[0]].numbers[:1])
        found = _in_order(tree, hand, rest)
    silent = [
        chain
        for chain, name in zip(chains, called, strict=True)
        if not name and len(chain) > 1 and not tree.readings[chain[0]].parts
    ]
    if not found and len(silent) >= 3:
        found = _in_order(tree, hand, _beside_the_thumb(tree, hand, silent))
    return found


def _chains(tree: Tree, base: int) -> list[list[int]]:
    """Chains that begin at `base`; a bone of the palm may hold several fingers."""
    if tree.readings[base].twist:
        return []
    chain = [base]
    others: list[list[int]] = []
    while tree.children[chain[-1]]:
        onward = tree.children[chain[-1]]
        following = max(onward, key=lambda b: (not _is_thumb(tree, b), _count(tree, b)))
        if _holds_fingers(tree, onward):
            others += [x for child in onward if child != following for x in _chains(tree, child)]
        chain.append(following)
    return [chain, *others]


def _holds_fingers(tree: Tree, onward: Sequence[int]) -> bool:
    """Whether several children are fingers of their own: by different names, or, without any, by length."""
    if len(onward) < 2:
        return False
    apart = {_called(tree, [child]) for child in onward} - {""}
    return len(apart) > 1 or (not apart and sum(_count(tree, child) > 1 for child in onward) > 1)


def _is_thumb(tree: Tree, bone: int) -> bool:
    return "thumb" in tree.readings[bone].parts


def _count(tree: Tree, bone: int) -> int:
    return sum(1 for _ in tree.under(bone))


def _called(tree: Tree, chain: Sequence[int]) -> str:
    """The finger that most of the chain's names say."""
    votes = {
        word: sum(tree.readings[bone].parts.get(word, 0.0) for bone in chain) for word in _WORDS
    }
    best = max(votes, key=lambda word: votes[word])
    return best if votes[best] > 0.5 else ""


def _phalanges(tree: Tree, hand: int, chain: Sequence[int], finger: str) -> tuple[int, ...]:
    """The finger's three bones without those in the palm; a thumb keeps its own, it moves."""
    own = [bone for bone in chain if not tree.readings[bone].palm]
    if finger == "thumb" and len(own) < 3:
        own = list(chain)
    if len(own) == len(chain) and len(own) > 3 and finger != "thumb":
        reach = np.linalg.norm(tree.heads[own[:2]] - tree.heads[hand], axis=1)
        own = own[1:] if reach[0] < _PALM * reach[1] else own
    return tuple(own[:3])


def _in_order(tree: Tree, hand: int, chains: Sequence[Sequence[int]]) -> dict[str, tuple[int, ...]]:
    return {
        finger: _phalanges(tree, hand, chain, finger)
        for finger, chain in zip(_ORDER, chains, strict=False)
    }


def _beside_the_thumb(
    tree: Tree, hand: int, chains: Sequence[Sequence[int]]
) -> list[Sequence[int]]:
    """The thumb, whose finger bones begin nearest to the wrist, then the others by distance from it."""
    bases = {id(chain): tree.heads[_phalanges(tree, hand, chain, "index")[0]] for chain in chains}
    wrist = tree.heads[hand]
    thumb = min(chains, key=lambda chain: float(np.linalg.norm(bases[id(chain)] - wrist)))
    return sorted(
        chains, key=lambda chain: float(np.linalg.norm(bases[id(chain)] - bases[id(thumb)]))
    )
