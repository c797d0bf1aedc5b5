"""Marker inverse kinematics: a model and measured markers in, joint coordinates out.

The pose of every frame; with a `Shape`, the size of the body and the places of its markers in the same solve,
as the source paper does (Hammond et al., "Development of a Pytorch-based Kinematic Engine").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..arrays import Array, Mask, checked
from ..errors import RecordingError, ShapeError
from ..model.kinematics import markers_in_world
from ..model.model import KinematicModel
from ..model.scaling import scaled
from ..model.tables import tables_of
from ..trajectories import MarkerTrajectories
from .fit import coupled, minimised, solve
from .lm import Settings, minimise_frames
from .points import Markers
from .poses import Smoothness, StayNear
from .problem import PairTerm, Problem, Term
from .shape import Shape
from .sized_body import SizedBody, spread_out
from .starts import near, solve_near, solve_recording

__all__ = ["MarkerFit", "MarkerOptions", "fit_markers"]

PRECISION = 100.0  # 1 / metres, of a marker of weight 1
_FEW = 3  # markers, below which a frame tells nothing
_SHAPING = (0.1, 0.7)  # of the time, when sizes begin and end to be fitted
_ANOTHER_SIZE = (
    1.25  # times, from which a person is brought near the model's size before the first pose
)
_STEPS = {"lm": 50, "lbfgs": 500}  # for the shape
_NARROW = np.pi  # radians between limits, that tell how far a joint goes
_NEAR = Settings(8, 1e-5)  # to solve from poses that are near
_WRONG_UNIT = 5.0  # a model this many times larger or smaller than its markers has other units


_Progress = Callable[[float], None]


def _no_progress(done: float) -> None:
    """Say nothing."""
    del done


@dataclass(frozen=True, eq=False)
class _Measured:
    """P markers that model and recording share."""

    names: tuple[str, ...]
    weights: Array  # (P,) of their squared errors
    targets: Array  # (T, P, 3) metres; NaN where one was not seen


def _part(progress: _Progress, start: float, end: float) -> _Progress:
    """The progress of a part, as one of the whole."""
    return lambda done: progress(start + (end - start) * done)


@dataclass(frozen=True)
class MarkerOptions:
    """How markers are fitted.

    Attributes:
        weights: by marker, of its squared error, as in OpenSim's tasks; 0 leaves it out. Those that are not
            named have `other_weight`.
        other_weight: of the markers that `weights` does not name.
        pins: by coordinate: value in radians or metres, and weight of its squared error beside the mean of
            the markers', as in OpenSim's tasks; each is one number, or (T,) one per frame.
        method: "lm" or "lbfgs".
        robust: metres; a marker that is further off counts linearly. None for squares.
        smoothness: weight of every coordinate's squared change from frame to frame; 0 for none.
        shape: sizes and marker places that are unknown too, or None.
        shape_frames: that they are fitted to, spread evenly.
        shape_tolerance: fraction of the cost, below which a step of the shape's is the last.
    """

    weights: Mapping[str, float] | None = None
    other_weight: float = 1.0
    pins: Mapping[str, tuple[float | Array, float | Array]] | None = None
    method: str = "lm"
    robust: float | None = None
    smoothness: float = 0.0
    shape: Shape | None = None
    shape_frames: int = 200
    shape_tolerance: float = 1e-5


@dataclass(frozen=True, eq=False)
class MarkerFit:
    """What marker inverse kinematics found.

    Attributes:
        model: with the sizes and marker places found.
        pose: (T, D) radians and metres.
        names: P markers used.
        weights: (P,) of their squared errors.
        errors: (T, P) metres between each marker and its place on the model; NaN where it was not seen.
        scales: (B, 3) of the bodies of the model that was given.
        weak: (T,) True where too little was seen, and the pose is carried over from other frames.
        fps: frames per second.
        start: seconds, time of the first frame.
    """

    model: KinematicModel
    pose: Array
    names: tuple[str, ...]
    weights: Array
    errors: Array
    scales: Array
    weak: Mask
    fps: float
    start: float

    @property
    def times(self) -> Array:
        """(T,) seconds."""
        return self.start + np.arange(len(self.pose)) / self.fps

    @property
    def rms(self) -> float:
        """Weighted root mean square of all errors, metres."""
        weights = np.where(np.isfinite(self.errors), self.weights, 0.0)
        total = float((weights * np.nan_to_num(self.errors) ** 2).sum())
        return float(np.sqrt(total / max(float(weights.sum()), 1e-12)))


def fit_markers(
    model: KinematicModel,
    markers: MarkerTrajectories,
    options: MarkerOptions | None = None,
    progress: _Progress = _no_progress,
    initial: Array | None = None,
) -> MarkerFit:
    """Fit a model to measured markers, all frames.

    Args:
        model: with markers named as the measured ones.
        markers: T frames; those that the model lacks are left out.
        options: weights, method, shape; see `MarkerOptions`.
        progress: called with the fraction done, 0 to 1; what it raises ends the fit.
        initial: (T, D) poses that are near the solutions; None: they are searched from the default pose.

    Raises:
        ShapeError: a name in the options is not the model's, the method is unknown, or the initial poses do
            not fit.
        RecordingError: model and recording share fewer than three markers, or no frame shows three, or they
            differ in size as if in other units.
    """
    options = options or MarkerOptions()
    names, weights = _used(model, markers, options)
    targets = markers.chosen(list(names)).positions
    _check(model, names, targets)
    measured = _Measured(names, weights, targets)
    progress(0.0)
    body, scales = SizedBody(model), np.ones((len(model.bodies), 3))
    pose = torch.as_tensor(np.array(model.default_pose))
    if initial is not None:
        shape = (len(markers), len(model.coordinates))
        pose = torch.as_tensor(np.array(checked("initial", initial, shape)))
    if options.shape is not None:
        body, scales, pose = _shaped(model, measured, options, pose, progress)
        progress = _part(progress, _SHAPING[1], 1.0)
    frames = np.isfinite(targets).all(-1).sum(1) >= _FEW
    poses, enough = _solved(body, measured, options, pose, progress)
    progress(1.0)
    every = markers_in_world(body.model, torch.as_tensor(poses), body.scales, body.positions)
    found = every.numpy()[:, [model.marker_index(name) for name in names]]
    return MarkerFit(
        body.fitted(),
        poses,
        names,
        weights,
        np.linalg.norm(found - targets, axis=-1),
        scales,
        ~(enough & frames),
        markers.fps,
        markers.start,
    )


def _used(
    model: KinematicModel, markers: MarkerTrajectories, options: MarkerOptions
) -> tuple[tuple[str, ...], Array]:
    """Markers that both have and that have a weight, and their weights."""
    given = dict(options.weights or {})
    for name, weight in given.items():
        if not (np.isfinite(weight) and weight >= 0.0):
            raise ShapeError(f"marker {name!r} has weight {weight}, expected zero or more")
    shared = [name for name in markers.names if name in model.marker_names]
    kept = [name for name in shared if given.get(name, options.other_weight) > 0.0]
    if len(kept) < _FEW:
        raise RecordingError(
            f"model and recording share {len(kept)} markers with a weight, expected at least {_FEW}; "
            f"the model has {_some(model.marker_names)}, the recording {_some(markers.names)}"
        )
    return tuple(kept), np.array([given.get(name, options.other_weight) for name in kept])


def _some(names: tuple[str, ...]) -> str:
    few = ", ".join(names[:6]) or "no marker"
    return few if len(names) <= 6 else f"{few} and {len(names) - 6} more"


def _check(model: KinematicModel, names: tuple[str, ...], targets: Array) -> None:
    seen = np.isfinite(targets).all(-1)
    if seen.sum(1).max(initial=0) < _FEW:
        raise RecordingError(
            f"no frame shows {_FEW} of the model's markers; expected at least one that does"
        )
    ratio = _ratio(model, names, targets)
    if not 1.0 / _WRONG_UNIT < ratio < _WRONG_UNIT:
        raise RecordingError(
            f"the markers are {ratio:.4g} times as far apart as the model's; expected about the same size: "
            "give the unit of the marker file, as --unit mm"
        )


def _ratio(model: KinematicModel, names: tuple[str, ...], targets: Array) -> float:
    """How many times as far apart the markers are as the model's, in the frame that shows most."""
    seen = np.isfinite(targets).all(-1)
    best = int(seen.sum(1).argmax())
    own = _at_rest(model)[[model.marker_index(name) for name in names]]
    return _spread(targets[best][seen[best]]) / max(_spread(own[seen[best]]), 1e-9)


