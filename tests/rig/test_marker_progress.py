"""A fit of markers says how far it is, often enough to be stopped."""

import itertools

import numpy as np
import pytest

from pallas.rig.model import BodyMarker, KinematicModel, free
from pallas.rig.solve import Shape
from pallas.rig.solve.marker_ik import MarkerOptions, fit_markers
from pallas.rig.trajectories import MarkerTrajectories

OPTIONS = {
    "every frame on its own": MarkerOptions(),
    "smooth": MarkerOptions(smoothness=1.0),
    "lbfgs": MarkerOptions(method="lbfgs"),
    "sizes too": MarkerOptions(shape=Shape(full=True)),
}


class StoppedError(Exception):
    """What Esc would raise."""


def bone():
    places = ((0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.0, 0.2, 0.0), (0.0, 0.0, 0.1))
    markers = [BodyMarker(f"m{i}", "bone", place) for i, place in enumerate(places)]
    return KinematicModel("bone", (free("root", "bone"),), markers=tuple(markers))


def wandering(model, frames):
    """Its markers, each off by millimetres, the bone on its way."""
    places = np.array([marker.position for marker in model.markers])
    way = np.linspace(0.0, 3.0, frames)[:, None, None] * np.array([1.0, 0.5, 0.0])
    noise = np.random.default_rng(0).normal(scale=0.003, size=(frames, 4, 3))
    return MarkerTrajectories(model.marker_names, places + way + noise, 100.0)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_progress_rises_from_nothing_to_all(options):
    told = []
    fit_markers(bone(), wandering(bone(), 40), options, told.append)
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert all(before <= after for before, after in itertools.pairwise(told))


def test_a_long_recording_is_told_in_small_parts():
    told = []
    fit_markers(bone(), wandering(bone(), 3000), None, told.append)
    assert max(after - before for before, after in itertools.pairwise(told)) < 0.25


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_what_progress_raises_ends_the_fit(options):
    calls = 0

    def stop(done):
        nonlocal calls
        calls += 1
        if calls > 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        fit_markers(bone(), wandering(bone(), 1200), options, stop)
    assert calls == 4
