"""Phones and watches with Sensor Logger: Apple's and Android's signs, units, messages lost and twice."""

import json

import numpy as np
import pytest

from pallas.capture.devices.phone_decoder import PhoneDecoder
from pallas.capture.devices.sensor_logger import LARGEST_MESSAGE, parse_phone_message
from pallas.rig import FormatError, quaternion

G = 9.80665
START = 1_698_501_144_000_000_000  # nanoseconds
# The phone stands upright: its y points up, its screen (z) to the world's -y.
UPRIGHT = quaternion.from_axis_angle(np.array([1.0, 0, 0]), np.pi / 2)
PUSHED = np.array([1.0, 2.0, 3.0])  # m/s^2 in the world


def in_phone(world):
    return quaternion.rotate(quaternion.conjugate(UPRIGHT), np.asarray(world, dtype=float))


def named(values, names="xyz"):
    return dict(zip(names, np.asarray(values).tolist(), strict=True))


def phone_rows(time, sign, gravity=True, flat=False):
    """What a phone sends that is pushed: sign +1 is Android's, -1 Apple's."""
    rows = [
        ("accelerometer", named(sign * in_phone(PUSHED))),
        ("orientation", dict(zip(("qw", "qx", "qy", "qz"), UPRIGHT.tolist(), strict=True))),
    ]
    if gravity:
        rows.append(("gravity", named(sign * in_phone([0, 0, G]))))
    return [
        {"name": name, "time": time, **values} if flat else {"name": name, "time": time, "values": values}
        for name, values in rows
    ]  # fmt: skip


def watch_rows(time, sign, unit, name="wristmotion", gravity_unit=None):
    """The same of a watch; `unit` is m/s^2 of one that is sent."""
    names = [f"{part}{axis}" for part in ("acceleration", "gravity") for axis in "XYZ"]
    gravity = sign * in_phone([0, 0, G]) / (gravity_unit or unit)
    values = [*(sign * in_phone(PUSHED) / unit), *gravity, *UPRIGHT]
    keys = [*names, "quaternionW", "quaternionX", "quaternionY", "quaternionZ"]
    return [{"name": name, "time": time, "values": dict(zip(keys, values, strict=True))}]


def message(rows, number=0, session="s", device="ABC"):
    body = {"messageId": number, "sessionId": session, "deviceId": device, "payload": rows}
    return parse_phone_message(json.dumps(body).encode())


def samples_of(rows, platform="auto"):
    heard = PhoneDecoder(platform).read(message(rows), 7.0)
    return [sample for one in heard for sample in one.samples]


@pytest.mark.parametrize("flat", [False, True], ids=["values inside", "values beside"])
@pytest.mark.parametrize("sign", [1, -1], ids=["Android", "iOS"])
def test_a_phone_is_read_with_either_sign(sign, flat):
    (sample,) = samples_of(phone_rows(START, sign, flat=flat))
    assert sample.tracker == "phone ABC"
    assert sample.arrival == 7.0
    assert sample.device_time == pytest.approx(START * 1e-9, abs=1e-6)
    np.testing.assert_allclose(sample.world_from_sensor, UPRIGHT)
    np.testing.assert_allclose(sample.acceleration, PUSHED, atol=1e-9)


@pytest.mark.parametrize(
    ("sign", "unit"), [(-1, G), (1, 1.0)], ids=["as Apple's watch does", "standardised"]
)
def test_a_watch_is_read_in_g_and_in_metres(sign, unit):
    (sample,) = samples_of(watch_rows(START, sign, unit))
    assert sample.tracker == "phone ABC/watch"
    np.testing.assert_allclose(sample.acceleration, PUSHED, atol=1e-9)


@pytest.mark.parametrize(("sign", "unit"), [(-1, G), (1, 1.0)], ids=["as it comes", "standardised"])
def test_headphones_send_gravity_in_metres_whatever_their_acceleration_is_in(sign, unit):
    (sample,) = samples_of(watch_rows(START, sign, unit, "headphone", gravity_unit=1.0))
    assert sample.tracker == "phone ABC/headphone"
    np.testing.assert_allclose(sample.acceleration, PUSHED, atol=1e-9)


def test_without_gravity_signs_are_not_guessed():
    (heard,) = PhoneDecoder().read(message(phone_rows(START, 1, gravity=False)), 0.0)
    assert np.isnan(heard.samples[0].acceleration).all()
    np.testing.assert_allclose(heard.samples[0].world_from_sensor, UPRIGHT)
    assert heard.note == "no gravity, which tells Apple's signs: switch on Gravity in the app"


@pytest.mark.parametrize(("platform", "sign"), [("ios", -1), ("android", 1)])
def test_without_gravity_the_user_may_tell(platform, sign):
    (sample,) = samples_of(phone_rows(START, sign, gravity=False), platform)
    np.testing.assert_allclose(sample.acceleration, PUSHED, atol=1e-9)


def test_without_acceleration_the_user_is_told_what_to_switch_on():
    rows = [row for row in phone_rows(START, 1) if row["name"] != "accelerometer"]
    (heard,) = PhoneDecoder().read(message(rows), 0.0)
    assert heard.note == "no acceleration: switch on Accelerometer in the app"


