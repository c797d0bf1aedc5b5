"""Poses of the anatomical model to start from: every segment points to where its ends were seen."""

from collections.abc import Callable
from typing import Final

import numpy as np

from ..arrays import Array
from ..model import KinematicModel
from ..trajectories import MarkerTrajectories

__all__ = ["first_poses"]

# Right landmarks: keypoints, or markers whose middle they are; left ones begin with L.
_LANDMARKS: Final = {
    "hip": (("RHip",), ("RHJC_study",)),
    "knee": (("RKnee",), ("r_knee_study", "r_mknee_study")),
    "ankle": (("RAnkle",), ("r_ankle_study", "r_mankle_study")),
    "heel": (("RHeel",), ("r_calc_study",)),
    "toe": (("RBigToe",), ("r_toe_study",)),
    "shoulder": (("RShoulder",), ("r_shoulder_study",)),
    "elbow": (("RElbow",), ("r_lelbow_study", "r_melbow_study")),
    "wrist": (("RWrist",), ("r_lwrist_study", "r_mwrist_study")),
    "ear": (("REar",), ("REye",)),
    "front": (("r.ASIS_study",),),
    "back": (("r.PSIS_study",),),
}
_NEEDED: Final = ("hip", "shoulder")
_HINT: Final = 0.25  # sine of a bend beside which other hints of a limb's twist count as much
_HIP: Final = (-0.055, -0.07, 0.0)  # metres in the pelvis, between the hips

_Seen = Callable[[str, str], Array]


def first_poses(model: KinematicModel, markers: MarkerTrajectories) -> Array | None:
    """Poses (T, D) that are near the markers, every frame by itself; those that show little follow others.

    Args:
        model: the anatomical one.
        markers: T frames.

    Returns:
        Radians and metres; None where hips or shoulders were not measured in any frame.
    """
    names = set(markers.names)
    ground = np.linalg.multi_dot([markers.positions.reshape(-1, 3), model.world_from_ground])
    points = dict(
        zip(markers.names, ground.reshape(markers.positions.shape).swapaxes(0, 1), strict=True)
    )
    missing = np.full((len(markers), 3), np.nan)

    def seen(side: str, landmark: str) -> Array:
        for way in _LANDMARKS[landmark]:
            own = way if side == "r" else [f"L{name[1:]}" for name in way]
            if names.issuperset(own):
                return np.asarray(sum(points[name] for name in own) / len(own))
        return missing

    if any(np.isnan(seen(s, what)).any(axis=-1).all() for s in "lr" for what in _NEEDED):
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        angles = _angles(seen, points.get("Nose", missing))
    pose = np.tile(model.default_pose, (len(markers), 1))
    for name, values in angles.items():
        pose[:, model.coordinate_index(name)] = _filled(
            values, model.default_pose[model.coordinate_index(name)]
        )
    return pose


def _angles(seen: _Seen, nose: Array) -> dict[str, Array]:
    """Coordinates (T,) by name, NaN where what tells of them is missing."""
    hips, shoulders = (
        seen("r", "hip") - seen("l", "hip"),
        seen("r", "shoulder") - seen("l", "shoulder"),
    )
    middle = 0.5 * (seen("r", "hip") + seen("l", "hip"))
    up = 0.5 * (seen("r", "shoulder") + seen("l", "shoulder")) - middle
    ahead = 0.5 * (seen("r", "front") + seen("l", "front") - seen("r", "back") - seen("l", "back"))
    above = np.where(np.isnan(ahead), up, _cross(hips, ahead))
    pelvis, torso = _upright(hips, above), _upright(shoulders, up)
    ears = seen("r", "ear") - seen("l", "ear")
    face = nose - 0.5 * (seen("r", "ear") + seen("l", "ear"))
    head = _upright(ears, _cross(ears, face))
    turn, lean, tilt = _yxz(pelvis)
    found = {"pelvis_rotation": _even(turn), "pelvis_list": lean, "pelvis_tilt": _even(tilt)}
    place = middle - pelvis @ np.array(_HIP)
    found |= {f"pelvis_t{axis}": place[:, k] for k, axis in enumerate("xyz")}
    found |= _named(("lumbar_extension", "lumbar_bending", "lumbar_rotation"), _zxy(pelvis, torso))
    found |= _named(("neck_flexion", "neck_bending", "neck_rotation"), _zxy(torso, head))
    for side in "lr":
        found |= _leg(seen, side, pelvis) | _arm(seen, side, torso)
    return found


def _leg(seen: _Seen, side: str, pelvis: Array) -> dict[str, Array]:
    hip, knee, ankle = (seen(side, name) for name in ("hip", "knee", "ankle"))
    thigh, shank = _unit(knee - hip), _unit(ankle - knee)
    foot = _unit(seen(side, "toe") - seen(side, "heel"))
    # Knees bend to the back, toes point ahead.
    hinge = _cross(shank, thigh) + _HINT * (_known(_cross(foot, -shank)) + pelvis[..., 2])
    femur = _along(-thigh, hinge)
    bend = _about(femur[..., 2], thigh, shank)
    tibia = _along(-shank, femur[..., 2])
    toes = np.arctan2(_dot(foot, tibia[..., 1]), _dot(foot, tibia[..., 0]))
    names = ("hip_flexion", "hip_adduction", "hip_rotation")
    found = _named([f"{name}_{side}" for name in names], _zxy(pelvis, femur, left=side == "l"))
    return found | {f"knee_angle_{side}": -bend, f"ankle_angle_{side}": toes}


