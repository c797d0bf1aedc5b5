"""What the filters can be told."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import ShapeError

__all__ = [
    "Butterworth",
    "Filter",
    "Hampel",
    "KalmanSmoother",
    "Median",
    "OneEuro",
    "SavitzkyGolay",
]


@dataclass(frozen=True)
class Butterworth:
    """Low-pass filter forward and backward: it shifts nothing in time.

    Attributes:
        cutoff: hertz; after both passes together what moves so keeps 1/sqrt(2) of its size (-3 dB).
        order: of both passes together, so an even number: 4 is the second order there and back.
    """

    cutoff: float = 6.0
    order: int = 4

    def __post_init__(self) -> None:
        _above("cut-off", self.cutoff)
        if self.order not in range(2, 17, 2):
            raise ShapeError(
                f"a Butterworth filter of order {self.order}; expected an even number from 2 to 16, "
                "half of it for each pass"
            )


@dataclass(frozen=True)
class KalmanSmoother:
    """Kalman filter forward, Rauch-Tung-Striebel smoother backward: it shifts nothing in time.

    Attributes:
        cutoff: hertz; what moves so keeps 1/sqrt(2) of its size where every frame was measured with a
            confidence of 1. It tells the ratio of the process' noise to the measurement's, which is all that
            matters. Less confident measurements are smoothed more.
        model: what is constant but for noise: the "velocity" or the "acceleration".
    """

    cutoff: float = 6.0
    model: Literal["velocity", "acceleration"] = "acceleration"

    def __post_init__(self) -> None:
        _above("cut-off", self.cutoff)
        if self.model not in ("velocity", "acceleration"):
            raise ShapeError(
                f"a Kalman smoother of constant {self.model!r}; expected 'velocity' or 'acceleration'"
            )


@dataclass(frozen=True)
class OneEuro:
    """The one-euro filter: forward only, as it would run live, so it lags behind.

    Attributes:
        cutoff: hertz, of what stands still.
        beta: hertz by which a speed of 1 (the values' unit per second) raises the cut-off.
        speed_cutoff: hertz, of the speed.
    """

    cutoff: float = 1.5
    beta: float = 3.0
    speed_cutoff: float = 1.0

    def __post_init__(self) -> None:
        _above("cut-off", self.cutoff)
        _above("speed's cut-off", self.speed_cutoff)
        if not 0.0 <= self.beta < float("inf"):
            raise ShapeError(f"the one-euro filter's beta is {self.beta:g}; expected 0 or more")


@dataclass(frozen=True)
class SavitzkyGolay:
    """Polynomials fitted around each frame.

    Attributes:
        window: seconds; taken as an odd number of frames, more than the degree.
        degree: of the polynomials.
    """

    window: float = 0.2
    degree: int = 3

    def __post_init__(self) -> None:
        _above("window", self.window)
        if self.degree not in range(11):
            raise ShapeError(
                f"polynomials of degree {self.degree}; expected a whole number from 0 to 10"
            )


@dataclass(frozen=True)
class Median:
    """The median around each frame; the window is cut off at the ends.

    Attributes:
        window: seconds; taken as an odd number of frames.
    """

    window: float = 0.1

    def __post_init__(self) -> None:
        _above("window", self.window)


@dataclass(frozen=True)
class Hampel:
    """Outliers become the median around them; all else stays as it is.

    Attributes:
        window: seconds; taken as an odd number of frames.
        threshold: standard deviations (told by the median absolute deviation) beyond which a value is an
            outlier.
    """

    window: float = 0.25
    threshold: float = 3.0

    def __post_init__(self) -> None:
        _above("window", self.window)
        _above("threshold", self.threshold)


Filter: TypeAlias = Butterworth | KalmanSmoother | OneEuro | SavitzkyGolay | Median | Hampel


def _above(name: str, value: float) -> None:
    if not 0.0 < value < float("inf"):
        raise ShapeError(f"the filter's {name} is {value:g}; expected a number above 0")
