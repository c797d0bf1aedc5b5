"""What a performer does before a take: the N pose, bows with swinging arms, then whatever follows."""

import numpy as np

from pallas.rig import Motion, body_skeleton, quaternion

_ACROSS = np.array([1.0, 0.0, 0.0])  # the performer faces -y: a turn about x leans forwards
_ALONG = np.array([0.0, 1.0, 0.0])


def calibration_moves(
    fps: float = 60.0, still: float = 6.0, bow: float = 2.0, times: int = 3
) -> Motion:
    """N pose for `still` seconds, bows of `bow` seconds each, and half a second of standing."""
    bows = [_bump(int(bow * fps))] * times
    parts = [np.zeros(int(still * fps)), *bows, np.zeros(int(0.5 * fps))]
    return _leaning(np.concatenate(parts), fps)


def _bump(frames: int) -> np.ndarray:
    """From 0 to 1 and back, at rest at both ends."""
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(frames) / frames)


def _leaning(share: np.ndarray, fps: float) -> Motion:
    skeleton = body_skeleton()
    world = np.tile(quaternion.IDENTITY, (len(share), len(skeleton), 1))

    def lean(names: list[str], degrees: float, turn: np.ndarray = quaternion.IDENTITY) -> None:
        leant = quaternion.from_rotation_vector(np.radians(degrees) * share[:, None] * _ACROSS)
        for name in names:
            world[:, skeleton.index(name)] = quaternion.multiply(leant, turn)

    lean(["pelvis"], 30.0)
    lean(["spine1", "spine2", "spine3", "neck", "head", "left_collar", "right_collar"], 55.0)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        down = quaternion.from_axis_angle(_ALONG, sign * np.pi / 2)
        arm = [f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hand")]
        lean([name for name in arm if name in skeleton.names], -80.0, down)
    root = np.tile(skeleton.offsets[0], (len(share), 1))
    return Motion.from_world(skeleton, root, world, fps)


def followed_by(first: Motion, second: Motion, blend: float = 0.5) -> Motion:
    """One motion after the other, drawn between them over `blend` seconds."""
    count = int(blend * first.fps)
    share = np.linspace(0.0, 1.0, count + 2)[1:-1]
    start, end = first.rotations[-1], second.rotations[0]
    between = quaternion.slerp(start[None], end[None], share[:, None])
    root = first.root_position[-1] + share[:, None] * (
        second.root_position[0] - first.root_position[-1]
    )
    return Motion(
        first.skeleton,
        np.concatenate([first.root_position, root, second.root_position]),
        np.concatenate([first.rotations, between, second.rotations]),
        first.fps,
    )
