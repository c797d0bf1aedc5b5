"""Reads a raw log: every sample and event of a take, from which it can be solved again in other ways.

docs/recording-format.md describes the bytes. What a crash cut off is dropped, a damaged stretch is skipped;
both are told by a `FormatWarning`.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ...rig.retarget.bones import Bones
from ...rig.retarget.source import SourceMotion
from ..devices.samples import PoseSample, Sample, TrackerSample
from ..imu import ImuRecording
from ..recording_layout import intact_records
from ..textfile import LARGEST, FormatWarning, naming, read_bytes
from .log_events import LogEvent, log_event
from .raw_log_layout import (
    EVENT,
    FORMAT_NAME,
    LOG_VERSION,
    MOST_SENDERS,
    NO_SEQUENCE,
    POSE,
    POSE_HEAD,
    READING,
    READING_TYPE,
    SENDER,
    SKELETON,
    TAGS,
    fits,
)
from .raw_log_writer import RawLogWriter
from .raw_motion import performed_motion
from .raw_recording import worn_recording

__all__ = ["LogEvent", "RawLog", "RawLogWriter", "is_raw_log", "parse_raw_log", "read_raw_log"]


@dataclass(frozen=True, eq=False)
class RawLog:
    """A take as it came.

    Attributes:
        source: what was listened to.
        name: of the take, empty if it has none.
        notes: about it.
        started: when, as ISO 8601 in UTC; empty if the file does not say.
        clock: seconds of the clock of arrivals when the log began; times of a recording count from there.
        readings: `raw_log_layout.READING_TYPE`, in order of arrival; `sender` is a row of `senders`.
        senders: names of trackers and performers.
        poses: of performers whom other programs solved, in order of arrival.
        events: in the order in which they were written.
    """

    source: str
    name: str
    notes: str
    started: str
    clock: float
    readings: npt.NDArray[Any]
    senders: tuple[str, ...]
    poses: tuple[PoseSample, ...]
    events: tuple[LogEvent, ...]

    @property
    def trackers(self) -> tuple[str, ...]:
        """Those that sent readings, in the order in which they appeared."""
        numbers, first = np.unique(self.readings["sender"], return_index=True)
        return tuple(self.senders[number] for number in numbers[np.argsort(first)])

    @property
    def performers(self) -> tuple[str, ...]:
        """Whoever wore trackers, by the events, and whoever was solved by another program."""
        wearing = [e.text("performer") for e in self.events if e.kind == "placing"]
        return tuple(dict.fromkeys([*wearing, *(pose.performer for pose in self.poses)]))

    def samples(self) -> Iterator[Sample]:
        """Everything that came, in order of arrival."""
        solved = iter(self.poses)
        pose = next(solved, None)
        for row in self.readings:
            while pose is not None and pose.arrival <= row["arrival"]:
                yield pose
                pose = next(solved, None)
            yield _sample(row, self.senders)
        while pose is not None:
            yield pose
            pose = next(solved, None)

    def recording(
        self,
        placements: Mapping[str, str] | None = None,
        *,
        performer: str | None = None,
        fps: float | None = None,
    ) -> ImuRecording:
        """What the trackers measured, on one even clock, calibrated as the take's events say.

        Losses of up to a quarter of a second are bridged, longer ones are missing (`ImuRecording.gaps`).

        Args:
            placements: tracker by placement, instead of what the events say.
            performer: of several, whose; the first if None.
            fps: samples per second; the trackers' usual rate if None.

        Raises:
            FormatError: no tracker sent anything.
            RecordingError: there is no such tracker or performer, or the clock runs for days.
        """
        return worn_recording(self, placements, performer, fps)

    def motion(self, performer: str | None = None, fps: float | None = None) -> SourceMotion:
        """What another program solved, for retargeting.

        Args:
            performer: of several, whose; the one seen longest if None.
            fps: frames per second; the program's usual rate if None.

        Raises:
            FormatError: the take holds no solved poses, or none of that performer.
        """
        return performed_motion(self.poses, performer, fps)


def read_raw_log(path: Path | str) -> RawLog:
    """Read a raw log.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no raw log, or its header is damaged.
    """
    content = read_bytes(path)
    with naming(path):
        return parse_raw_log(content)


def is_raw_log(content: bytes) -> bool:
    """Whether the first line says so."""
    header = _header(content.partition(b"\n")[0])
    return header is not None and header.get("version") == LOG_VERSION


def parse_raw_log(content: bytes) -> RawLog:
    """Parse the bytes of a raw log. See `read_raw_log`."""
    line, _, body = content.partition(b"\n")
    header = _header(line)
    if header is None or header.get("version") != LOG_VERSION:
        raise FormatError(
            "the first line is no raw log's header; expected a take that `pallas record` wrote"
        )
    found = _Found()
    for tag, payload, skipped in intact_records(body, TAGS, fits):
        if skipped:
            where = "in the middle" if tag else "at the end"
            _warn(f"{skipped} bytes {where} are no complete record and were left out")
        if tag:
            found.add(tag, payload)
    return found.log(header)


def _header(line: bytes) -> Mapping[str, object] | None:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) and header.get("format") == FORMAT_NAME else None


@dataclass
class _Found:
    """What the records of a file add up to."""

    readings: list[bytes] = field(default_factory=list)
    senders: dict[int, str] = field(default_factory=dict)
    skeletons: dict[int, Bones] = field(default_factory=dict)
    known: dict[str, Bones] = field(default_factory=dict)
    poses: list[PoseSample] = field(default_factory=list)
    events: list[LogEvent] = field(default_factory=list)

    def add(self, tag: bytes, payload: bytes) -> None:
        if tag == READING:
            self.readings.append(payload)
        elif tag == POSE:
            self._pose(payload)
        else:
            try:
                self._told(tag, json.loads(payload))
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
                _warn(f"a record {tag.decode()} says nothing this program knows; it is left out")

    def log(self, header: Mapping[str, object]) -> RawLog:
        readings = np.frombuffer(b"".join(self.readings), dtype=READING_TYPE)
        readings = readings[
            (np.abs(readings["arrival"]) < LARGEST) & (readings["sender"] < MOST_SENDERS)
        ]
        count = 1 + max([-1, *self.senders, *np.unique(readings["sender"]).tolist()])
        clock = _number(header.get("clock"))
        names = [self.senders.get(number, f"tracker {number}") for number in range(count)]
        take = next((e for e in reversed(self.events) if e.kind == "take"), None)
        texts = {key: str(header.get(key) or "") for key in ("source", "name", "notes", "started")}
        for key in ("name", "notes"):
            texts[key] = (take.text(key) if take else "") or texts[key]
        return RawLog(
            **texts,
            clock=float(clock)
            if isinstance(clock, int | float) and np.isfinite(clock)
            else _first(readings, self.poses),
            readings=readings,
            senders=tuple(names),
            poses=tuple(self.poses),
            events=tuple(self.events),
        )

    def _told(self, tag: bytes, entry: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        if tag == EVENT:
            self.events.append(log_event(entry))
        elif tag == SENDER:
            number, name = entry
            if not 0 <= int(number) < MOST_SENDERS:
                raise ValueError(number)
            self.senders[int(number)] = str(name)
        elif tag == SKELETON:
            key = json.dumps(entry)
            self.known[key] = self.known.get(key) or _bones(entry)
            self.skeletons[int(entry["sender"])] = self.known[key]

    def _pose(self, payload: bytes) -> None:
        number, arrival, device_time, sequence = POSE_HEAD.unpack_from(payload)
        numbers = np.frombuffer(payload, dtype="<f8", offset=POSE_HEAD.size).reshape(-1, 7)
        bones = self.skeletons.get(number)
        if bones is None or len(bones) != len(numbers) or not abs(arrival) < LARGEST:
            _warn("a pose without its skeleton is left out")
            return
        values = numbers.astype(np.float64)
        self.poses.append(
            PoseSample(
                self.senders.get(number, f"performer {number}"),
                arrival,
                device_time,
                bones,
                values[:, :4],
                values[:, 4:],
                None if sequence == NO_SEQUENCE else sequence,
            )
        )


def _number(value: object) -> float | None:
    """A finite number that JSON held."""
    return float(value) if isinstance(value, int | float) and abs(value) < LARGEST else None


def _first(readings: npt.NDArray[Any], poses: list[PoseSample]) -> float:
    arrivals = [*readings["arrival"][:1].tolist(), *(pose.arrival for pose in poses[:1])]
    return float(min(arrivals, default=0.0))


def _bones(entry: Mapping[str, Any]) -> Bones:
    names, parents = tuple(map(str, entry["names"])), tuple(map(int, entry["parents"]))
    rows = [np.array(entry[key], dtype=np.float64) for key in ("rotations", "heads", "tails")]
    shaped: list[Array] = [
        row.reshape(len(names), width) for row, width in zip(rows, (4, 3, 3), strict=True)
    ]
    return Bones(names, parents, *shaped)


def _sample(row: Any, senders: tuple[str, ...]) -> TrackerSample:  # noqa: ANN401 - a row of a table
    sequence = int(row["sequence"])
    return TrackerSample(
        senders[row["sender"]],
        float(row["arrival"]),
        float(row["device_time"]),
        np.array(row["world_from_sensor"]),
        np.array(row["acceleration"]),
        None if sequence == NO_SEQUENCE else sequence,
    )


def _warn(message: str) -> None:
    warnings.warn(message, FormatWarning, stacklevel=2)
