"""OpenSim's setup files: weights, measurements, times and the files they name."""

import math

import numpy as np
import pytest

from pallas.capture.osim import read_osim
from pallas.capture.osim_imu import (
    opensim_from_sensor_world,
    read_imu_ik_setup,
    read_imu_placer,
    read_sensor_map,
)
from pallas.capture.osim_setup import read_scale_set, read_scale_setup
from pallas.capture.osim_tasks import CoordinateTask, MarkerTask, read_ik_setup, read_ik_tasks
from pallas.rig import FileError, FormatError

RAJAGOPAL = "markers/opensim/Rajagopal"
TASKS = """<IKTaskSet name="a"><objects>
<IKMarkerTask name="R.Heel"><apply> true </apply><weight> 50.0 </weight></IKMarkerTask>
<IKMarkerTask name="L.Bicep"><apply> false </apply><weight> 2 </weight></IKMarkerTask>
<IKMarkerTask name="plain"/>
<IKCoordinateTask name="knee"><weight> 5 </weight><value_type> manual_value </value_type>
  <value> 0.1 </value></IKCoordinateTask>
<IKCoordinateTask name="hip"><apply>false</apply><weight>5</weight></IKCoordinateTask>
</objects><groups/></IKTaskSet>"""
IK = f"""<OpenSimDocument Version="30000"><InverseKinematicsTool name="walk">
<model_file> ../model.osim </model_file><constraint_weight>Inf</constraint_weight>
<accuracy>1e-005</accuracy>{TASKS}<marker_file>sub\\walk.trc</marker_file>
<coordinate_file>Unassigned</coordinate_file><time_range> 0.4 1.6</time_range>
<output_motion_file>out.mot</output_motion_file></InverseKinematicsTool></OpenSimDocument>"""
SCALE = """<ScaleTool name="s"><mass> 72.6 </mass><height>-1</height>
<GenericModelMaker name=""><model_file>g.osim</model_file></GenericModelMaker>
<ModelScaler name=""><scaling_order> measurements manualScale </scaling_order>
<MeasurementSet><objects><Measurement name="thigh"><apply>true</apply>
  <MarkerPairSet><objects><MarkerPair><markers> a b </markers></MarkerPair>
  <MarkerPair><markers> c d </markers></MarkerPair></objects></MarkerPairSet>
  <BodyScaleSet><objects><BodyScale name="femur_r"><axes> X Z </axes></BodyScale></objects></BodyScaleSet>
</Measurement></objects></MeasurementSet>
<ScaleSet><objects><Scale><scales> 1.1 1 0.9 </scales><segment> calcn_r </segment>
  <apply> false </apply></Scale></objects></ScaleSet>
<marker_file>static.trc</marker_file><time_range> 1 2 </time_range>
<preserve_mass_distribution>true</preserve_mass_distribution></ModelScaler>
<MarkerPlacer><IKTaskSet file="tasks.xml"/><time_range>0.5 4.5</time_range></MarkerPlacer></ScaleTool>"""


