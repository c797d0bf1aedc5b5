"""What retargeting is measured on: motions of the CMU library, and rigs of many builds."""

import json
import os
import struct
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pallas.capture import read_amc
from pallas.rig import quaternion
from pallas.rig.arrays import Array
from pallas.rig.retarget import BoneMap, Bones, SourceMotion, match_bones

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("PALLAS_DATA", ROOT.parent / "shared" / "data"))
sys.path.insert(0, str(ROOT / "tests" / "support"))
from humanoids import A_POSE, Build, dancing, humanoid, posed, rolled  # noqa: E402

CLIPS = ("02_01", "02_03", "05_02", "05_13", "14_02", "01_03", "49_02", "135_02", "131_04", "16_01")
Rig = tuple[str, Bones, BoneMap]


def motions() -> list[tuple[SourceMotion, BoneMap]]:
    """CMU clips, or motions that are made up."""
    archive = DATA / "motion" / "cmu.tar.xz"
    if not archive.is_file():
        bones, bone_map = humanoid(Build(fingers=True))
        turns = [dancing(bones, 600, seed, 0.3) for seed in range(10)]
        return [
            (SourceMotion(bones, t, h, 60.0, f"made up {k}"), bone_map)
            for k, (t, h) in enumerate(turns)
        ]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        paths = unpacked(archive, Path(folder))
        for clip in CLIPS:
            asf = paths.get(f"{clip.split('_')[0]}.asf")
            if asf is None or f"{clip}.amc" not in paths:
                continue
            motion = SourceMotion.of_motion(read_amc(asf, paths[f"{clip}.amc"]), clip)
            found.append((motion.clipped(0, len(motion), 2), cmu_map(motion.bones)))
    return found


def unpacked(archive: Path, folder: Path) -> dict[str, Path]:
    """The clips' files by name."""
    wanted = {f"{clip}.amc" for clip in CLIPS} | {f"{clip.split('_')[0]}.asf" for clip in CLIPS}
    paths = {}
    with tarfile.open(archive) as files:
        for member in files:
            name = Path(member.name).name
            if name in wanted and (content := files.extractfile(member)) is not None:
                paths[name] = folder / name
                paths[name].write_bytes(content.read())
    return paths


def cmu_map(bones: Bones) -> BoneMap:
    """As matched, but the wrist of Acclaim's figures is where `lhand` starts; `lwrist` twists the forearm."""
    found = dict(match_bones(bones).bones)
    for side in ("left", "right"):
        found[f"{side}_hand"] = (f"{side[0]}hand",)
        found[f"{side}_forearm_twist"] = (f"{side[0]}wrist",)
    return BoneMap(found)


def rigs() -> Iterator[Rig]:
    """Targets: made-up builds, the embedded character, and the rigs under PALLAS_DATA."""
    builds = {
        "same build, A-pose": Build(fingers=True),
        "long legs": Build(thigh=0.50, shin=0.40, fingers=True),
        "short legs, long arms": Build(thigh=0.30, shin=0.32, upper_arm=0.36, forearm=0.33),
        "child": Build(size=0.6, spine=(1.0,), twists=True),
        "giant, five spines": Build(size=1.8, spine=(1.0,) * 5, necks=2, twists=True, inline=True),
    }
    for name, build in builds.items():
        bones, bone_map = humanoid(build)
        turned = {part: A_POSE[part] for part in A_POSE}
        yield name, rolled(posed(bones, turned), 1), bone_map
    with np.load(ROOT / "scene" / "assets" / "character.npz") as file:
        names = tuple(str(name) for name in file["bone_names"])
        yield matched(
            "embedded character",
            names,
            file["bone_parents"],
            file["bone_heads"],
            file["bone_tails"],
        )
    for path in sorted((DATA / "rigs" / "mpfb").glob("*.json")):
        yield mpfb(path)
    for path in sorted((DATA / "rigs" / "kaykit").glob("*.glb")):
        yield glb(path)


def matched(name: str, names: tuple[str, ...], parents: Array, heads: Array, tails: Array) -> Rig:
    """A rig whose bones come in any order, and its own map."""
    order: list[int] = []
    while len(order) < len(names):
        order += [
            b
            for b in range(len(names))
            if b not in order and (parents[b] < 0 or parents[b] in order)
        ]
    places = {bone: place for place, bone in enumerate(order)}
    bones = Bones(
        tuple(names[b] for b in order),
        tuple(places[int(parents[b])] if parents[b] >= 0 else -1 for b in order),
        np.tile(quaternion.IDENTITY, (len(names), 1)),
        np.array(heads, dtype=np.float64)[order],
        np.array(tails, dtype=np.float64)[order],
    )
    return name, bones, match_bones(bones)


def mpfb(path: Path) -> Rig:
    """A rig of MPFB's."""
    read = json.loads(path.read_text(encoding="utf-8"))
    read = read.get("bones", read)
    names = tuple(read)
    ends = {
        end: np.array([b[end]["default_position"] for b in read.values()])
        for end in ("head", "tail")
    }
    floor = np.array([0.0, 0.0, min(end[:, 2].min() for end in ends.values())])
    parents = np.array([names.index(b["parent"]) if b["parent"] else -1 for b in read.values()])
    return matched(
        f"MPFB {path.stem[4:]}", names, parents, ends["head"] - floor, ends["tail"] - floor
    )


def glb(path: Path) -> Rig:
    """The first skin of a glTF file: joints at rest, without the ends of leaf bones."""
    data = path.read_bytes()
    read = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
    nodes, joints = read["nodes"], read["skins"][0]["joints"]
    above = {child: k for k, node in enumerate(nodes) for child in node.get("children", [])}

    def place(node: int) -> tuple[Array, Array]:
        own = nodes[node]
        x, y, z, w = own.get("rotation", (0.0, 0.0, 0.0, 1.0))
        turn, step = np.array([w, x, y, z]), np.array(own.get("translation", (0.0, 0.0, 0.0)))
        if node not in above:
            return turn, step
        parent, origin = place(above[node])
        return quaternion.multiply(parent, turn), origin + quaternion.rotate(parent, step)

    heads = np.array([place(joint)[1] for joint in joints]) @ np.array(
        [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    )
    parents = np.array([joints.index(above[j]) if above.get(j) in joints else -1 for j in joints])
    tails = np.full_like(heads, np.nan)
    for bone, parent in enumerate(parents):
        if parent >= 0:
            tails[parent] = heads[bone]
    return matched(path.stem, tuple(nodes[j]["name"] for j in joints), parents, heads, tails)