@lru_cache(maxsize=64)
def _at_rest(model: KinematicModel) -> Array:
    """(M, 3) metres, the markers in the default pose."""
    return markers_in_world(model, torch.as_tensor(np.array(model.default_pose))).numpy()


def _spread(points: Array) -> float:
    return float(np.linalg.norm(points - points.mean(axis=0), axis=-1).mean())


def _terms(
    model: KinematicModel,
    measured: _Measured,
    options: MarkerOptions,
) -> list[Term | PairTerm]:
    terms: list[Term | PairTerm] = [
        Markers(
            measured.names,
            torch.tensor(measured.targets),
            PRECISION * np.sqrt(measured.weights),
            options.robust,
        )
    ]
    if options.pins:
        # A pin's weight is relative to the mean squared error of the markers seen, as in OpenSim.
        seen = (np.isfinite(measured.targets).all(-1) * measured.weights).sum(1)
        values = np.tile(model.default_pose, (len(seen), 1))
        stiffness = np.zeros_like(values)
        for name, (value, weight) in options.pins.items():
            place = model.coordinate_index(name)
            values[:, place], stiffness[:, place] = value, PRECISION * np.sqrt(weight * seen)
        terms.append(StayNear(values, stiffness))
    return terms


def _solved(
    body: SizedBody,
    measured: _Measured,
    options: MarkerOptions,
    pose: Tensor,
    progress: _Progress,
) -> tuple[Array, Mask]:
    """Poses (T, D), and which frames saw enough."""
    terms = _terms(body.model, measured, options)
    problem = body.problem(terms)
    together = options.smoothness > 0.0 or options.method != "lm"
    told = _part(progress, 0.0, 0.3 if together else 1.0)
    if pose.ndim > 1:
        poses, enough = solve_near(problem, pose, replace(_NEAR, told=told))
    else:
        poses, enough = solve_recording(problem, pose, Settings(told=told))
    wound = _wound(body.model, poses)
    if wound:
        held = body.model.with_coordinates({name: {"clamped": True} for name in wound})
        search = solve_recording if pose.ndim == 1 else solve_near
        first, _ = search(replace(body, model=held).problem(terms), pose, Settings(told=told))
        poses = minimise_frames(problem, first, Settings(newton=True), torch.arange(len(first)))[0]
    if options.smoothness > 0.0:
        terms.append(Smoothness(PRECISION * np.sqrt(options.smoothness)))
    if together:
        rest = _part(progress, 0.3, 1.0)
        fit = solve(body.problem(terms), poses, method=options.method, progress=rest)
        return fit.pose, enough.numpy()
    return coupled(problem, poses).numpy(), enough.numpy()


