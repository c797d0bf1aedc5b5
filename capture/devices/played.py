"""What can be replayed, moment by moment: recordings, tables of orientations, raw logs."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..formats import read_recording
from ..imu import ImuRecording
from ..orientation_table import read_quaternions
from ..session.raw_log import RawLog, is_raw_log, parse_raw_log
from ..textfile import naming, read_bytes
from .samples import Sample, TrackerSample
from .ximu3_log import Ximu3Log, read_ximu3_log

__all__ = ["Take", "length_of", "moments", "read_played"]

Take = ImuRecording | RawLog | Ximu3Log

_LONE = 0.01  # seconds of a take of one moment


def read_played(path: Path | str) -> Take:
    """Read a recording that `read_recording` reads, a raw log, OpenSim's STO, a folder of x-IMU3 logs.

    An STO holds orientations only: its accelerations are missing.

    Raises:
        FileError: the file can't be read, or its format is not known.
        FormatError: it is damaged, or holds no recording.
    """
    if Path(path).is_dir():
        return read_ximu3_log(path)
    if Path(path).suffix.lower() == ".sto":
        table = read_quaternions(path)
        missing = np.full((*table.world_from_sensor.shape[:2], 3), math.nan)
        return ImuRecording(table.times, table.world_from_sensor, missing, table.names)
    content = read_bytes(path)
    if not is_raw_log(content):
        return read_recording(path)
    with naming(path):
        return parse_raw_log(content)


def moments(take: Take) -> Iterator[tuple[float, tuple[Sample, ...]]]:
    """Seconds since the start, and what came then; what is missing altogether was not sent."""
    if not isinstance(take, ImuRecording):
        first = math.nan
        for sample in take.samples():
            first = sample.arrival if math.isnan(first) else first
            yield sample.arrival - first, (sample,)
        return
    silent = np.isnan(take.world_from_sensor).any(-1) & np.isnan(take.acceleration).any(-1)
    for row, told in enumerate(take.times.tolist()):
        rotations, accelerations = take.world_from_sensor[row], take.acceleration[row]
        yield (
            told - float(take.times[0]),
            tuple(
                TrackerSample(name, math.nan, told, rotations[sensor], accelerations[sensor])
                for sensor, name in enumerate(take.placements)
                if not silent[row, sensor]
            ),
        )


def length_of(take: Take) -> float:
    """Seconds of one round: a usual step more than from first to last, so that a loop has no seam."""
    if not isinstance(take, ImuRecording):
        arrivals = np.sort([sample.arrival for sample in take.samples()])
        steps = np.diff(arrivals)
        steps = steps[steps > 0]
        return float(arrivals[-1] - arrivals[0] + np.median(steps)) if len(steps) else _LONE
    if len(take) < 2:
        return _LONE
    return float(take.times[-1] - take.times[0] + np.median(np.diff(take.times)))
