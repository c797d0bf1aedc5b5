"""Models written into the file that they came from: what OpenSim loads is where the model was."""

import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.capture.osim import read_osim
from pallas.capture.osim_writer import write_osim
from pallas.rig import FormatError
from pallas.rig.model import (
    BodyMarker,
    Coupling,
    Frame,
    KinematicModel,
    Linear,
    SimmSpline,
    about,
    hinge,
)
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world
from pallas.rig.model.scaling import scaled

CLOSE = 1e-9  # metres
ROUNDED = 2e-5  # metres: OpenSim 4 keeps six digits of the frames in a file of before version 4
GAIT = "markers/opensim/Gait2354_Simbody/subject01_simbody.osim"
OPENCAP = "markers/opencap_models/Models/LaiUhlrich2022"
MODELS = [
    "imu/opensense/Rajagopal_2015.osim",
    "markers/opensim/Gait10dof18musc/subject01.osim",
    GAIT,
    "markers/opensim/Hamner/subject02_scaled.osim",
    "markers/opensim/Rajagopal/Rajagopal2016.osim",
    f"{OPENCAP}.osim",
    f"{OPENCAP}_shoulder.osim",
    "video/pose2sim/openpose/Model_Pose2Sim_Body25b.osim",
]
SPLINE = SimmSpline(np.array([-1.0, 0.0, 0.5, 1.0]), np.array([0.0, 0.1, 0.05, 0.2]))
OTHER = KinematicModel("o", (hinge("hip", "ground", "thigh"), hinge("knee", "thigh", "shank")))


def random_poses(model, count=5):
    low, high = np.array([c.limits for c in model.coordinates]).clip(-1.5, 1.5).T
    return np.random.default_rng(0).uniform(low, high, (count, len(low)))


def changed(model):
    """Scaled bodies, moved markers, other coordinates: what a registration does."""
    random = np.random.default_rng(1)
    factors = {body: random.uniform(0.7, 1.4, 3) for body in model.bodies[1:]}
    model = scaled(model, factors)
    moved = [
        replace(m, position=tuple(m.position + random.normal(0, 0.01, 3))) for m in model.markers
    ]
    added = BodyMarker("an added one", model.bodies[-1], (0.1, 0.2, 0.3), (False, False, False))
    model = model.with_markers([*moved[1:], added])
    free = model.free_coordinates[0]
    name = model.coordinate_names[free]
    changes = {name: {"default": 0.05, "limits": (-1.25, math.inf), "locked": True}}
    return model.with_coordinates(changes), factors


@pytest.mark.filterwarnings("ignore::pallas.capture.textfile.FormatWarning")
@pytest.mark.parametrize("name", MODELS)
def test_a_changed_model_goes_back_into_its_file(data, tmp_path, in_opensim, name):
    model, factors = changed(read_osim(data(name)))
    write_osim(tmp_path / "out.osim", model, data(name), scales=factors)
    again, theirs = read_osim(tmp_path / "out.osim"), in_opensim(tmp_path / "out.osim")
    assert max(theirs.apart(again, pose) for pose in random_poses(again)) < CLOSE
    pose = torch.tensor(random_poses(model))
    for ours, read in zip(bodies_in_world(model, pose), bodies_in_world(again, pose), strict=True):
        torch.testing.assert_close(ours, read)
    torch.testing.assert_close(markers_in_world(model, pose), markers_in_world(again, pose))
    assert set(again.coordinates) == set(model.coordinates)
    locked = theirs.coordinates[next(c.name for c in model.coordinates if c.limits[0] == -1.25)]
    assert (locked.getRangeMin(), locked.getRangeMax()) == (-1.25, math.inf)
    assert locked.getDefaultValue() == 0.05
    assert again.marker_names[-1] == "an_added_one"


def test_an_unchanged_model_leaves_its_file_as_it_is(data, tmp_path):
    write_osim(tmp_path / "out.osim", read_osim(data(GAIT)), data(GAIT))
    before, after = (
        ET.canonicalize(path.read_text(), strip_text=True, with_comments=True)
        for path in (data(GAIT), tmp_path / "out.osim")
    )
    assert before == after


def test_geometry_is_scaled_and_masses_are_not(data, tmp_path, in_opensim):
    factors = {"pelvis": (1.1, 1.2, 0.9), "tibia_r": 1.3}
    model = scaled(read_osim(data(GAIT)), factors)
    write_osim(tmp_path / "out.osim", model, data(GAIT), scales=factors)
    before, after = (
        {
            body.get("name"): (
                np.array(body.findtext("attached_geometry/Mesh/scale_factors").split(), float),
                body.findtext("mass"),
            )
            for body in ET.parse(path).iter("Body")
        }
        for path in (data(GAIT), tmp_path / "out.osim")
    )
    for body, (size, mass) in before.items():
        np.testing.assert_allclose(after[body][0], size * factors.get(body, 1.0))
        assert after[body][1] == mass


