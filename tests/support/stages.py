"""A stage with cameras around it, and stick people on it whose places are known."""

import json

import numpy as np

from pallas.capture.cameras.camera import Camera
from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.keypoints.layout import LAYOUTS
from pallas.rig import quaternion

BODY = LAYOUTS["body_25b"]
# Metres, z up, facing -y, the person's left at +x.
_SHAPE = {
    "Nose": (0, -0.12, 1.62), "LEye": (0.03, -0.11, 1.65), "LEar": (0.07, 0, 1.63),
    "LShoulder": (0.19, 0, 1.42), "LElbow": (0.25, 0.02, 1.14), "LWrist": (0.28, -0.08, 0.9),
    "LHip": (0.1, 0, 0.93), "LKnee": (0.11, -0.02, 0.5),
    "LAnkle": (0.12, 0.03, 0.09), "Neck": (0, 0, 1.47), "Head": (0, 0, 1.78), "LBigToe": (0.1, -0.17, 0.02),
    "LSmallToe": (0.17, -0.14, 0.02), "LHeel": (0.12, 0.08, 0.03),
}  # fmt: skip


def camera(place, name, *, size=(1080, 1920), focal=1700.0, target=(0.0, 0.0, 0.9), lens=()):
    """A camera at `place` that looks at `target`."""
    place = np.asarray(place, dtype=float)
    ahead = np.asarray(target) - place
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    turn = np.stack([right, np.cross(ahead, right), ahead])
    matrix = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    return Camera(name, matrix, turn, -turn @ place, np.array(lens, dtype=float), size=size)


def ring(count=4, radius=4.5, lens=()):
    """Cameras around the origin, not evenly."""
    angles = np.array([0.3, 1.7, 3.5, 5.0, 2.6, 4.3, 0.9, 5.7])[:count]
    places = np.stack(
        [radius * np.cos(angles), radius * np.sin(angles), 1.4 + 0.2 * np.arange(count)], -1
    )
    return tuple(camera(place, f"cam_{k + 1:02d}", lens=lens) for k, place in enumerate(places))


def standing():
    """(25, 3) a person who stands at the origin."""
    points = {**_SHAPE}
    for name, (x, y, z) in _SHAPE.items():
        if name[0] == "L":
            points["R" + name[1:]] = (-x, y, z)
    return np.array([points[name] for name in BODY.names], dtype=float)


def walker(
    frames=90, fps=60.0, start=(0.0, 0.0), velocity=(0.0, 0.0), phase=0.0, turn=0.0, scale=1.0
):
    """(T, 25, 3) a person who walks, swings arms and legs and bobs."""
    time = np.arange(frames) / fps
    swing = 0.25 * np.sin(2 * np.pi * 0.9 * time + phase)
    body = np.repeat(standing()[None] * scale, frames, axis=0)
    for k, name in enumerate(BODY.names):
        side = {"L": 1.0, "R": -1.0}.get(name[0] if name[1:2].isupper() else "", 0.0)
        reach = {"Elbow": -0.5, "Wrist": -1.0, "Knee": 0.5}.get(name[1:], 0.0)
        reach = 1.0 if name[1:] in ("Ankle", "Heel", "BigToe", "SmallToe") else reach
        body[:, k, 1] += side * reach * swing
        body[:, k, 2] += (
            0.1 * abs(reach) * np.maximum(side * np.cos(2 * np.pi * 0.9 * time + phase), 0.0)
        )
    body[..., 2] += 0.03 * np.sin(2 * np.pi * 1.8 * time + phase)[:, None]
    c, s = np.cos(turn), np.sin(turn)
    body[..., :2] = body[..., :2] @ np.array([[c, s], [-s, c]])
    body[..., :2] += np.asarray(start) + time[:, None, None] * np.asarray(velocity)
    return body


def restless(people, seed=7):
    """The same people (T, 25, 3) with jumps and arms that move as nobody expects."""
    rng = np.random.default_rng(seed)
    kernel = np.hanning(25)
    moves = [np.convolve(rng.normal(0, 0.12, len(people) + 24), kernel, "valid") for _ in range(3)]
    moved = people.copy()
    moved[..., 2] += 0.3 * moves[0][:, None]
    for name, move in (("LWrist", moves[1]), ("RWrist", moves[2]), ("LElbow", 0.5 * moves[1])):
        moved[:, BODY.names.index(name), 2] += move
    return moved


def seen(people, cameras, *, noise=0.0, seed=0, shuffled=True, fps=60.0):
    """What the cameras see of people (T, 25, 3) each, in any order in every frame."""
    rng = np.random.default_rng(seed)
    views = []
    for one in cameras:
        pixels = np.stack([one.project(person) for person in people], axis=1)
        pixels += noise * rng.standard_normal(pixels.shape)
        if shuffled:
            pixels = np.stack([frame[rng.permutation(len(people))] for frame in pixels])
        views.append(
            Keypoints(
                BODY,
                pixels,
                np.full(pixels.shape[:3], 0.8),
                fps=fps,
                image_size=one.size,
                name=one.name,
            )
        )
    return tuple(views)


def frame_json(points, confidence):
    """A frame of OpenPose, (P, K, 2) and (P, K)."""
    rows = np.concatenate([np.nan_to_num(points), confidence[..., None]], axis=-1)
    return json.dumps(
        {
            "version": 1.3,
            "people": [{"pose_keypoints_2d": row.ravel().round(3).tolist()} for row in rows],
        }
    )


def write_openpose(folder, view):
    """A folder of OpenPose's frames."""
    folder.mkdir(parents=True)
    for frame in range(len(view)):
        text = frame_json(view.positions[frame], view.confidence[frame])
        (folder / f"{folder.name}_{frame:012d}_keypoints.json").write_text(text)


def calib_toml(cameras):
    """The text of a `Calib.toml`."""
    lines = []
    for one in cameras:
        turn = quaternion.to_rotation_vector(quaternion.from_matrix(one.camera_from_world))
        lens = list(one.distortion) or [0.0] * 4
        lines += [
            f"[{one.name}]", f'name = "{one.name}"', f"size = {[float(n) for n in one.size]}",
            f"matrix = {one.matrix.tolist()}", f"distortions = {[float(k) for k in lens]}",
            f"rotation = {turn.tolist()}", f"translation = {one.translation.tolist()}", "fisheye = false", "",
        ]  # fmt: skip
    return "\n".join([*lines, "[metadata]", "adjusted = false", "error = 0.0", ""])


CAM = ring(1)[0]
