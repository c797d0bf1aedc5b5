"""Which way a performer faces, told by how people move: they reach, swing and bend forwards.

A table holds, for training motions, how often a forearm, a palm, the neck and the waist point in each
direction seen from the waist's heading. The facing of a recording is the turn about the vertical under
which its own directions are likeliest.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..rig import quaternion
from ..rig.arrays import Array
from .output import new_file

__all__ = [
    "N_AZIMUTH",
    "TABLE",
    "Seen",
    "azimuth_columns",
    "direction_bins",
    "directions_seen",
    "estimate_facing",
    "fit_facing_table",
    "log_likelihoods",
    "log_tables",
    "sides_look_swapped",
]

# Table, rows of height (T,), azimuths (T,) as shares of a turn, and whether it is the left arm's mirrored.
Seen = tuple[int, npt.NDArray[np.int64], Array, bool]
TABLE = Path(__file__).resolve().parent / "facing_table.npz"
N_AZIMUTH, N_HEIGHT = 36, 12  # bins of equal area: 10 degrees by 1/6 of the sphere's height
N_CANDIDATES = 72
SWAP_MARGIN = 1.5  # nats per sample
SURPRISE = 0.1  # share of directions that no training motion explains
_LEFT, _RIGHT = np.array([1.0, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0])
_UP = np.array([0.0, 0.0, 1.0])
# (table, sensor in the order of PLACEMENTS, direction in its bone's frame, mirrored into the left arm's)
_EXCHANGED = [0, 2, 1, 3]
# heading_from_bone of hanging arms: a quarter turn about y, to the left and to the right.
_HANGING = quaternion.from_axis_angle(
    np.array([0.0, 1.0, 0.0]), np.array([0.0, np.pi / 2, -np.pi / 2, 0.0])
)
_FEATURES = (
    (0, 1, _LEFT, False),
    (0, 2, _RIGHT, True),
    (1, 1, -_UP, False),
    (1, 2, -_UP, True),
    (2, 3, _UP, False),
    (3, 0, _UP, False),
)
_N_TABLES = 4


def estimate_facing(bones: Array, turned: Array) -> float:
    """The facing in radians (0 faces -Y, counted counter-clockwise from above) in the pose.

    Args:
        bones: (T, 4, 4) world_from_bone as they would be if the performer faced -Y in the pose.
        turned: (4, 4) heading_from_bone of the pose.
    """
    candidates = np.arange(N_CANDIDATES) * (2 * np.pi / N_CANDIDATES)
    scores = log_likelihoods(bones, turned, candidates)
    best = int(np.argmax(scores))
    left, here, right = scores[best - 1], scores[best], scores[(best + 1) % N_CANDIDATES]
    curvature = left - 2 * here + right
    shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    facing = candidates[best] + shift * 2 * np.pi / N_CANDIDATES
    return float((facing + np.pi) % (2 * np.pi) - np.pi)


def sides_look_swapped(bones: Array, *, by_pose: bool) -> bool:
    """Whether the wrists' motion is far likelier with left and right exchanged.

    `pallas evaluate facing` prints how often it is right.

    Args:
        bones: (T, 4, 4) world_from_bone, waist, left wrist, right wrist, neck.
        by_pose: the mounting was found on a pose, so that each arm is known by its turns since it hung
            down; else it came with the sensors.
    """
    exchanged = bones[:, _EXCHANGED]
    if not by_pose:
        upright, here = np.tile(quaternion.IDENTITY, (4, 1)), np.zeros(1)
        given = log_likelihoods(bones, upright, here).max()
        other = log_likelihoods(exchanged, upright, here).max()
    else:
        turns = quaternion.multiply(exchanged, quaternion.conjugate(_HANGING[_EXCHANGED]))
        candidates = np.arange(N_CANDIDATES) * (2 * np.pi / N_CANDIDATES)
        given = log_likelihoods(bones, _HANGING, candidates).max()
        other = log_likelihoods(quaternion.multiply(turns, _HANGING), _HANGING, candidates).max()
    return bool(other > given + SWAP_MARGIN)


def log_likelihoods(bones: Array, turned: Array, candidates: Array) -> Array:
    """Mean log-likelihood (N,) of the recording for each candidate facing (N,), radians."""
    tables = log_tables()
    heard = np.flatnonzero(~np.isnan(bones).any(axis=(1, 2)))
    bones = bones[heard[:: max(1, len(heard) // 2000)]]
    since_pose = quaternion.multiply(bones, quaternion.conjugate(turned))
    scores = np.empty(len(candidates))
    for index, facing in enumerate(candidates):
        turn = quaternion.from_axis_angle(_UP, facing)
        posed = quaternion.multiply(since_pose, quaternion.multiply(turn, turned))
        bins = direction_bins(posed)
        scores[index] = sum(tables[t][rows].mean() for t, rows in bins)
    return scores


def fit_facing_table(bones_of_motions: Iterable[Array], path: Path = TABLE) -> None:
    """Count directions over motions, each (T, 4, 4) world_from_bone, and write the table."""
    counts = np.ones((_N_TABLES, N_AZIMUTH * N_HEIGHT))
    for bones in bones_of_motions:
        for table, rows in direction_bins(bones):
            counts[table] += np.bincount(rows, minlength=N_AZIMUTH * N_HEIGHT)
    share = _blurred(counts / counts.sum(axis=1, keepdims=True))
    with new_file(path, force=True) as temporary:
        np.savez_compressed(temporary, log_share=np.log(share).astype(np.float16))


def _blurred(share: Array) -> Array:
    """Spread each bin over its neighbours, and leave every direction possible."""
    grid = share.reshape(_N_TABLES, N_HEIGHT, N_AZIMUTH)
    for _ in range(2):
        grid = 0.25 * np.roll(grid, 1, axis=2) + 0.5 * grid + 0.25 * np.roll(grid, -1, axis=2)
        grid = np.pad(grid, ((0, 0), (1, 1), (0, 0)), mode="edge")
        grid = 0.25 * grid[:, :-2] + 0.5 * grid[:, 1:-1] + 0.25 * grid[:, 2:]
    uniform = 1.0 / (N_AZIMUTH * N_HEIGHT)
    return (1.0 - SURPRISE) * grid.reshape(_N_TABLES, -1) + SURPRISE * uniform


@cache
def log_tables() -> Array:
    """(4, bins) log of how often people's directions fall in each bin: forearm, palm, neck, waist."""
    with np.load(TABLE) as file:
        tables: Array = file["log_share"].astype(np.float64)
    return tables


