"""Writes a raw log: everything that comes, as it comes, before anything is made of it."""

import json
import time as clock
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import numpy as np

from ...rig.errors import RecordingError, ShapeError
from ...rig.retarget.bones import Bones
from ..devices.samples import PoseSample, Sample, TrackerSample
from ..record_file import RecordFile
from .raw_log_layout import (
    EVENT,
    FORMAT_NAME,
    LOG_UNITS,
    LOG_VERSION,
    MOST_BONES,
    MOST_SENDERS,
    NO_SEQUENCE,
    POSE,
    POSE_HEAD,
    READING,
    READING_TYPE,
    SENDER,
    SKELETON,
    fits,
)

__all__ = ["RawLogWriter"]


class RawLogWriter:
    """An append-only file of samples and events; what was written a second ago survives a crash.

    The file is there under its own name from the first moment. Any thread may call any method.

    Args:
        path: the file to write, by convention `*.pallas`.
        source: what was listened to, such as "slimevr 127.0.0.1:6969".
        name: of the take.
        notes: about it.
        force: replace a file that is there.

    Raises:
        OutputError: the file is there already and `force` is off, or it can't be written.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        source: str,
        name: str = "",
        notes: str = "",
        force: bool = False,
    ) -> None:
        self.path = Path(path)
        self._lock = Lock()
        self._senders: dict[str, int] = {}
        self._bones: dict[int, Bones] = {}
        header = {
            "format": FORMAT_NAME,
            "version": LOG_VERSION,
            "source": source,
            "name": name,
            "notes": notes,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "clock": clock.monotonic(),
            "units": LOG_UNITS,
        }
        self._file = RecordFile(path, header, force=force)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, sample: Sample) -> None:
        """Append one sample.

        Raises:
            RecordingError: there are too many senders, or a skeleton has too many bones.
            ShapeError: an array of the sample has another shape than it promises.
            OutputError: the file can't be written.
        """
        with self._lock:
            if isinstance(sample, TrackerSample):
                self._append(READING, _reading(self._number(sample.tracker), sample))
            else:
                number = self._number(sample.performer)
                if self._bones.get(number) is not sample.bones:
                    self._append(SKELETON, _skeleton(number, sample.bones))
                    self._bones[number] = sample.bones
                self._append(POSE, _pose(number, sample))

    def event(self, kind: str, **fields: Any) -> None:  # noqa: ANN401 - whatever JSON holds
        """Append what happened, now or at the field `time` (seconds of `time.monotonic`).

        Args:
            kind: such as "take", "placing", "pose", "mounting", "heading", "gap".
            fields: what JSON can hold, and numpy arrays; NaN becomes null.

        Raises:
            RecordingError: it is too long.
            OutputError: the file can't be written.
        """
        entry = {"kind": kind, "time": clock.monotonic(), **fields}
        with self._lock:
            self._append(EVENT, json.dumps(_plain(entry), ensure_ascii=False).encode())

    def tick(self) -> None:
        """Flush if it is time; to be called now and then where samples may stop coming.

        Raises:
            OutputError: the file can't be written.
        """
        with self._lock:
            self._file.tick()

    def close(self) -> None:
        """Flush and close; closing twice is allowed.

        Raises:
            OutputError: the last samples can't be written.
        """
        with self._lock:
            self._file.close()

    def _number(self, sender: str) -> int:
        """Of a sender, who is introduced by a record of its own the first time."""
        if sender not in self._senders:
            if len(self._senders) >= MOST_SENDERS:
                raise RecordingError(
                    f"{sender[:40]} would be sender {MOST_SENDERS + 1} of the recording, expected at most "
                    f"{MOST_SENDERS}; pair fewer"
                )
            number = len(self._senders)
            self._append(SENDER, json.dumps([number, sender[:200]], ensure_ascii=False).encode())
            self._senders[sender] = number
        return self._senders[sender]

    def _append(self, tag: bytes, payload: bytes) -> None:
        if not fits(tag, len(payload)):
            raise RecordingError(
                f"a record {tag.decode()} of {len(payload)} bytes is too long for a recording; shorten it"
            )
        self._file.append(tag, payload)


def _reading(number: int, sample: TrackerSample) -> bytes:
    row = np.zeros((), dtype=READING_TYPE)
    row["sender"], row["arrival"], row["device_time"] = number, sample.arrival, sample.device_time
    row["sequence"] = _sequence(sample)
    row["world_from_sensor"], row["acceleration"] = sample.world_from_sensor, sample.acceleration
    return row.tobytes()


def _sequence(sample: Sample) -> int:
    known = sample.sequence is not None and 0 <= sample.sequence < 1 << 63
    return int(sample.sequence or 0) if known else NO_SEQUENCE


def _pose(number: int, sample: PoseSample) -> bytes:
    bones = len(sample.bones)
    if bones > MOST_BONES:
        raise RecordingError(f"{bones} bones are more than a recording holds ({MOST_BONES})")
    if sample.rotations.shape != (bones, 4) or sample.heads.shape != (bones, 3):
        raise ShapeError(
            f"rotations {sample.rotations.shape} and heads {sample.heads.shape} of {bones} bones"
        )
    head = POSE_HEAD.pack(number, sample.arrival, sample.device_time, _sequence(sample))
    numbers = np.concatenate([sample.rotations, sample.heads], axis=1)
    return head + numbers.astype("<f8").tobytes()


def _skeleton(number: int, bones: Bones) -> bytes:
    entry = {
        "sender": number,
        "names": list(bones.names),
        "parents": list(bones.parents),
        "rotations": bones.rotations,
        "heads": bones.heads,
        "tails": bones.tails,
    }
    return json.dumps(_plain(entry), ensure_ascii=False).encode()


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    """As JSON holds it: lists for arrays, null for what is no number."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
