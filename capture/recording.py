"""The project's own IMU recording, `.pallas`: written as it is measured, readable after a crash.

docs/recording-format.md describes the bytes: one line of JSON, then records, each with its own
checksum. A record that was cut off by a crash is dropped, a damaged stretch in the middle becomes a
gap; both are told by a `FormatWarning`.
"""

import json
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..rig.arrays import Array, checked
from ..rig.errors import FormatError, RecordingError
from .imu import ImuRecording
from .recording_layout import (
    CALIBRATION,
    CHECKSUM,
    FORMAT_NAME,
    HEAD,
    SAMPLE,
    VERSION,
    checked_placements,
    intact_records,
    longest_calibration,
    sample_bytes,
)
from .recording_writer import RecordingWriter, write_recording_file
from .session.raw_log import is_raw_log, parse_raw_log
from .session.raw_log_layout import LOG_VERSION
from .textfile import FormatWarning, naming, read_bytes

__all__ = [
    "FORMAT_NAME",
    "RecordingWriter",
    "parse_recording",
    "read_recording_file",
    "write_recording_file",
]

_TAGS = re.compile(SAMPLE + b"|" + CALIBRATION)


def read_recording_file(path: Path | str) -> ImuRecording:
    """Read a recording or a raw log; see the module for what happens to a damaged one.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no recording, its header is damaged, or it holds solved poses alone.
        RecordingError: its clock does not move forward.
    """
    content = read_bytes(path)
    with naming(path):
        return parse_recording(content)


def parse_recording(content: bytes) -> ImuRecording:
    """Parse the bytes of a recording. See `read_recording_file`."""
    if is_raw_log(content):
        return parse_raw_log(content).recording()
    line, _, body = content.partition(b"\n")
    placements = _header(line)
    found = _Found(len(placements))
    most = longest_calibration(len(placements))
    whole = sample_bytes(len(placements))

    def fits(tag: bytes, length: int) -> bool:
        return length == whole if tag == SAMPLE else length <= most

    for tag, payload, skipped in intact_records(body, _TAGS, fits):
        if tag:
            found.add(tag, payload, skipped)
        else:
            _warn(f"the last {skipped} bytes are no complete sample and were dropped")
    samples = found.table()
    sensors = samples[:, 1:].reshape(len(samples), len(placements), 7)
    return ImuRecording(
        samples[:, 0],
        sensors[..., :4],
        sensors[..., 4:],
        placements,
        found.bone_from_sensor,
        found.poses,
    )


def _header(line: bytes) -> tuple[str, ...]:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT_NAME:
        raise FormatError("the first line is no recording's header; expected a .pallas recording")
    if header.get("version") != VERSION:
        raise FormatError(
            f"the recording has version {str(header.get('version'))[:20]}, this program reads "
            f"{VERSION} and {LOG_VERSION}; update PALLAS"
        )
    placements = header.get("placements")
    if not isinstance(placements, list) or not all(isinstance(name, str) for name in placements):
        raise FormatError("the header has no list of placements")
    try:
        return checked_placements(tuple(placements))
    except RecordingError as error:
        raise FormatError(f"the header is damaged: {error}") from None


@dataclass
class _Found:
    """What the records of a file add up to."""

    sensors: int
    samples: list[Array] = field(default_factory=list)
    poses: dict[str, Array] = field(default_factory=dict)
    bone_from_sensor: Array | None = None
    lost: list[tuple[int, int]] = field(default_factory=list)  # (samples before, samples lost)

    def add(self, tag: bytes, payload: bytes, skipped: int) -> None:
        if skipped:
            whole = sample_bytes(self.sensors) + HEAD.size + CHECKSUM.size
            self.lost.append((len(self.samples), max(round(skipped / whole), 1)))
        if tag == SAMPLE:
            self.samples.append(np.frombuffer(payload, dtype="<f8").astype(np.float64))
        else:
            self._calibrate(payload)

    def table(self) -> Array:
        """(T, 1 + 7 S): time, then each sensor; rows of NaN stand for what is damaged."""
        table = np.array(self.samples).reshape(len(self.samples), 1 + 7 * self.sensors)
        pieces, start = [], 0
        for before, lost in self.lost:
            pieces.append(table[start:before])
            if before == 0:
                _warn(f"about {lost} samples at the start are damaged and are left out")
            if 0 < before < len(table):
                pieces.append(self._bridge(table[before - 1, 0], table[before, 0], lost))
            start = before
        return np.concatenate([*pieces, table[start:]])

    def _bridge(self, start: float, end: float, lost: int) -> Array:
        rows = np.full((lost, 1 + 7 * self.sensors), np.nan)
        rows[:, 0] = np.linspace(start, end, lost + 2)[1:-1]
        _warn(f"about {lost} samples after {start:.3f} s are damaged and are read as missing")
        return rows

    def _calibrate(self, payload: bytes) -> None:
        try:
            entry = json.loads(payload)
            if "pose" in entry:
                self.poses[str(entry["pose"])] = self._rows(entry["world_from_sensor"])
            else:
                self.bone_from_sensor = self._rows(entry["bone_from_sensor"])
        except (ValueError, KeyError, TypeError, RecursionError):
            _warn("a calibration record says nothing this program knows; it is left out")

    def _rows(self, rows: object) -> Array:
        filled = [[np.nan] * 4 if row is None else row for row in list(rows)]  # type: ignore[call-overload]
        return checked("calibration", filled, (self.sensors, 4))


def _warn(message: str) -> None:
    warnings.warn(message, FormatWarning, stacklevel=2)
