"""Find anatomical landmarks on the embedded character's skin and write them as vertex indices.

    .venv/bin/python dev/bake_landmarks.py render/dataset/landmarks.json

All bodies share the character's mesh, so an index is the same place on every body. A landmark is the vertex
that lies furthest in a direction from a joint within a slab across the limb, which is how a therapist
palpates it: the outermost bone at the height of the joint line. The same input gives the same bytes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LEFT, BACK, UP = np.eye(3)
SIDES = (("left", "Left", "L", 1.0), ("right", "Right", "r", -1.0))


class Figure:
    """The character at rest: vertices, heads of bones, and the bone that moves each vertex most."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            low, high = file["vertices_box"].astype(float)
            self.vertices = low + file["vertices"] / 65535 * (high - low)
            names = [str(name).removeprefix("mixamorig:") for name in file["bone_names"]]
            self.heads = dict(zip(names, file["bone_heads"].astype(float), strict=True))
            self.tails = dict(zip(names, file["bone_tails"].astype(float), strict=True))
            self.bone = np.array(names)[file["weight_bones"][:, 0]]
            faces = file["faces"]
            eyes = faces[file["materials"] == list(file["material_names"]).index("Eyes")]
        self.eyes = np.unique(eyes)

    def of(self, *bones: str) -> Array:
        """(V,) True where one of the bones moves a vertex most."""
        return np.isin(self.bone, bones)

    def furthest(self, mask: Array, way: Array) -> list[int]:
        """The vertex of the mask that is furthest along a direction."""
        reach = np.where(mask, self.vertices @ way, -np.inf)
        return [int(np.argmax(reach))]

    def across(self, bones: tuple[str, ...], place: Array, axis: Array, way: Array) -> list[int]:
        """The furthest vertex along `way` in a slab of 2.5 cm to each side of `place`."""
        axis = axis / np.linalg.norm(axis)
        way = way - (way @ axis) * axis
        slab = np.abs((self.vertices - place) @ axis) < 0.025
        return self.furthest(self.of(*bones) & slab, way)

    def nearest(self, place: Array) -> list[int]:
        """The vertex nearest to a place."""
        return [int(np.argmin(np.linalg.norm(self.vertices - place, axis=1)))]


def face(figure: Figure) -> dict[str, list[int]]:
    """Nose, eyes, ears."""
    vertices = figure.vertices
    head = figure.of("Head", "Neck")
    eyes = vertices[figure.eyes].mean(axis=0)
    middle = head & (np.abs(vertices[:, 0]) < 0.01) & (vertices[:, 2] < eyes[2])
    low = eyes[2] - 0.07
    found = {"nose": figure.furthest(middle & (vertices[:, 2] > low), -BACK)}
    for side, _, _, sign in SIDES:
        own = figure.eyes[vertices[figure.eyes, 0] * sign > 0]
        # The front half of the ball, whose middle is the pupil whatever way the eye looks.
        front = own[vertices[own, 1] < np.quantile(vertices[own, 1], 0.1)]
        found[f"{side}_eye"] = front.tolist()
        level = head & (np.abs(vertices[:, 2] - eyes[2] + 0.02) < 0.025)
        # The tragus: outermost but for the rim of the ear, which stands further back.
        found[f"{side}_ear"] = figure.furthest(level & (vertices[:, 1] < 0.02), sign * LEFT)
    return found


def feet(figure: Figure) -> dict[str, list[int]]:
    """Toes and heels, and the markers of the foot."""
    found = {}
    vertices = figure.vertices
    for side, bone, letter, sign in SIDES:
        foot = figure.of(f"{bone}Foot", f"{bone}ToeBase") & (vertices[:, 2] < 0.06)
        ball = figure.heads[f"{bone}ToeBase"]
        inner = foot & (sign * vertices[:, 0] < sign * ball[0])
        found[f"{side}_big_toe"] = figure.furthest(inner, -BACK)
        outside = sign * LEFT - 0.6 * BACK
        found[f"{side}_small_toe"] = figure.furthest(foot, outside)
        heel = figure.furthest(figure.of(f"{bone}Foot") & (vertices[:, 2] < 0.08), BACK)
        found[f"{side}_heel"] = heel
        found[f"{letter}_calc_study"] = heel
        top = foot | figure.of(f"{bone}Foot", f"{bone}ToeBase")
        slab = top & (np.abs(vertices[:, 1] - ball[1]) < 0.015)
        found[f"{letter}_toe_study"] = figure.furthest(
            slab & (np.abs(vertices[:, 0] - ball[0]) < 0.015), UP
        )
        found[f"{letter}_5meta_study"] = figure.furthest(slab, sign * LEFT)
    return found


