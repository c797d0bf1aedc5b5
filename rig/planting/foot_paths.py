"""Where heels and balls of the feet should be: standing ones still, none below the floor, nothing jumps.

One linear least squares over all frames for what each point is moved by: it is pinned where the point
stands or would sink, and in between it fades, bends little (its second difference is small) and keeps the
foot's heel and ball together.
"""

import numpy as np

from ..arrays import Array, Mask
from .chains import solve_chains

__all__ = ["SOLES", "foot_paths", "paths_through"]

# Height of an ankle and of the ball of a foot above the floor when they stand, for a body 1.70 m tall.
SOLES = np.array([0.073, 0.073, 0.017, 0.017])

FLAT = 0.02  # metres for a body 1.70 m tall; a foot tilted by less stands on heel and ball
SHORTEST = 0.05  # seconds; a shorter contact is no stand
SLIDE = 0.20
CLEARANCE = (
    0.02  # metres for a body 1.70 m tall, under the ball of a foot that swings, as people have it
)
SWINGING = (0.3, 0.8)  # m/s over ground: from where it is raised, and from where fully
# Weights beside 1 on being moved at all; a fading takes about BEND^(1/4) = 4 frames at 60 Hz.
PIN, TOGETHER, BEND = 1e6, 100.0, 300.0
_PASSES = 3  # a correction may sink a point that did not sink before


def foot_paths(
    points: Array,
    contacts: Mask,
    fps: float,
    scale: float,
    soles: Array | None = None,
    slide: float = SLIDE,
) -> Array | None:
    """Move heels and balls of the feet to where they should be.

    Args:
        points: (T, 4, 3) left and right ankle, left and right ball of the foot, metres, floor at z = 0.
        contacts: (T, 2) True where the left and the right foot stand.
        fps: frames per second.
        scale: size of the body; 1 is 1.70 m tall.
        soles: (4,) metres, heights of the points of a body that stands; None for those of a person.
        slide: metres for a body 1.70 m tall; a foot that went further stands anew.

    Returns:
        (T, 4, 3) places, or None where nothing has to move.
    """
    soles = SOLES * scale if soles is None else soles
    least = _least_heights(points, contacts, fps, scale, soles)
    return paths_through(points, _standing(points, contacts, fps, scale, soles, slide), least, fps)


def paths_through(points: Array, targets: Array, least: Array, fps: float) -> Array | None:
    """Move heels and balls of the feet through given places, none below a height, nothing jumping.

    Args:
        points: (T, 4, 3) left and right ankle, left and right ball of the foot, metres.
        targets: (T, 4, 3) metres, NaN where a point is free.
        least: (T, 4) metres, heights that points may not be below.
        fps: frames per second.

    Returns:
        (T, 4, 3) places, or None where nothing has to move.
    """
    targets, moved = np.array(targets), np.zeros_like(points)
    for turn in range(_PASSES):
        sunk = (points + moved)[..., 2] < least - (1e-4 if turn else 0.0)
        fresh = sunk & np.isnan(targets[..., 2])
        if not fresh.any() and (turn or np.isnan(targets).all()):
            break
        targets[..., 2] = np.where(fresh, least, targets[..., 2])
        moved = _moves(targets - points, fps)
    if not moved.any():
        return None
    heel_only = ~np.isnan(targets[:, :2, 0]) & np.isnan(targets[:, 2:, 0])
    return _rigid(points, points + moved, heel_only)


def _least_heights(points: Array, contacts: Mask, fps: float, scale: float, soles: Array) -> Array:
    """(T, 4) metres that heels and balls may not be below: the floor, and more for balls of feet that swing.

    A foot that passes close over the floor looks as if it slid.
    """
    least = np.tile(soles, (len(points), 1))
    if len(points) < 2:
        return least
    velocity = np.gradient(points[:, 2:, :2], 1.0 / fps, axis=0)
    speed = np.linalg.norm(velocity, axis=-1) / scale
    share = ((speed - SWINGING[0]) / (SWINGING[1] - SWINGING[0])).clip(0.0, 1.0) * ~contacts
    reach = max(1, round(SHORTEST * fps))
    kernel = np.hanning(2 * reach + 1)[1:-1] / np.hanning(2 * reach + 1).sum()
    padded = np.pad(share, ((reach - 1, reach - 1), (0, 0)), mode="edge")
    for foot in range(2):
        least[:, 2 + foot] += CLEARANCE * scale * np.convolve(padded[:, foot], kernel, "valid")
    return least