@pytest.fixture
def setup(tmp_path):
    def write(text, name="setup.xml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_setup_of_inverse_kinematics_has_weights_times_and_files_beside_it(setup, tmp_path):
    read = read_ik_setup(setup(IK))
    assert read.name == "walk"
    assert read.model == tmp_path / "../model.osim"
    assert read.markers == tmp_path / "sub" / "walk.trc"
    assert read.coordinates is None
    assert read.output == tmp_path / "out.mot"
    assert read.time_range == (0.4, 1.6)
    assert (read.constraint_weight, read.accuracy) == (math.inf, 1e-5)
    assert read.tasks.marker_weights == {"R.Heel": 50.0, "plain": 0.0}
    assert read.tasks.markers[1] == MarkerTask("L.Bicep", 2.0, apply=False)
    knee = CoordinateTask("knee", 5.0, source="manual_value", value=0.1)
    assert read.tasks.coordinate_tasks == (knee,)


def test_tasks_are_read_from_a_set_or_a_setup(setup):
    assert read_ik_tasks(setup(TASKS)) == read_ik_tasks(setup(IK))


def test_tasks_may_be_in_a_file_of_their_own(setup):
    setup(TASKS, "tasks.xml")
    inside = IK.replace(TASKS, '<IKTaskSet file="tasks.xml"/>')
    assert read_ik_setup(setup(inside)) == read_ik_setup(setup(IK))
    with pytest.raises(FileError, match="none.xml does not exist"):
        read_ik_setup(setup(inside.replace("tasks.xml", "none.xml")))


def test_a_setup_without_times_wants_all(setup):
    read = read_ik_setup(setup(IK.replace("<time_range> 0.4 1.6</time_range>", "")))
    assert read.time_range == (-math.inf, math.inf)


def test_a_scale_setup_measures_bodies_by_pairs_of_markers(setup, tmp_path):
    setup(TASKS, "tasks.xml")
    read = read_scale_setup(setup(SCALE))
    assert (read.name, read.mass, read.height, read.age) == ("s", 72.6, None, None)
    assert (read.model, read.marker_set) == (tmp_path / "g.osim", None)
    scaler = read.scaler
    assert scaler.order == ("measurements", "manualScale")
    assert scaler.measurements[0].pairs == (("a", "b"), ("c", "d"))
    assert scaler.measurements[0].bodies == {"femur_r": (True, False, True)}
    assert scaler.manual[0].factors == (1.1, 1.0, 0.9)
    assert (scaler.manual[0].body, scaler.manual[0].apply) == ("calcn_r", False)
    assert (scaler.markers, scaler.time_range) == (tmp_path / "static.trc", (1.0, 2.0))
    assert scaler.preserve_mass
    assert read.placer.tasks.marker_weights["R.Heel"] == 50.0
    assert read.placer.time_range == (0.5, 4.5)


def test_a_scale_set_is_factors_by_body(data):
    factors = read_scale_set(data(f"{RAJAGOPAL}/scaleSet_applied_walk.xml"))
    assert factors["femur_r"] == (0.958, 0.958, 0.958)
    assert set(factors) <= set(read_osim(data(f"{RAJAGOPAL}/Rajagopal2016.osim")).bodies)


@pytest.mark.parametrize(
    "name",
    [
        "markers/opensim/Gait2354_Simbody/subject01_Setup_IK.xml",
        "markers/opensim/Gait10dof18musc/walk_Setup_IK.xml",
        "markers/opensim/Hamner/Setup_IK.xml",
        "markers/opensim/Rajagopal/ik_setup_run.xml",
        "markers/opensim/Rajagopal/ik_setup_walk.xml",
        "markers/opencap_models/IK/Setup_IK.xml",
        "markers/opencap_models/IK/Setup_IK_shoulder.xml",
        "video/pose2sim/openpose/IK_Setup_Pose2Sim_Body25b.xml",
    ],
)
def test_tasks_are_those_that_opensim_reads(data, name):
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("off")
    tool = opensim.InverseKinematicsTool(str(data(name)), False)
    tasks = tool.getIKTaskSet() if hasattr(tool, "getIKTaskSet") else tool.get_IKTaskSet()
    theirs = [tasks.get(i) for i in range(tasks.getSize())]
    read = read_ik_setup(data(name))
    ours = [*read.tasks.markers, *read.tasks.coordinates]
    assert sorted((t.name, t.weight, t.apply) for t in ours) == sorted(
        (t.getName(), t.getWeight(), t.getApply()) for t in theirs
    )
    assert read.constraint_weight == tool.get_constraint_weight()
    assert read.time_range == pytest.approx((tool.getStartTime(), tool.getEndTime()))


def test_every_setup_of_the_data_is_read(data):
    folder = data("markers")
    for path in folder.glob("*/**/*[Ss]cal*etup*.xml"):
        assert read_scale_setup(path).scaler is not None
    for path in folder.glob("opencap_models/Scaling/*.xml"):
        setup = read_scale_setup(path)
        assert setup.scaler.measurements
        assert setup.placer.tasks.marker_weights
    assert read_ik_tasks(data("markers/opensim/Hamner/Tasks_IK.xml")).marker_weights["R.Heel"] == 50


def test_opensense_setups(data):
    folder = data("imu/opensense")
    placer = read_imu_placer(folder / "myIMUPlacer_Setup.xml")
    assert placer.model == folder / "Rajagopal_2015.osim"
    assert (placer.base_sensor, placer.base_heading) == ("pelvis_imu", "z")
    assert placer.rotations == pytest.approx((-math.pi / 2, 0, 0))
    ik = read_imu_ik_setup(folder / "myIMUIK_Setup.xml")
    assert (ik.time_range, ik.weights) == ((7.25, 15.0), {})
    sensors = read_sensor_map(folder / "myIMUMappings.xml")
    assert sensors.prefix == "MT_012005D6_009-001"
    assert sensors.frames["_00B42279"] == "pelvis_imu"


def test_weights_of_sensors(setup):
    read = read_imu_ik_setup(
        setup(
            "<IMUInverseKinematicsTool><OrientationWeightSet name='orientation_weights'><objects>"
            "<OrientationWeight name='torso_imu'><weight>0.5</weight></OrientationWeight>"
            "</objects></OrientationWeightSet></IMUInverseKinematicsTool>"
        )
    )
    assert read.weights == {"torso_imu": 0.5}
    assert read.model is None


def test_a_quarter_turn_about_x_puts_the_sensors_z_on_opensims_y():
    turned = opensim_from_sensor_world((-math.pi / 2, 0.0, 0.0)) @ [0.0, 0.0, 1.0]
    np.testing.assert_allclose(turned, [0.0, 1.0, 0.0], atol=1e-12)
    # about the fixed x first, then the fixed z: x goes to y
    turned = opensim_from_sensor_world((math.pi / 2, 0.0, math.pi / 2)) @ [1.0, 0.0, 0.0]
    np.testing.assert_allclose(turned, [0.0, 1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_ik_setup, IK.replace("50.0", "-50"), "task 'R.Heel': the weight is -50, expected at"),
        (read_ik_setup, IK.replace("50.0", "nan"), "task 'R.Heel': <weight>: found 'nan'"),
        (read_ik_setup, IK.replace("manual_value", "x"), "<value_type> is 'x', expected default_"),
        (read_ik_setup, IK.replace("0.4 1.6", "2 1"), "from 2 to 1, expected the earlier first"),
        (read_ik_setup, IK.replace("IKMarkerTask", "Task"), "found <Task>, expected IKMarkerTask"),
        (read_ik_setup, SCALE, "holds <ScaleTool>, expected <InverseKinematicsTool>"),
        (read_scale_setup, IK, "holds <InverseKinematicsTool>, expected <ScaleTool>"),
        (read_scale_setup, SCALE.replace(" a b ", " a "), "measurement 'thigh': a marker pair is"),
        (read_scale_setup, SCALE.replace(" X Z ", " X W "), "expected some of X Y Z"),
        (read_scale_setup, SCALE.replace("1.1 1 0.9", "1 0 1"), "scale of 'calcn_r': the factors"),
        (read_scale_setup, SCALE.replace("manualScale", "guess"), "<scaling_order> is"),
        (
            read_imu_placer,
            "<IMUPlacer><base_heading_axis>w</base_heading_axis></IMUPlacer>",
            "is 'w', expected x, -x",
        ),
        (
            read_sensor_map,
            "<XsensDataReaderSettings><ExperimentalSensors><ExperimentalSensor name='a'/>"
            "</ExperimentalSensors></XsensDataReaderSettings>",
            "sensor 'a' is frame ''",
        ),
    ],
)
def test_what_can_not_be_used_is_told(setup, read, text, message):
    setup(TASKS, "tasks.xml")
    with pytest.raises(FormatError, match=message) as told:
        read(setup(text))
    assert "setup.xml" in str(told.value)