def test_gravity_that_contradicts_the_orientation_is_told():
    rows = phone_rows(START, 1)
    rows[2]["values"] = named([G, 0, 0])
    (heard,) = PhoneDecoder().read(message(rows), 0.0)
    assert heard.note == "its gravity is not vertical by its orientation"


def test_accelerations_between_orientations_are_interpolated_across_messages():
    """Three sensors of a phone don't read at the same moments; nor does a message end with all three."""
    decoder = PhoneDecoder()
    slope = lambda ms: named([ms, 0, 0])  # noqa: E731
    rows = [
        {
            "name": "orientation",
            "time": START + 15_000_000,
            "values": {"qw": 1, "qx": 0, "qy": 0, "qz": 0},
        }
    ]
    first = [
        {"name": "accelerometer", "time": START + ms * 1_000_000, "values": slope(ms)}
        for ms in (0, 10)
    ]
    level = [{"name": "gravity", "time": START + 12_000_000, "values": named([0, 0, G])}]
    later = [{"name": "accelerometer", "time": START + 20_000_000, "values": slope(20)}]
    decoder.read(message([*first, *level, *rows], 0), 0.0)
    second = [row | {"time": row["time"] + 1_000_000} for row in rows]
    (heard,) = decoder.read(message([*later, *second], 1), 0.1)
    np.testing.assert_allclose(heard.samples[0].acceleration, [16, 0, 0], atol=1e-4)


def test_readings_of_a_message_come_in_order_of_time():
    rows = [row for n in (3, 1, 2) for row in phone_rows(START + n * 10_000_000, 1)]
    times = [sample.device_time for sample in samples_of(rows)]
    assert times == sorted(times)
    assert len(times) == 3


def test_a_phone_and_its_watch_come_in_one_message():
    rows = phone_rows(START, -1) + watch_rows(START, -1, G)
    assert {sample.tracker for sample in samples_of(rows)} == {"phone ABC", "phone ABC/watch"}


def test_a_message_that_comes_twice_is_taken_once_and_a_lost_one_is_noted():
    decoder = PhoneDecoder()
    counts = [
        sum(len(one.samples) for one in decoder.read(message(phone_rows(START, 1), number), 0.0))
        for number in (0, 1, 1, 4, 3)
    ]
    assert counts == [1, 1, 0, 1, 1]
    (heard,) = decoder.read(message(phone_rows(START, 1), 5), 0.0)
    assert heard.note == "1 messages lost"


def test_a_new_recording_counts_anew():
    decoder = PhoneDecoder()
    for number, session in ((0, "a"), (1, "a"), (0, "b"), (1, "b")):
        (heard,) = decoder.read(message(phone_rows(START, 1), number, session), 0.0)
        assert len(heard.samples) == 1
        assert heard.note == ""


def test_the_battery_is_told():
    rows = [
        {"name": "Battery", "time": START, "values": {"batteryLevel": 0.42, "batteryState": "full"}}
    ]
    (heard,) = PhoneDecoder().read(message(rows), 0.0)
    assert heard.battery == pytest.approx(0.42)


def test_a_thousand_invented_phones_are_not_all_remembered():
    decoder = PhoneDecoder()
    for n in range(1000):
        decoder.read(message(phone_rows(START, 1), device=f"phone{n}"), 0.0)
    assert len(decoder._moving) == len(decoder._messages) == 64


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "found no JSON"),
        (b"{", "found no JSON"),
        (b"\xff", "found no JSON"),
        (b"[" * 100_000, "found no JSON"),
        (b"7", "JSON without a payload"),
        (b'{"payload": 1, "deviceId": "a"}', "JSON without a payload"),
        (b'{"payload": []}', "a deviceId that is none"),
        (b'{"payload": [], "deviceId": ""}', "a deviceId that is none"),
        (b'{"payload": [], "deviceId": "a\\n"}', "a deviceId that is none"),
        (b'{"payload": [1], "deviceId": "a"}', "a row that is no object"),
        (b'{"payload": [{"name": "a"}], "deviceId": "a"}', "a row without its name or time"),
        (b'{"payload": [' + b"1," * 20_001 + b'1], "deviceId": "a"}', "found 20002 rows"),
        (b" " * (LARGEST_MESSAGE + 1), f"found {LARGEST_MESSAGE + 1} bytes"),
    ],
)
def test_what_the_app_does_not_send_is_told(body, text):
    with pytest.raises(FormatError, match=text):
        parse_phone_message(body)


def test_numbers_may_be_text_and_what_is_no_number_is_left_out():
    values = {"x": "1.5", "y": True, "z": None, "a": "inf", "b": 10**400, "c": [1]}
    body = {"deviceId": "a", "payload": [{"name": "A", "time": str(START), "values": values}]}
    (row,) = parse_phone_message(json.dumps(body).encode()).rows
    assert dict(row.values) == {"x": 1.5}
    assert row.time == pytest.approx(START * 1e-9, abs=1e-6)
