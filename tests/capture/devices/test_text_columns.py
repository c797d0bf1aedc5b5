"""Lines by columns become samples: z up, linear acceleration in the world, m/s^2."""

import numpy as np
import pytest

from pallas.capture.devices.column_decoder import ColumnDecoder
from pallas.capture.devices.column_template import parse_template
from pallas.capture.devices.text_columns import parse_line
from pallas.rig import FormatError, quaternion

G = 9.80665
COLUMNS = "qw,qx,qy,qz,ax,ay,az"
# A quarter turn about x: the sensor's z points to the world's -y, its y up.
TURNED = "0.70710678,0.70710678,0,0"


def sample(columns, line, **options):
    decoder = ColumnDecoder(parse_template(columns, **options), "serial")
    (heard,) = decoder.read(line.encode(), "port", 5.0)
    (one,) = heard.samples
    return one


def test_a_line_names_its_sensor_its_time_and_its_count():
    one = sample("id,t[ms],count," + COLUMNS, "left wrist,1500,7,1,0,0,0,0,0,9.80665")
    assert (one.tracker, one.device_time, one.sequence) == ("serial port/left wrist", 1.5, 7)
    assert one.arrival == 5.0
    np.testing.assert_allclose(one.acceleration, 0, atol=1e-9)


def test_without_a_name_a_sensor_is_called_after_its_port():
    one = sample("qw,qx,qy,qz", "1,0,0,0")
    assert one.tracker == "serial port"
    assert np.isnan(one.device_time)
    assert np.isnan(one.acceleration).all()
    assert one.sequence is None


@pytest.mark.parametrize(
    ("gravity", "frame", "reading", "world"),
    [
        # At rest the accelerometer feels 9.8 m/s^2 along its y, which points up; 1 m/s^2 along its z is
        # -1 along the world's y.
        ("in", "sensor", f"0,{G},1", [0, -1, 0]),
        ("out", "sensor", "0,2,1", [0, -1, 2]),
        ("in", "world", f"1,2,{G + 3}", [1, 2, 3]),
        ("out", "world", "1,2,3", [1, 2, 3]),
    ],
)
def test_gravity_is_taken_off_and_accelerations_are_turned_into_the_world(
    gravity, frame, reading, world
):
    one = sample(COLUMNS, f"{TURNED},{reading}", gravity=gravity, frame=frame)
    np.testing.assert_allclose(one.acceleration, world, atol=1e-6)


def test_quaternions_are_brought_to_unit_length():
    one = sample("qw,qx,qy,qz", "0.99,0.01,0,0")
    assert np.linalg.norm(one.world_from_sensor) == pytest.approx(1.0, abs=1e-12)


def test_an_empty_value_is_missing_not_zero():
    one = sample(COLUMNS, "nan,nan,nan,nan,,,")
    assert np.isnan(one.world_from_sensor).all()
    assert np.isnan(one.acceleration).all()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,0,0", "found 3 values, expected 9"),
        ("1,2,3,4,5,6,7,8,9,10", "found 10 values, expected 9"),
        ("a,0,1,0,0,0,0,x,0", "found 'x' in column ay, expected a number"),
        ("a,0,2,0,0,0,0,0,0", "a quaternion of length 2, expected 1"),
        ("a,0,0,0,0,0,0,0,0", "a quaternion of length 0, expected 1"),
        ("a,0,inf,0,0,0,0,0,0", "found 'inf' in column qw, expected a number of sensible size"),
        ("a,0,1,0,0,0,1e300,0,0", "found '1e300' in column ax"),
        (",0,1,0,0,0,0,0,0", "found '' in column id"),
        ("a\x07,0,1,0,0,0,0,0,0", "in column id, expected 1 to 40 letters"),
        ("a" * 2000, "found 2000 bytes"),
    ],
)
def test_a_malformed_line_is_told(line, message):
    with pytest.raises(FormatError, match=message):
        parse_line(parse_template("id,t," + COLUMNS), line.encode())


@pytest.mark.parametrize("count", ["-1", "1.5", "", "²", "9" * 30])
def test_a_count_is_a_whole_number(count):
    with pytest.raises(FormatError, match="in column count, expected a whole number"):
        parse_line(parse_template("count,qw,qx,qy,qz"), f"{count},1,0,0,0".encode())


@pytest.mark.parametrize(
    ("gravity", "reading"),
    [("in", "0,0,0"), ("out", f"0,0,{G}"), ("in", "0,0,1"), ("in", f"0,{G},0")],
    ids=["gravity was out", "gravity was in", "it was in g", "the axes are others"],
)
def test_a_wrong_unit_or_option_is_noticed_after_some_seconds(gravity, reading):
    decoder = ColumnDecoder(parse_template("t," + COLUMNS, gravity=gravity), "serial")
    notes = [
        decoder.read(f"{n / 50},1,0,0,0,{reading}".encode(), "p", n / 50)[0].note
        for n in range(300)
    ]
    assert notes[50] == ""
    assert "where 0 was expected: check the unit, whether gravity is in it" in notes[-1]


def test_vigorous_movement_is_no_wrong_unit():
    decoder = ColumnDecoder(parse_template("t," + COLUMNS, gravity="out"), "serial")
    for n in range(2000):
        wave = 30 * np.sin(2 * np.pi * n / 50)
        (heard,) = decoder.read(f"{n / 100},1,0,0,0,{wave},{-wave},{wave}".encode(), "p", n / 100)
        assert heard.note == ""


def test_a_thousand_invented_names_are_not_all_remembered():
    decoder = ColumnDecoder(parse_template("id,gx,gy,gz,ax,ay,az"), "udp")
    for n in range(1000):
        decoder.read(f"{n},0,0,0,0,0,9.8".encode(), "host", n / 100)
    assert len(decoder._trackers) == 64


def test_orientations_of_one_line_do_not_depend_on_another_sensor():
    decoder = ColumnDecoder(parse_template("id,t," + COLUMNS), "udp")
    turned = [float(value) for value in TURNED.split(",")]
    for n in range(10):
        (a,) = decoder.read(f"a,{n / 10},1,0,0,0,0,0,{G}".encode(), "host", 0.0)
        (b,) = decoder.read(f"b,{n / 10},{TURNED},0,{G},0".encode(), "host", 0.0)
        np.testing.assert_allclose(a.samples[0].world_from_sensor, quaternion.IDENTITY)
        np.testing.assert_allclose(b.samples[0].world_from_sensor, turned, atol=1e-7)
        np.testing.assert_allclose(b.samples[0].acceleration, 0, atol=1e-5)
