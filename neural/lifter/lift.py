"""Keypoints of one camera, lifted: how the points of the body lie to each other, how sure that is, and up."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from ...capture.cameras.camera import Camera
from ...capture.keypoints.keypoints import Keypoints
from ...capture.video.even_times import on_even_times
from ...rig.arrays import Array, Mask
from ...rig.errors import RecordingError
from ..threads import one_thread
from .frames import RATE, Seen, centred, features
from .network import Lifter
from .points import HEIGHT, INPUTS, MIRRORED, POINTS

__all__ = ["NAMES", "LiftedBody", "lift_keypoints"]

_OF_POINTS = {point: name for name, point in INPUTS.items()}
# What the points are called: as the keypoints that are them, or as our joints.
NAMES: tuple[str, ...] = tuple(_OF_POINTS.get(k, name) for k, name in enumerate(POINTS))
_SURE: Final = 0.25  # confidence from which a keypoint is believed
_FEWEST: Final = 5  # keypoints that tell something of a body
_CHUNK, _REACH = 2048, 32  # frames lifted at once, and how far the network sees
_BETWEEN: Final = {"Hip": ("LHip", "RHip"), "Neck": ("LShoulder", "RShoulder")}
_SWAPPED: Final = [
    list(INPUTS).index(NAMES[MIRRORED[point]]) for point in INPUTS.values()
]  # the keypoint of the other side


@dataclass(frozen=True, eq=False)
class LiftedBody:
    """T frames of P points (`NAMES`).

    Attributes:
        points: (T, P, 3) metres, relative to the pelvis, in the camera's frame: x right, y down, z ahead.
        spread: (T, P) metres, the error that the network expects of itself.
        standing: (T, 2) 0 to 1, how sure it is that the left and the right foot stand.
        up: (3,) unit vector, up in the camera's frame, as seen in how the body stands and moves.
        seen: (T,) frames in which enough was seen.
    """

    points: Array
    spread: Array
    standing: Array
    up: Array
    seen: Mask


def lift_keypoints(
    keypoints: Keypoints,
    camera: Camera,
    network: Lifter,
    *,
    height: float = HEIGHT,
    up: Array | None = None,
) -> LiftedBody:
    """Lift one person.

    Args:
        keypoints: of one person in pictures, any layout, with a frame rate.
        camera: its lens counts, not its place.
        network: trained.
        height: metres, of the person.
        up: (3,) up in the camera's frame, where it is known; else it is found first.

    Raises:
        RecordingError: the keypoints are no person's in a picture, or have too few of the body's points.
    """
    flat, seen, fps = _read(keypoints, camera)
    times = np.arange(len(flat)) / fps
    even, sure = on_even_times(times, np.where(seen[..., None], flat, np.nan), seen * 1.0, RATE)
    view = centred(even, sure > 0.0)
    found = up
    with one_thread(), torch.inference_mode():
        if found is None:
            found = _network(network, view, None)[3]
        points, spread, standing, _ = _network(network, view, found)
    grid = np.arange(len(points)) / RATE
    size = height / HEIGHT
    return LiftedBody(
        _at(times, grid, points) * size,
        _at(times, grid, spread) * size,
        _at(times, grid, standing),
        np.asarray(found / np.linalg.norm(found)),
        np.asarray(seen.sum(axis=-1) >= _FEWEST),
    )


def _read(keypoints: Keypoints, camera: Camera) -> tuple[Array, Mask, float]:
    """Keypoints (T, K, 2) divided by depth in the network's order, which are there, and the rate."""
    names = keypoints.layout.names
    known = [name for name in INPUTS if name in names]
    if keypoints.spatial or keypoints.people != 1:
        raise RecordingError(
            f"there are keypoints of {keypoints.people} people {'in space' if keypoints.spatial else ''}; "
            "lifting takes one person in pictures"
        )
    if len(known) < _FEWEST:
        raise RecordingError(
            f"the keypoints have {len(known)} of the body's points ({', '.join(known)[:80]}); expected "
            f"{_FEWEST} of {', '.join(INPUTS)}"
        )
    if keypoints.fps is None:
        raise RecordingError("the keypoints don't say their frame rate; give it, as --fps 30")
    flat = np.zeros((len(keypoints), len(INPUTS), 2))
    seen = np.zeros(flat.shape[:2], dtype=bool)
    ways: dict[str, tuple[str, ...]] = {name: (name,) for name in known}
    for name, pair in _BETWEEN.items():
        if name not in ways and set(pair) <= set(known):
            ways[name] = pair
    rays = camera.rays(keypoints.positions[:, 0]) @ camera.camera_from_world.T
    ahead = rays[..., :2] / np.maximum(rays[..., 2:], 0.05)
    there = (keypoints.confidence[:, 0] >= _SURE) & np.isfinite(ahead).all(axis=-1)
    for name, parts in ways.items():
        row, columns = list(INPUTS).index(name), [names.index(part) for part in parts]
        flat[:, row] = ahead[:, columns].mean(axis=1)
        seen[:, row] = there[:, columns].all(axis=1)
    if not (seen.sum(axis=-1) >= _FEWEST).any():
        raise RecordingError(
            f"no frame has {_FEWEST} keypoints of confidence {_SURE:g}; is a whole person in the picture?"
        )
    return np.nan_to_num(flat), seen, keypoints.fps