def _wound(model: KinematicModel, poses: Tensor) -> list[str]:
    """Coordinates without bounds that drive others, and are far beyond the limits that the model has.

    A spine whose joints follow one coordinate may be wound up by a whole turn, and fit a little better so.
    """
    curved = tables_of(model).curved_coordinates
    found = []
    for place, coordinate in enumerate(model.coordinates):
        low, high = coordinate.limits
        if place in curved and not coordinate.clamped and high - low < _NARROW:
            middle = float(poses[:, place].median())
            if max(low - middle, middle - high) > high - low:
                found.append(coordinate.name)
    return found


def _shaped(
    model: KinematicModel,
    measured: _Measured,
    options: MarkerOptions,
    pose: Tensor,
    progress: _Progress,
) -> tuple[SizedBody, Array, Tensor]:
    """The model with its sizes and marker places found, the scales (B, 3), and a pose to start from, or all.

    A person of quite another size is brought near to it first: otherwise a bent body may fit a small person.
    """
    assert options.shape is not None
    size = _ratio(model, measured.names, measured.targets) if options.shape.full else 1.0
    size = 1.0 if 1.0 / _ANOTHER_SIZE < size < _ANOTHER_SIZE else size
    model = model if size == 1.0 else scaled(model, dict.fromkeys(model.bodies[1:], size))
    seen = np.isfinite(measured.targets).all(-1).sum(1)
    good = np.flatnonzero(seen >= np.percentile(seen, 50.0))
    chosen = good[np.unique(np.linspace(0, len(good) - 1, options.shape_frames).astype(int))]
    part = replace(measured, targets=measured.targets[chosen])
    options = replace(options, pins=_pins_at(options, chosen))
    before, rest = _part(progress, 0.0, _SHAPING[0]), _part(progress, *_SHAPING)
    terms = _terms(model, part, options)
    if pose.ndim == 1:
        first: Array | Tensor = _solved(SizedBody(model), part, options, pose, before)[0]
    else:
        first = near(Problem(model, terms), pose[chosen], torch.arange(len(chosen)))
    problem = Problem(model, terms, shape=options.shape)
    settings = Settings(_STEPS.get(options.method, 50), options.shape_tolerance, told=rest)
    poses, shared, _ = minimised(problem, torch.as_tensor(first), options.method, settings)
    poses, body = coupled(problem, poses), SizedBody.of(problem, shared)
    own = np.asarray(body.scales)
    scales = np.vstack([own[:1], size * own[1:]])
    if model.couplings:  # what they drive has lengths that scales leave as they are
        body = SizedBody(body.fitted())
    if pose.ndim == 1:
        return body, scales, poses[len(poses) // 2]
    return body, scales, spread_out(pose, chosen, poses)


def _pins_at(
    options: MarkerOptions, frames: Array
) -> dict[str, tuple[float | Array, float | Array]]:
    def at(number: float | Array) -> float | Array:
        return number if np.ndim(number) == 0 else np.asarray(number)[frames]

    return {name: (at(value), at(weight)) for name, (value, weight) in (options.pins or {}).items()}
