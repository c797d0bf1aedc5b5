"""Any file that holds a motion or an IMU recording, by the end of its name or by what is in it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from ..rig.errors import FileError, FormatError
from ..rig.motion import Motion
from .asf_amc import read_amc
from .bvh import read_bvh, write_bvh
from .imu import ImuRecording
from .imu_csv import read_imu_csv, write_imu_csv
from .motion_csv import read_motion_csv, write_motion_csv
from .motion_npz import read_motion_npz, write_motion_npz
from .mvnx import read_mvnx
from .recording import FORMAT_NAME, read_recording_file, write_recording_file
from .textfile import read_bytes

__all__ = [
    "MOTION_SUFFIXES",
    "RECORDING_SUFFIXES",
    "find_asf",
    "format_of",
    "read_motion",
    "read_recording",
    "write_motion",
    "write_recording",
]

_T = TypeVar("_T")
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".bvh": "a motion",
        ".amc": "a motion",
        ".npz": "a motion",
        ".csv": "a motion or recording",
        ".mvnx": "a motion and recording",
        ".pallas": "a recording",
        ".trc": "markers",
        ".c3d": "markers",
        ".mot": "a model's coordinates",
        ".sto": "a model's coordinates",
        ".osim": "a kinematic model",
    }
)
MOTION_SUFFIXES: Final = tuple(s for s, kind in _KINDS.items() if "motion" in kind)
RECORDING_SUFFIXES: Final = tuple(s for s, kind in _KINDS.items() if "recording" in kind)
_SNIFFED = 4096  # bytes that tell what a file is


def read_motion(path: Path | str) -> Motion:
    """Read a motion in any format the project knows: `MOTION_SUFFIXES`.

    An AMC is read with the ASF beside it (`find_asf`). An MVNX gives the suit's own pose.

    Raises:
        FileError: the file can't be read, or its format is not known; the message lists those that are.
        FormatError: it is damaged, or holds no motion.
    """
    readers: dict[str, Callable[[Path], Motion]] = {
        ".bvh": read_bvh,
        ".amc": lambda amc: read_amc(find_asf(amc), amc),
        ".npz": read_motion_npz,
        ".csv": read_motion_csv,
        ".mvnx": _motion_from_mvnx,
    }
    return _read(Path(path), readers, "a motion")


def read_recording(path: Path | str) -> ImuRecording:
    """Read an IMU recording in any format the project knows: `RECORDING_SUFFIXES`.

    Raises:
        FileError: the file can't be read, or its format is not known; the message lists those that are.
        FormatError: it is damaged, or holds no recording.
        RecordingError: its clock does not move forward.
    """
    readers: dict[str, Callable[[Path], ImuRecording]] = {
        ".pallas": read_recording_file,
        ".csv": read_imu_csv,
        ".mvnx": _recording_from_mvnx,
    }
    return _read(Path(path), readers, "an IMU recording")


def write_motion(path: Path | str, motion: Motion, *, force: bool = False) -> None:
    """Write a motion as `.bvh`, `.npz` or `.csv`.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
        FormatError: the suffix is none of these.
    """
    writers = {".bvh": write_bvh, ".npz": write_motion_npz, ".csv": write_motion_csv}
    suffix = _output_suffix(Path(path), writers, "a motion")
    writers[suffix](path, motion, force=force)


def write_recording(path: Path | str, recording: ImuRecording, *, force: bool = False) -> None:
    """Write an IMU recording as `.pallas` or `.csv`.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
        FormatError: the suffix is none of these.
    """
    writers = {".pallas": write_recording_file, ".csv": write_imu_csv}
    suffix = _output_suffix(Path(path), writers, "an IMU recording")
    writers[suffix](path, recording, force=force)


def format_of(path: Path | str) -> str:
    """The suffix of a file's format, by its name or else by its content; "" where it is not known.

    Raises:
        FileError: the content had to be looked at, and can't be read.
    """
    suffix = Path(path).suffix.lower()
    return suffix if suffix in _KINDS else _sniffed(Path(path))


def find_asf(amc: Path | str) -> Path:
    """The ASF that belongs to an AMC: `07_01.asf`, `07.asf`, or the only one in the folder.

    Raises:
        FileError: there is none, or no telling which.
    """
    amc = Path(amc)
    names = (amc.with_suffix(".asf"), amc.with_name(amc.stem.partition("_")[0] + ".asf"))
    for candidate in names:
        if candidate.is_file():
            return candidate
    there = sorted(amc.parent.glob("*.asf"))
    if len(there) != 1:
        raise FileError(
            f"{amc} needs its skeleton: found {len(there)} .asf files beside it, expected "
            f"{names[1].name}"
        )
    return there[0]


def _read(path: Path, readers: Mapping[str, Callable[[Path], _T]], wanted: str) -> _T:
    suffix = format_of(path)
    if suffix in readers:
        return readers[suffix](path)
    if suffix:
        solve = "; solve it first: pallas solve" if _KINDS[suffix] == "a recording" else ""
        raise FormatError(f"{path} holds {_KINDS[suffix]}, expected {wanted}{solve}")
    raise FileError(
        f"{path} is in no known format (its name ends in {path.suffix or 'nothing'!r}); "
        f"{wanted} can be: {', '.join(readers)}"
    )


def _sniffed(path: Path) -> str:
    """The suffix that the content deserves, or "" where it is like nothing we know."""
    start = read_bytes(path)[:_SNIFFED].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PK\x03\x04"):
        return ".npz"
    if start[:9].upper() == b"HIERARCHY":
        return ".bvh"
    if start.startswith(b"{") and FORMAT_NAME.encode() in start.partition(b"\n")[0]:
        return ".pallas"
    if start.startswith(b"<") and b"<mvnx" in start:
        return ".mvnx"
    header = next((line for line in start.splitlines() if not line.startswith(b"#")), b"")
    return ".csv" if b".qw" in header else ""


def _output_suffix(path: Path, known: Mapping[str, object], what: str) -> str:
    suffix = path.suffix.lower()
    if suffix not in known:
        raise FormatError(
            f"{what} can't be written as {path.suffix or 'a file without suffix'!r}; "
            f"expected one of: {', '.join(known)}"
        )
    return suffix


def _motion_from_mvnx(path: Path) -> Motion:
    motion = read_mvnx(path).motion
    if motion is None:
        raise FormatError(f"{path} holds no segment orientations; export it with them")
    return motion


def _recording_from_mvnx(path: Path) -> ImuRecording:
    recording = read_mvnx(path).recording
    if recording is None:
        raise FormatError(f"{path} holds no sensor orientations; export it with sensor data")
    return recording