def legs(figure: Figure) -> dict[str, list[int]]:
    """Pelvis, thighs, knees, shanks and ankles."""
    found = {}
    for _, bone, letter, sign in SIDES:
        hip, knee, ankle = (figure.heads[f"{bone}{name}"] for name in ("UpLeg", "Leg", "Foot"))
        out = sign * LEFT
        thigh, shank = knee - hip, ankle - knee
        whole = (f"{bone}UpLeg", f"{bone}Leg", f"{bone}Foot", "Hips")
        found[f"{letter}_knee_study"] = figure.across(whole, knee, thigh, out)
        found[f"{letter}_mknee_study"] = figure.across(whole, knee, thigh, -out)
        found[f"{letter}_ankle_study"] = figure.across(whole, ankle, shank, out)
        inner = ankle + 0.02 * UP  # the medial malleolus is the higher one
        found[f"{letter}_mankle_study"] = figure.across(whole, inner, shank, -out)
        for part, start, along, name in (
            ("thigh", hip, thigh, "UpLeg"),
            ("sh", knee, shank, "Leg"),
        ):
            for number, (far, way) in enumerate(
                ((0.4, out - BACK), (0.5, out), (0.6, out - BACK)), 1
            ):
                place = start + far * along
                found[f"{letter}_{part}{number}_study"] = figure.across(
                    (f"{bone}{name}",), place, along, way
                )
        prefix = "r." if letter == "r" else "L."
        trunk = figure.of("Hips", "Spine", f"{bone}UpLeg")
        own = trunk & (sign * figure.vertices[:, 0] > 0.06)
        level = own & (np.abs(figure.vertices[:, 2] - hip[2] - 0.07) < 0.015)
        found[f"{prefix}ASIS_study"] = figure.furthest(level, out - 2.0 * BACK)
        back = trunk & (np.abs(sign * figure.vertices[:, 0] - 0.045) < 0.015)
        level = back & (np.abs(figure.vertices[:, 2] - hip[2] - 0.08) < 0.015)
        found[f"{prefix}PSIS_study"] = figure.furthest(level, BACK)
    return found


def arms(figure: Figure) -> dict[str, list[int]]:
    """Shoulders, elbows, wrists and the seventh vertebra of the neck."""
    found = {}
    for _, bone, letter, _ in SIDES:
        shoulder, elbow, wrist = (
            figure.heads[f"{bone}{name}"] for name in ("Arm", "ForeArm", "Hand")
        )
        near = np.linalg.norm(figure.vertices - shoulder, axis=1) < 0.09
        near &= np.abs(figure.vertices[:, 0] - shoulder[0]) < 0.02
        trunk = figure.of(f"{bone}Shoulder", f"{bone}Arm", "Spine2")
        found[f"{letter}_shoulder_study"] = figure.furthest(near & trunk, UP)
        # In the A-pose palms look down and inwards: the elbow's outer side is up and back, the thumb ahead.
        upper, lower = elbow - shoulder, wrist - elbow
        axis = np.cross(upper, BACK) * np.sign(np.cross(upper, BACK)[2])
        whole = (f"{bone}Arm", f"{bone}ForeArm", f"{bone}Hand")
        found[f"{letter}_lelbow_study"] = figure.across(whole, elbow, upper, axis)
        found[f"{letter}_melbow_study"] = figure.across(whole, elbow, upper, -axis)
        thumb = figure.heads[f"{bone}HandThumb2"] - figure.heads[f"{bone}HandPinky2"]
        found[f"{letter}_lwrist_study"] = figure.across(whole, wrist, lower, thumb)
        found[f"{letter}_mwrist_study"] = figure.across(whole, wrist, lower, -thumb)
    neck = figure.heads["Neck"]
    level = np.abs(figure.vertices[:, 2] - neck[2]) < 0.012
    middle = level & (np.abs(figure.vertices[:, 0]) < 0.012)
    found["C7_study"] = figure.furthest(middle & figure.of("Neck", "Spine2", "Head"), BACK)
    return found


def main() -> None:
    """Write the table to the path given as the only argument."""
    if len(sys.argv) != 2:
        sys.exit("usage: bake_landmarks.py OUT.json")
    root = Path(__file__).resolve().parent.parent
    figure = Figure(root / "scene" / "assets" / "character.npz")
    found = {**face(figure), **feet(figure), **legs(figure), **arms(figure)}
    lines = ",\n".join(f"  {json.dumps(name)}: {rows}" for name, rows in sorted(found.items()))
    text = f'{{\n  "vertices": {len(figure.vertices)},\n{lines}\n}}\n'
    Path(sys.argv[1]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
