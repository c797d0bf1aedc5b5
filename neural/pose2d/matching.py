"""Which pairs are taken: each beginning and each end once, greedily or for the highest sum of scores."""

import numpy as np

from ...rig.arrays import Array

__all__ = ["best_pairs", "greedy_pairs"]


def greedy_pairs(scores: Array) -> list[tuple[int, int]]:
    """Row and column of the highest score, then of the highest of what is left …; (N, M), above 0 only."""
    rows, columns = np.nonzero(scores > 0.0)
    order = np.argsort(-scores[rows, columns], kind="stable")
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    pairs = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            pairs.append((row, column))
    return pairs


def best_pairs(scores: Array) -> list[tuple[int, int]]:
    """The pairs of (N, M) whose scores, above 0 only, have the highest sum.

    The Hungarian method with shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987).
    """
    if scores.shape[0] > scores.shape[1]:
        return sorted((row, column) for column, row in best_pairs(scores.T))
    rows_best = scores.argmax(axis=1)
    wanted = np.flatnonzero(scores.max(axis=1) > 0.0)
    if len(set(rows_best[wanted].tolist())) == len(wanted):  # each can have its best
        return [(int(row), int(rows_best[row])) for row in wanted]
    cost = -np.maximum(scores, 0.0)
    rows, columns = cost.shape
    # Prices of rows and columns, and the row of each column; column 0 is where a path begins.
    of_row, of_column = np.zeros(rows + 1), np.zeros(columns + 1)
    row_at = np.zeros(columns + 1, dtype=int)
    for row in range(1, rows + 1):
        row_at[0] = row
        _augment(cost, of_row, of_column, row_at)
    pairs = [(int(row_at[c]) - 1, c - 1) for c in range(1, columns + 1) if row_at[c]]
    return sorted((r, c) for r, c in pairs if scores[r, c] > 0.0)


def _augment(
    cost: Array, of_row: Array, of_column: Array, row_at: np.typing.NDArray[np.int64]
) -> None:
    """Give the row at column 0 a column, moving others where the sum of costs wants it."""
    count = len(of_column)
    least, before = np.full(count, np.inf), np.zeros(count, dtype=int)
    done = np.zeros(count, dtype=bool)
    at = 0
    while row_at[at] or at == 0:
        done[at] = True
        row = row_at[at]
        here = cost[row - 1] - of_row[row] - of_column[1:]
        nearer = ~done[1:] & (here < least[1:])
        least[1:][nearer] = here[nearer]
        before[1:][nearer] = at
        nearest = int(np.argmin(np.where(done, np.inf, least)))
        step = least[nearest]
        of_row[row_at[done]] += step
        of_column[done] -= step
        least[~done] -= step
        at = nearest
        if not row_at[at]:
            break
    while at:
        row_at[at] = row_at[before[at]]
        at = before[at]
