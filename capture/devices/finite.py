"""Numbers that senders made up, turned into missing ones before anything is reckoned with them."""

import numpy as np
import numpy.typing as npt

from ...rig import quaternion
from ...rig.arrays import Array

__all__ = ["finite_rotations", "finite_vectors"]

_LARGEST = (
    1e6  # metres, m/s^2, or of a quaternion; no body does that, and products of it don't overflow
)


def finite_vectors(values: npt.ArrayLike) -> Array:
    """The vectors (..., n) in float64; those with an entry that is no number or absurd become NaN."""
    with np.errstate(invalid="ignore"):  # some not-numbers complain of being converted
        vectors = np.array(values, dtype=np.float64)
        absurd = ~(np.abs(vectors) <= _LARGEST).all(axis=-1)
    vectors[absurd] = np.nan
    return vectors


def finite_rotations(values: npt.ArrayLike) -> Array:
    """Quaternions (..., 4) made units; those that are none become NaN."""
    return quaternion.normalised(finite_vectors(values))
