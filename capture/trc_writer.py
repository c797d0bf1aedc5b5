"""TRC out, as OpenSim writes and reads it: in millimetres and y-up unless told, missing markers empty."""

from pathlib import Path

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.trajectories import MarkerTrajectories
from .axes import metres_per
from .marker_file import file_unit
from .textfile import write_text
from .up_axis import from_world

__all__ = ["format_trc", "write_trc"]

_EXACT = 1e-9  # metres: what is written is rounded to it
_TIME_DIGITS = 9


def write_trc(
    path: Path | str,
    markers: MarkerTrajectories,
    *,
    up: str = "y",
    unit: str = "mm",
    force: bool = False,
) -> None:
    """Write markers, turned so that the file's axis `up` points up.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
        FormatError: `up` or `unit` is none that a TRC knows, or a name has a tab or a line end.
    """
    text = format_trc(markers, up=up, unit=unit, name=Path(path).name)
    write_text(path, text, force=force)


def format_trc(
    markers: MarkerTrajectories, *, up: str = "y", unit: str = "mm", name: str = "markers.trc"
) -> str:
    """The text of a TRC file; `name` is what its first line says. See `write_trc`."""
    for marker in markers.names:
        if marker != marker.strip() or any(c in marker for c in "\t\n\r"):
            raise FormatError(
                f"marker {marker!r} can't be written; expected a name without tabs or outer blanks"
            )
    written = file_unit(unit)
    scale = metres_per("inch" if written == "in" else written)
    positions = from_world(markers.positions, up) / scale
    digits = round(-np.log10(_EXACT / scale))
    frames, count = len(markers), len(markers.names)
    rate = f"{markers.fps:.9g}"
    # Every row ends in a tab: without it OpenSim does not see that the last marker is empty.
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{frames}\t{count}\t{written}\t{rate}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(markers.names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{k + 1}" for k in range(count) for axis in "XYZ"),
        "",
    ]
    times = markers.times.tolist()
    for frame, row in enumerate(_cells(positions, digits)):
        lines.append(f"{frame + 1}\t{times[frame]:.{_TIME_DIGITS}f}\t" + "\t".join(row) + "\t")
    return "\n".join(lines) + "\n"


def _cells(positions: Array, digits: int) -> list[list[str]]:
    """Every row's numbers as text. A marker at 0, 0, 0 would read as missing: it moves by the last digit."""
    rounded = np.round(positions, digits)
    at_origin = (rounded == 0).all(axis=-1)
    rounded[..., 0] = np.where(at_origin, 10.0**-digits, rounded[..., 0])
    rounded += 0.0  # no -0
    rows = rounded.reshape(len(rounded), -1).tolist()
    return [["" if value != value else f"{value:.{digits}f}" for value in row] for row in rows]  # noqa: PLR0124