def direction_bins(
    bones: Array, only: int | None = None
) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """For each feature its table and the bin (T,) that each frame's direction falls in.

    Args:
        bones: (T, 4, 4) world_from_bone in `PLACEMENTS` order.
        only: features of this sensor alone.
    """
    return [
        (table, row * N_AZIMUTH + azimuth_columns(azimuth))
        for table, row, azimuth, _ in directions_seen(bones, only)
    ]


def directions_seen(bones: Array, only: int | None = None) -> list[Seen]:
    """For each feature, the directions as they are seen from the waist's heading.

    Args:
        bones: (T, 4, 4) world_from_bone in `PLACEMENTS` order.
        only: features of this sensor alone.
    """
    heading = quaternion.swing_twist(bones[:, 0], _UP)[1]
    found = []
    for table, sensor, direction, mirrored in _FEATURES:
        if only is not None and sensor != only:
            continue
        world = quaternion.rotate(bones[:, sensor], direction)
        seen = quaternion.rotate(quaternion.conjugate(heading), world)
        x = -seen[:, 0] if mirrored else seen[:, 0]
        azimuth = np.arctan2(seen[:, 1], x) / (2 * np.pi)
        height = np.clip((seen[:, 2] + 1.0) / 2.0, 0.0, 1.0 - 1e-9)
        found.append((table, (height * N_HEIGHT).astype(int), azimuth, mirrored))
    return found


def azimuth_columns(azimuth: Array) -> npt.NDArray[np.int64]:
    """Columns of a table for azimuths as shares of a turn."""
    return np.minimum((azimuth % 1.0 * N_AZIMUTH).astype(int), N_AZIMUTH - 1)