def _rigid(points: Array, paths: Array, heel_only: Mask) -> Array:
    """Paths (T, 4, 3) with each ball as far from its heel as in `points`, at the same heights.

    The heel gives way on the floor's plane, or the ball where the heel alone stands.
    """
    length = np.linalg.norm(points[:, 2:] - points[:, :2], axis=-1)
    apart, before = paths[:, 2:] - paths[:, :2], points[:, 2:] - points[:, :2]
    drop = np.minimum(np.maximum(apart[..., 2], -length), length)
    # Heel and ball one above the other say little of where the foot points: the foot before does.
    along = apart[..., :2] + 0.05 * before[..., :2]
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    wrong = np.sqrt(length**2 - drop**2)[..., None] * along - apart[..., :2]
    kernel = np.hanning(9)[1:-1] / np.hanning(9).sum()
    padded = np.pad(heel_only.astype(np.float64), ((3, 3), (0, 0)), mode="edge")
    share = np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=-1)
    rigid = paths.copy()
    rigid[:, 2:, :2] += share[..., None] * wrong
    rigid[:, :2, :2] -= (1.0 - share[..., None]) * wrong
    return rigid


def _standing(
    points: Array, contacts: Mask, fps: float, scale: float, soles: Array, slide: float
) -> Array:
    """Targets (T, 4, 3), NaN where a point is free: every stand of a foot is one flat foot on the floor."""
    targets = np.full_like(points, np.nan)
    holding = _holding(points, contacts, scale, soles)
    shortest = max(2, int(SHORTEST * fps))
    for foot in range(2):
        heel, ball = points[:, foot], points[:, 2 + foot]
        along = (ball - heel)[:, :2]
        along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
        reach = _flat_length(heel, ball, soles[foot] - soles[2 + foot])
        # Where the ball is, or would be if the foot that stands on its heel came down.
        place = np.where(holding[:, 2 + foot, None], ball[:, :2], heel[:, :2] + reach * along)
        for start, stop in _stretches(contacts[:, foot], shortest):
            parts = _stands(place[start:stop], start, slide * scale)
            least = shortest if len(parts) == 1 else 2 * shortest
            for part in parts:
                if part.stop - part.start < least:
                    continue  # so fast a foot does not stand
                there, direction = place[part].mean(axis=0), along[part].mean(axis=0)
                back = reach * direction / max(float(np.linalg.norm(direction)), 1e-9)
                for point, spot in ((foot, there - back), (2 + foot, there)):
                    frames = np.arange(part.start, part.stop)[holding[part, point]]
                    targets[frames, point] = spot[0], spot[1], soles[point]
    return targets


def _flat_length(heel: Array, ball: Array, drop: float) -> float:
    """Metres over ground from the heel to the ball of a foot that stands flat."""
    length = float(np.linalg.norm(ball[0] - heel[0]))
    return float(np.sqrt(max(length**2 - drop**2, 0.0)))


def _holding(points: Array, contacts: Mask, scale: float, soles: Array) -> Mask:
    """(T, 4) which points hold: heel and ball of a flat foot, the lower of a tilted one."""
    tilt = (points[:, :2, 2] - points[:, 2:, 2] - (soles[:2] - soles[2:])) / scale
    heel, ball = contacts & (tilt < FLAT), contacts & (tilt > -FLAT)
    holding: Mask = np.concatenate([heel, ball], axis=1)
    return holding