MASS = "<mass>1</mass><mass_center>0 0 0</mass_center><inertia>1 1 1 0 0 0</inertia>"
SHARED = f"""<OpenSimDocument Version="40000"><Model name="t"><!-- kept --><Ground name="ground"/>
<BodySet name="bodyset"><objects><Body name="a"><components><PhysicalOffsetFrame name="f">
<socket_parent>..</socket_parent><translation>0.1 0 0.2</translation>
<orientation>0.3 0.2 0.1</orientation></PhysicalOffsetFrame></components>{MASS}</Body>
<Body name="b">{MASS}</Body><Body name="c">{MASS}</Body></objects></BodySet>
<JointSet name="jointset"><objects>
<PinJoint name="j"><socket_parent_frame>/ground</socket_parent_frame>
<socket_child_frame>/bodyset/a</socket_child_frame><coordinates><Coordinate name="q"/></coordinates>
</PinJoint>
<PinJoint name="k"><socket_parent_frame>/bodyset/a/f</socket_parent_frame>
<socket_child_frame>o</socket_child_frame><coordinates><Coordinate name="r"/></coordinates><frames>
<PhysicalOffsetFrame name="o"><socket_parent>/bodyset/b</socket_parent><translation>0 0.1 0</translation>
</PhysicalOffsetFrame></frames></PinJoint>
<PinJoint name="l"><socket_parent_frame>/bodyset/a/f</socket_parent_frame>
<socket_child_frame>/jointset/l/p</socket_child_frame><coordinates><Coordinate name="s"/></coordinates>
<frames>
<PhysicalOffsetFrame name="p"><socket_parent>../../../bodyset/c</socket_parent>
<translation>0 0.2 0</translation></PhysicalOffsetFrame></frames></PinJoint>
</objects></JointSet></Model></OpenSimDocument>"""
OLD = """<OpenSimDocument Version="20302"><Model name="old"><BodySet name=""><objects>
<Body name="ground"><Joint/></Body><Body name="a"><mass>1</mass><mass_center>0 0 0</mass_center>
<inertia_xx>1</inertia_xx><inertia_yy>1</inertia_yy><inertia_zz>1</inertia_zz>
<Joint><CustomJoint name="j"><parent_body>ground</parent_body><location_in_parent>0 0.9 0</location_in_parent>
<orientation_in_parent>0.1 0.2 0.3</orientation_in_parent><location>0.1 0.2 0.3</location>
<orientation>0 0 0.4</orientation><CoordinateSet name=""><objects><Coordinate name="q"/><Coordinate name="r"/>
</objects></CoordinateSet><reverse>REVERSE</reverse><SpatialTransform name="">
<TransformAxis name="rotation1"><coordinates>q</coordinates><axis>0 0 1</axis><function>
<LinearFunction name=""><coefficients>1 0</coefficients></LinearFunction></function></TransformAxis>
<TransformAxis name="rotation2"><coordinates>r</coordinates><axis>0 1 0</axis><function>
<LinearFunction name=""><coefficients>2 0</coefficients></LinearFunction></function></TransformAxis>
<TransformAxis name="rotation3"><coordinates></coordinates><axis>1 0 0</axis><function>
<Constant name=""><value>0</value></Constant></function></TransformAxis></SpatialTransform></CustomJoint>
</Joint>
</Body></objects></BodySet>
<ConstraintSet name=""><objects><CoordinateCouplerConstraint name="c"><isDisabled>false</isDisabled>
<coupled_coordinates_function><LinearFunction name=""><coefficients>0.5 0.1</coefficients></LinearFunction>
</coupled_coordinates_function><independent_coordinate_names>q</independent_coordinate_names>
<dependent_coordinate_name>r</dependent_coordinate_name></CoordinateCouplerConstraint></objects></ConstraintSet>
<MarkerSet name=""><objects><Marker name="m"><body>a</body><location>0.1 0.2 0.3</location></Marker></objects>
</MarkerSet></Model></OpenSimDocument>"""


def through(tmp_path, text, change):
    """A template's model after a change, written into the template and read again."""
    (tmp_path / "template.osim").write_text(text)
    model = change(read_osim(tmp_path / "template.osim"))
    write_osim(tmp_path / "out.osim", model, tmp_path / "template.osim")
    return model, read_osim(tmp_path / "out.osim")


