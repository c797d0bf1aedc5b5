"""OpenSim models of version 4: every joint and function, frames on frames, couplers, and what is told."""

import math

import numpy as np
import pytest

from pallas.capture.osim import parse_osim, read_osim
from pallas.capture.osim_frames import orientation_of
from pallas.capture.osim_markers import read_marker_set
from pallas.capture.textfile import FormatWarning
from pallas.rig import FileError, FormatError, PallasError
from pallas.rig.model import IDENTITY, Constant, Frame, Linear, Scaled
from pallas.rig.model.scaling import scaled

CLOSE = 1e-9  # metres
MASS = "<mass>1</mass><mass_center>0 0 0</mass_center><inertia>1 1 1 0 0 0</inertia>"
LINE = '<LinearFunction name="function"><coefficients>1 0</coefficients></LinearFunction>'
ZERO = '<Constant name="function"><value>0</value></Constant>'
SPLINE = "<SimmSpline><x>-1 -0.2 0.3 0.9 1.5</x><y>0.1 0.3 -0.1 0.2 0.5</y></SimmSpline>"


def axis(name, direction, coordinate="", function=ZERO):
    return (
        f'<TransformAxis name="{name}"><coordinates>{coordinate}</coordinates>'
        f"<axis>{direction}</axis>{function}</TransformAxis>"
    )


def spatial(**axes):
    """A SpatialTransform; each axis as (direction, coordinate, function), the others still."""
    still = dict(zip(AXES, ("1 0 0", "0 1 0", "0 0 1") * 2, strict=True))
    return "".join(
        axis(name, *axes[name]) if name in axes else axis(name, still[name]) for name in AXES
    ).join(("<SpatialTransform>", "</SpatialTransform>"))


AXES = ("rotation1", "rotation2", "rotation3", "translation1", "translation2", "translation3")


def coordinate(name, default=0.1, more=""):
    return f'<Coordinate name="{name}"><default_value>{default}</default_value>{more}</Coordinate>'


def joint(kind, inside="", coordinates=(), name="j", parent="/ground", child="/bodyset/a"):
    """A joint with an offset frame on either side."""
    listed = "".join(c if c.startswith("<") else coordinate(c) for c in coordinates)
    return (
        f'<{kind} name="{name}"><socket_parent_frame>p</socket_parent_frame>'
        f"<socket_child_frame>c</socket_child_frame><coordinates>{listed}</coordinates><frames>"
        f'<PhysicalOffsetFrame name="p"><socket_parent>{parent}</socket_parent>'
        "<translation>0.1 0.2 0.3</translation><orientation>0.4 -0.5 0.6</orientation>"
        f'</PhysicalOffsetFrame><PhysicalOffsetFrame name="c"><socket_parent>{child}</socket_parent>'
        "<translation>-0.2 0.1 0.05</translation><orientation>-0.3 0.2 1.1</orientation>"
        f"</PhysicalOffsetFrame></frames>{inside}</{kind}>"
    )


def marker(name="m", frame="/bodyset/a", fixed="false", location="0.1 0.2 0.3"):
    return (
        f'<Marker name="{name}"><socket_parent_frame>{frame}</socket_parent_frame>'
        f"<location>{location}</location><fixed>{fixed}</fixed></Marker>"
    )


def document(*joints, bodies=("a",), markers="", constraints="", more=""):
    held = "".join(b if b.startswith("<") else f'<Body name="{b}">{MASS}</Body>' for b in bodies)
    return (
        '<?xml version="1.0" encoding="UTF-8" ?><OpenSimDocument Version="40000"><Model name="t">'
        f'<Ground name="ground"/><BodySet name="bodyset"><objects>{held}</objects></BodySet>'
        f'<JointSet name="jointset"><objects>{"".join(joints)}</objects></JointSet>'
        f'<ConstraintSet name="constraintset"><objects>{constraints}</objects></ConstraintSet>'
        f'<MarkerSet name="markerset"><objects>{markers}</objects></MarkerSet>{more}'
        "</Model></OpenSimDocument>"
    )


@pytest.fixture
def same(tmp_path, in_opensim):
    """Whether OpenSim puts everything where we do, in poses well beyond the knots."""

    def check(text):
        path = tmp_path / "model.osim"
        path.write_text(text)
        model, theirs = read_osim(path), in_opensim(path)
        assert set(theirs.coordinates) == set(model.coordinate_names)
        poses = np.random.default_rng(0).uniform(-2.0, 2.0, (10, len(model.coordinates)))
        assert max(theirs.apart(model, pose) for pose in poses) < CLOSE
        return model

    return check


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


def coupler(driven, driver, function=LINE, more=""):
    function = function.replace(' name="function"', "")
    return (
        f'<CoordinateCouplerConstraint name="{driven}_con">{more}'
        f"<coupled_coordinates_function>{function}</coupled_coordinates_function>"
        f"<independent_coordinate_names>{driver}</independent_coordinate_names>"
        f"<dependent_coordinate_name>{driven}</dependent_coordinate_name>"
        "<scale_factor>2</scale_factor></CoordinateCouplerConstraint>"
    )


UNIVERSAL = joint("UniversalJoint", coordinates=["q", "r"])


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


