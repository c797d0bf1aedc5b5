"""Which part of the body every face of the mesh is: by the bone that moves it, and by where it lies."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# In the order of `REGIONS` in rig/bodies/body.py.
SIDED = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot", "eye")
REGIONS = (
    *("head", "scalp", "neck", "chest", "abdomen", "hips"),
    *(f"{side}_{part}" for part in SIDED for side in ("left", "right")),
)
BONES = {
    "Hips": "hips",
    "Spine": "abdomen",
    "Spine1": "abdomen",
    "Spine2": "chest",
    "Neck": "neck",
    "Head": "head",
    "Shoulder": "chest",
    "Arm": "upper_arm",
    "ForeArm": "forearm",
    "UpLeg": "thigh",
    "Leg": "shin",
    "Foot": "foot",
    "ToeBase": "foot",
}


def part_of(bone: str) -> str:
    """The part that a bone moves."""
    for side in ("Left", "Right"):
        if bone.startswith(side):
            name = bone.removeprefix(side)
            part = "hand" if name.startswith("Hand") else BONES[name]
            return part if part in REGIONS else f"{side.lower()}_{part}"
    return BONES[bone]


def face_regions(
    vertices: Array,
    faces: Array,
    strongest: Array,
    heads: dict[str, Array],
    head_faces: Array,
    eye_faces: Array,
) -> Array:
    """(F,) index into `REGIONS`.

    Args:
        vertices: (V, 3) metres, of the mean body.
        faces: (F, 4).
        strongest: (V,) name of the bone with the largest weight.
        heads: of the bones, by name, metres.
        head_faces: (F,) True on the head and face.
        eye_faces: (F,) True on the eyeballs.
    """
    own = np.array([REGIONS.index(part_of(bone)) for bone in strongest])
    votes = np.zeros((len(faces), len(REGIONS)), dtype=np.int32)
    for corner in range(4):
        votes[np.arange(len(faces)), own[faces[:, corner]]] += 1
    regions = votes.argmax(axis=1)
    centres = vertices[faces].mean(axis=1)
    eyes = centres[eye_faces]
    level = eyes.mean(axis=0)
    head = head_faces & (regions == REGIONS.index("head")) & ~eye_faces
    regions[head & hairy(centres, level)] = REGIONS.index("scalp")
    regions[eye_faces] = REGIONS.index("left_eye")
    regions[eye_faces & (centres[:, 0] < 0.0)] = REGIONS.index("right_eye")
    return regions.astype(np.uint8)


def hairy(centres: Array, eyes: Array) -> Array:
    """(F,) True where hair grows: above a line from the forehead over the ears to the nape."""
    x, y, z = centres.T
    back = np.array([-0.10, 0.025, 0.065, 0.085, 0.115, 0.30])  # metres behind the eyes
    over = np.array([0.068, 0.055, 0.035, -0.01, -0.035, -0.045])  # metres above them
    line = np.interp(y - eyes[1], back, over)
    ears = (np.abs(x) > 0.072) & (z - eyes[2] < 0.04)
    return (z - eyes[2] > line) & ~ears
