"""Functions of one variable that drive a joint's axes: constant, linear, polynomial, spline.

Every one of them is a piecewise polynomial, and says which (`pieces`), so that the kinematics can evaluate
all functions of a model in a single vectorised step, outside the knots too.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Array, checked, frozen
from ..errors import ShapeError

__all__ = [
    "IDENTITY",
    "Constant",
    "Function",
    "Linear",
    "Pieces",
    "PiecewiseLinear",
    "Polynomial",
    "Scaled",
    "SimmSpline",
]


class Pieces(NamedTuple):
    """A piecewise polynomial.

    Attributes:
        breaks: (K - 1,) where one piece ends and the next begins, ascending.
        origins: (K,) of each piece: its polynomial is in x - origin.
        coefficients: (K, N) lowest power first.
    """

    breaks: Array
    origins: Array
    coefficients: Array


class Function:
    """A function of one coordinate: radians or metres in, radians or metres out."""

    def pieces(self) -> Pieces:
        """The function as a piecewise polynomial."""
        raise NotImplementedError

    def __call__(self, x: Array | float) -> Array:
        """Values at x of any shape."""
        return self._evaluate(np.asarray(x, dtype=np.float64), derivative=False)

    def slope(self, x: Array | float) -> Array:
        """First derivative at x of any shape."""
        return self._evaluate(np.asarray(x, dtype=np.float64), derivative=True)

    def _evaluate(self, x: Array, *, derivative: bool) -> Array:
        breaks, origins, coefficients = self.pieces()
        piece = np.searchsorted(breaks, x, side="right")
        if derivative:
            powers = np.arange(coefficients.shape[1])
            coefficients = (coefficients * powers)[:, 1:]
        value: Array = np.zeros_like(x)
        for power in range(coefficients.shape[1] - 1, -1, -1):
            value = value * (x - origins[piece]) + coefficients[piece, power]
        return value


def _single(*coefficients: float) -> Pieces:
    return Pieces(np.empty(0), np.zeros(1), np.array([coefficients], dtype=np.float64))


@dataclass(frozen=True)
class Constant(Function):
    """The same value everywhere."""

    value: float

    def pieces(self) -> Pieces:
        """One piece of degree 0."""
        return _single(self.value)


@dataclass(frozen=True)
class Linear(Function):
    """slope * x + intercept."""

    gradient: float = 1.0
    intercept: float = 0.0

    def pieces(self) -> Pieces:
        """One piece of degree 1."""
        return _single(self.intercept, self.gradient)


IDENTITY = Linear()


@dataclass(frozen=True)
class Polynomial(Function):
    """Sum of coefficients[k] * x**k: lowest power first."""

    coefficients: tuple[float, ...]

    def pieces(self) -> Pieces:
        """One piece."""
        return _single(*self.coefficients)


@dataclass(frozen=True)
class Scaled(Function):
    """Another function times a factor (OpenSim's MultiplierFunction)."""

    function: Function
    factor: float

    def pieces(self) -> Pieces:
        """The pieces of the other function, times the factor."""
        breaks, origins, coefficients = self.function.pieces()
        return Pieces(breaks, origins, coefficients * self.factor)


@dataclass(frozen=True, eq=False)
class _Knots(Function):
    """A function through points (K,), K >= 2, x strictly ascending."""

    x: Array
    y: Array

    def __post_init__(self) -> None:
        x = checked("x", self.x, (None,))
        y = checked("y", self.y, (len(x),))
        finite = np.isfinite(x).all() and np.isfinite(y).all()
        if len(x) < 2 or not finite or not (np.diff(x) > 0.0).all():
            raise ShapeError(
                f"a {type(self).__name__} has {len(x)} knots, "
                "expected at least two finite ones with x ascending"
            )
        object.__setattr__(self, "x", frozen(x))
        object.__setattr__(self, "y", frozen(y))


class PiecewiseLinear(_Knots):
    """Straight lines between knots; the first and last go on outside."""

    def pieces(self) -> Pieces:
        """One piece per interval."""
        slopes = np.diff(self.y) / np.diff(self.x)
        return Pieces(self.x[1:-1], self.x[:-1], np.stack([self.y[:-1], slopes], axis=1))


class SimmSpline(_Knots):
    """The cubic spline of SIMM and OpenSim, a straight line outside the knots.

    The third derivative at each end is that of the cubic through the four nearest knots (Forsythe, Malcolm
    and Moler 1977, SPLINE); two knots make a line and three a spline with zero third derivatives at its ends.
    """

    def pieces(self) -> Pieces:
        """One piece per interval, and one to each side."""
        slopes, second, third = self._interior()
        x, y = self.x, self.y
        inner = np.stack([y, slopes, second, third], axis=1)[:-1]
        before = [y[0], slopes[0], 0.0, 0.0]
        after = [y[-1], slopes[-1], 0.0, 0.0]
        return Pieces(x, np.concatenate([x[:1], x]), np.vstack([before, inner, after]))

    def _interior(self) -> tuple[Array, Array, Array]:
        """Coefficients (K,) of first, second and third power at every knot."""
        x, y, count = self.x, self.y, len(self.x)
        width, rise = np.diff(x), np.diff(y) / np.diff(x)
        if count == 2:
            return np.full(2, rise[0]), np.zeros(2), np.zeros(2)
        matrix, right = np.zeros((count, count)), np.zeros(count)
        for knot in range(1, count - 1):
            matrix[knot, knot - 1 : knot + 2] = (
                width[knot - 1],
                2.0 * (width[knot - 1] + width[knot]),
                width[knot],
            )
            right[knot] = rise[knot] - rise[knot - 1]
        matrix[0, :2] = -width[0], width[0]
        matrix[-1, -2:] = width[-1], -width[-1]
        if count > 3:
            bend = np.diff(right[1:-1] / (x[2:] - x[:-2])) / (x[3:] - x[:-3])
            right[0], right[-1] = width[0] ** 2 * bend[0], -(width[-1] ** 2) * bend[-1]
        sigma = np.linalg.solve(matrix, right)
        slopes = np.append(rise - width * (sigma[1:] + 2.0 * sigma[:-1]), 0.0)
        slopes[-1] = rise[-1] + width[-1] * (sigma[-2] + 2.0 * sigma[-1])
        third = np.append(np.diff(sigma) / width, 0.0)
        return slopes, 3.0 * sigma, third
