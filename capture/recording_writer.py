"""Writes a `.pallas` recording, sample by sample or as a whole.

See docs/recording-format.md.
"""

import json
import struct
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..rig.arrays import Array, checked
from ..rig.errors import RecordingError
from .imu import ImuRecording
from .output import new_file
from .record_file import RecordFile
from .recording_layout import (
    CALIBRATION,
    FORMAT_NAME,
    SAMPLE,
    UNITS,
    VERSION,
    checked_placements,
    longest_calibration,
)

__all__ = ["RecordingWriter", "write_recording_file"]


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
        self._placements = checked_placements(placements)
        self._last_time = -np.inf
        header = {
            "format": FORMAT_NAME,
            "version": VERSION,
            "placements": list(placements),
            "units": UNITS,
        }
        self._file = RecordFile(path, header, force=force)

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
        self._file.append(SAMPLE, struct.pack("<d", time) + sample.astype("<f8").tobytes())
        self._last_time = time

    def write_pose(self, name: str, world_from_sensor: npt.ArrayLike) -> None:
        """Append the sensors' orientations (S, 4) in a calibration pose, such as "npose"."""
        pose = checked(f"pose {name}", world_from_sensor, (len(self._placements), 4))
        self._calibrate({"pose": name, "world_from_sensor": _listed(pose)})

    def write_mounting(self, bone_from_sensor: npt.ArrayLike) -> None:
        """Append how each sensor is mounted on its bone, (S, 4)."""
        mounting = checked("bone_from_sensor", bone_from_sensor, (len(self._placements), 4))
        self._calibrate({"bone_from_sensor": _listed(mounting)})

    def named(self, path: Path | str) -> None:
        """Let errors name this file."""
        self._file.path = Path(path)

    def close(self) -> None:
        """Flush and close; closing twice is allowed.

        Raises:
            OutputError: the last samples can't be written.
        """
        self._file.close()

    def _calibrate(self, entry: dict[str, Any]) -> None:
        payload = json.dumps(entry, ensure_ascii=False).encode()
        if len(payload) > longest_calibration(len(self._placements)):
            raise RecordingError(
                f"a calibration of {len(payload)} bytes is too long; shorten its name"
            )
        self._file.append(CALIBRATION, payload)


def write_recording_file(path: Path | str, recording: ImuRecording, *, force: bool = False) -> None:
    """Write a whole recording, to a temporary name first.

    Raises:
        OutputError: see `new_file`.
    """
    with new_file(path, force=force) as temporary:
        temporary.touch()  # fails here, in `new_file`'s words, where nothing can be written
        with RecordingWriter(temporary, recording.placements, force=True) as writer:
            writer.named(path)  # errors should name the file that was asked for
            _write_all(writer, recording)


def _write_all(writer: RecordingWriter, recording: ImuRecording) -> None:
    for name, pose in recording.poses.items():
        writer.write_pose(name, pose)
    if recording.bone_from_sensor is not None:
        writer.write_mounting(recording.bone_from_sensor)
    samples = zip(recording.times, recording.world_from_sensor, recording.acceleration, strict=True)
    for time, orientation, acceleration in samples:
        writer.write(float(time), orientation, acceleration)


def _listed(rotations: Array) -> list[list[float] | None]:
    """For JSON, which has no NaN: null for a sensor that is missing."""
    return [None if np.isnan(row).any() else row.tolist() for row in rotations]
