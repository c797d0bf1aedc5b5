"""Poses of the anatomical model to start from: every segment points to where its ends were seen."""

from collections.abc import Callable, Sequence
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
    sides = {what: (seen("r", what), seen("l", what)) for what in _LANDMARKS}
    across, middle = {}, {}
    for what in ("hip", "shoulder", "ear", "front", "back"):
        right, left = sides[what]
        across[what], middle[what] = right - left, 0.5 * (right + left)
    up, ahead = middle["shoulder"] - middle["hip"], middle["front"] - middle["back"]
    above = np.where(np.isnan(ahead), up, _cross(across["hip"], ahead))
    crown = _cross(across["ear"], nose - middle["ear"])
    rights = np.concatenate([across["hip"], across["shoulder"], across["ear"]])
    frames = _upright(rights, np.concatenate([above, up, crown]))
    pelvis, torso, head = np.split(frames, 3)
    limbs = {what: np.concatenate(both) for what, both in sides.items()}  # right ones, then left
    femur, knee, ankle = _legs(limbs, np.tile(pelvis, (2, 1, 1)))
    humerus, elbow = _arms(limbs, np.tile(torso, (2, 1, 1)))
    outer = np.concatenate([pelvis, torso, pelvis, pelvis, torso, torso])
    turns = np.split(_zxy(outer, np.concatenate([torso, head, femur, humerus])), 6)
    turn, lean, tilt = _yxz(pelvis)
    found = {"pelvis_rotation": _even(turn), "pelvis_list": lean, "pelvis_tilt": _even(tilt)}
    place = middle["hip"] - pelvis @ np.array(_HIP)
    found |= {f"pelvis_t{axis}": place[:, k] for k, axis in enumerate("xyz")}
    found |= _named(("lumbar_extension", "lumbar_bending", "lumbar_rotation"), turns[0])
    found |= _named(("neck_flexion", "neck_bending", "neck_rotation"), turns[1])
    hinges = {"knee_angle": knee, "ankle_angle": ankle, "elbow_flex": elbow}
    for side, name in enumerate("rl"):
        mirror = np.array([1.0, -1.0, -1.0]) if side else np.ones(3)
        hip, arm = mirror * turns[2 + side], _continuous(mirror * turns[4 + side])
        found |= _named(
            [f"hip_{turn}_{name}" for turn in ("flexion", "adduction", "rotation")], hip
        )
        found |= _named([f"arm_{turn}_{name}" for turn in ("flex", "add", "rot")], arm)
        found |= {f"{joint}_{name}": np.split(bend, 2)[side] for joint, bend in hinges.items()}
    return found


def _legs(seen: dict[str, Array], pelvis: Array) -> tuple[Array, Array, Array]:
    """Thighs (T, 3, 3), bends of knees (T,) and ankles (T,)."""
    thigh, shank = _unit(seen["knee"] - seen["hip"]), _unit(seen["ankle"] - seen["knee"])
    foot = _unit(seen["toe"] - seen["heel"])
    # Knees bend to the back, toes point ahead.
    hinge = _cross(shank, thigh) + _HINT * (_known(_cross(foot, -shank)) + pelvis[..., 2])
    femur = _along(-thigh, hinge)
    tibia = _along(-shank, femur[..., 2])
    toes = np.arctan2(_dot(foot, tibia[..., 1]), _dot(foot, tibia[..., 0]))
    return femur, -_about(femur[..., 2], thigh, shank), toes


def _arms(seen: dict[str, Array], torso: Array) -> tuple[Array, Array]:
    """Upper arms (T, 3, 3) and bends of elbows (T,)."""
    upper, fore = _unit(seen["elbow"] - seen["shoulder"]), _unit(seen["wrist"] - seen["elbow"])
    down, across = -torso[..., 1], torso[..., 2]
    # Elbows bend to the front; of a straight arm, as the shortest way from hanging turns it.
    axis, straight = _cross(down, upper), np.maximum(1.0 + _dot(down, upper), 1e-3)[:, None]
    swung = _cross(axis, across)
    swung = across + swung + _cross(axis, swung) / straight
    humerus = _along(-upper, _known(_cross(upper, fore)) + _HINT * swung)
    return humerus, _about(humerus[..., 2], upper, fore)


def _named(names: Sequence[str], values: Array) -> dict[str, Array]:
    """Columns of values (T, N) by name."""
    return dict(zip(names, values.T, strict=True))


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("ti,ti->t", a, b))


def _cross(a: Array, b: Array) -> Array:
    """As `numpy.cross` of (T, 3), which takes three times as long for few frames."""
    ax, ay, az = a.T
    bx, by, bz = b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


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


def _zxy(above: Array, body: Array) -> Array:
    """Angles (T, 3) about z, x, y of bodies in those above."""
    turn = above.swapaxes(-1, -2) @ body
    flexion = np.arctan2(-turn[:, 0, 1], turn[:, 1, 1])
    lean = np.arcsin(np.clip(turn[:, 2, 1], -1.0, 1.0))
    return np.stack([flexion, lean, np.arctan2(-turn[:, 2, 0], turn[:, 2, 2])], axis=-1)


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
    seen = np.isfinite(values)
    if seen.all():
        return values
    good = np.flatnonzero(seen)
    if not len(good):
        return np.full(len(values), otherwise)
    return np.interp(np.arange(len(values)), good, values[good])
