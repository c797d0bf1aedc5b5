"""Animals on four legs are refused, whatever their bones are called; people on two are not."""

import numpy as np
import pytest
from retarget_rigs import bones_of, embedded_rig

from pallas.rig.errors import SceneError
from pallas.rig.retarget import Bones, match_bones

DOG = {
    "hips": "Pelvis", "spine1": "Spine", "spine2": "Spine1", "neck": "Neck", "head": "Head", "tail": "Tail",
    "thigh": "Thigh", "shin": "Calf", "foot": "Foot", "toe": "Toe", "front_thigh": "UpperArm",
    "front_shin": "Forearm", "front_foot": "Hand", "front_toe": "Finger", "blade": "Clavicle",
}  # fmt: skip


def animal(names, spine=2, rise=0.2, parts=("neck", "head", "tail"), blades=False):
    """Four legs under a level trunk, their bones named as ours, as a dog's of games, or not at all."""
    rows = [("hips", None, (0, 0.6, 1.0))]
    rows += [(f"spine{k}", rows[-1][0], (0, 0.8 - 0.4 * k, 1.02)) for k in range(1, spine + 1)]
    chest = rows[-1][0]
    for part, place in (("neck", (0, -0.6, 1.1)), ("head", (0, -0.8, 1.1 + rise))):
        rows += [(part, rows[-1][0], place)] if part in parts else []
    rows += [("tail", "hips", (0, 0.8, 0.9))] if "tail" in parts else []
    joints = (("thigh", 0.0, 0.9), ("shin", 0.0, 0.5), ("foot", 0.0, 0.12), ("toe", -0.3, 0.03))
    for side, x in (("L", 0.15), ("R", -0.15)):
        rows += [(f"blade.{side}", chest, (x / 2, -0.45, 1.0))] if blades else []
        for leg, y, held in (
            ("", 0.6, "hips"),
            ("front_", -0.5, f"blade.{side}" if blades else chest),
        ):
            own = [f"{leg}{joint}.{side}" for joint, _, _ in joints]
            for name, above, (_, forward, z) in zip(own, [held, *own], joints, strict=False):
                rows.append((name, above, (x, y + forward, z)))
    new = {row[0]: row[0] for row in rows}
    if names == "none":
        new = {row[0]: f"bone{i}" for i, row in enumerate(rows)}
    elif names == "dog":
        split = {name: name.partition(".") for name in new}
        new = {name: f"{DOG[part]}{dot and '_'}{side}" for name, (part, dot, side) in split.items()}
    return bones_of([(new[n], new.get(above), place, (np.nan,) * 3) for n, above, place in rows])


@pytest.mark.parametrize("names", ["ours", "dog", "none"])
@pytest.mark.parametrize("spine", [0, 1, 2])
@pytest.mark.parametrize(
    "build",
    [
        {},
        {"rise": 0.9},  # a head held high, as a llama's
        {"parts": ("neck", "head")},
        {"parts": ()},
        {"parts": ("tail",), "blades": True},
        {"rise": 0.9, "blades": True},
    ],
)
def test_a_quadruped_is_refused_clearly(names, spine, build):
    with pytest.raises(SceneError, match="level trunk on 4 legs.*humanoid"):
        match_bones(animal(names, spine, **build))


def test_a_person_in_a_coat_with_long_arms_is_no_animal():
    """Tails of a coat from the hips to the floor before and behind the legs; fingers down to the floor."""
    bones = embedded_rig()
    hips = bones.heads[bones.index("mixamorig:Hips")]
    heads, tails = list(bones.heads), list(bones.tails)
    names, parents = list(bones.names), list(bones.parents)
    for side, x in (("L", 0.12), ("R", -0.12)):
        for way, y in (("front", -0.12), ("back", 0.12)):
            above = bones.index("mixamorig:Hips")
            for k in range(3):
                names.append(f"coat_{way}_{k}.{side}")
                parents.append(above)
                above = len(names) - 1
                heads.append([x, hips[1] + y, hips[2] * (1 - k / 3)])
                tails.append([x, hips[1] + y, hips[2] * (1 - (k + 1) / 3)])
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        for part, z in (("Arm", 1.4), ("ForeArm", 0.75), ("Hand", 0.15)):
            heads[bones.index(f"mixamorig:{side}{part}")] = [sign * 0.25, 0.0, z]
    turns = np.tile((1.0, 0.0, 0.0, 0.0), (len(names), 1))
    dressed = Bones(tuple(names), tuple(parents), turns, np.array(heads), np.array(tails))
    found = match_bones(dressed, presets=False)
    assert found.first("left_shin") == "mixamorig:LeftLeg"
    assert found.first("right_forearm") == "mixamorig:RightForeArm"
