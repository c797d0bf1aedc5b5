"""How exactly and how fast motions are brought to other bodies.

    python benchmarks/retarget.py [FRAMES]

Ten motions of the CMU library (or made-up ones without PALLAS_DATA) onto rigs of many builds. Per rig:

- the angle between the target's bones and the source's: upper arm, forearm, thigh and shin; then what is
  level along the soles at rest; and feet from ankle to ball, which differ as the heights of ankles do,
  because soles that are flat in both rests stay flat;
- how far feet mode turns thighs and shins;
- how far the standing end of a planted foot moves from one frame to the next, without feet mode and with it.

Then frames a second, and how long one frame of a stream takes.
"""

import json
import os
import resource
import struct
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pallas.capture import read_amc
from pallas.rig import quaternion
from pallas.rig.arrays import Array
from pallas.rig.retarget import (
    BoneMap,
    Bones,
    Retargeted,
    Retargeter,
    RetargetOptions,
    SourceMotion,
    match_bones,
)

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("PALLAS_DATA", ROOT.parent / "shared" / "data"))
sys.path.insert(0, str(ROOT / "tests" / "support"))
from humanoids import A_POSE, Build, dancing, humanoid, posed, rolled  # noqa: E402

CLIPS = ("02_01", "02_03", "05_02", "05_13", "14_02", "01_03", "49_02", "135_02", "131_04", "16_01")
BONES = (("upper_arm", "forearm"), ("forearm", "hand"), ("thigh", "shin"), ("shin", "foot"))
FOOT = (("foot", "toe"),)
LEGS = BONES[2:]
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


