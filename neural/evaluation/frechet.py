"""Fréchet motion distance: how far a set of predicted motions is from the set of true ones."""

import numpy as np

from ...rig.arrays import Array

__all__ = ["frechet_distance"]


def frechet_distance(first: Array, second: Array) -> float:
    """Fréchet distance between Gaussians fitted to two sets of features (Heusel et al. 2017).

    |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)) with means m and covariances C. The features are those of
    our own motion encoder (`motion_encoder`), so the number compares with no other publication's.

    Args:
        first: (N, D) features of one set, N > 1.
        second: (M, D) features of the other.

    Returns:
        Zero for equal means and covariances, however the sets are ordered; NaN for fewer than two rows.
    """
    if min(len(first), len(second)) < 2:
        return np.nan
    means = first.mean(axis=0) - second.mean(axis=0)
    one, two = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (first, second))
    root = _square_root(one)
    # C1 C2 has the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2).
    between = np.linalg.eigvalsh(root @ two @ root)
    shared = np.sqrt(np.maximum(between, 0.0)).sum()
    distance = means @ means + np.trace(one) + np.trace(two) - 2.0 * shared
    return float(max(distance, 0.0))


def _square_root(covariance: Array) -> Array:
    values, vectors = np.linalg.eigh(covariance)
    result: Array = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return result
