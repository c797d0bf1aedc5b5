"""x-IMU3 messages for tests: as bytes by the manual's rules, and real ones from a log's CSV files."""

import csv
import struct

import numpy as np


def as_bytes(letter, microseconds, *values):
    """One binary message with its end."""
    body = bytes([ord(letter) + 0x80]) + struct.pack(f"<Q{len(values)}f", microseconds, *values)
    return body.replace(b"\xdb", b"\xdb\xdd").replace(b"\n", b"\xdb\xdc") + b"\n"


def as_text(letter, microseconds, *values):
    """One message as text with its end."""
    return (
        ",".join([letter, str(microseconds), *(f"{value:.4f}" for value in values)]).encode()
        + b"\r\n"
    )


def column_rows(path):
    """The numbers of one of a log's files (T, C)."""
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))[1:]
    return np.array([[float(cell) for cell in row] for row in rows])


def messages(folder):
    """(letter, microseconds, values) of a log's quaternions and inertial readings, in order of time."""
    found = [
        (letter, int(time), tuple(values))
        for letter, name in (("I", "Inertial.csv"), ("Q", "Quaternion.csv"))
        for time, *values in column_rows(folder / name).tolist()
    ]
    return sorted(found, key=lambda message: (message[1], message[0]))
