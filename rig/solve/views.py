"""A person from keypoints: in space, in the pictures of cameras, or both, one least-squares problem.

    # Four calibrated cameras; names as the keypoint layouts have them (`LKnee`) or our joints (`left_knee`).
    views = [View(undistorted, camera.projection, confidence) for ...]     # (T, P, 2) pixels each
    body = solve_views(names, fps, views=views)
    body.motion, body.uncertainty                                          # Motion; (T, 24) metres

First the person (bone lengths, where the keypoints sit) is fitted to a few dozen frames, then the poses of
all frames together, smoothly: the same bones in every frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from .. import quaternion
from ..arrays import Array, Mask, checked
from ..errors import RecordingError, ShapeError
from ..filters import Butterworth, filtered
from ..model.model import KinematicModel
from ..model.skeletons import motion_of_pose, pose_of_motion
from ..motion import Motion
from ..triangulation.robust import Triangulation
from .body_points import body_point
from .evidence import Evidence, SpacePoints, View, gathered
from .first_poses import body_height, first_motion
from .fit import solve
from .measured_person import MeasuredPerson
from .person import PROPORTIONS, SEGMENTS, joint_stiffness, moving_coordinates
from .point_tracks import point_tracks
from .poses import SmoothChange, StayNear
from .problem import PairTerm, Problem, Term
from .shape import Shape
from .standing import contacts
from .uncertainty import joint_uncertainty

__all__ = ["BodyOptions", "SolvedBody", "SpacePoints", "View", "solve_views"]

_STANDARD_HEIGHT = 1.70
_PERSON_FRAMES = 24  # that tell bone lengths
_STRIDE = 5  # frames between those that are solved from scratch
_FEWEST = 4  # points that place a body
_KNOWN_HEIGHT = 0.5  # of the usual spread of proportions, where the height is known
_SMOOTH = 6.0  # Hz, what the smoothness is about
_TURNS, _SHIFTS = 0.4, 0.12  # rad/s and m/s by which a motion leaves its smooth course
_Frames = npt.NDArray[np.intp]
_WINDOW, _OVERLAP = 1024, 24  # frames solved together


@dataclass(frozen=True)
class BodyOptions:
    """How much is believed.

    Attributes:
        height: metres, of the person; None where not known: then from the points in space, else 1.70.
        pixel_spread: pixels, of a keypoint that a detector is sure of; None for a quarter of a degree.
        point_spread: metres, of points in space that are given.
        relative_spread: metres, of points that are given only to each other.
        robust: spreads beyond which a measurement counts less and less (Huber).
        smoothness: times as smooth as usual; 0 for frames that know nothing of each other.
        floor: metres, height of the floor where feet stand; None where not known.
    """

    height: float | None = None
    pixel_spread: float | None = None
    point_spread: float = 0.02
    relative_spread: float = 0.05
    robust: float = 2.5
    smoothness: float = 1.0
    floor: float | None = None


@dataclass(frozen=True, eq=False)
class SolvedBody:
    """A person over time, and how well it is known.

    Attributes:
        motion: of the 24 joints, bone lengths the person's; `confidence` is 1 / (1 + (uncertainty / 5 cm)²).
        names: P' of the keypoints that are points on the body.
        points: (T, P', 3) metres, where the body has them.
        tracks: (T, P', 3) metres, where they were seen, each free of the bones but near the body and smooth.
        uncertainty: (T, 24) metres, standard deviation of every joint's place.
        errors_px: (C, T, P') between where each camera saw a point and where the body has it; NaN where it
            saw none.
        errors_m: (T, P') to the points in space that were given, or triangulated; NaN where there is none.
        interpolated: (T,) frames that saw too little, placed between others.
        height: metres, as long as the bones are.
    """

    motion: Motion
    names: tuple[str, ...]
    points: Array
    tracks: Array
    uncertainty: Array
    errors_px: Array
    errors_m: Array
    interpolated: Mask
    height: float


def _untold(done: float) -> None:
    del done


def solve_views(  # noqa: PLR0913  each is another kind of knowledge
    names: Sequence[str],
    fps: float,
    *,
    views: Sequence[View] = (),
    points: SpacePoints | None = None,
    triangulation: Triangulation | None = None,
    standing: Array | None = None,
    initial: Motion | None = None,
    options: BodyOptions | None = None,
    progress: Callable[[float], None] = _untold,
) -> SolvedBody:
    """Fit the 24-joint body to keypoints of one person.

    Args:
        names: P keypoints as the layouts call them (`LKnee`, `Nose`), or joints (`left_knee`); others are
            ignored.
        fps: frames per second.
        views: what cameras saw of them; two or more place the person by themselves.
        points: in space, as another program or a lifter placed them; needed with fewer than two views.
        triangulation: of the views, (T, P); made here if None.
        standing: (T, 2) 0 to 1, how sure it is that the left and the right foot stand.
        initial: T frames of the 24 joints to start from, as an earlier solution.
        options: how much is believed.
        progress: told the part done, 0 to 1; what it raises ends the fit.

    Raises:
        ShapeError: arrays don't fit each other, or no name is a point of the body.
        RecordingError: too little was seen to place the person in any frame.
    """
    options = options or BodyOptions()
    kept = [k for k, name in enumerate(names) if body_point(name) is not None]
    if not kept:
        raise ShapeError(
            f"no point of the body is among {', '.join(names)[:200]}; expected LKnee …"
        )
    evidence = gathered(names, kept, views, points, options, triangulation)
    if initial is not None:
        checked("initial root position", initial.root_position, (len(evidence), 3))
    height = options.height or (body_height(evidence.names, evidence.known) or _STANDARD_HEIGHT)
    enough = evidence.count >= _FEWEST
    if not enough.any():
        raise RecordingError(
            f"no frame shows {_FEWEST} points of a person in space; check the cameras, or give more views"
        )
    person = MeasuredPerson.standard(evidence.names, height)
    progress(0.05)
    start = _started(person, evidence, initial, fps)
    person = _fitted(person, evidence, start, enough, options)
    start = Motion(person.skeleton, start.root_position, start.rotations, fps)
    progress(0.35)
    motion = _alone(person, evidence, start, enough, options)
    progress(0.6)
    motion = _together(person, evidence, motion, standing, options, progress)
    return _told(person, evidence, motion, ~enough, options)


def _started(
    person: MeasuredPerson, evidence: Evidence, initial: Motion | None, fps: float
) -> Motion:
    if initial is not None:
        return Motion(person.skeleton, initial.root_position, initial.rotations, fps)
    return first_motion(person.skeleton, evidence.names, evidence.known, fps)


def _fitted(
    person: MeasuredPerson, evidence: Evidence, start: Motion, enough: Mask, options: BodyOptions
) -> MeasuredPerson:
    """Bone lengths and keypoints' places, from frames that show most."""
    good = np.flatnonzero(enough & (evidence.count >= 0.75 * evidence.count.max()))
    frames = np.unique(good[np.linspace(0, len(good) - 1, _PERSON_FRAMES).astype(int)])
    spread = PROPORTIONS * (_KNOWN_HEIGHT if options.height is not None else 1.0)
    spreads = {name: body_point(name).spread for name in evidence.names}  # type: ignore[union-attr]
    shape = Shape(
        groups=SEGMENTS, markers=evidence.names, scale_spread=spread, marker_spread=spreads
    )
    some = evidence.taken(frames)
    problem = _problem(person.model, some.terms(options), shape)
    fit = solve(problem, pose_of_motion(start)[frames], iterations=12, tolerance=1e-3)
    return person.resized(fit.scales, fit.positions)


def _problem(
    model: KinematicModel, terms: Sequence[Term | PairTerm], shape: Shape | None = None
) -> Problem:
    stiffness = joint_stiffness(model)
    prior = StayNear(np.zeros(len(stiffness)), stiffness)
    return Problem(model, (*terms, prior), moving_coordinates(model), shape)


def _alone(
    person: MeasuredPerson, evidence: Evidence, start: Motion, enough: Mask, options: BodyOptions
) -> Motion:
    """Every frame by itself; those that see too little lie between others.

    Every fifth one is solved from scratch; those between start from their neighbours, so near that a single
    step is enough.
    """
    good = np.flatnonzero(enough)
    coarse = np.unique(np.append(good[::_STRIDE], good[-1]))
    found = _solved(person, evidence, start, coarse, 12, options)
    found = _solved(person, evidence, _between(found, coarse, len(start)), good, 1, options)
    return found if len(good) == len(start) else _between(found, good, len(start))


def _solved(
    person: MeasuredPerson,
    evidence: Evidence,
    start: Motion,
    frames: _Frames,
    steps: int,
    options: BodyOptions,
) -> Motion:
    """Only these frames, each by itself."""
    problem = _problem(person.model, evidence.taken(frames).terms(options))
    like = Motion(start.skeleton, start.root_position[frames], start.rotations[frames], start.fps)
    fit = solve(problem, pose_of_motion(like), iterations=steps, tolerance=1e-3)
    return motion_of_pose(fit.pose, like)


def _between(motion: Motion, frames: _Frames, count: int) -> Motion:
    """Poses at `frames`, interpolated to every frame; at the ends they stay."""
    every, known = np.arange(count, dtype=np.float64), frames.astype(np.float64)
    root = np.stack([np.interp(every, known, axis) for axis in motion.root_position.T], axis=-1)
    turns = quaternion.resample(motion.rotations, known, every.clip(known[0], known[-1]))
    return Motion(motion.skeleton, root, turns, motion.fps)


def _together(
    person: MeasuredPerson,
    evidence: Evidence,
    motion: Motion,
    standing: Array | None,
    options: BodyOptions,
    progress: Callable[[float], None],
) -> Motion:
    """All frames, each near its neighbours' course."""
    if standing is not None:
        standing = checked("standing", standing, (len(motion), 2))
    if len(motion) < 2 or (options.smoothness == 0.0 and standing is None):
        return motion
    smooth = _smoothed(motion)
    parts: list[Motion] = []
    for begin in range(0, len(motion), _WINDOW):
        end = min(begin + _WINDOW, len(motion))
        first, last = max(begin - _OVERLAP, 0), min(end + _OVERLAP, len(motion))
        some = None if standing is None else standing[first:last]
        window = evidence.taken(np.arange(first, last))
        found = _window(person, window, smooth.clipped(first, last), some, options)
        parts.append(found.clipped(begin - first, end - first))
        progress(0.6 + 0.35 * end / len(motion))
    root = np.concatenate([part.root_position for part in parts])
    turns = np.concatenate([part.rotations for part in parts])
    return Motion(motion.skeleton, root, quaternion.continuous(turns), motion.fps)


def _window(
    person: MeasuredPerson,
    evidence: Evidence,
    smooth: Motion,
    standing: Array | None,
    options: BodyOptions,
) -> Motion:
    model, pose = person.model, pose_of_motion(smooth)
    terms: list[Term | PairTerm] = list(evidence.terms(options))
    if options.smoothness > 0.0 and len(smooth) > 1:
        shifts = np.array([c.kind == "translation" for c in model.coordinates])
        weights = options.smoothness * smooth.fps / np.where(shifts, _SHIFTS, _TURNS)
        terms.append(SmoothChange(pose, weights))
    if standing is not None:
        terms += contacts(person.skeleton, standing, smooth.fps, options.floor)
    fit = solve(_problem(model, terms), pose, iterations=3, tolerance=1e-3)
    return motion_of_pose(fit.pose, smooth)


def _smoothed(motion: Motion) -> Motion:
    """Low-passed: the course that the frames are near."""
    low_pass = Butterworth(cutoff=min(_SMOOTH, 0.4 * motion.fps))
    root = filtered(motion.root_position, motion.fps, low_pass)
    turns = filtered(quaternion.continuous(motion.rotations), motion.fps, low_pass)
    return Motion(motion.skeleton, root, quaternion.normalised(turns), motion.fps)


def _told(
    person: MeasuredPerson,
    evidence: Evidence,
    motion: Motion,
    weak: Mask,
    options: BodyOptions,
) -> SolvedBody:
    problem = _problem(person.model, evidence.terms(options))
    pose = torch.as_tensor(pose_of_motion(motion))
    uncertainty, places = joint_uncertainty(problem, pose, person.skeleton.names)
    confidence = 1.0 / (1.0 + (uncertainty / 0.05) ** 2)
    told = Motion(motion.skeleton, motion.root_position, motion.rotations, motion.fps, confidence)
    pixels = evidence.errors_px(places)
    apart = np.linalg.norm(places - evidence.known, axis=-1)
    tracks = point_tracks(evidence, places, motion.fps, options)
    return SolvedBody(
        told, evidence.names, places, tracks, uncertainty, pixels, apart, weak, person.stature
    )
