"""Array aliases and the shape check that every public edge uses."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ShapeError

__all__ = ["Array", "Mask", "checked", "frozen"]

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def checked(name: str, value: npt.ArrayLike, shape: tuple[int | None, ...]) -> Array:
    """Return `value` as float64 if it has the shape; None stands for any length.

    Raises:
        ShapeError: the shape differs; the message names the array and both shapes.
    """
    array = np.asarray(value, dtype=np.float64)
    fits = array.ndim == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        expected = ", ".join("any" if n is None else str(n) for n in shape)
        raise ShapeError(f"{name} has shape {array.shape}, expected ({expected})")
    return array


def frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view, so that a frozen dataclass really is."""
    view = array.view()
    view.flags.writeable = False
    return view