def _network(network: Lifter, view: Seen, up: Array | None) -> tuple[Array, Array, Array, Array]:
    """Points, spread and standing of (T) frames in the camera's frame, and up; of the view and its mirror."""
    turn = view.view_from_camera
    known = np.full(len(turn), up is not None)
    view_up = np.zeros((len(turn), 3)) if up is None else turn @ (up / np.linalg.norm(up))
    flip = np.array([-1.0, 1.0, 1.0])
    mirrored = Seen(
        view.points[:, _SWAPPED] * flip[:2],
        view.seen[:, _SWAPPED],
        view.view_from_camera,
        view.size,
    )
    answers = [
        _run(network, features(view, view_up, known)),
        _run(network, features(mirrored, view_up * flip, known)),
    ]
    sides = list(MIRRORED)
    points = (answers[0][0] + answers[1][0][:, sides] * flip) / 2
    spread = np.exp((answers[0][1] + answers[1][1][:, sides]) / 2)
    standing = 1.0 / (1.0 + np.exp(-(answers[0][2] + answers[1][2][:, ::-1]) / 2))
    towards = answers[0][3] + answers[1][3] * flip
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    camera_up = np.einsum("tji,tj->ti", turn, towards)
    weight = view.seen.sum(axis=-1) >= _FEWEST
    return (
        np.einsum("tji,tpj->tpi", turn, points),
        spread,
        standing,
        np.asarray((camera_up * weight[:, None]).sum(axis=0)),
    )


def _run(network: Lifter, given: Array) -> tuple[Array, Array, Array, Array]:
    """The network over (T, F), some frames at a time."""
    parts = []
    for begin in range(0, len(given), _CHUNK):
        first, last = max(begin - _REACH, 0), min(begin + _CHUNK + _REACH, len(given))
        lifted = network(torch.from_numpy(given[first:last])[None])
        keep = slice(begin - first, min(begin + _CHUNK, len(given)) - first)
        parts.append([part[0, keep].numpy().astype(np.float64) for part in lifted])
    points, spread, standing, up = (np.concatenate(column) for column in zip(*parts, strict=True))
    return points, spread, standing, up


def _at(times: Array, grid: Array, values: Array) -> Array:
    """Values (G, ...) of an even clock, linearly at `times`."""
    place = np.clip(times * RATE, 0.0, len(grid) - 1.0)
    low = np.minimum(place.astype(int), max(len(grid) - 2, 0))
    high = np.minimum(low + 1, len(grid) - 1)
    part = (place - low).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[low] * (1.0 - part) + values[high] * part)
