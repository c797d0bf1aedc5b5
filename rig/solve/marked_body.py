"""A body from optical markers: first the person (bone lengths, marker places), then every frame.

The person is fitted together with the poses of a few hundred frames (an arrowhead problem); after that
every frame is a small problem of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import quaternion
from ..arrays import Array
from ..errors import ShapeError
from ..marker_sets import Marker
from ..model.model import BodyMarker, KinematicModel
from ..model.skeletons import model_of_skeleton, motion_of_pose, pose_of_motion
from ..motion import Motion
from ..skeleton import Skeleton, body_skeleton
from .aiming import known, turned, twisted
from .fit import solve
from .person import PROPORTIONS, SEGMENTS, joint_stiffness, moving_coordinates
from .points import Markers
from .poses import StayNear
from .problem import Problem
from .shape import Shape

__all__ = ["MarkedBody", "fit_body", "marker_errors", "track"]

_STANDARD_HEIGHT = 1.70
_C7_HEIGHT = 0.85  # of body height, standing
_ROBUST = 0.03  # metres; a marker further off has been swapped or torn off
_STRIDE = 5  # frames between those that are solved from scratch
# Limb bones whose first direction the markers show: joint, the joint it hangs from, from, to.
_LIMBS: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("shoulder", "chest", "elbow", ("SHO",), ("ELB",)),
    ("elbow", "shoulder", "wrist", ("ELB",), ("WRA", "WRB")),
    ("hip", "pelvis", "knee", ("ASI", "PSI"), ("KNE",)),
    ("knee", "hip", "ankle", ("KNE",), ("ANK",)),
)


@dataclass(frozen=True, eq=False)
class MarkedBody:
    """A person with markers on.

    Attributes:
        skeleton: 24 joints with the person's bone lengths.
        markers: the marker set.
        offsets: (M, 3) metres, where each marker sits in its joint's frame.
    """

    skeleton: Skeleton
    markers: tuple[Marker, ...]
    offsets: Array


def fit_body(trajectories: Array, markers: Sequence[Marker], fps: float) -> MarkedBody:
    """Fit bone lengths and marker places to a few hundred frames of different poses.

    Args:
        trajectories: (T, M, 3) metres, NaN where missing, in the order of `markers`; Plug-in-Gait.
        markers: the marker set.
        fps: frames per second.

    Raises:
        ShapeError: the trajectories have another number of markers.
    """
    markers = tuple(markers)
    _check(trajectories, markers)
    height = float(np.nanpercentile(_named(trajectories, markers)["C7"][:, 2], 95.0)) / _C7_HEIGHT
    size = height / _STANDARD_HEIGHT
    guess = MarkedBody(body_skeleton(height), markers, size * np.array([m.offset for m in markers]))
    start = _solved(guess, trajectories, _first_pose(guess, trajectories, fps), 15)
    names = tuple(m.name for m in markers)
    places = {marker.name: marker.placement for marker in markers}
    shape = Shape(groups=SEGMENTS, markers=names, scale_spread=PROPORTIONS, marker_spread=places)
    problem = _problem(guess, trajectories, shape)
    fit = solve(problem, pose_of_motion(start), iterations=25, tolerance=1e-5)
    return _resized(guess, problem.model, fit.scales, fit.positions)


def _resized(
    body: MarkedBody, model: KinematicModel, scales: Array, positions: Array
) -> MarkedBody:
    """A body with its segments scaled (B, 3), and markers at other places (M, 3) before that."""
    skeleton = body.skeleton
    own = scales[[model.body_index(name) for name in skeleton.names]]
    offsets = np.array(skeleton.offsets)
    offsets[1:] *= own[list(skeleton.parents[1:])]
    tips = skeleton.tips * own
    places = positions * own[[skeleton.index(marker.joint) for marker in body.markers]]
    resized = Skeleton(skeleton.names, skeleton.parents, offsets, tips)
    return MarkedBody(resized, body.markers, places)


def track(body: MarkedBody, clips: Sequence[Array], fps: float) -> list[Motion]:
    """Fit the pose of every frame of every clip.

    Every fifth frame is solved from scratch; those between start from their neighbours, which brings them
    so near that a single step is enough.

    Args:
        body: the person.
        clips: (T, M, 3) metres each, NaN where missing.
        fps: frames per second.

    Raises:
        ShapeError: a clip has another number of markers.
    """
    for clip in clips:
        _check(clip, body.markers)
    frames = [_coarse_frames(len(clip)) for clip in clips]
    coarse = [clip[chosen] for clip, chosen in zip(clips, frames, strict=True)]
    first = [_first_pose(body, clip, fps) for clip in coarse]
    found = _split(_solved(body, np.concatenate(coarse), _joined(first), 12), coarse)
    starts = [
        _between(motion, chosen, len(clip))
        for motion, chosen, clip in zip(found, frames, clips, strict=True)
    ]
    return _split(_solved(body, np.concatenate(clips), _joined(starts), 1), clips)


def _coarse_frames(count: int) -> npt.NDArray[np.intp]:
    return np.unique(np.append(np.arange(0, count, _STRIDE), count - 1))


def _between(motion: Motion, frames: npt.NDArray[np.intp], count: int) -> Motion:
    """Poses at `frames`, interpolated to every frame."""
    times, every = frames.astype(np.float64), np.arange(count, dtype=np.float64)
    root = np.stack([np.interp(every, times, axis) for axis in motion.root_position.T], axis=-1)
    rotations = quaternion.resample(motion.rotations, times, every)
    return Motion(motion.skeleton, root, rotations, motion.fps)


def _joined(motions: Sequence[Motion]) -> Motion:
    return Motion(
        motions[0].skeleton,
        np.concatenate([motion.root_position for motion in motions]),
        np.concatenate([motion.rotations for motion in motions]),
        motions[0].fps,
    )


def _split(motion: Motion, clips: Sequence[Array]) -> list[Motion]:
    ends = np.cumsum([len(clip) for clip in clips])
    starts = [0, *ends[:-1]]
    return [motion.clipped(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def marker_errors(body: MarkedBody, motion: Motion, trajectories: Array) -> Array:
    """(T, M) metres between each marker and its place on the body; NaN where missing."""
    world, origins = motion.world()
    index = [body.skeleton.index(marker.joint) for marker in body.markers]
    places = origins[:, index] + quaternion.rotate(world[:, index], body.offsets)
    errors: Array = np.linalg.norm(places - trajectories, axis=-1)
    return errors


def _check(trajectories: Array, markers: Sequence[Marker]) -> None:
    if trajectories.ndim != 3 or trajectories.shape[1:] != (len(markers), 3):
        raise ShapeError(
            f"trajectories have shape {trajectories.shape}, expected (frames, {len(markers)}, 3)"
        )


def _problem(body: MarkedBody, trajectories: Array, shape: Shape | None = None) -> Problem:
    """Markers (T, M, 3) against the body, whose joints are a little stiff."""
    marked = [
        BodyMarker(marker.name, marker.joint, tuple(place))
        for marker, place in zip(body.markers, body.offsets, strict=True)
    ]
    model = model_of_skeleton(body.skeleton).with_markers(marked)
    names, weights = model.marker_names, [marker.weight for marker in body.markers]
    stiffness = joint_stiffness(model)
    terms = (
        Markers(names, trajectories, weights, _ROBUST),
        StayNear(np.zeros(len(stiffness)), stiffness),
    )
    return Problem(model, terms, moving_coordinates(model), shape)


def _solved(body: MarkedBody, trajectories: Array, start: Motion, iterations: int) -> Motion:
    problem = _problem(body, trajectories)
    fit = solve(problem, pose_of_motion(start), iterations=iterations, tolerance=1e-4)
    return motion_of_pose(fit.pose, start)


def _named(trajectories: Array, markers: Sequence[Marker]) -> dict[str, Array]:
    return {marker.name: trajectories[:, i] for i, marker in enumerate(markers)}


def _first_pose(body: MarkedBody, trajectories: Array, fps: float) -> Motion:
    """A pose that points every bone where its markers are; enough to start from."""
    at = _named(trajectories, body.markers)
    rest = body.skeleton
    world = np.tile(quaternion.IDENTITY, (len(trajectories), len(rest), 1))

    def put(names: tuple[str, ...], rotation: Array) -> None:
        for name in names:
            world[:, rest.index(name)] = rotation

    back = 0.5 * (at["LPSI"] + at["RPSI"] - at["LASI"] - at["RASI"])
    pelvis = known(_frame(at["LASI"] - at["RASI"] + at["LPSI"] - at["RPSI"], back))
    chest = known(_frame(at["LSHO"] - at["RSHO"], at["C7"] - at["CLAV"]), pelvis)
    head_left = at["LFHD"] - at["RFHD"] + at["LBHD"] - at["RBHD"]
    head_back = at["LBHD"] + at["RBHD"] - at["LFHD"] - at["RFHD"]
    head = known(_frame(head_left, head_back), chest)
    put(("pelvis",), pelvis)
    put(("spine1",), quaternion.slerp(pelvis, chest, 1.0 / 3.0))
    put(("spine2",), quaternion.slerp(pelvis, chest, 2.0 / 3.0))
    put(("spine3", "left_collar", "right_collar"), chest)
    put(("neck",), quaternion.slerp(chest, head, 0.5))
    put(("head",), head)
    for side in ("left", "right"):
        frames = {"pelvis": pelvis, "chest": chest}
        for joint, hung, child, start, end in _LIMBS:
            offset = rest.offsets[rest.index(f"{side}_{child}")]
            along = _middle(at, side, end) - _middle(at, side, start)
            if joint == "hip":
                hip = quaternion.rotate(pelvis, rest.offsets[rest.index(f"{side}_hip")])
                along = _middle(at, side, end) - _pelvis_origin(body, at, pelvis) - hip
            aimed = turned(frames[hung], offset, along)
            frames[joint] = twisted(aimed, offset, *_bend(at, side, joint))
            put((f"{side}_{joint}",), frames[joint])
        put((f"{side}_wrist", f"{side}_hand"), frames["elbow"])
        put((f"{side}_ankle", f"{side}_foot"), frames["knee"])
    return Motion.from_world(rest, _pelvis_origin(body, at, pelvis), world, fps)


def _frame(left: Array, back: Array) -> Array:
    return quaternion.from_frames(left, back)


def _middle(at: Mapping[str, Array], side: str, names: tuple[str, ...]) -> Array:
    return np.asarray(np.mean([at[f"{side[0].upper()}{name}"] for name in names], axis=0))


def _bend(at: Mapping[str, Array], side: str, joint: str) -> tuple[Array, Array]:
    """The direction (3,) in a bone's frame, and (T, 3) in the world, that show its twist.

    Elbows bend to the front and knees to the back; the thumb's side of the wrist is in front.
    """
    front, back = np.array([0.0, -1.0, 0.0]), np.array([0.0, 1.0, 0.0])
    if joint == "shoulder":
        along = _middle(at, side, ("WRA", "WRB")) - _middle(at, side, ("ELB",))
        return front, along / np.linalg.norm(along, axis=-1, keepdims=True)
    if joint == "hip":
        along = _middle(at, side, ("ANK",)) - _middle(at, side, ("KNE",))
        return back, along / np.linalg.norm(along, axis=-1, keepdims=True)
    if joint == "elbow":
        across = _middle(at, side, ("WRA",)) - _middle(at, side, ("WRB",))
        return front, across / np.linalg.norm(across, axis=-1, keepdims=True)
    return back, np.zeros((len(at["C7"]), 3))


def _pelvis_origin(body: MarkedBody, at: Mapping[str, Array], pelvis: Array) -> Array:
    """(T, 3) where the pelvis joint must be, from the pelvis markers that are there."""
    names = ("LASI", "RASI", "LPSI", "RPSI")
    index = [[m.name for m in body.markers].index(name) for name in names]
    origins = np.stack(
        [
            at[n] - quaternion.rotate(pelvis, body.offsets[i])
            for n, i in zip(names, index, strict=True)
        ]
    )
    known = np.isfinite(origins).all(axis=-1, keepdims=True)
    mean = np.nan_to_num(origins).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    times = np.arange(len(mean))
    good = known.any(axis=0)[:, 0]
    if not good.any():
        return np.zeros_like(mean)
    return np.stack([np.interp(times, times[good], axis[good]) for axis in mean.T], axis=-1)
