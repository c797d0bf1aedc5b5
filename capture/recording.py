"""The project's own IMU recording, `.pallas`: written as it is measured, readable after a crash.

docs/recording-format.md describes the bytes: one line of JSON, then records, each with its own
checksum. A record that was cut off by a crash is dropped, a damaged stretch in the middle becomes a
gap; both are told by a `FormatWarning`.
"""

import json
import re
import struct
import time as clock
import warnings
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..rig.arrays import Array, checked
from ..rig.errors import FormatError, OutputError, RecordingError
from .imu import ImuRecording
from .output import new_file
from .textfile import FormatWarning, naming, read_bytes

__all__ = [
    "FORMAT_NAME",
    "RecordingWriter",
    "parse_recording",
    "read_recording_file",
    "write_recording_file",
]

FORMAT_NAME = "pallas-imu"
_VERSION = 1
_UNITS = {
    "time": "s",
    "orientation": "world_from_sensor, unit quaternion w x y z, world z up",
    "acceleration": "m/s^2, linear (gravity removed), world",
}
_SAMPLE, _CALIBRATION = b"SMPL", b"CALB"
_HEAD = struct.Struct("<4sI")  # tag, bytes of payload
_CHECKSUM = struct.Struct("<I")  # CRC-32 of head and payload
_MOST_SENSORS = 1000
_TAGS = re.compile(_SAMPLE + b"|" + _CALIBRATION)
_FLUSH_SECONDS = 1.0


class RecordingWriter:
    """Writes a recording sample by sample; what was written a second ago survives a crash.

    The file is there under its own name from the first moment. Use it as a context manager.

    Args:
        path: the file to write, by convention `*.pallas`.
        placements: S different names of where the sensors sit.
        force: replace a file that is there.

    Raises:
        OutputError: the file is there already and `force` is off, or it can't be written.
        RecordingError: the placements are not different names.
    """

    def __init__(
        self, path: Path | str, placements: tuple[str, ...], *, force: bool = False
    ) -> None:
        self.path = Path(path)
        self._placements = _checked_placements(placements)
        self._last_time = -np.inf
        self._last_flush = clock.monotonic()
        if self.path.exists() and not force:
            raise OutputError(f"{path} is there already; choose another name or pass --force")
        header = {
            "format": FORMAT_NAME,
            "version": _VERSION,
            "placements": list(placements),
            "units": _UNITS,
        }
        try:
            self._file = self.path.open("wb")
        except OSError as error:
            raise self._failed(error) from error
        try:
            self._file.write(json.dumps(header, ensure_ascii=False).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            with suppress(OSError):  # closing tries to write once more
                self._file.close()
            raise self._failed(error) from error

    def __enter__(self) -> "RecordingWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(
        self, time: float, world_from_sensor: npt.ArrayLike, acceleration: npt.ArrayLike
    ) -> None:
        """Append one sample.

        Args:
            time: seconds, later than the sample before.
            world_from_sensor: (S, 4) unit quaternions, NaN where missing.
            acceleration: (S, 3) m/s^2, linear, world frame, NaN where missing.

        Raises:
            RecordingError: the time does not move forward.
            ShapeError: an array does not fit the placements.
            OutputError: the file can't be written.
        """
        if not self._last_time < time < np.inf:
            raise RecordingError(
                f"a sample at {time} s came after one at {self._last_time} s; expected times that "
                "strictly increase"
            )
        sensors = len(self._placements)
        sample = np.concatenate(
            [
                checked("world_from_sensor", world_from_sensor, (sensors, 4)),
                checked("acceleration", acceleration, (sensors, 3)),
            ],
            axis=1,
        )
        self._append(_SAMPLE, struct.pack("<d", time) + sample.astype("<f8").tobytes())
        self._last_time = time

    def write_pose(self, name: str, world_from_sensor: npt.ArrayLike) -> None:
        """Append the sensors' orientations (S, 4) in a calibration pose, such as "npose"."""
        pose = checked(f"pose {name}", world_from_sensor, (len(self._placements), 4))
        self._calibrate({"pose": name, "world_from_sensor": _listed(pose)})

    def write_mounting(self, bone_from_sensor: npt.ArrayLike) -> None:
        """Append how each sensor is mounted on its bone, (S, 4)."""
        mounting = checked("bone_from_sensor", bone_from_sensor, (len(self._placements), 4))
        self._calibrate({"bone_from_sensor": _listed(mounting)})

    def close(self) -> None:
        """Flush and close; closing twice is allowed.

        Raises:
            OutputError: the last samples can't be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error

    def _calibrate(self, entry: dict[str, Any]) -> None:
        payload = json.dumps(entry, ensure_ascii=False).encode()
        if len(payload) > _longest_calibration(len(self._placements)):
            raise RecordingError(
                f"a calibration of {len(payload)} bytes is too long; shorten its name"
            )
        self._append(_CALIBRATION, payload)

    def _append(self, tag: bytes, payload: bytes) -> None:
        record = _HEAD.pack(tag, len(payload)) + payload
        try:
            self._file.write(record + _CHECKSUM.pack(zlib.crc32(record)))
            if clock.monotonic() - self._last_flush >= _FLUSH_SECONDS:
                self._file.flush()
                self._last_flush = clock.monotonic()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path} can't be written: {error.strerror or error}")


def write_recording_file(path: Path | str, recording: ImuRecording, *, force: bool = False) -> None:
    """Write a whole recording, to a temporary name first.

    Raises:
        OutputError: see `new_file`.
    """
    with new_file(path, force=force) as temporary:
        temporary.touch()  # fails here, in `new_file`'s words, where nothing can be written
        with RecordingWriter(temporary, recording.placements, force=True) as writer:
            writer.path = Path(path)  # errors should name the file that was asked for
            _write_all(writer, recording)


def _write_all(writer: RecordingWriter, recording: ImuRecording) -> None:
    for name, pose in recording.poses.items():
        writer.write_pose(name, pose)
    if recording.bone_from_sensor is not None:
        writer.write_mounting(recording.bone_from_sensor)
    samples = zip(recording.times, recording.world_from_sensor, recording.acceleration, strict=True)
    for time, orientation, acceleration in samples:
        writer.write(float(time), orientation, acceleration)


def read_recording_file(path: Path | str) -> ImuRecording:
    """Read a recording; see the module for what happens to a damaged one.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no recording, or its header is damaged.
        RecordingError: its clock does not move forward.
    """
    content = read_bytes(path)
    with naming(path):
        return parse_recording(content)


def parse_recording(content: bytes) -> ImuRecording:
    """Parse the bytes of a recording. See `read_recording_file`."""
    line, _, body = content.partition(b"\n")
    placements = _header(line)
    found = _Found(len(placements))
    for tag, payload, skipped in _records(body, len(placements)):
        found.add(tag, payload, skipped)
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
    if header.get("version") != _VERSION:
        raise FormatError(
            f"the recording has version {str(header.get('version'))[:20]}, this program reads "
            f"{_VERSION}; update PALLAS"
        )
    placements = header.get("placements")
    if not isinstance(placements, list) or not all(isinstance(name, str) for name in placements):
        raise FormatError("the header has no list of placements")
    try:
        return _checked_placements(tuple(placements))
    except RecordingError as error:
        raise FormatError(f"the header is damaged: {error}") from None


def _checked_placements(placements: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(placements) <= _MOST_SENSORS or len(set(placements)) != len(placements):
        raise RecordingError(
            f"found {len(placements)} placements, {len(set(placements))} of them different; expected "
            f"1 to {_MOST_SENSORS} different names"
        )
    return placements


def _records(body: bytes, sensors: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Every intact record: tag, payload, and the bytes that were skipped before it."""
    place, skipped = 0, 0
    while place < len(body):
        payload = _payload(body, place, sensors)
        if payload is None:
            after = _next_tag(body, place + 1)
            skipped += after - place
            place = after
            continue
        yield body[place : place + 4], payload, skipped
        place += _HEAD.size + len(payload) + _CHECKSUM.size
        skipped = 0
    if skipped:
        _warn(f"the last {skipped} bytes are no complete sample and were dropped")


