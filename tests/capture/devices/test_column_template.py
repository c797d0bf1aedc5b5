"""A template says what stands in a line; a wrong one is told in one line."""

import numpy as np
import pytest

from pallas.capture.devices.column_template import parse_template
from pallas.capture.devices.text_columns import parse_line
from pallas.rig.errors import DeviceError

QUATERNION = "qw,qx,qy,qz"
G = 9.80665
DEGREE = np.pi / 180


@pytest.mark.parametrize(
    ("column", "written", "ours"),
    [
        ("t", 2.5, 2.5),
        ("t[s]", 2.5, 2.5),
        ("t[ms]", 2500, 2.5),
        ("t[us]", 2_500_000, 2.5),
        ("t[ns]", 2_500_000_000, 2.5),
        ("t[us/2]", 5_000_000, 2.5),
    ],
)
def test_times_are_read_in_any_unit(column, written, ours):
    template = parse_template(f"{column},{QUATERNION}")
    assert parse_line(template, f"{written},1,0,0,0".encode()).time == pytest.approx(ours)


@pytest.mark.parametrize(
    ("unit", "written", "ours"),
    [
        ("", 3, 3),
        ("[m/s2]", 3, 3),
        ("[m/s^2]", 3, 3),
        ("[g]", 2, 2 * G),
        ("[mg]", 500, G / 2),
        ("[g/16384]", 8192, G / 2),
        ("[ m/s2 / 100 ]", 150, 1.5),
    ],
)
def test_accelerations_are_read_in_any_unit(unit, written, ours):
    template = parse_template(f"{QUATERNION},ax{unit},ay,az")
    reading = parse_line(template, f"1,0,0,0,{written},0,0".encode())
    assert reading.acceleration[0] == pytest.approx(ours)


@pytest.mark.parametrize(
    ("unit", "written", "ours"),
    [
        ("", 1, 1),
        ("[rad/s]", 1, 1),
        ("[rad]", 1, 1),
        ("[deg/s]", 90, 90 * DEGREE),
        ("[deg]", 90, 90 * DEGREE),
        ("[dps]", 90, 90 * DEGREE),
        ("[deg/s/16.4]", 164, 10 * DEGREE),
    ],
)
def test_angular_velocities_are_read_in_any_unit(unit, written, ours):
    template = parse_template(f"gx{unit},gy,gz,ax,ay,az")
    assert parse_line(template, f"{written},0,0,0,0,9.8".encode()).turn[0] == pytest.approx(ours)


@pytest.mark.parametrize(("unit", "written"), [("", 0.5), ("[%]", 50), ("[/255]", 127.5)])
def test_a_battery_is_a_share_of_a_full_one(unit, written):
    template = parse_template(f"{QUATERNION},battery{unit}")
    assert parse_line(template, f"1,0,0,0,{written}".encode()).battery == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("order", "line"),
    [
        ("qw,qx,qy,qz", "0.5,-0.5,0.1,0.7"),
        ("qx,qy,qz,qw", "-0.5,0.1,0.7,0.5"),
        ("qz,qw,qx,qy", "0.7,0.5,-0.5,0.1"),
        ("qz,qy,qx,qw", "0.7,0.1,-0.5,0.5"),
    ],
)
def test_the_order_of_a_quaternion_is_told_by_the_names(order, line):
    reading = parse_line(parse_template(order), line.encode())
    np.testing.assert_allclose(reading.world_from_sensor, [0.5, -0.5, 0.1, 0.7])


@pytest.mark.parametrize(
    ("template", "separator", "line"),
    [
        ("id,qw,qx,qy,qz", None, "left,1,0,0,0"),
        ("id;qw;qx;qy;qz", None, "left;1;0;0;0"),
        ("id\tqw\tqx\tqy\tqz", None, "left\t1\t0\t0\t0"),
        ("id qw qx qy qz", None, "left  1 0\t0 0"),
        ("id, qw, qx, qy, qz", None, "left, 1, 0, 0, 0,"),
        ("id,qw,qx,qy,qz", "comma", "left,1,0,0,0"),
        ("id,qw,qx,qy,qz", "semicolon", "left;1;0;0;0;"),
        ("id,qw,qx,qy,qz", "tab", "left\t1\t0\t0\t0"),
        ("id,qw,qx,qy,qz", "space", " left 1  0 0 0 "),
    ],
)
def test_lines_are_separated_as_the_template_is_or_as_told(template, separator, line):
    reading = parse_line(parse_template(template, separator), line.encode() + b"\r")
    assert reading.id == "left"
    np.testing.assert_allclose(reading.world_from_sensor, [1, 0, 0, 0])


def test_columns_that_are_not_needed_are_not_read():
    reading = parse_line(parse_template("-,qw,qx,qy,qz,-"), b"quat,1,0,0,0,what ever")
    np.testing.assert_allclose(reading.world_from_sensor, [1, 0, 0, 0])


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "neither a quaternion"),
        (",qw,qx,qy,qz", r"column 1 is ''; allowed: id, t, count, qw"),
        ("id,roll,pitch", r"column 2 is 'roll'; allowed: id, t, count, qw, .* - \(not read\)"),
        ("t[min],qw,qx,qy,qz", r"column 1 is 't\[min\]'; allowed units of t: s, ms, us, ns"),
        ("qw,qx,qy,qz,ax[lbs],ay,az", r"'ax\[lbs\]'; allowed units of ax: m/s2, m/s\^2, g, mg"),
        ("qw,qx,qy,qz,ax[g/0],ay,az", r"'ax\[g/0\]'; allowed units"),
        ("t[us,qw,qx,qy,qz", r"column 1 is 't\[us'"),
        ("id[s],qw,qx,qy,qz", r"allowed units of id: none$"),
        ("qw,qx,qy", r"has qw, qx, qy but not qz; expected such as id,t\[us\]"),
        ("qw,qx,qy,qz,qw", r"has qw 2 times; allowed: once"),
        ("qw,qx,qy,qz,ax,az", r"has ax, az but not ay"),
        ("id,t,ax,ay,az", r"neither a quaternion .* nor gyroscope and accelerometer"),
        ("gx,gy,gz", r"neither a quaternion"),
        ("t," * 600, r"has 1200 characters, at most 1000"),
    ],
)
def test_a_wrong_template_says_what_was_found_and_what_is_allowed(template, message):
    with pytest.raises(DeviceError, match=message) as caught:
        parse_template(template)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": "pipe"}, "the separator is 'pipe'; allowed: comma, semicolon, tab, space"),
        ({"gravity": "maybe"}, "gravity is 'maybe'; allowed: in"),
        ({"frame": "body"}, "frame is 'body'; allowed: sensor, world"),
    ],
)
def test_a_wrong_option_says_what_was_found_and_what_is_allowed(options, message):
    with pytest.raises(DeviceError, match=message):
        parse_template(QUATERNION, **options)


def test_orientations_are_computed_only_from_what_an_accelerometer_reads():
    with pytest.raises(DeviceError, match="gravity=out and frame=sensor without a quaternion"):
        parse_template("gx,gy,gz,ax,ay,az", gravity="out")