def moved(model):
    """Every frame of every joint somewhere else, and a marker on every body."""
    random = np.random.default_rng(2)

    def frame():
        return Frame(tuple(random.normal(size=3)), tuple(random.normal(size=3)))

    joints = [replace(j, parent_frame=frame(), child_frame=frame()) for j in model.joints]
    markers = [BodyMarker(f"on_{body}", body, (0.1, 0.2, 0.3)) for body in model.bodies]
    return replace(model, joints=joints, markers=(*model.markers, *markers))


TEMPLATES = [SHARED, OLD.replace("REVERSE", "false"), OLD.replace("REVERSE", "true")]


@pytest.mark.parametrize("text", TEMPLATES)
def test_frames_that_joints_share_or_lack_get_their_own(tmp_path, in_opensim, text):
    model, again = through(tmp_path, text, moved)
    pose = torch.tensor(random_poses(model))
    torch.testing.assert_close(markers_in_world(model, pose), markers_in_world(again, pose))
    theirs = in_opensim(tmp_path / "out.osim")
    close = CLOSE if text == SHARED else ROUNDED
    assert max(theirs.apart(again, pose) for pose in random_poses(again)) < close


def test_comments_stay(tmp_path):
    through(tmp_path, SHARED, moved)
    assert "<!-- kept -->" in (tmp_path / "out.osim").read_text()


@pytest.mark.parametrize("text", TEMPLATES[1:])
def test_functions_and_couplers_of_an_old_file_are_replaced(tmp_path, in_opensim, text):
    def change(model):
        first, second = model.joints[0].rotations
        joint = replace(model.joints[0], rotations=(first, replace(second, function=SPLINE)))
        return replace(model, joints=(joint,), couplings=(Coupling("r", "q", SPLINE),))

    model, again = through(tmp_path, text, change)
    for pose in random_poses(model):
        torch.testing.assert_close(
            markers_in_world(model, torch.tensor(pose)), markers_in_world(again, torch.tensor(pose))
        )
    theirs = in_opensim(tmp_path / "out.osim")
    theirs.place({"q": 0.4}, assemble=True)
    assert theirs.values["r"] == pytest.approx(float(SPLINE(0.4)), abs=1e-5)


@pytest.mark.parametrize("text", TEMPLATES[1:])
def test_a_coupler_that_is_gone_is_not_enforced(tmp_path, in_opensim, text):
    _, again = through(tmp_path, text, lambda model: replace(model, couplings=()))
    assert again.couplings == ()
    theirs = in_opensim(tmp_path / "out.osim")
    theirs.place({"q": 0.4, "r": -0.3}, assemble=True)
    assert theirs.values["r"] == pytest.approx(-0.3)


def test_a_new_coupler_is_added(tmp_path, in_opensim):
    _, again = through(
        tmp_path, SHARED, lambda m: replace(m, couplings=(Coupling("s", "q", Linear(2.0, 0.1)),))
    )
    assert again.couplings[0].function == Linear(2.0, 0.1)
    theirs = in_opensim(tmp_path / "out.osim")
    theirs.place({"q": 0.4}, assemble=True)
    assert theirs.values["s"] == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: OTHER, "the template lacks 2 joints of the model (hip)"),
        (lambda m: replace(m, joints=m.joints[:2]), "the model lacks 1 joints of the template (l)"),
        (
            lambda m: replace(m, joints=(*m.joints[:2], replace(m.joints[2], parent="b"))),
            "joint 'l': the template has it between 'a' and 'c', the model between 'b' and 'c'",
        ),
        (
            lambda m: replace(m, joints=(*m.joints[:2], replace(m.joints[2], rotations=()))),
            "joint 'l': its axes are not those of the template",
        ),
        (
            lambda m: replace(
                m,
                joints=(
                    *m.joints[:2],
                    replace(m.joints[2], rotations=(about("z", "s", Linear(2.0)),)),
                ),
            ),
            "joint 'l': its functions were changed, but a PinJoint has none",
        ),
        (
            lambda m: m.with_coordinates({"q": {"limits": (1.0, 2.0), "clamped": True}}),
            "coordinate 'q' has the default 0 outside its limits 1 to 2",
        ),
        (lambda m: replace(m, world_from_ground=np.eye(3)), "the model's ground is turned"),
    ],
)
def test_a_template_of_another_model_is_told(tmp_path, change, message):
    with pytest.raises(FormatError) as told:
        through(tmp_path, SHARED, change)
    assert message in str(told.value)
    assert not (tmp_path / "out.osim").exists()
