"""OpenSim models of version 4: every joint and function, frames on frames, couplers, coordinates, markers."""

import math

import pytest
from osim_documents import (
    LINE,
    MASS,
    SPLINE,
    UNIVERSAL,
    coordinate,
    coupler,
    document,
    joint,
    marker,
    spatial,
)

from pallas.capture.osim import parse_osim, read_osim
from pallas.capture.osim_frames import orientation_of
from pallas.capture.osim_markers import read_marker_set
from pallas.capture.textfile import FormatWarning
from pallas.rig import FormatError
from pallas.rig.model import IDENTITY, Constant, Frame, Linear, Scaled
from pallas.rig.model.scaling import scaled


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("WeldJoint", 0),
        ("PinJoint", 1),
        ("SliderJoint", 1),
        ("UniversalJoint", 2),
        ("BallJoint", 3),
        ("GimbalJoint", 3),
        ("PlanarJoint", 3),
        ("FreeJoint", 6),
    ],
)
def test_every_joint_moves_as_in_opensim(same, kind, count):
    moved = joint(kind, coordinates=[f"q{i}" for i in range(count)])
    after = joint(
        "PinJoint", coordinates=["last"], name="k", parent="/bodyset/a", child="/bodyset/b"
    )
    model = same(document(moved, after, bodies=("a", "b"), markers=marker()))
    assert len(model.coordinates) == count + 1


@pytest.mark.parametrize(
    "function",
    [
        "<Constant><value>0.3</value></Constant>",
        "<LinearFunction><coefficients>-2 0.1</coefficients></LinearFunction>",
        SPLINE,
        SPLINE.replace("SimmSpline", "NaturalCubicSpline"),
        SPLINE.replace("SimmSpline", "natCubicSpline"),
        "<SimmSpline><x>0 1 1.5</x><y>0.1 0.3 -0.1</y></SimmSpline>",
        "<SimmSpline><x>0 1</x><y>0.1 0.3</y></SimmSpline>",
        "<PiecewiseLinearFunction><x>-1 0.2 0.9</x><y>0.1 0.3 -0.4</y></PiecewiseLinearFunction>",
        "<PolynomialFunction><coefficients>0.3 -0.2 0.1 0.05</coefficients></PolynomialFunction>",
        "<PolynomialFunction><coefficients>0.3</coefficients></PolynomialFunction>",
        f"<MultiplierFunction><function>{SPLINE}</function><scale>-1.2</scale></MultiplierFunction>",
    ],
)
def test_every_function_has_opensims_values(same, function):
    wrapped = f"<function>{function}</function>"
    inside = spatial(
        rotation1=("0 0 1", "q", LINE),
        rotation3=("1 0 0", "q", wrapped),
        translation2=("0 1 0", "q", wrapped),
    )
    same(document(joint("CustomJoint", inside, ["q"]), markers=marker()))


def test_oblique_axes_of_any_length_and_several_coordinates(same):
    inside = spatial(
        rotation1=("1 2 3", "q", LINE),
        rotation2=("0 1 1", "r", f"<function>{SPLINE}</function>"),
        rotation3=("-2 0 0", "q", LINE),
        translation1=("3 0 1", "s", LINE),
        translation2=("0 0.1 0", "q", f"<function>{SPLINE}</function>"),
    )
    model = same(document(joint("CustomJoint", inside, ["q", "r", "s"]), markers=marker()))
    assert [c.kind for c in model.coordinates] == ["mixed", "rotation", "translation"]


def test_an_axis_of_a_coordinate_that_is_not_listed_adds_it(same):
    inside = spatial(translation1=("1 0 0", "q", LINE), translation2=("0 1 0", "other", LINE))
    model = same(document(joint("CustomJoint", inside, ["q"])))
    assert model.coordinate_names == ("q", "other")


def test_an_axis_without_a_function_is_still(same):
    inside = spatial(rotation1=("1 0 0", "q", LINE), rotation2=("0 1 0", "q", ""))
    model = same(document(joint("CustomJoint", inside, ["q"])))
    assert len(model.joints[0].rotations) == 1


def test_constant_zero_axes_cost_nothing():
    zero = (
        "<MultiplierFunction name='function'><function><Constant/></function></MultiplierFunction>"
    )
    inside = spatial(rotation1=("0 0 1", "q", LINE), translation1=("1 0 0", "", zero))
    read = parse_osim(document(joint("CustomJoint", inside, ["q"]))).joints[0]
    assert (len(read.rotations), len(read.translations)) == (1, 0)
    assert read.rotations[0].function == IDENTITY


