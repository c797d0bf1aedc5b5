"""Marker files of any kind: TRC and C3D, by the end of the name or by what is in them."""

from pathlib import Path
from typing import Final

from ..rig.errors import FileError, FormatError
from ..rig.trajectories import MarkerTrajectories
from .c3d import C3D_MARK, read_c3d
from .c3d_writer import write_c3d
from .marker_file import MarkerFile
from .textfile import read_bytes
from .trc import read_trc
from .trc_writer import write_trc

__all__ = ["MARKER_SUFFIXES", "read_marker_file", "read_markers", "write_markers"]

_READERS: Final = {".trc": read_trc, ".c3d": read_c3d}
_WRITERS: Final = {".trc": write_trc, ".c3d": write_c3d}
_USUAL_UP: Final = {".trc": "y", ".c3d": "z"}
MARKER_SUFFIXES: Final = tuple(_READERS)


def read_markers(
    path: Path | str, *, up: str | None = None, unit: str | None = None
) -> MarkerTrajectories:
    """Read the markers of a TRC or C3D file: metres, z up, NaN where missing.

    Args:
        path: the file.
        up: the file's axis that points up ("y", "z", "-x" …); None takes what the file says, else the axis
            along which the body stands, else the usual one (TRC: y, C3D: z).
        unit: of the file's numbers ("mm", "cm", "m", "inch"); None takes what the file says.

    Raises:
        FileError: the file can't be read, or is of another kind.
        FormatError: it is damaged, or its unit makes of the markers no person.
    """
    return read_marker_file(path, up=up, unit=unit).markers


def read_marker_file(
    path: Path | str, *, up: str | None = None, unit: str | None = None
) -> MarkerFile:
    """As `read_markers`, with the unit and up axis that were chosen."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        suffix = _sniffed(path)
    if suffix not in _READERS:
        raise FileError(
            f"{path} is in no known format of markers (its name ends in {path.suffix or 'nothing'!r}); "
            f"expected one of: {', '.join(_READERS)}"
        )
    return _READERS[suffix](path, up=up, unit=unit)


def write_markers(
    path: Path | str,
    markers: MarkerTrajectories,
    *,
    up: str | None = None,
    unit: str = "mm",
    force: bool = False,
) -> None:
    """Write markers as `.trc` or `.c3d`.

    Args:
        path: the file.
        markers: metres, z up.
        up: the axis to point up in the file; None takes the usual one (TRC: y, C3D: z).
        unit: of the numbers in the file.
        force: replace a file that is there.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
        FormatError: the suffix is neither, or the format has no room for a name, the unit or the axis.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise FormatError(
            f"markers can't be written as {Path(path).suffix or 'a file without suffix'!r}; expected one "
            f"of: {', '.join(_WRITERS)}"
        )
    up = up if up is not None else _USUAL_UP[suffix]
    _WRITERS[suffix](path, markers, up=up, unit=unit, force=force)


def _sniffed(path: Path) -> str:
    start = read_bytes(path)[:4096]
    if start[1:2] == bytes([C3D_MARK]) and start[0] < 0x20:
        return ".c3d"
    return ".trc" if b"PathFileType" in start[:64] or b"\nFrame#" in start else ""
