"""Coordinates that are pinned beside the markers: one value for all frames, or one for each."""

import numpy as np
import pytest

from pallas.rig.model import BodyMarker, Joint, KinematicModel, free
from pallas.rig.model.joints import hinge
from pallas.rig.solve.marker_ik import MarkerOptions, fit_markers
from pallas.rig.trajectories import MarkerTrajectories

FRAMES = 6


def finger():
    """A bone with four markers, and a tip that bends but carries none."""
    places = ((0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.0, 0.2, 0.0), (0.0, 0.0, 0.1))
    markers = [BodyMarker(f"m{i}", "bone", place) for i, place in enumerate(places)]
    joints: tuple[Joint, ...] = (free("root", "bone"), hinge("bend", "bone", "tip"))
    return KinematicModel("finger", joints, markers=tuple(markers))


def still(model):
    places = np.array([marker.position for marker in model.markers])
    return MarkerTrajectories(model.marker_names, np.tile(places, (FRAMES, 1, 1)), 100.0)


def test_what_no_marker_sees_goes_where_it_is_pinned():
    model = finger()
    found = fit_markers(model, still(model), MarkerOptions(pins={"bend": (0.4, 1.0)}))
    assert found.pose[:, model.coordinate_index("bend")] == pytest.approx(0.4, abs=1e-6)


def test_a_pin_may_have_another_value_in_every_frame():
    model, values = finger(), np.linspace(0.0, 0.5, FRAMES)
    found = fit_markers(model, still(model), MarkerOptions(pins={"bend": (values, 1.0)}))
    assert found.pose[:, model.coordinate_index("bend")] == pytest.approx(values, abs=1e-6)
