"""MOT and STO: every header, full path names, quaternions; and OpenSim reads what is written."""

import math

import numpy as np
import pytest

from pallas.capture.coordinates import (
    angle_coordinates,
    pose_from_table,
    table_from_pose,
    write_coordinates,
)
from pallas.capture.orientation_table import parse_quaternions, read_quaternions
from pallas.capture.osim import read_osim
from pallas.capture.storage import (
    CoordinateTable,
    parse_storage,
    read_storage,
    write_storage,
)
from pallas.capture.textfile import FormatWarning
from pallas.rig import FormatError, OutputError, ShapeError
from pallas.rig.model import (
    Coordinate,
    Coupling,
    Joint,
    KinematicModel,
    Linear,
    SimmSpline,
    about,
    along,
    ball,
    hinge,
)

MOT = "Coordinates\nversion=1\nnRows=2\nnColumns=3\ninDegrees=yes\n\nendheader\n"
ROWS = "time\tknee\tslide\n0.0\t90\t0.5\n0.5\t-45\t0.25\n"
OSIMS = (
    "markers/opensim/Gait2354_Simbody/gait2354_simbody.osim",
    "markers/opensim/Hamner/subject02_scaled.osim",
    "markers/opensim/Rajagopal/Rajagopal2016.osim",
    "markers/opencap_models/Models/LaiUhlrich2022.osim",
    "markers/opensim/Gait10dof18musc/subject01.osim",
)

BEND = SimmSpline((-2.0, 0.0, 2.0), (-0.2, 0.0, 0.4))
LEG = KinematicModel(
    "leg",
    (
        Joint("root", "ground", "thigh", translations=(along("y", "slide"),)),
        Joint(
            "knee",
            "thigh",
            "shin",
            translations=(along("x", "knee", BEND),),
            rotations=(about("z", "knee", Linear(-1.0)), about("x", "roll", BEND)),
        ),
        hinge("ankle", "shin", "foot"),
        ball("toe", "foot", "tip"),
    ),
    coordinates=(
        Coordinate("knee", default=0.1),
        Coordinate("slide"),
        Coordinate("roll", locked=True, default=0.2),
        Coordinate("ankle"),
    ),
    couplings=(Coupling("ankle", "knee", Linear(0.5)),),
)


@pytest.fixture
def opensim():
    module = pytest.importorskip(
        "opensim", reason="OpenSim is not installed (requirements/peers.txt)"
    )
    module.Logger.removeFileSink()  # it would write a log where the tests run
    module.Logger.setLevelString("error")
    return module


def _pose(text):
    with pytest.warns(FormatWarning, match="lacks toe_x, toe_y, toe_z; taken at their defaults"):
        return pose_from_table(parse_storage(text), LEG)


def test_a_table_is_read_as_it_is():
    table = parse_storage(MOT + ROWS)
    assert table.names == ("knee", "slide")
    assert (table.title, table.in_degrees, len(table)) == ("Coordinates", True, 2)
    np.testing.assert_array_equal(table.times, [0.0, 0.5])
    np.testing.assert_array_equal(table.values, [[90, 0.5], [-45, 0.25]])


def test_a_pose_is_in_radians_and_metres_whatever_the_table_is_in():
    pose = _pose(MOT + ROWS)
    assert LEG.coordinate_names[:4] == ("knee", "slide", "roll", "ankle")
    np.testing.assert_allclose(pose[:, 0], [math.pi / 2, -math.pi / 4])
    np.testing.assert_allclose(pose[:, 1], [0.5, 0.25])
    radians = MOT.replace("yes", "no") + ROWS.replace("90", str(math.pi / 2))
    assert _pose(radians)[0, 0] == pytest.approx(math.pi / 2)


def test_what_the_table_lacks_is_where_the_model_puts_it():
    pose = _pose(MOT + ROWS)
    np.testing.assert_allclose(pose[:, 2], 0.2)  # locked, at its default
    np.testing.assert_allclose(pose[:, 3], [math.pi / 4, -math.pi / 8])  # half of the knee