def _arm(seen: _Seen, side: str, torso: Array) -> dict[str, Array]:
    shoulder, elbow, wrist = (seen(side, name) for name in ("shoulder", "elbow", "wrist"))
    upper, fore = _unit(elbow - shoulder), _unit(wrist - elbow)
    down, across = -torso[..., 1], torso[..., 2]
    # Elbows bend to the front; of a straight arm, as the shortest way from hanging turns it.
    axis, straight = _cross(down, upper), np.maximum(1.0 + _dot(down, upper), 1e-3)[:, None]
    swung = across + _cross(axis, across) + _cross(axis, _cross(axis, across)) / straight
    humerus = _along(-upper, _known(_cross(upper, fore)) + _HINT * swung)
    names = [f"{name}_{side}" for name in ("arm_flex", "arm_add", "arm_rot")]
    turns = _continuous(np.stack(_zxy(torso, humerus, left=side == "l"), axis=-1))
    return _named(names, turns.T) | {f"elbow_flex_{side}": _about(humerus[..., 2], upper, fore)}


def _named(
    names: "tuple[str, ...] | list[str]", values: "Array | tuple[Array, ...]"
) -> dict[str, Array]:
    return dict(zip(names, values, strict=True))


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("ti,ti->t", a, b))


def _cross(a: Array, b: Array) -> Array:
    """As `numpy.cross` of (T, 3), which takes three times as long for few frames."""
    before, after = [2, 0, 1], [1, 2, 0]
    return np.asarray(a[:, after] * b[:, before] - a[:, before] * b[:, after])


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.sqrt(_dot(vector, vector))[:, None])


def _known(vector: Array) -> Array:
    """Zero where it is NaN."""
    return np.nan_to_num(vector)


def _upright(right: Array, up: Array) -> Array:
    """(T, 3, 3) ground_from_body with z along `right`, and y as near `up` as can be."""
    z = _unit(right)
    x = _unit(_cross(up, z))
    return np.stack([x, _cross(z, x), z], axis=-1)


def _along(up: Array, right: Array) -> Array:
    """(T, 3, 3) ground_from_body with y along `up` (unit vectors), and z as near `right` as can be."""
    x = _unit(_cross(up, right))
    return np.stack([x, up, _cross(x, up)], axis=-1)


def _about(axis: Array, one: Array, other: Array) -> Array:
    """(T,) radians from one direction to another about an axis."""
    return np.arctan2(_dot(_cross(one, other), axis), _dot(one, other))


def _yxz(turn: Array) -> tuple[Array, Array, Array]:
    """Angles about y, x, z of rotations (T, 3, 3)."""
    lean = np.arcsin(np.clip(-turn[:, 1, 2], -1.0, 1.0))
    return (
        np.arctan2(turn[:, 0, 2], turn[:, 2, 2]),
        lean,
        np.arctan2(turn[:, 1, 0], turn[:, 1, 1]),
    )


def _zxy(above: Array, body: Array, *, left: bool = False) -> tuple[Array, Array, Array]:
    """Angles about z, x, y of a body in the one above; of left ones x and y count the other way."""
    turn = above.swapaxes(-1, -2) @ body
    side = -1.0 if left else 1.0
    lean = np.arcsin(np.clip(turn[:, 2, 1], -1.0, 1.0))
    return (
        np.arctan2(-turn[:, 0, 1], turn[:, 1, 1]),
        side * lean,
        side * np.arctan2(-turn[:, 2, 0], turn[:, 2, 2]),
    )


def _even(angle: Array) -> Array:
    """Without whole turns between frames."""
    good = np.isfinite(angle)
    angle[good] = np.unwrap(angle[good])
    return angle


def _continuous(triple: Array) -> Array:
    """(T, 3) angles that say the same turns, of the two ways the one that goes on as the frame before."""
    good = np.isfinite(triple).all(axis=-1)
    one = triple[good]
    other = np.stack([one[:, 0] + np.pi, np.pi - one[:, 1], one[:, 2] + np.pi], axis=-1)

    def away(now: Array) -> Array:
        change = now[1:] - one[:-1]
        return np.abs(change - 2.0 * np.pi * np.round(change / (2.0 * np.pi))).sum(axis=-1)

    changes = np.concatenate([[False], away(other) < away(one)])[: len(one)]
    turned = np.cumsum(changes) % 2 == 1
    triple[good] = np.unwrap(np.where(turned[:, None], other, one), axis=0)
    return triple


def _filled(values: Array, otherwise: float) -> Array:
    """Values (T,) with those between and beside filled in; all the same where none is known."""
    good = np.flatnonzero(np.isfinite(values))
    if not len(good):
        return np.full(len(values), otherwise)
    return np.interp(np.arange(len(values)), good, values[good])