def test_a_multiplied_constant_is_a_constant():
    held = "<function><Constant><value>0.5</value></Constant></function>"
    function = f"<MultiplierFunction name='function'>{held}<scale>3</scale></MultiplierFunction>"
    inside = spatial(rotation1=("0 0 1", "", function))
    read = parse_osim(document(joint("CustomJoint", inside))).joints[0]
    assert read.rotations[0].function == Constant(1.5)


@pytest.mark.parametrize("kind", ["PinJoint", "BallJoint", "SliderJoint"])
def test_a_joint_whose_parent_is_the_outer_body_is_turned_around(same, kind):
    names = {"PinJoint": ["q"], "SliderJoint": ["q"], "BallJoint": ["q", "r", "s"]}[kind]
    model = same(
        document(
            joint("PinJoint", coordinates=["first"], name="first", parent="/ground"),
            joint(kind, coordinates=names, name="j", parent="/bodyset/b", child="/bodyset/a"),
            bodies=("a", "b"),
            markers=marker(frame="/bodyset/b"),
        )
    )
    assert (model.joints[1].parent, model.joints[1].child) == ("a", "b")


def test_frames_on_frames_are_joined(same):
    frames = (
        '<Body name="a"><components><PhysicalOffsetFrame name="f"><socket_parent>..</socket_parent>'
        "<translation>0.1 0 0.2</translation><orientation>0.3 0.2 0.1</orientation>"
        '</PhysicalOffsetFrame><PhysicalOffsetFrame name="g"><socket_parent>../f</socket_parent>'
        "<translation>0 0.3 0</translation><orientation>1 -0.2 0.7</orientation>"
        f"</PhysicalOffsetFrame></components>{MASS}</Body>"
    )
    same(
        document(
            joint("PinJoint", coordinates=["q"], name="k"),
            joint("PinJoint", coordinates=["r"], parent="/bodyset/a/g", child="/bodyset/b"),
            bodies=(frames, "b"),
            markers=marker("m", "/bodyset/a/g") + marker("n", "../../jointset/j/c"),
        )
    )


@pytest.mark.parametrize(
    "frame",
    [
        "/bodyset/a",
        "../../bodyset/a",
        "../../jointset/k/../../bodyset/a",
    ],
)
def test_sockets_hold_absolute_or_relative_paths(same, frame):
    same(
        document(
            joint("PinJoint", coordinates=["q"], name="k"),
            f'<WeldJoint name="w"><socket_parent_frame>{frame}</socket_parent_frame>'
            "<socket_child_frame>/bodyset/b</socket_child_frame></WeldJoint>",
            bodies=("a", "b"),
        )
    )


def test_a_coupler_multiplies_its_function_and_the_default_pose_keeps_it(tmp_path, in_opensim):
    path = tmp_path / "model.osim"
    path.write_text(document(UNIVERSAL, constraints=coupler("r", "q", SPLINE)))
    model, theirs = read_osim(path), in_opensim(path)
    assert isinstance(model.couplings[0].function, Scaled)
    theirs.place({"q": 0.5}, assemble=True)
    assert theirs.values["r"] == pytest.approx(float(model.couplings[0].function(0.5)), abs=1e-6)


def test_the_coupler_of_a_shift_is_scaled_as_by_opensim(tmp_path, in_opensim):
    path = tmp_path / "model.osim"
    slider = joint("SliderJoint", "", ["r"], "k", "/bodyset/a", "/bodyset/b")
    pin = joint("PinJoint", coordinates=["q"])
    path.write_text(document(pin, slider, bodies=("a", "b"), constraints=coupler("r", "q")))
    factors = {"a": (1.3, 1.3, 1.3), "b": (0.8, 0.8, 0.8)}
    model, theirs = scaled(read_osim(path), factors), in_opensim(path).scaled(factors)
    theirs.place({"q": 0.5}, assemble=True)
    assert theirs.values["r"] == pytest.approx(2 * 0.5 * 1.3, abs=1e-6)
    assert float(model.couplings[0].function(0.5)) == pytest.approx(2 * 0.5 * 1.3)


