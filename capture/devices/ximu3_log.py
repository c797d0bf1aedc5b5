"""Logs of x-IMU3 sensors as the maker's programs write them: a folder of CSV files for each sensor."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...rig.errors import FileError, FormatError
from ..textfile import naming, read_text
from .samples import TrackerSample
from .ximu3_decoder import Ximu3Decoder

__all__ = ["Ximu3Log", "read_ximu3_log"]

_LETTERS: Final = {
    "Inertial.csv": "I",
    "LinearAcceleration.csv": "L",
    "EarthAcceleration.csv": "E",
    "Quaternion.csv": "Q",
}
_MOST_SENSORS: Final = 64


@dataclass(frozen=True, eq=False)
class Ximu3Log:
    """Samples of some sensors, in order of time; their arrivals are their times, for none were written."""

    told: tuple[TrackerSample, ...]

    def samples(self) -> tuple[TrackerSample, ...]:
        """All of them."""
        return self.told


def read_ximu3_log(folder: Path | str) -> Ximu3Log:
    """Read a folder of one sensor, or one of such folders; trackers are called as the folders are.

    Raises:
        FileError: a file can't be read, or there is none.
        FormatError: a file is damaged.
    """
    folder = Path(folder)
    try:
        sensors = [folder, *sorted(inner for inner in folder.iterdir() if inner.is_dir())]
        sensors = [one for one in sensors if any((one / name).is_file() for name in _LETTERS)]
    except OSError as error:
        raise FileError(f"{folder} can't be read: {error.strerror or error}") from error
    if not sensors or len(sensors) > _MOST_SENSORS:
        raise FileError(
            f"{folder} holds logs of {len(sensors)} x-IMU3 sensors, expected 1 to {_MOST_SENSORS}: "
            "folders with Quaternion.csv and Inertial.csv"
        )
    told = [sample for sensor in sensors for sample in _sensor(sensor)]
    return Ximu3Log(tuple(sorted(told, key=lambda sample: sample.device_time)))


def _sensor(folder: Path) -> list[TrackerSample]:
    """What one sensor's messages, written as they were sent, are decoded to."""
    messages = [
        (_time(row), f"{letter},{row}".encode(), folder / name, line)
        for name, letter in _LETTERS.items()
        if (folder / name).is_file()
        for line, row in _rows(folder / name)
    ]
    decoder = Ximu3Decoder(asks=False, word="")
    samples = []
    for _, message, path, line in sorted(messages, key=lambda one: one[0]):
        with naming(path):
            samples += _decoded(decoder, message, folder.name, line)
    return [
        TrackerSample(s.tracker, s.device_time, s.device_time, s.world_from_sensor, s.acceleration)
        for s in samples
    ]


def _rows(path: Path) -> list[tuple[int, str]]:
    """Lines and their numbers, without the header."""
    lines = enumerate(read_text(path).splitlines(), start=1)
    return [(number, line.strip()) for number, line in lines if line.strip() and number > 1]


def _time(row: str) -> int:
    word = row.partition(",")[0]
    return int(word) if word.isascii() and word.isdigit() and len(word) < 20 else -1


def _decoded(decoder: Ximu3Decoder, message: bytes, source: str, line: int) -> list[TrackerSample]:
    try:
        heard = decoder.read(message, source, 0.0)
    except FormatError as error:
        raise FormatError(f"line {line}: {error}") from None
    return [sample for one in heard for sample in one.samples]
