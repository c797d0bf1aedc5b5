"""Which of a recording's sensors is which of PALLAS' four, found by the names of body segments."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ..rig.errors import FileError, FormatError, RecordingError
from .imu import PLACEMENTS

__all__ = ["BONES", "map_sensors", "read_map"]

# The joint whose rotation each sensor follows.
BONES: Final[Mapping[str, str]] = {
    "waist": "pelvis",
    "left_wrist": "left_elbow",
    "right_wrist": "right_elbow",
    "neck": "neck",
}
# Names in order of preference, without side, case, spaces and punctuation.
_WRIST: Final = ("wrist", "forearm", "lowerarm", "radius", "hand", "fore", "watch")
_SIDES: Final = {"left": "left", "l": "left", "right": "right", "r": "right"}
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "waist": ("waist", "pelvis", "hips", "hip", "sacrum", "lowerback", "belt", "root"),
    "left_wrist": _WRIST,
    "right_wrist": _WRIST,
    "neck": ("neck", "c7", "t1", "t8", "upperback", "spine3", "upperspine", "sternum", "chest",
             "torso", "trunk", "thorax", "head"),
}  # fmt: skip


def map_sensors(names: Sequence[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Find the sensor for each of `PLACEMENTS` among a recording's names.

    Args:
        names: of the recording's sensors.
        given: placement to sensor name where the user says so; the rest goes by names.

    Raises:
        RecordingError: one has no sensor; the message lists the names there are.
    """
    found = dict(given or {})
    unknown = [name for name in found.values() if name not in names]
    if unknown:
        raise RecordingError(
            f"the map names {', '.join(unknown)}, but the recording has {', '.join(names)}"
        )
    split = {name: _side_and_part(name) for name in names if name not in found.values()}
    for placement in PLACEMENTS:
        if placement in found:
            continue
        side = placement.split("_")[0] if placement.endswith("_wrist") else ""
        for part in _NAMES[placement]:
            match = [name for name, key in split.items() if key[0] == side and part in key[1]]
            if match:
                found[placement] = match[0]
                break
    missing = [placement for placement in PLACEMENTS if placement not in found]
    if missing:
        raise RecordingError(
            f"no sensor for {' and '.join(missing)}: the recording has "
            f"{', '.join(names) or 'none'}; name them with --map, a JSON file such as "
            '{"waist": "Pelvis", "left_wrist": "Sensor 3", …}'
        )
    return found


def read_map(path: Path) -> dict[str, str]:
    """Read a JSON object that says which sensor of a recording sits at which placement.

    Raises:
        FileError: there is no such file.
        FormatError: it is not such an object, or names other placements than `PLACEMENTS`.
    """
    if not path.is_file():
        raise FileError(f"the map {path} does not exist; expected a JSON file")
    try:
        sensors = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(
            f"{path} is not JSON ({error}); expected {{placement: sensor}}"
        ) from error
    if not isinstance(sensors, dict) or not all(isinstance(v, str) for v in sensors.values()):
        raise FormatError(
            f"{path} does not map placements to sensor names; expected {{placement: sensor}}"
        )
    unknown = sorted(set(sensors) - set(PLACEMENTS))
    if unknown:
        raise FormatError(
            f"{path} names the placement {', '.join(unknown)}; expected {', '.join(PLACEMENTS)}"
        )
    return sensors


def _side_and_part(name: str) -> tuple[str, frozenset[str]]:
    """("left", {"forearm", "fore", "arm"}) of "LeftForeArm", "l_forearm", "Fore Arm (L)" and the like."""
    words = [
        w.lower() for w in re.findall(r"[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*(?![a-z])|[0-9]+", name)
    ]
    sides = [word for word in words if word in _SIDES]
    side = _SIDES[sides[0]] if sides else ""
    parts = [word for word in words if word not in _SIDES]
    part = "".join(parts)
    for prefix in ("left", "right"):  # of "lefthand"
        if not side and part.startswith(prefix) and len(part) > len(prefix):
            side, part = prefix, part.removeprefix(prefix)
    whole = re.sub(r"(sensor|imu|tracker|segment)", "", part)
    return side, frozenset([*parts, whole])