def test_full_paths_of_opensims_states_name_coordinates():
    columns = (
        "time\t/jointset/root/slide/value\t/jointset/knee/knee/value\t/jointset/knee/knee/speed\n"
    )
    pose = _pose(MOT.replace("3", "4") + columns + "0\t0.5\t90\t7\n1\t0.5\t90\t7\n")
    np.testing.assert_allclose(pose[0, :2], [math.pi / 2, 0.5])


def test_only_coordinates_that_an_axis_follows_one_to_one_are_angles():
    assert dict(zip(LEG.coordinate_names, angle_coordinates(LEG).tolist(), strict=True)) == {
        "knee": True, "slide": False, "roll": False, "ankle": True,
        "toe_x": True, "toe_y": True, "toe_z": True,
    }  # fmt: skip


@pytest.mark.parametrize("name", OSIMS)
def test_opensim_has_the_same_coordinates_in_degrees(data, opensim, name):
    model = read_osim(data(name))
    theirs = opensim.Model(str(data(name)))
    theirs.initSystem()
    kinds = {c.getName(): c.getMotionType() for c in theirs.getCoordinateSet()}
    ours = dict(zip(model.coordinate_names, angle_coordinates(model).tolist(), strict=True))
    assert ours == {name: kind == opensim.Coordinate.Rotational for name, kind in kinds.items()}


@pytest.mark.parametrize(("angle", "found"), [("90", True), ("1.5", False)])
def test_a_table_that_does_not_say_is_in_degrees_if_its_angles_are_large(angle, found):
    table = parse_storage(
        MOT.replace("inDegrees=yes\n", "") + ROWS.replace("90", angle).replace("-45", "1")
    )
    assert table.in_degrees is None
    with pytest.warns(FormatWarning, match=f"taken as {'degrees' if found else 'radians'}"):
        pose = pose_from_table(
            table, LEG.with_coordinates({f"toe_{a}": {"locked": True} for a in "xyz"})
        )
    assert pose[0, 0] == pytest.approx(math.radians(90) if found else 1.5)


def test_a_table_of_another_model_is_told():
    with pytest.raises(
        FormatError, match="none of the columns is a coordinate of 'leg': found elbow; expected"
    ):
        pose_from_table(CoordinateTable(("elbow",), np.zeros(1), np.zeros((1, 1)), True), LEG)


def test_a_pose_comes_back_from_its_table():
    pose = np.random.default_rng(1).uniform(-1, 1, (4, 7))
    table = table_from_pose(LEG, pose, np.arange(4) / 10)
    assert table.in_degrees
    assert table.values[0, 0] == pytest.approx(math.degrees(pose[0, 0]))
    assert table.values[0, 1] == pose[0, 1]
    np.testing.assert_allclose(pose_from_table(table, LEG), pose, rtol=1e-14)
    radians = table_from_pose(LEG, pose, np.arange(4) / 10, in_degrees=False)
    np.testing.assert_array_equal(radians.values, pose)
    with pytest.raises(ShapeError, match=r"pose has shape \(4, 3\), expected \(any, 7\)"):
        table_from_pose(LEG, pose[:, :3], np.arange(4) / 10)


@pytest.mark.parametrize(
    ("header", "degrees"),
    [
        ("name a\nversion=1\nnRows=2\nnColumns=3\ninDegrees=no\nendheader\n", False),
        ("Coordinates\nnRows = 2\nnColumns = 3\nAngles are in degrees.\nendheader\n", True),
        (
            "Coordinates\nnRows=2\nnColumns=3\nUnits are S.I.\nAngles are in radians.\nENDHEADER  \n",
            False,
        ),
        ("name swing.mot\ndatacolumns 3\ndatarows 2\notherdata 1\nrange 0 1\nendheader\n", True),
        ("version=3\nOpenSimVersion=4.6\nDataType=double\ninDegrees=No\nendheader\n\n", False),
        ("endheader\n", None),
    ],
)
def test_every_header_that_programs_write_is_read(header, degrees):
    table = parse_storage(header + ROWS)
    assert (len(table), table.names, table.in_degrees) == (2, ("knee", "slide"), degrees)


