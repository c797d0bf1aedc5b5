"""The hips go where standing feet leave the legs' directions alone: before any leg gives way.

With hips moved by r(t), a leg has to move its ankle by e = c + q - r, where c brings the ankle to where its
foot stands and q shifts the whole stand over the floor. The smallest turns d of a thigh and shin of lengths
l1, l2 along unit vectors u1, u2 that do so have

    |d|^2 = e^T M e,   M = (l1^2 (1 - u1 u1^T) + l2^2 (1 - u2 u2^T))^-1,

so r and q are one linear least squares over all frames: turns of all standing legs, the bend of r over time,
and how far r strays.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..planting.chains import solve_chains
from .stands import Stands

__all__ = ["hip_moves"]

BEND = 30.0  # on r's second difference at 60 frames/s, beside squared turns in radians of lengths in legs
TENSION = 3.0  # on its first difference: what no foot holds goes straight on
STRAY = 0.03  # on r over the floor
_KEEP = 1e5  # the same, where the way over the floor is given
_RIGID = 1e6  # on a stand that changes its place
_SOFT = 1e-3  # least squared lever of a straight leg along itself
_LITTLE = 1e-6
_GIVE = 4.0  # how easily a foot on its ball turns, beside thigh and shin
_STATE = 7  # r, and q of the left and the right foot


def hip_moves(stands: Stands, legs: Array, fps: float, kept: bool) -> tuple[Array, Stands]:
    """By how much hips are to move, and where the feet stand then.

    Args:
        stands: where the feet belong.
        legs: (T, 2, 3, 3) metres, hip, knee and ankle of the left and the right leg.
        fps: frames per second.
        kept: whether the way over the floor stays as it is.

    Returns:
        (T, 3) metres, and the stands, shifted over the floor and tilted about the balls of their feet.
    """
    size = float(np.linalg.norm(np.diff(legs[0], axis=1), axis=-1).sum(-1).mean())
    frames = len(legs)
    pairs = -(-frames // 2)
    turns = _Turns.of(stands, legs / size, size)
    own, right = turns.squares()
    own[:, [0, 1], [0, 1]] += _KEEP if kept else STRAY
    stiff = TENSION * (fps / 60.0) ** 2, BEND * (fps / 60.0) ** 4
    diagonal, coupling = _blocks(own, _tied(stands, frames), stiff, pairs)
    values = np.zeros((2 * pairs, _STATE))
    values[:frames] = right
    found = solve_chains(diagonal, coupling, values.reshape(pairs, 2 * _STATE, 1))
    found = found.reshape(2 * pairs, _STATE)[:frames]
    hips, shift = found[:, :3], found[:, 3:].reshape(frames, 2, 2)
    return size * hips, stands.tilted(size * turns.of_feet(hips, shift)).moved(size * shift)


@dataclass(frozen=True, eq=False)
class _Turns:
    """Of standing legs, in lengths of legs.

    Attributes:
        metric: (T, 2, 3, 3) squared turns for how an ankle is to move; zero where a foot doesn't stand.
        feet: (T, 2, 3, 3) how much of that a foot does that turns about its ball.
        wanted: (T, 2, 3) how ankles are to move.
    """

    metric: Array
    feet: Array
    wanted: Array

    @classmethod
    def of(cls, stands: Stands, legs: Array, size: float) -> "_Turns":
        held = stands.held
        places = np.where(np.isnan(stands.places), 0.0, stands.places) / size
        levers = _levers(np.diff(legs, axis=2)).sum(axis=2) + _SOFT * np.eye(3)
        on_ball = held * (stands.rolls > 0.0) * (1.0 - stands.flat)
        feet = (_GIVE * on_ball)[..., None, None] * _levers(places[:, 2:] - places[:, :2])
        metric = np.linalg.inv(levers + feet) * held[..., None, None]
        wanted = np.where(held[..., None], places[:, :2] - legs[:, :, 2], 0.0)
        return cls(metric, feet @ metric, wanted)

    def squares(self) -> tuple[Array, Array]:
        """(T, 7, 7) and (T, 7): the least squares of all turns for r and q."""
        frames = len(self.wanted)
        own = np.tile(_LITTLE * np.eye(_STATE), (frames, 1, 1))
        right = np.zeros((frames, _STATE))
        for foot in range(2):
            rows = slice(3 + 2 * foot, 5 + 2 * foot)
            pick = np.zeros((3, _STATE))  # e = c - pick x
            pick[:, :3], pick[:2, rows] = np.eye(3), -np.eye(2)
            weighed = pick.T @ self.metric[:, foot]
            own += weighed @ pick
            right += (weighed @ self.wanted[:, foot, :, None])[..., 0]
        return own, right

    def of_feet(self, hips: Array, shift: Array) -> Array:
        """(T, 2, 3) by how much feet move their ankles towards where their legs leave them."""
        left = self.wanted - hips[:, None]
        left[..., :2] += shift
        moves: Array = -(self.feet @ left[..., None])[..., 0]
        return moves


def _levers(bones: Array) -> Array:
    """(..., 3, 3) l^2 (1 - u u^T) of bones (..., 3)."""
    squares = (bones**2).sum(-1)[..., None, None] * np.eye(3)
    result: Array = squares - bones[..., :, None] * bones[..., None, :]
    return result


def _tied(stands: Stands, frames: int) -> Array:
    """(T - 1, 2) one where a foot goes on standing in the next frame."""
    tied = np.zeros((max(frames - 1, 0), 2))
    for foot, start, stop in stands.spans:
        tied[start : stop - 1, foot] = 1.0
    return tied


def _blocks(own: Array, tied: Array, stiff: tuple[float, float], pairs: int) -> tuple[Array, Array]:
    """Blocks (N, 14, 14) of frame pairs, and (N - 1, 14, 14) to the next."""
    frames, count = len(own), 2 * pairs
    same = np.tile(np.eye(_STATE), (count, 1, 1))
    same[:frames] = own
    one, two = np.zeros((count, _STATE, _STATE)), np.zeros((count, _STATE, _STATE))
    for foot in range(2):
        for row in (3 + 2 * foot, 4 + 2 * foot):
            same[: frames - 1, row, row] += _RIGID * tied[:, foot]
            same[1:frames, row, row] += _RIGID * tied[:, foot]
            one[: frames - 1, row, row] -= _RIGID * tied[:, foot]
    for weight, signs in zip(stiff, ((1.0, -1.0), (1.0, -2.0, 1.0)), strict=True):
        spans = frames + 1 - len(signs)
        for t, sign in enumerate(signs) if spans > 0 else ():
            for block, other in zip((same, one, two), signs[t:], strict=False):
                block[t : t + spans, :3, :3] += weight * sign * other * np.eye(3)
    diagonal = np.empty((pairs, 2, _STATE, 2, _STATE))
    diagonal[:, 0, :, 0], diagonal[:, 1, :, 1] = same[0::2], same[1::2]
    diagonal[:, 0, :, 1], diagonal[:, 1, :, 0] = one[0::2], one[0::2].swapaxes(1, 2)
    coupling = np.zeros((max(pairs - 1, 0), 2, _STATE, 2, _STATE))
    coupling[:, 0, :, 0], coupling[:, 1, :, 0] = two[0:-2:2], one[1:-2:2]
    coupling[:, 1, :, 1] = two[1:-2:2]
    wide = 2 * _STATE
    return diagonal.reshape(-1, wide, wide), coupling.reshape(-1, wide, wide)
