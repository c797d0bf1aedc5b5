"""A body that walks, made up; and the start of the take in the package."""

import dataclasses
from pathlib import Path

import numpy as np

from pallas.capture import formats
from pallas.rig import Motion, body_skeleton, quaternion

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"


def stepping(
    frames: int, fps: float = 60.0, height: float = 1.70, *, bent: float = 0.0, sunk: float = 0.07
) -> Motion:
    """A body that walks along -y: legs and arms swing, the pelvis bobs and turns a little.

    Args:
        frames: how many.
        fps: frames per second.
        height: metres, of the body.
        bent: radians by which the pelvis leans.
        sunk: metres by which the hips are lower than those of a body that stands upright.
    """
    skeleton = body_skeleton(height)
    phase = 2.0 * np.pi * np.arange(frames) / fps
    vectors = np.zeros((frames, 24, 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * np.sin(phase)
        vectors[:, skeleton.index(f"{side}_hip"), 0] = -0.4 * swing
        vectors[:, skeleton.index(f"{side}_knee"), 0] = 0.3 - 0.25 * sign * np.cos(phase)
        vectors[:, skeleton.index(f"{side}_shoulder"), 2] = 0.3 * swing
    vectors[:, 0, 2] = 0.1 * np.sin(phase)
    vectors[:, 0, 0] = bent
    root = np.tile(skeleton.offsets[0], (frames, 1))
    root[:, 1] -= 1.2 * np.arange(frames) / fps
    root[:, 2] += 0.02 * np.cos(2.0 * phase) - sunk
    return Motion(skeleton, root, quaternion.from_rotation_vector(vectors), fps)


def write_start_of_demo(path: Path) -> Path:
    """Write the first four seconds of the embedded take."""
    recording = formats.read_recording(DEMO)
    count = int(4 * recording.fps)
    cut = dataclasses.replace(
        recording,
        times=recording.times[:count],
        world_from_sensor=recording.world_from_sensor[:count],
        acceleration=recording.acceleration[:count],
    )
    formats.write_recording(path, cut)
    return path