def test_a_coupler_that_is_not_enforced_is_left_out():
    off = "<isEnforced>false</isEnforced>"
    read = parse_osim(document(UNIVERSAL, constraints=coupler("r", "q", more=off)))
    assert read.couplings == ()
    other = f'<PointConstraint name="p">{off}</PointConstraint>'
    assert parse_osim(document(UNIVERSAL, constraints=other)).couplings == ()


def test_couplers_on_couplers_are_driven_by_the_free_coordinate():
    gimbal = joint("GimbalJoint", coordinates=["q", "r", "s"])
    line = "<LinearFunction><coefficients>3 0.5</coefficients></LinearFunction>"
    read = parse_osim(
        document(gimbal, constraints=coupler("s", "r", line) + coupler("r", "q", line))
    )
    # r = 2 (3 q + 0.5), s = 2 (3 r + 0.5)
    assert [(c.coordinate, c.driver) for c in read.couplings] == [("s", "q"), ("r", "q")]
    assert read.couplings[0].function == Linear(36.0, 7.0)


def test_coordinates_have_their_default_limits_and_locks():
    more = "<range>-Inf 1.5</range><clamped>true</clamped><locked>true</locked>"
    read = parse_osim(document(joint("PinJoint", coordinates=[coordinate("q", 0.2, more)])))
    q = read.coordinates[0]
    assert (q.default, q.limits, q.clamped, q.locked) == (0.2, (-math.inf, 1.5), True, True)
    assert q.kind == "rotation"


def test_a_prescribed_coordinate_is_locked_where_its_function_begins():
    function = "<prescribed_function>{}</prescribed_function><prescribed>true</prescribed>"
    still = function.format("<Constant><value>0.3</value></Constant>")
    read = parse_osim(document(joint("PinJoint", coordinates=[coordinate("q", 0.2, still)])))
    assert (read.coordinates[0].default, read.coordinates[0].locked) == (0.3, True)
    moving = function.format(LINE)
    with pytest.warns(FormatWarning, match="prescribed over time"):
        parse_osim(document(joint("PinJoint", coordinates=[coordinate("q", 0.2, moving)])))


def test_a_fixed_marker_is_not_free():
    read = parse_osim(
        document(UNIVERSAL, markers=marker("m", fixed="true") + marker("n", fixed=" false "))
    )
    assert [m.free for m in read.markers] == [(False,) * 3, (True,) * 3]


def test_a_marker_set_replaces_and_adds(tmp_path):
    held = marker("n", location="1 2 3") + marker("m", fixed="true", location="4 5 6")
    (tmp_path / "set.xml").write_text(
        f'<OpenSimDocument Version="40000"><MarkerSet name="s"><objects>{held}</objects>'
        "</MarkerSet></OpenSimDocument>"
    )
    (tmp_path / "model.osim").write_text(document(UNIVERSAL, markers=marker("m") + marker("o")))
    read = read_osim(tmp_path / "model.osim", tmp_path / "set.xml")
    assert read.marker_names == ("m", "o", "n")
    assert read.markers[0].position == (4.0, 5.0, 6.0)
    assert [m.name for m in read_marker_set(tmp_path / "set.xml")] == ["n", "m"]


def test_a_marker_set_for_another_model_is_told(tmp_path):
    (tmp_path / "set.xml").write_text(
        f"<MarkerSet><objects>{marker('n', '/bodyset/z')}</objects></MarkerSet>"
    )
    (tmp_path / "model.osim").write_text(document(UNIVERSAL))
    with pytest.raises(FormatError, match="set.xml: marker 'n': .*'/bodyset/z'.*bodies are: a"):
        read_osim(tmp_path / "model.osim", tmp_path / "set.xml")


def test_a_marker_on_an_offset_frame_needs_its_model(tmp_path):
    (tmp_path / "set.xml").write_text(
        f"<MarkerSet><objects>{marker('n', '/jointset/j/p')}</objects></MarkerSet>"
    )
    with pytest.raises(FormatError, match="together with its model"):
        read_marker_set(tmp_path / "set.xml")


@pytest.mark.parametrize("angles", [(0.3, 1.1, -2.0), (0.7, math.pi / 2, 0), (-1, -math.pi / 2, 0)])
def test_angles_of_a_rotation_are_found_again(angles):
    assert orientation_of(Frame((0, 0, 0), angles).rotation) == pytest.approx(angles)
