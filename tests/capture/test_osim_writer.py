"""Models written for OpenSim without a template: what it loads is where the model was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.capture.osim import read_osim
from pallas.capture.osim_build import format_osim
from pallas.capture.osim_writer import write_osim
from pallas.capture.textfile import FormatWarning
from pallas.rig import FormatError, OutputError
from pallas.rig.model import (
    BodyMarker,
    Constant,
    Coordinate,
    Coupling,
    Frame,
    Joint,
    KinematicModel,
    Linear,
    PiecewiseLinear,
    Polynomial,
    Scaled,
    SimmSpline,
    about,
    along,
    ball,
    free,
    hinge,
    weld,
)
from pallas.rig.model.kinematics import markers_in_world

CLOSE = 1e-9  # metres
SPLINE = SimmSpline(np.array([-1.0, 0.0, 0.5, 1.0]), np.array([0.0, 0.1, 0.05, 0.2]))
KNEE = Joint(
    "knee",
    "thigh",
    "shank",
    Frame((0.0, -0.4, 0.0), (0.1, 0.2, 0.3)),
    Frame((0.01, 0.02, 0.03), (-0.3, 0.4, 0.2)),
    translations=(
        along("x", "flexion", SPLINE),
        along((0.0, 1.0, 1.0), None, Constant(0.02)),
        along("z", "slide", Polynomial((0.01, 0.5, -0.2))),
    ),
    rotations=(
        about("-z", "flexion"),
        about((0.1, 1.0, 0.0), "slide", Scaled(SPLINE, -2.0)),
        about(
            "x", "flexion", PiecewiseLinear(np.array([-1.0, 0.3, 1.0]), np.array([0.2, 0.0, 0.4]))
        ),
    ),
)
LEG = KinematicModel(
    "leg",
    (
        Joint(
            "root",
            "ground",
            "pelvis",
            Frame((0.1, 0.2, 0.9), (0.3, 0.2, 0.1)),
            translations=tuple(along(axis, f"t{axis}") for axis in "xyz"),
            rotations=tuple(about(axis, f"r{axis}") for axis in "zxy"),
        ),
        hinge("hip", "pelvis", "thigh", Frame((0.0, -0.1, 0.1))),
        KNEE,
        replace(
            weld("sole", "shank", "foot", Frame((0.0, -0.4, 0.0), (1.0, 0.0, 0.0))),
            translations=(along((0.6, 0.8, 0.0), None, Constant(0.1)), along("z", None)),
            rotations=(about("x", None, Constant(0.3)), about("z", None, Constant(0.2))),
        ),
    ),
    (
        Coordinate("flexion", 0.3, (-1.0, 1.5), clamped=True),
        Coordinate("hip", 0.1, locked=True),
        Coordinate("slide"),
    ),
    (Coupling("slide", "hip", Linear(0.2, 0.1)),),
    (
        BodyMarker("toe", "foot", (0.1, 0.0, 0.02)),
        BodyMarker("floor", "ground", (1.0, 2.0, 3.0), (False, False, False)),
    ),
)


def written(tmp_path, model):
    write_osim(tmp_path / "new.osim", model)
    return read_osim(tmp_path / "new.osim")


def test_a_model_made_by_hand_is_where_opensim_has_it(tmp_path, in_opensim):
    again, theirs = written(tmp_path, LEG), in_opensim(tmp_path / "new.osim")
    order = [again.coordinate_names.index(name) for name in LEG.coordinate_names]
    for pose in np.random.default_rng(0).uniform(-1.0, 1.0, (5, len(order))):
        turned = np.empty_like(pose)
        turned[order] = pose
        assert theirs.apart(again, turned) < CLOSE
        torch.testing.assert_close(
            markers_in_world(LEG, torch.tensor(pose)), markers_in_world(again, torch.tensor(turned))
        )
    assert again.bodies == LEG.bodies
    assert set(again.coordinates) == set(LEG.coordinates)
    assert [m.free for m in again.markers] == [m.free for m in LEG.markers]


def test_a_ball_is_opensims_ball_at_the_same_default(tmp_path, in_opensim):
    vector = dict(zip(("root_x", "root_y", "root_z"), (0.3, -0.5, 0.8), strict=True))
    model = KinematicModel(
        "arm",
        (free("root", "torso"), ball("shoulder", "torso", "arm", Frame((0.0, 0.2, 1.4)))),
        tuple(Coordinate(name, value) for name, value in vector.items()),
        markers=(BodyMarker("hand", "arm", (0.6, 0.1, 0.2)),),
    )
    again, theirs = written(tmp_path, model), in_opensim(tmp_path / "new.osim")
    here, there = (
        markers_in_world(m, torch.tensor(np.array(m.default_pose))) for m in (model, again)
    )
    torch.testing.assert_close(here, there)
    assert theirs.apart(again, again.default_pose) < CLOSE
    text = (tmp_path / "new.osim").read_text()
    assert "<FreeJoint" in text
    assert "<BallJoint" in text


def test_names_that_opensim_refuses_are_changed_and_told(tmp_path, in_opensim):
    model = KinematicModel(
        "m",
        (hinge("Bip01 L Hip", "ground", "Bip01 L Thigh"),),
        markers=(BodyMarker("a/b", "Bip01 L Thigh", (0.1, 0.2, 0.3)),),
    )
    with pytest.warns(FormatWarning, match="4 are written with _"):
        again = written(tmp_path, model)
    assert again.bodies == ("ground", "Bip01_L_Thigh")
    assert in_opensim(tmp_path / "new.osim").markers().keys() == {"a_b"}


PIN = hinge("j", "ground", "a")


@pytest.mark.parametrize(
    ("joints", "coordinates", "message"),
    [
        (
            (PIN, hinge("k", "a", "b", coordinate="j")),
            (),
            "coordinate 'j' moves the joints 'j' and 'k'",
        ),
        (
            (replace(PIN, rotations=[about(axis, "q") for axis in ("x", "y", "z", "x")]),),
            (),
            "joint 'j': it turns along 4 axes",
        ),
        (
            (replace(PIN, rotations=[about(axis, f"q{axis}") for axis in ("x", "-x")]),),
            (),
            "joint 'j': it turns along the same line twice",
        ),
        (
            (replace(ball("j", "ground", "a"), translations=(along("x", "t"),)),),
            (),
            "joint 'j': it is a ball that shifts",
        ),
        (
            (ball("j", "ground", "a"),),
            (Coordinate("j_x", locked=True),),
            "some of its ball's three coordinates are locked",
        ),
        ((PIN,), (Coordinate("j", 2.0, (0.0, 1.0), clamped=True),), "default 2 outside its limits"),
    ],
)
def test_what_opensim_has_not_is_told(joints, coordinates, message):
    with pytest.raises(FormatError) as told:
        format_osim(KinematicModel("m", joints, coordinates))
    assert message in str(told.value)


def test_two_names_that_would_be_the_same_are_told(tmp_path):
    model = KinematicModel("m", (hinge("a b", "ground", "x"), hinge("a_b", "x", "y")))
    with pytest.raises(FormatError, match="joint 'a_b' would be 'a_b' in OpenSim, like another"):
        write_osim(tmp_path / "new.osim", model)


def test_nothing_is_written_over(tmp_path):
    write_osim(tmp_path / "new.osim", LEG)
    with pytest.raises(OutputError, match="there already"):
        write_osim(tmp_path / "new.osim", LEG)
    write_osim(tmp_path / "new.osim", LEG, force=True)
