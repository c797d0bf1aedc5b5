"""A model for a person of another size."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.rig import ShapeError
from pallas.rig.model import (
    IDENTITY,
    BodyMarker,
    Constant,
    Coupling,
    Frame,
    Joint,
    KinematicModel,
    Linear,
    Scaled,
    SimmSpline,
    about,
    along,
    free,
    hinge,
)
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world
from pallas.rig.model.scaling import scaled, scaled_function

SPLINE = SimmSpline(np.array([-1.0, 0.0, 0.5, 1.0]), np.array([0.0, 0.1, 0.05, 0.2]))
KNEE = Joint(
    "knee",
    "thigh",
    "shank",
    Frame((0.0, -0.4, 0.0), (0.1, 0.2, 0.3)),
    Frame((0.01, 0.02, 0.03)),
    translations=(
        along("x", "flexion", SPLINE),
        along("y", "slide"),
        along((1.0, 2.0, 2.0), None, Constant(0.3)),
        along("z", "flexion", Linear(0.1, 0.0)),
    ),
    rotations=(about("z", "flexion"),),
)
LEG = KinematicModel(
    "leg",
    (
        free("root", "pelvis"),
        hinge("hip", "pelvis", "thigh", Frame((0.0, -0.1, 0.1))),
        KNEE,
    ),
    markers=(BodyMarker("toe", "shank", (0.1, -0.4, 0.02)),),
)
FACTORS = {"pelvis": 1.2, "thigh": (0.9, 1.1, 1.3), "shank": (0.8, 1.0, 1.05)}


def test_frames_and_markers_stretch_with_their_own_body():
    model = scaled(LEG, FACTORS)
    assert model.joints[1].parent_frame.translation == pytest.approx((0.0, -0.12, 0.12))
    assert model.joints[2].parent_frame.translation == pytest.approx((0.0, -0.44, 0.0))
    assert model.joints[2].parent_frame.orientation == (0.1, 0.2, 0.3)
    assert model.joints[2].child_frame.translation == pytest.approx((0.008, 0.02, 0.0315))
    assert model.markers[0].position == pytest.approx((0.08, -0.4, 0.021))


def test_shifts_stretch_with_the_parent_unless_they_are_a_coordinate_itself():
    spline, slide, oblique, line = scaled(LEG, FACTORS).joints[2].translations
    assert spline.function == Scaled(SPLINE, 0.9)
    assert slide.function == IDENTITY
    # (1, 2, 2) / 3: a ninth of 0.9, four ninths of 1.1 and of 1.3
    assert oblique.function.value == pytest.approx(0.3 * (0.9 + 4 * 1.1 + 4 * 1.3) / 9)
    assert line.function == Linear(0.1 * 1.3, 0.0)


def test_a_second_scale_multiplies_the_first():
    once = scaled(LEG, {"thigh": (1.2, 1.0, 1.0)}).joints[2].translations[0]
    twice = scaled(scaled(LEG, {"thigh": 1.2}), {"thigh": 0.5}).joints[2].translations[0]
    assert (once.function.factor, twice.function.factor) == pytest.approx((1.2, 0.6))
    assert twice.function.function is SPLINE


def test_a_line_that_becomes_the_identity_still_scales():
    assert scaled_function(Linear(0.5, 0.0), 2.0) == Scaled(Linear(0.5, 0.0), 2.0)
    assert scaled_function(IDENTITY, 2.0) == Linear(2.0, 0.0)


def test_the_scaled_model_moves_as_the_engine_scales_it():
    pose = torch.tensor(np.random.default_rng(0).uniform(-1, 1, (5, len(LEG.coordinates))))
    scales = torch.ones(4, 3, dtype=torch.float64)
    for body, factor in FACTORS.items():
        scales[LEG.body_index(body)] = torch.as_tensor(factor)
    model = scaled(LEG, FACTORS)
    for ours, theirs in zip(
        bodies_in_world(model, pose), bodies_in_world(LEG, pose, scales), strict=True
    ):
        torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(markers_in_world(model, pose), markers_in_world(LEG, pose, scales))


def test_a_coordinate_that_is_driven_as_a_shift_stretches_through_its_coupling():
    coupled = replace(LEG, couplings=(Coupling("slide", "flexion", Linear(0.1, 0.02)),))
    (coupling,) = scaled(coupled, FACTORS).couplings
    assert coupling.function(1.0) == pytest.approx(1.1 * 0.12)  # along the thigh's y
    assert scaled(coupled, {"shank": 2.0}).couplings == coupled.couplings


def test_no_factors_change_nothing():
    model = scaled(LEG, {})
    assert model.joints[2].translations == KNEE.translations
    assert model.markers == LEG.markers


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"thigh": 0.0}, "the scale of body 'thigh' is .*, expected numbers above zero"),
        ({"thigh": (1.0, -1.0, 1.0)}, "above zero"),
        ({"thigh": float("nan")}, "above zero"),
        ({"thigh": float("inf")}, "above zero"),
        ({"thigh": (1.0, 1.0)}, "has shape"),
        ({"tail": 1.0}, "no body 'tail'; there are: ground, pelvis, thigh, shank"),
    ],
)
def test_a_scale_that_makes_no_body_is_told(factors, message):
    with pytest.raises(ShapeError, match=message):
        scaled(LEG, factors)


def test_markers_given_other_places_are_stretched_with_their_bodies():
    places = np.arange(3.0 * len(LEG.markers)).reshape(-1, 3)
    own = scaled(LEG, dict.fromkeys(LEG.bodies[1:], 2.0), places)
    np.testing.assert_allclose([marker.position for marker in own.markers], 2.0 * places)
    with pytest.raises(ShapeError, match="places has shape"):
        scaled(LEG, FACTORS, places[1:])
