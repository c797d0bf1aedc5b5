"""A leg with markers, and a recording of it."""

import numpy as np
import torch

from pallas.rig.model import BodyMarker, Frame, KinematicModel, free, hinge
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.trajectories import MarkerTrajectories

FEET = {"x": (0.1, 0.0, 0.0), "y": (0.0, 0.1, 0.0), "z": (0.0, 0.0, 0.1), "o": (0.0, 0.0, -0.1)}


def leg():
    """Two bodies with four markers each; the knee bends to 2 radians at most."""
    markers = [
        BodyMarker(f"{body}_{name}", body, place)
        for body in ("thigh", "shank")
        for name, place in FEET.items()
    ]
    joints = (free("root", "thigh"), hinge("knee", "thigh", "shank", Frame((0.0, 0.0, -0.4))))
    model = KinematicModel("leg", joints, markers=tuple(markers))
    return model.with_coordinates({"knee": {"limits": (-0.1, 2.0)}})


def recorded(model, frames, start=0.0):
    """The leg's markers at 100 Hz while its knee bends from 0 to 1 radian."""
    pose = np.zeros((frames, len(model.coordinates)))
    pose[:, model.coordinate_index("knee")] = np.linspace(0.0, 1.0, frames)
    places = markers_in_world(model, torch.tensor(pose)).numpy() + np.array([0.2, 0.3, 0.9])
    return MarkerTrajectories(model.marker_names, places, 100.0, start)
