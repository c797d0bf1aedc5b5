"""The anatomical model, from its table: the right half as it is there, the left one mirrored."""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..arrays import Array
from ..errors import ShapeError
from ..model import GROUND, Axis, BodyMarker, Coordinate, Frame, Joint, KinematicModel, about, along
from ..model.scaling import scaled

__all__ = ["NAME", "anatomical_model", "anatomical_table", "both_sides"]

NAME: Final = "pallas"
_TABLE: Final = Path(__file__).with_name("body.json")
_WORLD_FROM_GROUND: Final[Array] = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_SHORTEST, _TALLEST = 0.4, 2.6  # metres, of a person


@lru_cache(maxsize=1)
def anatomical_table() -> dict[str, Any]:
    """The table as it is filed."""
    table: dict[str, Any] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table


@lru_cache(maxsize=8)
def anatomical_model(height: float | None = None) -> KinematicModel:
    """The model of a person.

    Six degrees of freedom of the pelvis, three of hips, lumbar spine, neck and shoulders, one of knees,
    ankles, subtalar joints, toes, elbows and forearms, two of wrists; toes and wrists are locked. Names and
    signs are those of OpenSim's full-body gait models. The pelvis turns about the vertical first, then
    lists, then tilts (Baker, Gait & Posture 13, 2001), so that tilt is forward lean whatever way a person
    faces. Markers are those of OpenCap's augmenter and the keypoints of OpenPose. Sources of all numbers are
    in the table.

    Args:
        height: metres; None for that of the table, 1.75.

    Raises:
        ShapeError: nobody has such a height.
    """
    table = anatomical_table()
    if height is not None and not _SHORTEST <= height <= _TALLEST:
        raise ShapeError(
            f"a height of {height:g} m; expected metres, between {_SHORTEST:g} and {_TALLEST:g}"
        )
    joints = [joint for row in table["joints"] for joint in _joints(row)]
    model = KinematicModel(
        table["name"],
        tuple(joints),
        tuple(_coordinates(table["coordinates"])),
        markers=tuple(marker for row in table["markers"] for marker in _markers(row)),
        world_from_ground=_WORLD_FROM_GROUND,
    )
    if height is None or height == table["height"]:
        return model
    factor = height / table["height"]
    model = scaled(model, dict.fromkeys(model.bodies[1:], factor))
    standing = factor * table["coordinates"]["pelvis_ty"]["default"]
    return model.with_coordinates({"pelvis_ty": {"default": standing}})


def both_sides(name: str) -> tuple[str, ...]:
    """A name of the right side and its left twin; of what has no side, itself alone."""
    return (name, f"{name[:-1]}l") if name.endswith("_r") else (name,)


def _joints(row: dict[str, Any]) -> list[Joint]:
    names = both_sides(row["child"])
    return [_joint(row, left=side == 1) for side in range(len(names))]


def _joint(row: dict[str, Any], *, left: bool) -> Joint:
    def side(name: str) -> str:
        return both_sides(name)[-1] if left else name

    x, y, z = row.get("at", (0.0, 0.0, 0.0))
    return Joint(
        side(row["name"]),
        side(row["parent"]) if row["parent"] != GROUND else GROUND,
        side(row["child"]),
        Frame((x, y, -z if left else z)),
        translations=tuple(along(axis, name) for axis, name in row.get("shifts", ())),
        rotations=tuple(_turn(axis, side(name), left=left) for axis, name in row["turns"]),
    )


def _turn(axis: str | Sequence[float], coordinate: str, *, left: bool) -> Axis:
    """A mirrored turn keeps its sense about z, and changes it about x and y."""
    turn = about(axis, coordinate)
    mirror = np.array([-1.0, -1.0, 1.0]) if left else np.ones(3)
    return about(turn.direction * mirror, coordinate)


def _coordinates(rows: dict[str, dict[str, Any]]) -> list[Coordinate]:
    found = []
    for name, row in rows.items():
        degrees = "degrees" in row
        low, high = np.radians(row["degrees"]) if degrees else (-np.inf, np.inf)
        default = row.get("default", 0.0)
        found += [
            Coordinate(
                sided,
                float(np.radians(default)) if degrees else default,
                (float(low), float(high)),
                clamped=row.get("clamped", False),
                locked=row.get("locked", False),
            )
            for sided in both_sides(name)
        ]
    return found


def _markers(row: Sequence[Any]) -> list[BodyMarker]:
    name, body, (x, y, z), _ = row
    right = BodyMarker(name, body, (x, y, z))
    if name[0] not in "rR":
        return [right]
    return [right, BodyMarker(f"L{name[1:]}", both_sides(body)[-1], (x, y, -z))]