def test_columns_may_be_separated_by_blanks_and_rows_end_in_a_tab():
    spaced = parse_storage(MOT + ROWS.replace("\t", "    "))
    tabbed = parse_storage(MOT + ROWS.replace("\n", "\t\n"))
    np.testing.assert_array_equal(spaced.values, tabbed.values)


def test_counts_that_lie_are_told():
    with pytest.warns(FormatWarning, match="says 9 rows, there are 2"):
        parse_storage(MOT.replace("nRows=2", "nRows=9") + ROWS)
    with pytest.warns(FormatWarning, match="says 9 columns, there are 3"):
        parse_storage(MOT.replace("nColumns=3", "nColumns=9") + ROWS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing useful", "found no line 'endheader'"),
        (MOT, "found nothing below the header"),
        (MOT + "knee\tslide\n", "line 8: the first column is 'knee', expected time"),
        (MOT + "time\tknee\tknee\n", "line 8: column 3 is called 'knee'"),
        (MOT + "time\t\tknee\n", "line 8: column 2 is called ''"),
        (MOT + "time\tknee\tslide\n", "has no row"),
        (MOT + ROWS + "1.0\t3\n", "line 11 has 2 values, expected 3"),
        (MOT + ROWS + "1.0\tx\t3\n", "line 11: found 'x', expected a number"),
        (MOT + ROWS + "0.5\t2\t3\n", "line 11: time is 0.5, expected one after 0.5"),
        (MOT + ROWS + "nan\t2\t3\n", "line 11: time is nan"),
        (
            MOT.replace("version=1", "DataType=Vec3") + ROWS,
            "every cell holds a vec3; expected a number",
        ),
    ],
)
def test_what_is_no_table_is_told(text, message):
    with pytest.raises(FormatError, match=message):
        parse_storage(text)


def test_a_written_table_is_exactly_the_same_when_read(tmp_path):
    values = np.random.default_rng(2).normal(size=(5, 3)) * [1e-7, 1, 1e5]
    values[2, 1] = np.nan
    table = CoordinateTable(("a", "b", "/c/d/value"), np.arange(5) / 7, values, False, "my title")
    write_storage(tmp_path / "a.sto", table)
    back = read_storage(tmp_path / "a.sto")
    assert (back.names, back.in_degrees, back.title) == (table.names, False, "my title")
    np.testing.assert_array_equal(back.values, values)
    np.testing.assert_array_equal(back.times, table.times)
    with pytest.raises(OutputError, match="is there already"):
        write_storage(tmp_path / "a.sto", table)
    write_storage(tmp_path / "a.sto", table, force=True)


@pytest.mark.parametrize(
    ("names", "times", "message"),
    [
        (("a", "a"), [0, 1], "'a', 2 times"),
        (("a", ""), [0, 1], "'', 1 times"),
        (("a", "b"), [1, 1], "increase"),
    ],
)
def test_a_table_that_can_t_be_is_told(names, times, message):
    with pytest.raises(ShapeError, match=message):
        CoordinateTable(names, np.array(times), np.zeros((2, 2)), None)


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("markers/opensim/Hamner/subject02_running_ik.mot", 599, 37),
        ("markers/opensim/Gait2354_Simbody/subject01_walk1_ik.mot", 73, 23),
        ("markers/opensim/Gait10dof18musc/subject01_walk_IK.mot", 151, 10),
        ("markers/odd/gait10dof18musc_ik_CRLF_line_ending.mot", 15, 10),
    ],
)
def test_opensim_reads_the_same_from_its_files_and_from_ours(
    data, tmp_path, opensim, name, rows, columns
):
    table = read_storage(data(name))
    assert table.values.shape == (rows, columns)
    write_storage(tmp_path / "a.mot", table)
    for path in (data(name), tmp_path / "a.mot"):
        theirs = opensim.TimeSeriesTable(str(path))
        assert tuple(theirs.getColumnLabels()) == table.names
        assert theirs.getTableMetaDataString("inDegrees") == "yes"
        np.testing.assert_array_equal(theirs.getMatrix().to_numpy(), table.values)
        np.testing.assert_array_equal(theirs.getIndependentColumn(), table.times)


