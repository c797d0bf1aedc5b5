"""The bodies in the package, read from one file."""

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..arrays import frozen
from ..errors import FileError, ShapeError
from .body import Body

__all__ = ["BODIES_FILE", "body_names", "load_body", "read_table"]

BODIES_FILE: Final[Path] = Path(__file__).parent / "bodies.npz"


def body_names() -> tuple[str, ...]:
    """Names of all bodies, children first."""
    return tuple(str(name) for name in _file()["names"])


@cache
def load_body(name: str) -> Body:
    """One body; the same object whenever it is asked for.

    Raises:
        ShapeError: there is none of that name; the message lists them.
        FileError: the file is missing from the installation.
    """
    if name not in body_names():
        raise ShapeError(f"there is no body {name!r}; the bodies are: {', '.join(body_names())}")
    row, data = body_names().index(name), _file()
    step = float(data["residual_step"])
    vertices = data["mean_vertices"] + step * data["residuals"][row].T.astype(np.float64)
    told = {key: float(data[f"phenotype_{key}"][row]) for key in data["phenotype_keys"]}
    return Body(
        name=name,
        phenotype=MappingProxyType({"sex": str(data["sexes"][row]), **told}),
        height=float(np.ptp(vertices[:, 2])),
        mass=float(data["masses"][row]),
        vertices=frozen(vertices),
        bone_heads=frozen(data["bone_heads"][row].astype(np.float64)),
        bone_tails=frozen(data["bone_tails"][row].astype(np.float64)),
        **_shared(),
    )


@cache
def _file() -> dict[str, npt.NDArray[Any]]:
    """The arrays of the file."""
    try:
        with np.load(BODIES_FILE) as file:
            return dict(file)
    except OSError as error:
        raise FileError(
            f"{BODIES_FILE.name} is missing from PALLAS; install the package again"
        ) from error


@cache
def _shared() -> dict[str, Any]:
    """What all bodies have in common."""
    data = _file()
    low, high = data["uvs_box"].astype(np.float64)
    return {
        "faces": frozen(data["faces"].astype(np.int32)),
        "uvs": frozen(low + data["uvs"] / 65535 * (high - low)),
        "uv_faces": frozen(data["uv_faces"].astype(np.int32)),
        "regions": frozen(data["regions"]),
        "bone_names": tuple(str(name) for name in data["bone_names"]),
        "bone_parents": tuple(int(parent) for parent in data["bone_parents"]),
        "bone_rolls": frozen(data["bone_rolls"].astype(np.float64)),
        "weights": frozen(data["weights"] / 255.0),
        "weight_bones": frozen(data["weight_bones"]),
    }


def read_table(name: str) -> dict[str, Any]:
    """A JSON table beside this file."""
    table: dict[str, Any] = json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return table
