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

__all__ = ["length_of", "moments", "read_played"]

_LONE = 0.01  # seconds of a take of one moment


def read_played(path: Path | str) -> ImuRecording | RawLog:
    """Read what can be replayed: every recording that `read_recording` reads, raw logs, OpenSim's STO.

    An STO holds orientations only: its accelerations are missing.

    Raises:
        FileError: the file can't be read, or its format is not known.
        FormatError: it is damaged, or holds no recording.
    """
    if Path(path).suffix.lower() == ".sto":
        table = read_quaternions(path)
        missing = np.full((*table.world_from_sensor.shape[:2], 3), math.nan)
        return ImuRecording(table.times, table.world_from_sensor, missing, table.names)
    content = read_bytes(path)
    if not is_raw_log(content):
        return read_recording(path)
    with naming(path):
        return parse_raw_log(content)


def moments(take: ImuRecording | RawLog) -> Iterator[tuple[float, tuple[Sample, ...]]]:
    """Seconds since the start, and what came then; what is missing altogether was not sent."""
    if isinstance(take, RawLog):
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


def length_of(take: ImuRecording | RawLog) -> float:
    """Seconds of one round: a usual step more than from first to last, so that a loop has no seam."""
    if isinstance(take, RawLog):
        arrivals = np.sort([*take.readings["arrival"], *(pose.arrival for pose in take.poses)])
        steps = np.diff(arrivals)
        steps = steps[steps > 0]
        return float(arrivals[-1] - arrivals[0] + np.median(steps)) if len(steps) else _LONE
    if len(take) < 2:
        return _LONE
    return float(take.times[-1] - take.times[0] + np.median(np.diff(take.times)))