PIN = joint("PinJoint", coordinates=["q"])
CUSTOM = joint("CustomJoint", spatial(rotation1=("0 0 1", "q", "FUNCTION")), ["q"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(joint("EllipsoidJoint")), "joint 'j': a EllipsoidJoint can't be read; these"),
        (
            document(joint("PinJoint", coordinates=["q", "r"])),
            "2 coordinates, but a PinJoint has 1",
        ),
        (document(joint("BallJoint", coordinates=["q"])), "1 coordinates, but a BallJoint has 3"),
        (document(joint("CustomJoint")), "no <SpatialTransform>"),
        (document(CUSTOM.replace("FUNCTION", "<function><GCVSpline/></function>")), "<GCVSpline>"),
        (
            document(CUSTOM.replace("FUNCTION", LINE.replace("1 0", "1 2 0"))),
            "3 coefficients and so depends on several",
        ),
        (
            document(CUSTOM.replace("FUNCTION", LINE).replace(">q</coord", ">q r</coord")),
            "axis rotation1 is a function of 2 coordinates",
        ),
        (
            document(CUSTOM.replace("FUNCTION", LINE).replace(">q</coord", "></coord")),
            "no coordinate",
        ),
        (
            document(CUSTOM.replace("FUNCTION", LINE).replace("0 0 1</axis>", "0 0 0</axis>", 1)),
            "length above zero",
        ),
        (
            document(
                CUSTOM.replace(
                    "FUNCTION",
                    "<function><SimmSpline><x>0 0</x><y>1 2</y></SimmSpline></function>",
                )
            ),
            "joint 'j': a SimmSpline has 2 knots",
        ),
        *(
            (
                document(
                    CUSTOM.replace(
                        "FUNCTION", f"<function><SimmSpline>{knots}</SimmSpline></function>"
                    )
                ),
                "a SimmSpline has knots too close",
            )
            for knots in (
                "<x>0 1e-300 1 2</x><y>1 2 3 4</y>",
                "<x>0 1e-320 2e-320 3e-320</x><y>1 2 3 4</y>",
            )
        ),
        (
            document(CUSTOM.replace("FUNCTION", LINE.replace("1 0", "nan 0"))),
            "found 'nan', expected a number",
        ),
        (document(PIN, bodies=("a", "b")), "no joints connect 1 of the bodies to the ground (b)"),
        (document(PIN, bodies=("a", "a")), "body 'a' is there twice"),
        (
            document(PIN, joint("WeldJoint", name="w", parent="/bodyset/a", child="/ground")),
            "a loop of joints can't be read",
        ),
        (
            document(
                PIN,
                joint("WeldJoint", name="w", parent="/bodyset/b", child="/bodyset/c"),
                joint("WeldJoint", name="v", parent="/bodyset/c", child="/bodyset/b"),
                bodies=("a", "b", "c"),
            ),
            "no joints connect 2 of the bodies",
        ),
        (
            document(PIN.replace("/bodyset/a", "/bodyset/z")),
            "joint 'j': it is connected to '/bodyset/z', which is no body",
        ),
        (
            document(PIN.replace("<socket_parent>/ground", "<socket_parent>../p")),
            "hangs on itself",
        ),
        (
            document(PIN.replace("<socket_parent_frame>p", "<socket_parent_frame>")),
            "connected to no frame",
        ),
        (
            document(PIN.replace("0.1 0.2 0.3", "0.1 inf 0.3")),
            "joint 'j': <translation>: found 'inf'",
        ),
        (document(PIN.replace("0.1 0.2 0.3", "0.1 0.2")), "expected 3 numbers"),
        (
            document(joint("PinJoint", coordinates=[coordinate("q", 0, "<range>1 -1</range>")])),
            "coordinate 'q' has limits from 1 to -1",
        ),
        (
            document(joint("PinJoint", coordinates=[coordinate("q", 0, "<locked>x</locked>")])),
            "coordinate 'q': <locked> is 'x', expected true or false",
        ),
        (document(joint("PinJoint", coordinates=[coordinate("q", "nan")])), "found 'nan'"),
        (document(PIN, markers=marker() + marker()), "two markers are called 'm'"),
        (document(PIN, markers=marker(location="1 2")), "marker 'm': <location> holds '1 2'"),
        (
            document(PIN, constraints='<WeldConstraint name="w"/>'),
            "constraint 'w': a WeldConstraint is enforced, which closes a loop",
        ),
        (document(UNIVERSAL, constraints=coupler("r", "q s")), "couples 'r' to 2 coordinates"),
        (document(UNIVERSAL, constraints=coupler("r", "z")), "no coordinate 'z'"),
        (
            document(UNIVERSAL, constraints=coupler("r", "q") + coupler("q", "r")),
            "drives itself through couplers",
        ),
        (
            document(
                joint("GimbalJoint", coordinates=["q", "r", "s"]),
                constraints=coupler("s", "r", SPLINE) + coupler("r", "q"),
            ),
            "driven by 'r', which is itself driven",
        ),
        (document(PIN, more="<length_units>millimeters</length_units>"), "lengths are in 'millim"),
        (document(), "no joints connect 1 of the bodies"),
        (document(bodies=()), "no joint; expected at least one body"),
        (
            document(
                PIN,
                joint("FreeJoint", "", list("tuvxyz"), "f", "/bodyset/b", "/bodyset/a"),
                bodies=("a", "b"),
            ),
            "joint 'f': its parent 'b' is farther from the ground than its child 'a'",
        ),
        ("<OpenSimDocument><MarkerSet/></OpenSimDocument>", "holds <MarkerSet>, expected <Model>"),
        (document(PIN)[:-40], "cut or damaged"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + document(PIN), "entities"),
        ("<a>" * 200 + "</a>" * 200, "nested more than 100 deep"),
        ("text", "no well-formed XML"),
    ],
)
def test_what_can_not_be_read_is_told_in_one_line(text, message):
    with pytest.raises(PallasError) as told:
        parse_osim(text)
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "model.osim"
    path.write_text(document(joint("EllipsoidJoint")))
    with pytest.raises(FormatError, match="model.osim: joint 'j'"):
        read_osim(path)
    with pytest.raises(FileError, match="does not exist"):
        read_osim(tmp_path / "none.osim")
