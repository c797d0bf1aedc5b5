"""Blender's own BVH importer puts every joint of a file where ours puts it."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from pallas.capture.bvh import read_bvh, write_bvh  # noqa: E402  after the check for bpy
from pallas.rig import Motion, body_skeleton, quaternion  # noqa: E402

pytestmark = [
    pytest.mark.blender,
    # Blender's importer leaves its file open.
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _import(path) -> object:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01)
    return bpy.context.object


def _farthest(armature, motion: Motion, frames: tuple[int, ...]) -> float:
    """The largest distance in metres between Blender's joint heads and ours."""
    _, origins = motion.world()
    distances = []
    for frame in frames:
        bpy.context.scene.frame_set(frame + 1)
        for joint, name in enumerate(motion.skeleton.names):
            head = armature.matrix_world @ armature.pose.bones[name].head
            distances.append(np.linalg.norm(np.array(head) - origins[frame, joint]))
    return max(distances)


def test_blender_reads_what_we_write(tmp_path):
    random = np.random.default_rng(2)
    turns = np.linspace(0, 1, 20)[:, None, None] * random.normal(size=(24, 3))
    root = np.stack([np.linspace(0, 1, 20), np.linspace(0, -2, 20), np.full(20, 0.9)], axis=1)
    motion = Motion(body_skeleton(), root, quaternion.from_rotation_vector(turns), 60.0)
    write_bvh(tmp_path / "dance.bvh", motion)
    assert _farthest(_import(tmp_path / "dance.bvh"), motion, (0, 7, 19)) < 1e-5


def test_we_read_a_file_of_another_program_as_blender_does(data):
    path = data("imu/slimevr_bvh/2501_BVH-Recording3.bvh")
    assert _farthest(_import(path), read_bvh(path), (0, 100, 390)) < 1e-5
