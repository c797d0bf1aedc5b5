"""Poses to start from, for a whole recording that nothing is known of: few frames first, then those between.

Every sixteenth frame is solved first, straight from the default pose, its root before the rest. Beside
them the best seen frame is solved from other headings and postures: where one of these is better, or not
all come to an end soon, the best pose of that frame becomes the start of the others. Those poses start
every fourth frame, and these all, by cubic interpolation over time. So the many frames begin so near their
solutions that two or three steps finish them, and a frame that sees too little has what its neighbours say.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .. import so3
from ..arrays import Array
from .lm import Settings, minimise_frames
from .problem import Problem

__all__ = ["between", "first_pose", "near", "observed", "solve_near", "solve_recording"]

_STRIDES = (16, 4)  # frames
_HEADINGS = (0.5 * torch.pi, torch.pi, -0.5 * torch.pi)
_OUTLIER = 4.0  # times the median cost; a frame above has probably settled in a wrong pose
_DEARER = 1.3  # cost over that of its neighbours that makes a frame suspect
_TRIFLE = 0.3  # of the median cost, below which differences are noise
_BETTER = 0.95  # of the cost, below which another posture of one frame is a better start for all
_MANY = 128  # frames, from which those between others start from these
_WORTH = 1e-3  # fraction of the cost that must be gained, for another pose to be taken
_MENDS = 100  # frames that a wrong stretch may be long, from both its ends
_ROUGH = Settings(20, 1e-2, 1e-3, enough=0.85)
_TRIED = Settings(25, 1e-2, 1e-3, enough=0.4)
_AT_ONCE = Settings(7, 3e-2, 1e-4, enough=0.4)
_ROOT = Settings(3, 3e-2, 1e-3, enough=0.85)
_TOWARDS = replace(_ROOT, iterations=1)
_NEAR = Settings(2, 1e-2, 1e-6)
_POSTURES, _POSTURE = 12, 0.3  # how many are tried for the first frame, and their spread in radians


def observed(problem: Problem, frames: int) -> Tensor:
    """(T,) how many numbers were measured in every frame."""
    total = torch.zeros(frames, dtype=torch.long)
    for term in problem.frame_terms:
        count = getattr(term, "observed", None)
        if count is not None:
            total = total + count
    return total


def solve_recording(problem: Problem, pose: Tensor, settings: Settings) -> tuple[Tensor, Tensor]:
    """Solve every frame from one pose (D,): poses (T, D), and which frames saw enough (T,).

    A frame sees enough if at least as many numbers were measured as there are unknowns, or three quarters of
    what is measured at best; the others start from the neighbours that do.
    """
    counts, enough = _enough(problem)
    good = enough.nonzero().squeeze(-1)
    first = int(good[counts[good].argmax()])
    done, poses = _coarse(problem, pose, first, good)
    poses = _unwound(problem, poses)
    for stride in _STRIDES[1:]:
        rest = good[::stride]
        rest = rest[~torch.isin(rest, done)]
        solved, _, _ = minimise_frames(problem, between(problem, done, poses, rest), _NEAR, rest)
        done, order = torch.cat([done, rest]).sort()
        poses = torch.cat([poses, solved])[order]
    settings = replace(settings, newton=True)
    return _every(problem, done, poses, len(counts), settings), enough


def solve_near(problem: Problem, start: Tensor, settings: Settings) -> tuple[Tensor, Tensor]:
    """The same from poses (T, D) that are near the solutions already: of many frames every fourth first."""
    counts, enough = _enough(problem)
    good = enough.nonzero().squeeze(-1)
    poses = start[good]
    if len(good) > _MANY:
        good = torch.unique(torch.cat([good[:: _STRIDES[1]], good[-1:]]))
        poses = near(problem, start[good], good)
    return _every(problem, good, poses, len(counts), settings), enough


def near(problem: Problem, start: Tensor, frames: Tensor) -> Tensor:
    """Poses (K, D) of some frames (K,), roughly, from others not far from them."""
    poses, cost, _ = minimise_frames(problem, start, _ROUGH, frames)
    return _compared(problem, frames, poses, cost)[0]


def _enough(problem: Problem) -> tuple[Tensor, Tensor]:
    """(T,) how many numbers were measured in every frame, and whether they are enough."""
    frames = max((term.frames or 0 for term in problem.frame_terms), default=0)
    counts = observed(problem, frames)
    return counts, counts >= min(len(problem.unknowns), int(0.75 * int(counts.max())))


def _every(
    problem: Problem, done: Tensor, poses: Tensor, frames: int, settings: Settings
) -> Tensor:
    """(T, D) every frame, from poses of those that are `done`."""
    every = torch.arange(frames)
    start = between(problem, done, poses, every).index_copy(0, done, poses)
    poses, cost, _ = minimise_frames(problem, start, settings, every)
    settings = replace(settings, newton=True)
    return _mended(problem, poses, cost, replace(settings, told=Settings.told))


def first_pose(problem: Problem, pose: Tensor, frame: int = 0) -> Tensor:
    """(D,) of one frame, from a pose that may be far from it."""
    return _best_start(problem, pose, frame)[0]


def _root(problem: Problem) -> list[str]:
    """Names of the unknown coordinates of the joints on the ground."""
    model = problem.model
    names = [
        n for joint in model.joints if joint.parent == model.bodies[0] for n in joint.coordinates
    ]
    moving = {model.coordinate_names[c] for c in problem.unknowns.coordinates.tolist()}
    return [name for name in names if name in moving]


def _headings(problem: Problem, pose: Tensor, root: list[str]) -> Tensor:
    """(K, D) the pose, and others with one coordinate of the root turned."""
    rows = [pose]
    for name in root:
        place = problem.model.coordinate_index(name)
        if problem.model.coordinates[place].kind != "translation":
            for turn in _HEADINGS:
                rows.append(pose.clone())
                rows[-1][place] += turn
    return torch.stack(rows)


def _aligned(
    problem: Problem, poses: Tensor, frames: Tensor, root: list[str], settings: Settings = _ROOT
) -> tuple[Tensor, Tensor]:
    """Poses with their roots moved to where the measurements are, and their costs."""
    if not root:
        return poses, problem.at(poses, None, frames).cost()
    return minimise_frames(problem.only(root), poses, settings, frames)[:2]


def _postures(problem: Problem, pose: Tensor, root: list[str]) -> Tensor:
    """(K, D) the pose, and others about it with all but the root turned, drawn with a fixed seed.

    A straight elbow at its limit, or a hip turned over, is a valley of its own: they begin outside of it.
    """
    random, unknowns = torch.Generator().manual_seed(0), problem.unknowns
    away = _POSTURE * torch.randn(_POSTURES, len(unknowns), generator=random, dtype=torch.float64)
    away[0] = 0.0
    fixed = torch.ones(len(unknowns), dtype=torch.bool)
    fixed[unknowns.rotations] = False
    fixed |= torch.isin(unknowns.coordinates, problem.places("coordinate", tuple(root)))
    return unknowns.stepped(pose.expand(_POSTURES, -1), away.masked_fill(fixed, 0.0))


def _best_start(problem: Problem, pose: Tensor, frame: int) -> tuple[Tensor, Tensor]:
    """Pose (D,) and cost () of one frame, the best found from several headings and postures."""
    root = _root(problem)
    candidates = _headings(problem, pose, root)
    frames = torch.full((len(candidates),), frame)
    candidates, cost = _aligned(problem, candidates, frames, root)
    starts = _postures(problem, candidates[cost.argmin()], root)
    frames = frames.new_full((_POSTURES,), frame)
    solved, cost, _ = minimise_frames(problem, starts, _TRIED, frames)
    return solved[cost.argmin()], cost.min()


def _at_once(
    problem: Problem, pose: Tensor, first: int, chosen: Tensor
) -> tuple[Tensor, Tensor] | None:
    """Poses and costs of frames (K,) solved straight from a pose; None where that is not safe.

    Beside them their `first` row is solved from other headings and postures: it is safe if none of these
    is better, and all come to an end soon.
    """
    root, count = _root(problem), len(chosen)
    others = _headings(problem, pose, root)[1:]
    frames = torch.cat([chosen, chosen[first].expand(len(others))])
    starts = torch.cat([pose.expand(count, -1), others])
    starts, cost = _aligned(problem, starts, frames, root, _TOWARDS)
    if bool((cost[count:] < cost[first]).any()):
        pose = starts[count + cost[count:].argmin()]
        starts, _ = _aligned(problem, pose.expand(count, -1), chosen, root, _TOWARDS)
    others = _postures(problem, starts[first], root)[1:]
    frames = torch.cat([chosen, chosen[first].expand(len(others))])
    starts = torch.cat([starts[:count], others])
    poses, cost, steps = minimise_frames(problem, starts, _AT_ONCE, frames)
    if steps == _AT_ONCE.iterations or bool((cost[count:] < _BETTER * cost[first]).any()):
        return None
    return poses[:count], cost[:count]


def _coarse(problem: Problem, pose: Tensor, first: int, good: Tensor) -> tuple[Tensor, Tensor]:
    """Frames and poses of every sixteenth good frame, the first one and the last."""
    chosen = torch.unique(torch.cat([good[:: _STRIDES[0]], good[-1:], good.new_tensor([first])]))
    found = _at_once(problem, pose, int((chosen == first).nonzero()[0]), chosen)
    if found is None:
        known, _ = _best_start(problem, pose, first)
        start, _ = _aligned(problem, known.expand(len(chosen), -1), chosen, _root(problem))
        found = minimise_frames(problem, start, _ROUGH, chosen)[:2]
    poses, cost = _compared(problem, chosen, *found)
    bad = cost > _OUTLIER * cost.median()
    fine = (~bad).nonzero().squeeze(-1)
    for row in bad.nonzero().squeeze(-1).tolist():
        nearest = poses[fine[(fine - row).abs().argmin()]]
        pose, least = _best_start(problem, nearest, int(chosen[row]))
        if bool(least < cost[row]):
            poses = poses.index_copy(0, torch.tensor([row]), pose[None])
    return chosen, poses


def _compared(
    problem: Problem, chosen: Tensor, poses: Tensor, cost: Tensor
) -> tuple[Tensor, Tensor]:
    """Poses and costs, dear frames tried again from what their neighbours say, the better kept.

    Some frames settle in a wrong valley, a hip turned over say; rarely two neighbours do.
    """
    if len(chosen) < 3:
        return poses, cost
    start = torch.cat([poses[1:2], 0.5 * (poses[:-2] + poses[2:]), poses[-2:-1]])
    usual = torch.cat([cost[1:2], torch.maximum(cost[:-2], cost[2:]), cost[-2:-1]])
    odd = (cost > _DEARER * torch.maximum(usual, cost.median())).nonzero().squeeze(-1)
    if not len(odd):
        return poses, cost
    again, other, _ = minimise_frames(problem, start[odd], _ROUGH, chosen[odd])
    better = other < cost[odd]
    chosen_poses = torch.where(better[:, None], again, poses[odd])
    return (
        poses.index_copy(0, odd, chosen_poses),
        cost.index_copy(0, odd, torch.minimum(other, cost[odd])),
    )


def _unwound(problem: Problem, poses: Tensor) -> Tensor:
    """Poses (K, D) with whole turns added where a coordinate would otherwise jump by one.

    Only coordinates without bounds that turn and nothing else; a whole turn changes nothing but the number.
    """
    model = problem.model
    free = [
        place
        for place in problem.unknowns.coordinates.tolist()
        if model.coordinates[place].kind == "rotation"
        and not model.coordinates[place].clamped
        and place not in problem.tables.curved_coordinates
    ]
    if not free or len(poses) < 2:
        return poses
    turns = (poses[1:, free] - poses[:-1, free]).div(2.0 * torch.pi).round().cumsum(0)
    unwound = poses[:, free].clone()
    unwound[1:] -= 2.0 * torch.pi * turns
    return poses.index_copy(1, torch.tensor(free), unwound)


def _mended(problem: Problem, poses: Tensor, cost: Tensor, settings: Settings) -> Tensor:
    """Poses (T, D) with frames that cost more than a neighbour solved again from its pose, the better kept.

    A stretch in a wrong valley is mended from both its ends, one frame at a time.
    """
    for _ in range(_MENDS):
        if len(poses) < 2:
            break
        before = torch.cat([cost[:1], cost[:-1]])
        after = torch.cat([cost[1:], cost[-1:]])
        dear = (
            (cost > _DEARER * torch.minimum(before, after) + _TRIFLE * cost.median())
            .nonzero()
            .squeeze(-1)
        )
        if not len(dear):
            break
        source = torch.where(before[dear] < after[dear], dear - 1, dear + 1)
        again, other, _ = minimise_frames(problem, poses[source], settings, dear)
        better = other < (1.0 - _WORTH) * cost[dear]
        if not bool(better.any()):
            break
        poses = poses.index_copy(0, dear[better], again[better])
        cost = cost.index_copy(0, dear[better], other[better])
    return poses


def between(problem: Problem, known: Tensor, poses: Tensor, frames: Tensor) -> Tensor:
    """(N, D) poses at `frames`, from those at the `known` (K,) by cubic interpolation over time.

    Catmull and Rom's spline with Barry and Goldman's uneven times; outside, the nearest known pose. Ball
    joints are interpolated as rotation vectors from their nearest known pose.
    """
    if len(known) == 1:
        return poses.expand(len(frames), -1).clone()
    index, weights = _cubic(known.numpy(), frames.numpy())
    values = poses[torch.from_numpy(index)]  # (4, N, D)
    share = torch.from_numpy(weights)[..., None]
    balls = problem.tables.ball_coordinates
    if not len(balls):
        return (share * values).sum(0)
    turns = so3.exp(values[:, :, balls])
    values[:, :, balls] = so3.log(turns[1].transpose(-1, -2) @ turns)
    result = (share * values).sum(0)
    result[:, balls] = so3.log(turns[1] @ so3.exp(result[:, balls]))
    return result


def _cubic(known: npt.NDArray[np.int64], frames: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    """Rows (4, N) of the known frames (K,) about each of N, and how much each counts (4, N)."""
    last = len(known) - 1
    right = np.searchsorted(known, frames).clip(1, last)
    index = np.stack([right - 2, right - 1, right, right + 1]).clip(0, last)
    t0, t1, t2, t3 = known[index].astype(np.float64)
    step, before, after = t2 - t1, t1 - t0, t3 - t2
    u = ((frames - t1) / step).clip(0.0, 1.0)
    rise = u * u * (3.0 - 2.0 * u)
    leaving, coming = step * u * (1.0 - u) ** 2, step * u * u * (u - 1.0)
    (own, other), (own_after, other_after) = _slope(step, before), _slope(step, after)
    weights = [
        -leaving * other,
        1.0 - rise + leaving * (other - own) - coming * own_after,
        rise + leaving * own + coming * (own_after - other_after),
        coming * other_after,
    ]
    return index, np.stack(weights)


def _slope(step: Array, beside: Array) -> tuple[Array, Array]:
    """How much the rise over a step, and over the one beside it, count in the slope between; (N,) frames.

    Where there is none beside, the step's own counts alone.
    """
    own = np.where(beside > 0.0, beside / (step + beside), 1.0)
    return own / step, (1.0 - own) / np.where(beside > 0.0, beside, 1.0)
