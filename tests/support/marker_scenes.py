"""Where a model's markers are over time, and Blender's scene at any time of it."""

import bpy
import numpy as np

from pallas.rig.model.places import body_places


def seen(model, pose):
    """(T, M, 3) the model's markers."""
    rotations, origins = body_places(model, pose)
    bodies = [model.body_index(marker.body) for marker in model.markers]
    offsets = np.array([marker.position for marker in model.markers])
    return origins[:, bodies] + np.einsum("tmij,mj->tmi", rotations[:, bodies], offsets)


def go_to(frame):
    """Show a frame that may lie between two."""
    whole = int(np.floor(frame))
    bpy.context.scene.frame_set(whole, subframe=frame - whole)
