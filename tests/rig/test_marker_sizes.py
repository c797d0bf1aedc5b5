"""People of quite another size than the model, found from the markers of a motion."""

import numpy as np
import pytest
import torch

from pallas.rig.model import BodyMarker
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve import Shape
from pallas.rig.solve.marker_ik import MarkerOptions, fit_markers
from pallas.rig.solve.shape import ShapeUnknowns
from pallas.rig.trajectories import MarkerTrajectories


@pytest.fixture
def legs(two_legs):
    """With three markers on every body."""
    around = 0.1 * np.eye(3)
    return two_legs.with_markers(
        BodyMarker(f"{body}{k}", body, tuple(place))
        for body in two_legs.bodies[1:]
        for k, place in enumerate(around)
    )


def walking(model, size):
    """Its markers on a body of another size, in poses about a bend of the joints."""
    random = np.random.default_rng(0)
    pose = 0.3 + 0.2 * random.normal(size=(30, len(model.coordinates)))
    pose[:, [place for place, c in enumerate(model.coordinates) if c.kind == "translation"]] = 0.2
    places = markers_in_world(model, torch.tensor(pose), size).numpy()
    return MarkerTrajectories(model.marker_names, places, 100.0)


@pytest.mark.parametrize("size", [0.3, 0.6, 1.1, 2.0, 4.0])
def test_the_size_is_found_however_far_it_is_from_the_models(legs, size):
    fit = fit_markers(legs, walking(legs, size), MarkerOptions(shape=Shape(full=True)))
    np.testing.assert_array_equal(fit.scales[0], 1.0)
    # The prior holds it near the size that the first look at the markers gave.
    np.testing.assert_allclose(fit.scales[1:], size, rtol=0.03)
    assert fit.rms < 2e-3


def test_no_step_makes_a_scale_vanish_or_moves_it_otherwise(legs):
    shape = Shape(full=True, groups=(legs.bodies[1:2],), markers=legs.marker_names[:1])
    unknowns = ShapeUnknowns.of(legs, shape)
    step = torch.tensor([-3.0, 0.2, -3.0, 0.0, 0.1]).double()
    expected = torch.tensor([0.1, 1.2, -3.0, 0.0, 0.1]).double()
    torch.testing.assert_close(unknowns.stepped(unknowns.first, step), expected)
