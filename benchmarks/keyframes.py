"""How many frames a second are written as keyframes: 24 bones, quaternions, and one location.

    python benchmarks/keyframes.py [FRAMES]

Prints the median of seven runs, with the Blender it ran in.
"""

import statistics
import sys
import time

import bpy
import numpy as np

from pallas.scene.character import add_character
from pallas.scene.keyframes import write_keyframes

BONES = 24
RUNS = 7


def main() -> None:
    """Write the same curves several times and print the median rate."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 6000
    armature = add_character()
    random = np.random.default_rng(0)
    bones = [bone.name for bone in armature.pose.bones[:BONES]]
    for bone in bones:
        armature.pose.bones[bone].rotation_mode = "QUATERNION"
    turns = random.normal(size=(BONES, frames, 4))
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    rotations = dict(zip(bones, turns, strict=True))
    locations = {bones[0]: random.normal(size=(frames, 3))}
    rates = []
    for _ in range(RUNS):
        start = time.perf_counter()
        write_keyframes(armature, "benchmark", np.arange(frames), rotations, locations)
        rates.append(frames / (time.perf_counter() - start))
    sys.stdout.write(
        f"Blender {bpy.app.version_string}: {statistics.median(rates):,.0f} frames/s "
        f"(median of {RUNS} runs, {frames} frames, {BONES} bones)\n"
    )


if __name__ == "__main__":
    main()
