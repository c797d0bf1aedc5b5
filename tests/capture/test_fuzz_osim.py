"""Any OpenSim file gives a model, a setup or a `PallasError`, whatever is in it."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pallas.capture.osim import parse_osim, read_osim
from pallas.capture.osim_imu import read_imu_ik_setup, read_imu_placer, read_sensor_map
from pallas.capture.osim_markers import read_marker_set
from pallas.capture.osim_setup import read_scale_set, read_scale_setup
from pallas.capture.osim_tasks import read_ik_setup, read_ik_tasks
from pallas.capture.osim_template import filled_template
from pallas.rig import PallasError
from pallas.rig.model import KinematicModel

pytestmark = [
    # What is guessed is told by warnings; a spline through huge numbers may overflow.
    pytest.mark.filterwarnings("ignore::pallas.capture.textfile.FormatWarning"),
]
QUICK = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MODEL = """<?xml version="1.0" encoding="UTF-8"?><OpenSimDocument Version="40000"><Model name="t">
<Ground name="ground"/><length_units>meters</length_units><BodySet name="bodyset"><objects>
<Body name="a"><mass>1</mass><components><PhysicalOffsetFrame name="f"><socket_parent>..</socket_parent>
<translation>0.1 0 0.2</translation><orientation>0.3 0.2 0.1</orientation></PhysicalOffsetFrame></components>
<attached_geometry><Mesh name="m"><scale_factors>1 1 1</scale_factors></Mesh></attached_geometry></Body>
<Body name="b"/><Body name="c"/></objects></BodySet><JointSet name="jointset"><objects>
<PinJoint name="j"><socket_parent_frame>/ground</socket_parent_frame>
<socket_child_frame>/bodyset/a</socket_child_frame><coordinates><Coordinate name="q">
<default_value>0.1</default_value><range>-1 1</range><clamped>true</clamped><locked>false</locked>
<prescribed_function/><prescribed>false</prescribed></Coordinate></coordinates></PinJoint>
<CustomJoint name="k"><socket_parent_frame>../../bodyset/a/f</socket_parent_frame>
<socket_child_frame>o</socket_child_frame><coordinates><Coordinate name="r"/></coordinates><frames>
<PhysicalOffsetFrame name="o"><socket_parent>/bodyset/b</socket_parent><translation>0 0.1 0</translation>
</PhysicalOffsetFrame></frames><SpatialTransform><TransformAxis name="rotation1"><coordinates>r</coordinates>
<axis>0 0 1</axis><LinearFunction name="function"><coefficients>1 0</coefficients></LinearFunction>
</TransformAxis><TransformAxis name="translation2"><coordinates>r</coordinates><axis>0 1 0</axis>
<MultiplierFunction name="function"><function><SimmSpline><x>-1 0 1 2</x><y>0 1 0.5 2</y></SimmSpline>
</function><scale>1.1</scale></MultiplierFunction></TransformAxis><TransformAxis name="translation3">
<coordinates>r</coordinates><axis>0 0 1</axis><PolynomialFunction name="function">
<coefficients>1 2 3</coefficients></PolynomialFunction></TransformAxis></SpatialTransform></CustomJoint>
<UniversalJoint name="l"><socket_parent_frame>/bodyset/c</socket_parent_frame>
<socket_child_frame>/bodyset/b</socket_child_frame><coordinates><Coordinate name="s"/>
<Coordinate name="u"/></coordinates></UniversalJoint></objects></JointSet><ConstraintSet><objects>
<CoordinateCouplerConstraint name="x"><isEnforced>true</isEnforced><coupled_coordinates_function>
<LinearFunction><coefficients>2 0</coefficients></LinearFunction></coupled_coordinates_function>
<independent_coordinate_names>q</independent_coordinate_names>
<dependent_coordinate_name>u</dependent_coordinate_name></CoordinateCouplerConstraint></objects>
</ConstraintSet><MarkerSet><objects><Marker name="m"><socket_parent_frame>/bodyset/a/f</socket_parent_frame>
<location>1 2 3</location><fixed>true</fixed></Marker></objects></MarkerSet></Model></OpenSimDocument>"""
OLD = """<OpenSimDocument Version="20302"><Model name="old"><BodySet name=""><objects>
<Body name="ground"><Joint/></Body><Body name="a"><Joint><CustomJoint name="j">
<parent_body>ground</parent_body><location_in_parent>0 0.9 0</location_in_parent>
<orientation_in_parent>0.1 0.2 0.3</orientation_in_parent><location>0.1 0.2 0.3</location>
<CoordinateSet name=""><objects><Coordinate name="q"/></objects></CoordinateSet><reverse>false</reverse>
<SpatialTransform><TransformAxis name="rotation1"><coordinates>q</coordinates><axis>0 0 1</axis><function>
<natCubicSpline><x>1 2 3</x><y>1 0 1</y></natCubicSpline></function></TransformAxis></SpatialTransform>
</CustomJoint></Joint></Body></objects></BodySet><MarkerSet name=""><objects><Marker name="m"><body>a</body>
<location>0.1 0.2 0.3</location></Marker></objects></MarkerSet></Model></OpenSimDocument>"""
SETUPS = """<OpenSimDocument><InverseKinematicsTool name="w"><IKTaskSet><objects><IKMarkerTask name="a">
<apply>true</apply><weight>50</weight></IKMarkerTask><IKCoordinateTask name="q"><value_type>manual_value
</value_type><value>0.1</value></IKCoordinateTask></objects></IKTaskSet><model_file>a.osim</model_file>
<time_range>0 1</time_range><accuracy>1e-5</accuracy></InverseKinematicsTool></OpenSimDocument>
<ScaleTool><mass>70</mass><ModelScaler><scaling_order>measurements</scaling_order><MeasurementSet><objects>
<Measurement name="t"><MarkerPairSet><objects><MarkerPair><markers>a b</markers></MarkerPair></objects>
</MarkerPairSet><BodyScaleSet><objects><BodyScale name="f"><axes>X Y</axes></BodyScale></objects>
</BodyScaleSet></Measurement></objects></MeasurementSet><ScaleSet><objects><Scale><scales>1 1 1</scales>
<segment>f</segment></Scale></objects></ScaleSet></ModelScaler></ScaleTool>
<ScaleSet><objects><Scale><scales>1 2 1</scales><segment>f</segment></Scale></objects></ScaleSet>
<IMUPlacer><base_heading_axis>z</base_heading_axis><sensor_to_opensim_rotations>0 1 2
</sensor_to_opensim_rotations></IMUPlacer>
<IMUInverseKinematicsTool><time_range>0 1</time_range><OrientationWeightSet><objects>
<OrientationWeight name="a"><weight>1</weight></OrientationWeight></objects></OrientationWeightSet>
</IMUInverseKinematicsTool>
<XsensDataReaderSettings><ExperimentalSensors><ExperimentalSensor name="a"><name_in_model>b</name_in_model>
</ExperimentalSensor></ExperimentalSensors></XsensDataReaderSettings>
<MarkerSet><objects><Marker name="m"><body>a</body><location>1 2 3</location></Marker></objects></MarkerSet>
"""
READERS = (
    read_ik_setup,
    read_ik_tasks,
    read_imu_ik_setup,
    read_imu_placer,
    read_marker_set,
    read_osim,
    read_scale_set,
    read_scale_setup,
    read_sensor_map,
)
# One document of each kind that the setups' text holds, in its order.
DOCUMENTS = [part.strip() for part in re.split(r"(?<=>)\n(?=<[A-Z]\w+>)", SETUPS) if part.strip()]
VALUES = st.sampled_from(
    ["", "nan", "inf", "-1e308", "1e9", "0", "0 0 0", "1 2", "-1", "true", "x", "/", "..", "/ground",
     "/bodyset/a", "/bodyset/b", "/jointset/k/o", "../o", "q", "r", "q r", "ground", "a" * 300, "1_0",
     "1 1 1 1", "1e-300 1 2", "Unassigned", "&amp;", "\N{SNOWMAN}"]
) | st.text("0123456789.- ", max_size=20)  # fmt: skip
TAGS = st.sampled_from(
    ["CustomJoint", "PinJoint", "BallJoint", "FreeJoint", "WeldJoint", "EllipsoidJoint", "Body", "Joint",
     "function", "Constant", "SimmSpline", "LinearFunction", "GCVSpline", "MultiplierFunction", "Marker",
     "PhysicalOffsetFrame", "objects", "components", "Ground", "PointConstraint", "Coordinate"]
)  # fmt: skip
# (kind of edit, where, which value, which tag)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["value", "tag", "name", "drop", "double", "cut", "swap"]),
        st.floats(0, 1, exclude_max=True),
        VALUES,
        TAGS,
    ),
    min_size=1,
    max_size=4,
)
ELEMENT = re.compile(r"<(\w+)((?: [^<>]*)?)>([^<>]*)</\1>")
NAME = re.compile(r'name="[^"]*"')
TAG = re.compile(r"(?<=[</])[A-Z]\w+")


def _edited(text: str, edits: list[tuple[str, float, str, str]]) -> str:
    """A document whose values, tags, names and elements were changed, most often still well-formed."""
    for kind, where, value, tag in edits:
        pattern = {"name": NAME, "tag": TAG}.get(kind, ELEMENT)
        found = list(pattern.finditer(text))
        if kind == "cut":
            text = text[: int(where * len(text))]
        elif kind == "swap":
            words = sorted({match.group() for match in TAG.finditer(text)}) or ["x"]
            text = text.replace(words[int(where * len(words))], tag)
        elif found:
            match = found[int(where * len(found))]
            new = {
                "value": lambda m=match, v=value: f"<{m[1]}{m[2]}>{v}</{m[1]}>",
                "name": lambda v=value: f'name="{v}"',
                "tag": lambda t=tag: t,
                "drop": lambda: "",
                "double": lambda m=match: m.group() * 2,
            }[kind]()
            text = text[: match.start()] + new + text[match.end() :]
    return text


def _use(model: KinematicModel, template: str) -> None:
    """What was read has a default pose, and can go back into its file."""
    assert len(model.default_pose) == len(model.coordinates)
    try:
        filled_template(model, template, {"a": model.world_from_ground[0] + 2.0})
    except PallasError as error:
        assert str(error)


@pytest.mark.parametrize("text", [MODEL, OLD], ids=["new", "old"])
@QUICK
@given(edits=EDITS)
def test_a_damaged_model_gives_a_model_or_an_error(text: str, edits: list):
    changed = _edited(text, edits)
    try:
        model = parse_osim(changed)
    except PallasError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        _use(model, changed)


@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda text: text[1:20])
@QUICK
@given(edits=EDITS)
def test_a_damaged_setup_gives_a_setup_or_an_error(tmp_path, text: str, edits: list):
    path = tmp_path / "setup.xml"
    path.write_text(_edited(text, edits), encoding="utf-8")
    for read in READERS:
        try:
            read(path)
        except PallasError as error:
            assert str(path) in str(error)


@QUICK
@given(content=st.binary(max_size=200))
def test_any_file_gives_a_value_or_an_error(tmp_path, content: bytes):
    path = tmp_path / "file.osim"
    path.write_bytes(content)
    for read in READERS:
        with pytest.raises(PallasError, match="file.osim"):
            read(path)


def test_the_valid_documents_are_valid(tmp_path):
    for text in (MODEL, OLD):
        _use(parse_osim(text), text)
        filled_template(parse_osim(text), text, {})
    assert len(DOCUMENTS) == 7
    for text in DOCUMENTS:
        (tmp_path / "setup.xml").write_text(text)
        read = []
        for reader in READERS:
            try:
                read.append(reader(tmp_path / "setup.xml"))
            except PallasError:
                continue
        assert read, text


def test_a_chain_of_a_thousand_bodies_is_read_without_recursion():
    bodies = "".join(f'<Body name="b{i}"/>' for i in range(1000))
    joints = "".join(
        f'<WeldJoint name="j{i}"><socket_parent_frame>/bodyset/b{i - 1}</socket_parent_frame>'
        f"<socket_child_frame>/bodyset/b{i}</socket_child_frame></WeldJoint>"
        for i in range(999, 0, -1)
    )
    joints += (
        '<WeldJoint name="j0"><socket_parent_frame>/ground</socket_parent_frame>'
        "<socket_child_frame>/bodyset/b0</socket_child_frame></WeldJoint>"
    )
    text = (
        f"<Model><BodySet><objects>{bodies}</objects></BodySet>"
        f"<JointSet><objects>{joints}</objects></JointSet></Model>"
    )
    assert len(parse_osim(text).bodies) == 1001


def test_a_function_in_a_function_in_a_function_is_refused():
    opened = '<MultiplierFunction name="function"><function>' * 40
    closed = "</function></MultiplierFunction>" * 40
    text = re.sub(
        r'<LinearFunction name="function">.*?</LinearFunction>',
        f"{opened}<Constant/>{closed}",
        MODEL,
        count=1,
    )
    with pytest.raises(PallasError, match="can't be read as a function"):
        parse_osim(text)