def test_opensims_answer_becomes_a_pose_and_the_same_file_again(data, tmp_path, opensim):
    model = read_osim(data("markers/opensim/Hamner/subject02_scaled.osim"))
    table = read_storage(data("markers/opensim/Hamner/subject02_running_ik.mot"))
    pose = pose_from_table(table, model)
    assert pose.shape == (599, len(model.coordinates))
    write_coordinates(tmp_path / "a.mot", model, pose, table.times)
    storage = opensim.Storage(str(tmp_path / "a.mot"))
    theirs = opensim.Model(str(data("markers/opensim/Hamner/subject02_scaled.osim")))
    theirs.initSystem()
    assert storage.isInDegrees()
    theirs.getSimbodyEngine().convertDegreesToRadians(storage)
    for coordinate in ("knee_angle_r", "pelvis_tx", "lumbar_extension"):
        row = opensim.ArrayDouble()
        storage.getDataColumn(coordinate, row)
        column = [row.get(frame) for frame in range(row.getSize())]
        np.testing.assert_allclose(column, pose[:, model.coordinate_index(coordinate)], atol=1e-12)


def test_a_csv_says_the_unit_of_every_column(tmp_path):
    write_coordinates(tmp_path / "a.csv", LEG, np.full((2, 7), math.pi), np.array([0.0, 0.5]))
    header, first, *_ = (tmp_path / "a.csv").read_text().splitlines()
    assert header.startswith("time,knee [deg],slide [m],roll [rad],ankle [deg],toe_x [deg]")
    assert first.startswith("0.0,180.0,3.14159")


def test_coordinates_are_written_by_their_suffix(tmp_path):
    for suffix in (".mot", ".sto", ".MOT"):
        write_coordinates(tmp_path / f"b{suffix}", LEG, np.zeros((2, 7)), np.array([0.0, 0.5]))
        assert len(read_storage(tmp_path / f"b{suffix}")) == 2
    with pytest.raises(
        FormatError, match=r"written as '\.bvh'; expected one of: \.mot, \.sto, \.csv"
    ):
        write_coordinates(tmp_path / "a.bvh", LEG, np.zeros((2, 7)), np.array([0.0, 0.5]))


STO = "DataRate=100\nDataType=Quaternion\nversion=3\nendheader\ntime\tpelvis_imu\ttibia_r_imu\n"


def test_quaternions_are_w_x_y_z_of_unit_length():
    half = math.sqrt(0.5)
    table = parse_quaternions(STO + f"0\t{half},{half},0,0\t1.01,0,0,0\n0.01\t1,0,0,0\tnan\n")
    assert table.names == ("pelvis_imu", "tibia_r_imu")
    np.testing.assert_allclose(table.world_from_sensor[0], [[half, half, 0, 0], [1, 0, 0, 0]])
    assert np.isnan(table.world_from_sensor[1, 1]).all()
    np.testing.assert_array_equal(table.times, [0.0, 0.01])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MOT + ROWS, "says DataType=nothing, expected Quaternion"),
        (STO + "0\t1,0,0\t1,0,0,0\n", "line 6: found '1,0,0', expected w,x,y,z"),
        (STO + "0\t1,0,0,x\t1,0,0,0\n", "line 6: found 'x', expected a number"),
        (STO + "0\t1,0,0,0\t2,0,0,0\n", "line 6: a quaternion has length 2, expected 1"),
    ],
)
def test_what_is_no_table_of_quaternions_is_told(text, message):
    with pytest.raises(FormatError, match=message):
        parse_quaternions(text)


def test_opensim_reads_the_same_orientations(data, opensim):
    path = data("imu/opensense/orientation_quats.sto")
    table = read_quaternions(path)
    theirs = opensim.TimeSeriesTableQuaternion(str(path))
    assert tuple(theirs.getColumnLabels()) == table.names
    row = theirs.getRowAtIndex(5)
    for sensor in range(len(table.names)):
        quaternion = [row.getElt(0, sensor).get(k) for k in range(4)]
        np.testing.assert_allclose(table.world_from_sensor[5, sensor], quaternion, atol=1e-12)
