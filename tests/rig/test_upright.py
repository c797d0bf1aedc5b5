"""Which way is up, asked of the model."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.capture.up_axis import UP_AXES, from_world, to_world
from pallas.rig.model import Axis, BodyMarker, Joint, KinematicModel, about, along, free
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve.marker_ik import fit_markers
from pallas.rig.solve.upright import likeliest_up, uprightness
from pallas.rig.trajectories import MarkerTrajectories

PLACES = ((0.1, 0.0, 0.0), (0.0, 0.1, 0.0), (0.0, 0.0, 0.1), (-0.05, 0.0, 0.02))
MARKERS = tuple(BodyMarker(f"m{k}", "body", place) for k, place in enumerate(PLACES))
SIX = KinematicModel("six", (free("root", "body"),), markers=MARKERS)
AXES: tuple[Axis, ...] = (about("y", "lean"),)
PLANE = KinematicModel(
    "plane",
    (Joint("root", "ground", "body", rotations=AXES, translations=(along("x", "x"), along("z", "z"))),),
    markers=MARKERS,
)  # fmt: skip


def recorded(model, lean):
    """The body leaning by an angle, moving along x."""
    pose = np.tile(model.default_pose, (20, 1))
    pose[:, model.coordinate_index("lean" if model is PLANE else "root_y")] = lean
    pose[:, model.coordinate_index("x" if model is PLANE else "root_tx")] = np.linspace(0, 1, 20)
    places = markers_in_world(model, torch.tensor(pose)).numpy()
    return MarkerTrajectories(model.marker_names, places, 100.0)


def read_with_every_axis(recording, stated):
    """As if the file had `z` up: first the axis that was assumed, then the others."""
    filed = from_world(recording.positions, "z")
    order = (stated, *(up for up in UP_AXES if up != stated))
    return {up: replace(recording, positions=to_world(filed, up)) for up in order}


@pytest.mark.parametrize("model", [SIX, PLANE], ids=lambda model: model.name)
def test_the_axis_with_which_the_model_stands_is_taken(model):
    candidates = read_with_every_axis(recorded(model, 0.3), "y")
    assert likeliest_up(model, candidates) == ("z", True)


def test_where_it_leans_half_way_the_first_is_taken_and_that_is_told():
    candidates = read_with_every_axis(recorded(SIX, np.pi / 4), "z")
    assert likeliest_up(SIX, candidates) == ("z", False)


def test_a_lean_is_measured_from_the_default_pose():
    fit = fit_markers(SIX, recorded(SIX, 0.3))
    assert uprightness(fit) == pytest.approx(np.cos(0.3), abs=1e-6)
