"""OpenSim models of before version 4, which OpenSim 4.6 still loads: joints inside their bodies."""

import pytest

from pallas.capture.osim import parse_osim
from pallas.capture.osim_markers import read_marker_set
from pallas.rig import FormatError, PallasError

MASS = "<mass>1</mass><mass_center>0 0 0</mass_center>" + "".join(
    f"<inertia_{axes}>{int(axes[0] == axes[1])}</inertia_{axes}>"
    for axes in ("xx", "yy", "zz", "xy", "xz", "yz")
)
SPLINE = "<natCubicSpline name=''><x>-1 0 1 2</x><y>0 0.1 0.05 0.2</y></natCubicSpline>"
LINE = "<LinearFunction name=''><coefficients>-1 0.1</coefficients></LinearFunction>"
SPATIAL = f"""<SpatialTransform name="">
<TransformAxis name="rotation1"><coordinates> tilt </coordinates><axis>0 0 1</axis>
  <function>{LINE}</function></TransformAxis>
<TransformAxis name="rotation2"><coordinates> list </coordinates><axis>2 0 0</axis>
  <function>{SPLINE}</function></TransformAxis>
<TransformAxis name="rotation3"><coordinates></coordinates><axis>0 1 0</axis>
  <function><Constant name=""><value>0.2</value></Constant></function></TransformAxis>
<TransformAxis name="translation1"><coordinates> tx </coordinates><axis>1 0 0</axis>
  <function>{LINE}</function></TransformAxis>
<TransformAxis name="translation2"><coordinates> tilt </coordinates><axis>0 3 0</axis>
  <function>{SPLINE}</function></TransformAxis>
<TransformAxis name="translation3"><coordinates></coordinates><axis>0 0 1</axis>
  <function><Constant name=""><value>0.05</value></Constant></function></TransformAxis>
</SpatialTransform>"""
MARKER = "<Marker name='m'><body> femur </body><location>0.1 0.2 0.3</location><fixed> true </fixed></Marker>"
COUPLER = """<CoordinateCouplerConstraint name="c"><isDisabled> OFF </isDisabled>
<coupled_coordinates_function><LinearFunction name=""><coefficients>0.5 0.1</coefficients></LinearFunction>
</coupled_coordinates_function><independent_coordinate_names>tilt</independent_coordinate_names>
<dependent_coordinate_name>flex</dependent_coordinate_name></CoordinateCouplerConstraint>"""


def joint(kind, parent, coordinates, inside="", reverse="false"):
    listed = "".join(
        f'<Coordinate name="{name}"><motion_type> rotational </motion_type>'
        "<default_value> 0.2 </default_value><range> -1.5 1.5 </range></Coordinate>"
        for name in coordinates
    )
    return (
        f'<Joint><{kind} name="{kind}_{parent}"><parent_body> {parent} </parent_body>'
        "<location_in_parent>0 0.9 0</location_in_parent>"
        "<orientation_in_parent>0.1 0.2 0.3</orientation_in_parent>"
        "<location>0.01 0.02 0.03</location><orientation>-0.3 0.2 -0.1</orientation>"
        f'<CoordinateSet name=""><objects>{listed}</objects><groups/></CoordinateSet>'
        f"<reverse> {reverse} </reverse>{inside}</{kind}></Joint>"
    )


def document(pelvis, femur="", version="20302", disabled="true"):
    bodies = {"ground": "<Joint/>", "pelvis": pelvis}
    bodies["femur"] = femur or joint("PinJoint", "pelvis", ["flex"])
    coupler = "" if femur else COUPLER.replace("OFF", disabled)
    held = "".join(f'<Body name="{name}">{MASS}{inside}</Body>' for name, inside in bodies.items())
    return f"""<?xml version="1.0" encoding="UTF-8"?><OpenSimDocument Version="{version}">
<Model name="old"><length_units> meters </length_units>
<BodySet name=""><objects>{held}</objects><groups/></BodySet>
<ConstraintSet name=""><objects>{coupler}</objects><groups/></ConstraintSet>
<MarkerSet name=""><objects>{MARKER}</objects><groups/></MarkerSet></Model></OpenSimDocument>"""


CUSTOM = joint("CustomJoint", "ground", ["tilt", "list", "tx"], SPATIAL)


@pytest.mark.parametrize("version", ["10905", "20000", "20302", "30000"])
def test_joints_inside_bodies_are_where_opensim_has_them(same, version):
    model = same(document(CUSTOM, version=version))
    assert model.bodies == ("ground", "pelvis", "femur")
    assert model.markers[0].free == (False, False, False)
    assert model.coordinates[0].limits == (-1.5, 1.5)
    assert model.default_pose == pytest.approx([0.2] * 4)


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("WeldJoint", 0), ("PinJoint", 1), ("SliderJoint", 1), ("UniversalJoint", 2),
        ("BallJoint", 3), ("GimbalJoint", 3), ("FreeJoint", 6),
    ],
)  # fmt: skip
def test_every_old_joint_moves_as_in_opensim(same, kind, count):
    same(document(CUSTOM, joint(kind, "pelvis", [f"q{i}" for i in range(count)])))


@pytest.mark.parametrize(
    ("kind", "count"), [("WeldJoint", 0), ("PinJoint", 1), ("SliderJoint", 1), ("BallJoint", 3)]
)
def test_a_reversed_joint_moves_as_in_opensim(same, kind, count):
    same(document(CUSTOM, joint(kind, "pelvis", [f"q{i}" for i in range(count)], reverse="true")))


def test_a_reversed_joint_that_turns_and_shifts_is_told():
    with pytest.raises(FormatError, match="such a reversed joint can't be read"):
        parse_osim(document(CUSTOM.replace("<reverse> false", "<reverse> true")))


def test_a_coupler_is_disabled_or_not():
    assert parse_osim(document(CUSTOM)).couplings == ()
    (coupling,) = parse_osim(document(CUSTOM, disabled="false")).couplings
    assert (coupling.coordinate, coupling.driver) == ("flex", "tilt")
    assert coupling.function(2.0) == pytest.approx(1.1)


def test_an_old_marker_set_names_bodies(tmp_path):
    (tmp_path / "set.xml").write_text(
        f'<OpenSimDocument Version="20302"><MarkerSet name="s"><objects>{MARKER}</objects>'
        "</MarkerSet></OpenSimDocument>"
    )
    (marker,) = read_marker_set(tmp_path / "set.xml")
    assert (marker.name, marker.body, marker.position) == ("m", "femur", (0.1, 0.2, 0.3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (document(CUSTOM.replace("> ground <", "> shank <")), "'shank', which is no body"),
        (document(CUSTOM.replace("> ground <", "> femur <")), "no joints connect 2 of the bodies"),
        (document("<Joint/>"), "no joints connect 2 of the bodies to the ground (pelvis, femur)"),
        (document(CUSTOM, joint("ScrewJoint", "pelvis", [])), "a ScrewJoint can't be read"),
        (document(CUSTOM.replace("parent_body", "x")), "connected to no frame"),
    ],
)
def test_what_can_not_be_read_is_told(text, message):
    with pytest.raises(PallasError) as told:
        parse_osim(text)
    assert message in str(told.value)
