"""Rigs that tests match bones of: read from files without Blender, or built from a map's roles."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pallas.rig import quaternion
from pallas.rig.retarget import BoneMap, Bones

ASSETS = Path(__file__).resolve().parent.parent.parent / "scene" / "assets"


def bones_of(rows):
    """Bones of (name, parent's name or None, head, tail) in any order."""
    by_name = {row[0]: row for row in rows}
    order = []

    def add(name):
        if name not in order:
            if by_name[name][1] is not None:
                add(by_name[name][1])
            order.append(name)

    for row in rows:
        add(row[0])
    place = {name: i for i, name in enumerate(order)}
    parents = tuple(-1 if by_name[n][1] is None else place[by_name[n][1]] for n in order)
    heads = np.array([by_name[n][2] for n in order], dtype=float)
    tails = np.array([by_name[n][3] for n in order], dtype=float)
    rotations = np.tile(quaternion.IDENTITY, (len(order), 1))
    return Bones(tuple(order), parents, rotations, heads, tails)


def mpfb_rig(path):
    """A rig of MPFB's: a JSON file with default positions of heads and tails."""
    table = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (
            name,
            bone["parent"] or None,
            bone["head"]["default_position"],
            bone["tail"]["default_position"],
        )
        for name, bone in table.get("bones", table).items()
    ]
    return bones_of(rows)


def glb_rig(path):
    """The joints of the first skin of a binary glTF, z up; tails are not known."""
    data = path.read_bytes()
    (size,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + size])
    joints = set(document["skins"][0]["joints"])
    rows = []

    def visit(index, turn, place, parent):
        node = document["nodes"][index]
        place = place + quaternion.rotate(turn, np.array(node.get("translation", (0, 0, 0))))
        x, y, z, w = node.get("rotation", (0, 0, 0, 1))
        turn = quaternion.multiply(turn, np.array((w, x, y, z)))
        if index in joints:
            rows.append((node["name"], parent, (place[0], -place[2], place[1]), [np.nan] * 3))
            parent = node["name"]
        for child in node.get("children", ()):
            visit(child, turn, place, parent)

    for root in document["scenes"][0]["nodes"]:
        visit(root, quaternion.IDENTITY, np.zeros(3), None)
    return bones_of(rows)


def embedded_rig():
    """The character in the package."""
    with np.load(ASSETS / "character.npz") as baked:
        names = [str(name) for name in baked["bone_names"]]
        parents = [names[p] if p >= 0 else None for p in baked["bone_parents"]]
        return bones_of(
            list(zip(names, parents, baked["bone_heads"], baked["bone_tails"], strict=True))
        )


def renamed(bones, names):
    """The same bones under other names."""
    return Bones(tuple(names), bones.parents, bones.rotations, bones.heads, bones.tails)


def without(bones, names):
    """The bones less some; their children hang on the next above."""
    rows = []
    for i, name in enumerate(bones.names):
        parent = bones.parents[i]
        while parent >= 0 and bones.names[parent] in names:
            parent = bones.parents[parent]
        if name not in names:
            above = bones.names[parent] if parent >= 0 else None
            rows.append((name, above, bones.heads[i], bones.tails[i]))
    return bones_of(rows)


def with_extra(bones, extra):
    """The bones and more: {name: name of the bone it hangs on or None}."""
    rows = [
        (n, bones.names[p] if p >= 0 else None, h, t)
        for n, p, h, t in zip(bones.names, bones.parents, bones.heads, bones.tails, strict=True)
    ]
    places = {row[0]: row[2] for row in rows}
    for name, above in extra.items():
        place = np.add(places.get(above, (0.1, 0.0, 0.1)), (0.0, 0.0, 0.02))
        rows.append((name, above, place, place))
    return bones_of(rows)


# Where a joint of a standing T-pose is, metres; the left side's, facing -y.
PLACES: Mapping[str, tuple[float, float, float]] = {
    "root": (0.0, 0.0, 0.0), "hips": (0.0, 0.0, 1.0), "shoulder": (0.03, 0.0, 1.42),
    "upper_arm": (0.17, 0.0, 1.42), "forearm": (0.44, 0.0, 1.42), "hand": (0.69, 0.0, 1.42),
    "thigh": (0.10, 0.0, 0.94), "shin": (0.10, -0.01, 0.51), "foot": (0.10, 0.02, 0.08),
    "toe": (0.10, -0.12, 0.02), "thumb": (0.72, -0.03, 1.41), "index": (0.78, -0.03, 1.42),
    "middle": (0.78, -0.01, 1.42), "ring": (0.775, 0.01, 1.42), "pinky": (0.765, 0.03, 1.42),
}  # fmt: skip
ABOVE = {
    "shoulder": "chest", "upper_arm": "shoulder", "forearm": "upper_arm", "hand": "forearm",
    "thigh": "hips", "shin": "thigh", "foot": "shin", "toe": "foot",
}  # fmt: skip
NEXT = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot"}