def _stands(places: Array, start: int, slide: float) -> list[slice]:
    """Cut a contact (n, 2) where the foot has slid too far to be one stand, as a foot that shuffles does."""
    parts: list[slice] = []
    first = 0
    while first < len(places):
        away = np.linalg.norm(places[first:] - places[first], axis=-1) > slide
        if not away.any():
            return [*parts, slice(start + first, start + len(places))]
        frame = first + int(np.argmax(away))
        parts.append(slice(start + first, start + frame))
        first = frame + 1  # one frame to get to the next place
    return parts


def _stretches(active: Mask, shortest: int) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2)
    return [(int(a), int(b)) for a, b in edges if b - a >= shortest]


def _moves(wanted: Array, fps: float) -> Array:
    """(T, 4, 3) metres: the least squares for pins `wanted`, NaN where there is none.

    Heel and ball of two neighbouring frames are one block, so that second differences reach only the next
    one; feet, and heights beside places on the floor, do not depend on each other.
    """
    frames = len(wanted)
    pairs = -(-frames // 2)
    wanted = np.concatenate([wanted, np.full((2 * pairs - frames, 4, 3), np.nan)])
    pinned = ~np.isnan(wanted[..., 1:])  # (T, 4, 2): on the floor, height
    bend = BEND * (fps / 60.0) ** 4
    pulled = np.nan_to_num(wanted) * PIN
    # Chains of a left and a right foot, over ground and in height: (N, foot, part, 4, 4) and 2 columns.
    diagonal, coupling = np.empty((pairs, 2, 2, 4, 4)), np.empty((pairs - 1, 2, 2, 4, 4))
    right = np.zeros((pairs, 2, 2, 4, 2))
    for foot in range(2):
        for part in range(2):
            diagonal[:, foot, part], coupling[:, foot, part] = _blocks(
                pinned[:, foot::2, part], bend
            )
            columns = pulled[:, foot::2, 2:] if part else pulled[:, foot::2, :2]
            right[:, foot, part, :, : columns.shape[-1]] = columns.reshape(pairs, 4, -1)
    found = solve_chains(diagonal, coupling, right).reshape(pairs, 2, 2, 2, 2, 2)
    # (N, foot, t, point, 3)
    moves = np.concatenate([found[:, :, 0], found[:, :, 1, ..., :1]], axis=-1)
    result: Array = moves.transpose(0, 2, 3, 1, 4).reshape(2 * pairs, 4, 3)[:frames]
    return result


def _blocks(pinned: Mask, bend: float) -> tuple[Array, Array]:
    """Blocks (N, 4, 4) of frame pairs, and (N - 1, 4, 4) to the next, for pins (2 N, [heel, ball])."""
    frames = len(pinned)
    together = TOGETHER * np.array([[1.0, -1.0], [-1.0, 1.0]])
    own = np.eye(2) + together + PIN * pinned[:, :, None] * np.eye(2)
    # Second differences of frames t, t + 1, t + 2 with the signs 1, -2, 1.
    inner = np.zeros((frames, 3))  # by how much each frame, and its next ones, are reached
    for t, sign in enumerate((1.0, -2.0, 1.0)):
        for u in range(t, 3):
            inner[t : frames - 2 + t, u - t] += sign * (1.0, -2.0, 1.0)[u]
    same = own + bend * inner[:, 0, None, None] * np.eye(2)
    one, two = (bend * inner[:, step, None, None] * np.eye(2) for step in (1, 2))
    block = np.zeros((frames // 2, 2, 2, 2, 2))  # (N, t, point, t, point)
    block[:, 0, :, 0], block[:, 1, :, 1] = same[0::2], same[1::2]
    block[:, 0, :, 1], block[:, 1, :, 0] = one[0::2], one[0::2]
    after = np.zeros((frames // 2 - 1, 2, 2, 2, 2))
    after[:, 0, :, 0], after[:, 1, :, 0] = two[0:-2:2], one[1:-2:2]
    after[:, 1, :, 1] = two[1:-2:2]
    return block.reshape(-1, 4, 4), after.reshape(-1, 4, 4)
