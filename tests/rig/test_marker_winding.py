"""Joints that follow one coordinate are not wound up by whole turns."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from pallas.rig.model import (
    BodyMarker,
    Coordinate,
    Coupling,
    Frame,
    Joint,
    KinematicModel,
    Linear,
    about,
)
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve.marker_ik import fit_markers
from pallas.rig.trajectories import MarkerTrajectories


def spine(default: float) -> KinematicModel:
    """Three vertebrae on one another that turn about their common axis, the upper two as the lowest does."""
    names = ("ground", "low", "middle", "top")
    joints = tuple(
        Joint(
            child, parent, child, Frame((0.0, 0.1, 0.0)), rotations=(about("y", f"turn_{child}"),)
        )
        for parent, child in pairwise(names)
    )
    limits = (-np.radians(10.0), np.radians(10.0))
    places = {"a": (0.2, 0.1, 0.0), "b": (0.0, 0.1, 0.2), "c": (-0.1, 0.2, 0.1)}
    return KinematicModel(
        "spine",
        joints,
        (Coordinate("turn_low", default, limits),),
        tuple(Coupling(f"turn_{name}", "turn_low", Linear()) for name in names[2:]),
        tuple(BodyMarker(name, "top", place) for name, place in places.items()),
    )


def test_a_spine_that_begins_wound_up_ends_within_its_limits():
    wound = spine(2.0 * np.pi / 3.0 + 0.05)
    pose = torch.full((20, 3), 0.05, dtype=torch.float64)
    found = markers_in_world(wound, pose).numpy()
    recording = MarkerTrajectories(wound.marker_names, found, 60.0)
    fit = fit_markers(wound, recording)
    assert fit.rms < 1e-4
    assert fit.pose[:, 0] == pytest.approx(0.05, abs=1e-3)