def rig_of_map(bone_map: BoneMap, *, twists_in_chain=False):
    """A plausible T-pose with exactly the map's bones, hung as their roles say."""
    rows = {}
    said = bone_map.bones
    last = None
    for role, low, high in (("root", 0, 0), ("hips", 1, 1), ("spine", 1.08, 1.34),
                            ("neck", 1.48, 1.53), ("head", 1.58, 1.58)):  # fmt: skip
        heights = np.linspace(low, high, max(len(said.get(role, ())), 2))
        for name, height in zip(said.get(role, ()), heights, strict=False):
            rows[name] = (name, last, (0.0, 0.0, height))
            last = name
        if role == "spine":
            chest = last
    for side, sign in (("left", 1.0), ("right", -1.0)):
        _add_side(rows, said, side, sign, chest, twists_in_chain)
    heads = {name: row[2] for name, row in rows.items()}
    return bones_of([(*row, _tail(row[0], rows, heads)) for row in rows.values()])


def _add_side(rows, said, side, sign, chest, twists_in_chain):
    mirror = np.array((sign, 1.0, 1.0))

    def holder(part):
        while (part := ABOVE[part]) in ABOVE:
            if f"{side}_{part}" in said:
                chain = said.get(f"{side}_{part}_twist", ())
                return chain[-1] if twists_in_chain and chain else said[f"{side}_{part}"][0]
        return chest if part == "chest" else said["hips"][0]

    for part in ABOVE:
        for name in said.get(f"{side}_{part}", ()):
            rows[name] = (name, holder(part), PLACES[part] * mirror)
        own = said.get(f"{side}_{part}_twist", ())
        for i, name in enumerate(own, 1):
            start, end = (np.array(PLACES[p]) for p in (part, NEXT[part]))
            above = own[i - 2] if twists_in_chain and i > 1 else said[f"{side}_{part}"][0]
            rows[name] = (name, above, (start + (end - start) * i / (len(own) + 1)) * mirror)
    for finger in ("thumb", "index", "middle", "ring", "pinky"):
        above = said.get(f"{side}_hand", (None,))[0]
        for number in (1, 2, 3):
            for name in said.get(f"{side}_{finger}_{number}", ()):
                step = np.array((0.03 * (number - 1), 0.0, 0.0))
                rows[name] = (name, above, (PLACES[finger] + step) * mirror)
                above = name


def _tail(name, rows, heads):
    children = [row[2] for row in rows.values() if row[1] == name]
    return np.mean(children, axis=0) if children else np.add(heads[name], (0.0, 0.0, 0.03))


FINGERS = ("thumb", "index", "middle", "ring", "pinky")
TABLES = Path(__file__).resolve().parent.parent / "rig" / "retarget"


def truth(rig, file="truth.json"):
    """Hand-written roles of a rig's bones, {role: (names)}; `as` begins with another rig's."""
    tables = json.loads((TABLES / file).read_text(encoding="utf-8"))
    table = tables[rig]
    while "as" in table:
        own = {role: written for role, written in table.items() if role != "as"}
        table = {**tables[table["as"]], **own}
    found = {}
    for role, written in table.items():
        names = [written] if isinstance(written, str) else written
        if role == "sides":
            continue
        if not any("{s" in name for name in names):
            found[role] = tuple(names)
            continue
        for side, word in zip(("left", "right"), table["sides"], strict=True):
            if role in FINGERS:
                for n in (1, 2, 3):
                    found[f"{side}_{role}_{n}"] = tuple(x.format(s=word, n=n) for x in names)
            else:
                found[f"{side}_{role}"] = tuple(x.format(s=word) for x in names)
    return found


def rig_of_tree(lines, known):
    """Bones hung as indented names tell; the map's where its roles are, the others near by.

    A line with `<l>`, `<L>`, `<left>` or `<Left>` stands, with all under it, for both sides.
    """
    placed = rig_of_map(known)
    places = dict(zip(placed.names, placed.heads, strict=True))
    rows = {}
    for side, shift in (("Left", 0.015), ("Right", -0.015)):
        above = []
        for line in lines:
            depth = (len(line) - len(line.lstrip())) // 2
            name = line.strip().replace("<Left>", side).replace("<left>", side.lower())
            name = name.replace("<L>", side[0]).replace("<l>", side[0].lower())
            above = [*above[:depth], name]
            held = above[depth - 1] if depth else None
            if name not in places:
                beside = shift if "<" in line else 0.0
                places[name] = np.add(places.get(held, (0.0, 0.0, 1.0)), (beside, 0.01, 0.01))
            rows[name] = (name, held, places[name], (np.nan,) * 3)
    return bones_of(list(rows.values()))