def direction_errors(
    motion: SourceMotion, own: BoneMap, rig: Rig, result: Retargeted, pairs: tuple
) -> Array:
    """Angles in degrees between the source's bones and the target's."""
    _, bones, bone_map = rig
    found = [np.zeros(0)]
    for role, following in ((f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in pairs):
        names = [
            own.first(role),
            own.first(following),
            bone_map.first(role),
            bone_map.first(following),
        ]
        if None in names:
            continue
        rows = [motion.bones.index(n) for n in names[:2]] + [bones.index(n) for n in names[2:]]
        if not set(rows[2:]) <= set(result.driven):
            continue
        there = [result.driven.index(row) for row in rows[2:]]
        wanted = motion.heads[:, rows[1]] - motion.heads[:, rows[0]]
        is_ = result.heads[:, there[1]] - result.heads[:, there[0]]
        sine = np.linalg.norm(np.cross(wanted, is_), axis=-1)
        found.append(np.degrees(np.arctan2(sine, (wanted * is_).sum(-1))))
    return np.concatenate(found)


def sole_errors(motion: SourceMotion, own: BoneMap, rig: Rig, result: Retargeted) -> Array:
    """Angles in degrees between what is level along both feet at rest."""
    _, bones, bone_map = rig
    found = [np.zeros(0)]
    for side in ("left", "right"):
        ways = []
        for rest, names, turned in (
            (motion.bones, own, lambda row: motion.rotations[:, row]),
            (bones, bone_map, lambda row: result.rotations[:, result.driven.index(row)]),
        ):
            ankle, ball = names.first(f"{side}_foot"), names.first(f"{side}_toe")
            if ankle is None or ball is None:
                break
            row = rest.index(ankle)
            level = (rest.heads[rest.index(ball)] - rest.heads[row]) * (1.0, 1.0, 0.0)
            inside = quaternion.rotate(quaternion.conjugate(rest.rotations[row]), level)
            ways.append(quaternion.rotate(turned(row), inside))
        if len(ways) == 2:
            sine = np.linalg.norm(np.cross(*ways), axis=-1)
            found.append(np.degrees(np.arctan2(sine, (ways[0] * ways[1]).sum(-1))))
    return np.concatenate(found)


def slides(result: Retargeted, contacts: Array, soles: Array) -> Array:
    """Metres from frame to frame of the end of a foot that stands, in stands of 0.05 s at least."""
    found = [np.zeros(0)]
    for foot, side in enumerate(("left", "right")):
        limb = result.limbs.get(f"{side}_leg")
        if limb is None:
            continue
        points = np.stack([limb.end, limb.ball], axis=1)
        if not np.isfinite(points).all():
            points = points[:, :1]
        over = points[..., 2] - soles[[foot, 2 + foot]][: points.shape[1]]
        low = over < over.min(axis=1, keepdims=True) + 0.01
        steps = np.linalg.norm(np.diff(points[..., :2], axis=0), axis=-1)
        steps = np.where(low[1:] & low[:-1], steps, np.inf).min(axis=1)
        both = contacts[1:, foot] & contacts[:-1, foot] & np.isfinite(steps)
        edges = np.flatnonzero(np.diff(contacts[:, foot], prepend=False, append=False)).reshape(
            -1, 2
        )
        for start, stop in edges:
            if stop - start < 4:
                both[start:stop] = False
        found.append(steps[both])
    return np.concatenate(found)


def main() -> None:
    """Print one line a rig."""
    sources = motions()
    sys.stdout.write(f"{len(sources)} motions, {sum(len(m) for m, _ in sources)} frames\n")
    sys.stdout.write(
        f"{'':<28}{'bones, degrees':>16}{'sole':>8}{'foot':>7}{'feet mode moves':>15}"
        f"{'slide of feet, mm a frame: median, 99 %, over 1 mm':>55}\n"
        f"{'':<28}{'median':>8}{'worst':>8}{'worst':>8}{'worst':>7}{'median':>8}{'99 %':>7}"
        f"{'without feet mode':>27}{'with it':>28}\n"
    )
    for rig in rigs():
        sys.stdout.write(line_of(rig, sources) + "\n")
    speed(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)


def line_of(rig: Rig, sources: list[tuple[SourceMotion, BoneMap]]) -> str:
    """Errors of one rig over all motions."""
    errors: dict[str, list[Array]] = {
        key: [] for key in ("bones", "sole", "foot", "planted", "off", "feet")
    }
    for motion, own in sources:
        arguments = (motion.rotations, motion.heads, motion.fps)
        makers = [
            Retargeter(motion.bones, own, rig[1], rig[2], RetargetOptions(contacts=mode))
            for mode in ("off", "feet")
        ]
        off, feet = (maker.whole(*arguments) for maker in makers)
        errors["bones"].append(direction_errors(motion, own, rig, off, BONES))
        errors["foot"].append(direction_errors(motion, own, rig, off, FOOT))
        errors["sole"].append(sole_errors(motion, own, rig, off))
        errors["planted"].append(direction_errors(motion, own, rig, feet, LEGS))
        for mode, result in (("off", off), ("feet", feet)):
            errors[mode].append(1000.0 * slides(result, feet.contacts, makers[0].target.soles))
    every = {key: np.concatenate(values) for key, values in errors.items()}
    worst = [every[key].max() if len(every[key]) else np.nan for key in ("sole", "foot")]
    text = f"{rig[0]:<28}{np.median(every['bones']):>8.3f}{every['bones'].max():>8.3f}"
    text += f"{worst[0]:>8.3f}{worst[1]:>7.2f}"
    text += f"{np.median(every['planted']):>8.2f}{np.percentile(every['planted'], 99):>7.2f}"
    for mode in ("off", "feet"):
        values = every[mode]
        text += f"{np.median(values):>12.3f}{np.percentile(values, 99):>8.3f}"
        text += f"{100.0 * (values > 1.0).mean():>7.2f}%"
    return text


def speed(frames: int) -> None:
    """Print frames a second of a long motion onto sixty bones, and how long a frame of a stream takes."""
    bones, bone_map = humanoid(Build(fingers=True, twists=True))
    turns, heads = dancing(bones, frames, most=0.3)
    sys.stdout.write("times on the clock (and of the processor)\n")
    for mode in ("off", "feet", "feet and hands"):
        options = RetargetOptions(contacts=mode)
        maker = Retargeter(bones, bone_map, posed(bones, A_POSE), bone_map, options)
        start, busy = time.perf_counter(), time.process_time()
        result = maker.whole(turns, heads, 60.0)
        took, busy = time.perf_counter() - start, time.process_time() - busy
        sys.stdout.write(
            f"{frames} frames, {len(result.driven)} bones, {mode}: {took:.2f} s ({busy:.2f} s), "
            f"{frames / took:,.0f} ({frames / busy:,.0f}) frames/s\n"
        )
    bones, bone_map = humanoid(Build(fingers=True))
    turns, heads = dancing(bones, 300, most=0.3)
    maker = Retargeter(bones, bone_map, posed(bones, A_POSE), bone_map)
    times = []
    busy = time.process_time()
    for frame in range(300):
        start = time.perf_counter()
        result = maker.step(turns[frame], heads[frame])
        times.append(1000.0 * (time.perf_counter() - start))
    busy = 1000.0 * (time.process_time() - busy) / 300
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    sys.stdout.write(
        f"one frame of {len(result.driven)} bones: median {np.median(times):.2f} ms ({busy:.2f} ms); "
        f"memory at most {peak:,.0f} MB\n"
    )


if __name__ == "__main__":
    main()