def _sample_bytes(sensors: int) -> int:
    return 8 * (1 + 7 * sensors)


def _longest_calibration(sensors: int) -> int:
    """A bound, so that a damaged length does not make a reader check megabytes again and again."""
    return 1024 + 256 * sensors


def _payload(body: bytes, place: int, sensors: int) -> bytes | None:
    """The payload of the record at `place`, or None if there is no intact one."""
    if place + _HEAD.size > len(body):
        return None
    tag, length = _HEAD.unpack_from(body, place)
    is_sample = tag == _SAMPLE
    fits = (
        length == _sample_bytes(sensors) if is_sample else length <= _longest_calibration(sensors)
    )
    end = place + _HEAD.size + length
    if tag not in (_SAMPLE, _CALIBRATION) or not fits or end + _CHECKSUM.size > len(body):
        return None
    if zlib.crc32(body[place:end]) != _CHECKSUM.unpack_from(body, end)[0]:
        return None
    return body[place + _HEAD.size : end]


def _next_tag(body: bytes, start: int) -> int:
    found = _TAGS.search(body, start)
    return found.start() if found else len(body)


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
            whole = _sample_bytes(self.sensors) + _HEAD.size + _CHECKSUM.size
            self.lost.append((len(self.samples), max(round(skipped / whole), 1)))
        if tag == _SAMPLE:
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


def _listed(rotations: Array) -> list[list[float] | None]:
    """For JSON, which has no NaN: null for a sensor that is missing."""
    return [None if np.isnan(row).any() else row.tolist() for row in rotations]


def _warn(message: str) -> None:
    warnings.warn(message, FormatWarning, stacklevel=2)
