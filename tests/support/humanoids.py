"""Humanoid rigs of any build, rest pose and bone roll, and motions that they all can make."""

from dataclasses import dataclass, field

import numpy as np

from pallas.rig import quaternion
from pallas.rig.planting import LegBones, reached
from pallas.rig.retarget import BoneMap, Bones

SIDES = (("left", 1.0), ("right", -1.0))
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
A_POSE = {"left_upper_arm": (0.0, 0.8, 0.0), "right_upper_arm": (0.0, -0.8, 0.0)}


@dataclass(frozen=True)
class Build:
    """Proportions of a rig; lengths are in metres of a body 1.70 m tall, times `size`."""

    size: float = 1.0
    thigh: float = 0.4165
    shin: float = 0.391
    upper_arm: float = 0.2924
    forearm: float = 0.2482
    ankle: float = 0.0731
    trunk: float = 0.4335
    hips_wide: float = 0.085
    shoulders_wide: float = 0.1785
    spine: tuple[float, ...] = (1.0, 1.0, 1.0)
    necks: int = 1
    fingers: bool = False
    twists: bool = False
    inline: bool = False
    toes: bool = True
    feet: bool = True
    shoulders: bool = True
    root: bool = False
    prefix: str = ""


@dataclass
class _Growing:
    build: Build
    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    heads: list[np.ndarray] = field(default_factory=list)
    tails: list[np.ndarray] = field(default_factory=list)
    roles: dict[str, list[str]] = field(default_factory=dict)

    def add(self, role: str, parent: str | None, head, tail, name: str | None = None) -> str:
        name = self.build.prefix + (name or role)
        self.names.append(name)
        self.parents.append(-1 if parent is None else self.names.index(parent))
        self.heads.append(np.array(head) * self.build.size)
        self.tails.append(np.array(tail) * self.build.size)
        self.roles.setdefault(role, []).append(name)
        return name


def humanoid(build: Build = Build()) -> tuple[Bones, BoneMap]:
    """A T-pose on the floor z = 0 facing -Y, bone frames aligned with the world."""
    grown = _Growing(build)
    hip = build.thigh + build.shin + build.ankle
    parent = None
    if build.root:
        parent = grown.add("root", None, (0, 0, 0), (0, 0.2, 0))
    pelvis = hip + 0.0374
    last = grown.add("hips", parent, (0, 0, pelvis), (0, 0, pelvis + 0.1))
    hips = last
    lengths = np.array(build.spine) / sum(build.spine) * (build.trunk - 0.1)
    height = pelvis + 0.1
    for k, length in enumerate(lengths):
        last = grown.add("spine", last, (0, 0, height), (0, 0, height + length), f"spine_{k + 1}")
        height += length
    chest = last
    for k in range(build.necks):
        length = 0.0935 / build.necks
        last = grown.add("neck", last, (0, 0, height), (0, 0, height + length), f"neck_{k + 1}")
        height += length
    grown.add("head", last, (0, 0, height), (0, 0, height + 0.2125))
    shoulder = pelvis + build.trunk - 0.06
    for side, sign in SIDES:
        _arm(grown, side, sign, chest, shoulder)
        _leg(grown, side, sign, hips, hip)
    count = len(grown.names)
    bones = Bones(
        tuple(grown.names),
        tuple(grown.parents),
        np.tile(quaternion.IDENTITY, (count, 1)),
        np.array(grown.heads),
        np.array(grown.tails),
    )
    return bones, BoneMap({role: tuple(names) for role, names in grown.roles.items()})


def _arm(grown: _Growing, side: str, sign: float, chest: str, height: float) -> None:
    build = grown.build
    x = build.shoulders_wide
    last = chest
    if build.shoulders:
        last = grown.add(f"{side}_shoulder", chest, (sign * 0.03, 0, height), (sign * x, 0, height))
    for part, length in (("upper_arm", build.upper_arm), ("forearm", build.forearm)):
        last = _limb(grown, side, part, last, (sign * x, 0, height), (sign * length, 0, 0))
        x += length
    hand = grown.add(f"{side}_hand", last, (sign * x, 0, height), (sign * (x + 0.09), 0, height))
    if not build.fingers:
        return
    for k, finger in enumerate(FINGERS):
        y, start = -0.03 + 0.018 * k, x + (0.03 if finger == "thumb" else 0.09)
        last = hand
        for part in (1, 2, 3):
            head = (sign * start, y - (0.02 * part if finger == "thumb" else 0.0), height)
            start += 0.03
            tail = (sign * start, y - (0.02 * (part + 1) if finger == "thumb" else 0.0), height)
            last = grown.add(f"{side}_{finger}_{part}", last, head, tail)


def _leg(grown: _Growing, side: str, sign: float, hips: str, height: float) -> None:
    build = grown.build
    x = sign * build.hips_wide
    last = _limb(grown, side, "thigh", hips, (x, 0, height), (0, 0, -build.thigh))
    last = _limb(grown, side, "shin", last, (x, 0, height - build.thigh), (0, 0, -build.shin))
    if not build.feet:
        return
    ankle = height - build.thigh - build.shin
    ball = (x, -0.1326, 0.017)
    last = grown.add(f"{side}_foot", last, (x, 0, ankle), ball)
    if build.toes:
        grown.add(f"{side}_toe", last, ball, (x, -0.1972, 0.017))


def _limb(grown: _Growing, side: str, part: str, parent: str, head, along) -> str:
    head, along = np.array(head), np.array(along)
    role = f"{side}_{part}"
    if not grown.build.twists:
        return grown.add(role, parent, head, head + along)
    middle = head + 0.5 * along
    if grown.build.inline:
        first = grown.add(role, parent, head, middle)
        return grown.add(f"{role}_twist", first, middle, head + along)
    first = grown.add(role, parent, head, head + along)
    grown.add(f"{role}_twist", first, middle, head + along)
    return first


def world(bones: Bones, local: np.ndarray, hips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns from rest (T, B, 4) and heads (T, B, 3) of joints turned (T, B, 4) in world-aligned frames.

    `hips` (T, 3) is by how much the bones without a parent move.
    """
    turns, heads = np.array(local), np.empty((len(local), len(bones), 3))
    for bone, parent in enumerate(bones.parents):
        if parent < 0:
            heads[:, bone] = bones.heads[bone] + hips
            continue
        step = bones.heads[bone] - bones.heads[parent]
        heads[:, bone] = heads[:, parent] + quaternion.rotate(turns[:, parent], step)
        turns[:, bone] = quaternion.multiply(turns[:, parent], local[:, bone])
    return turns, heads


def posed(bones: Bones, turned: dict[str, tuple[float, float, float]], yaw: float = 0.0) -> Bones:
    """The same rig with another rest pose: joints turned by rotation vectors, all of it by a yaw."""
    local = np.tile(quaternion.IDENTITY, (1, len(bones), 1))
    for name, vector in turned.items():
        local[0, bones.index(name)] = quaternion.from_rotation_vector(np.array(vector))
    turns, heads = world(bones, local, np.zeros((1, 3)))
    tails = heads[0] + quaternion.rotate(turns[0], bones.tails - bones.heads)
    about = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), yaw)
    return Bones(
        bones.names,
        bones.parents,
        quaternion.multiply(quaternion.multiply(about, turns[0]), bones.rotations),
        quaternion.rotate(about, heads[0]),
        quaternion.rotate(about, tails),
    )


def rolled(bones: Bones, seed: int) -> Bones:
    """The same rig with bone axes of its own."""
    random = np.random.default_rng(seed)
    axes = quaternion.normalised(random.normal(size=(len(bones), 4)))
    own = quaternion.multiply(bones.rotations, axes)
    return Bones(bones.names, bones.parents, own, bones.heads, bones.tails)


def swung(bones: Bones, bone_map: BoneMap, seed: int, most: float = 1.0) -> dict:
    """Rotation vectors that swing limbs about axes across them: a rest pose without twist."""
    random = np.random.default_rng(seed)
    turned = {}
    for side, _ in SIDES:
        for part in ("upper_arm", "forearm", "hand", "thigh", "shin"):
            name = bone_map.first(f"{side}_{part}")
            if name is None:
                continue
            row = bones.index(name)
            along = bones.tails[row] - bones.heads[row]
            across = np.cross(along, random.normal(size=3))
            turned[name] = tuple(most * random.uniform() * across / np.linalg.norm(across))
    return turned


def dancing(bones: Bones, frames: int, seed: int = 0, most: float = 0.5):
    """A smooth motion of all joints: turns from the rig's T-pose (T, B, 4), and heads (T, B, 3)."""
    random = np.random.default_rng(seed)
    time = np.linspace(0.0, 2.0 * np.pi, frames)[:, None, None]
    shape = (1, len(bones), 3)
    phase, size = random.uniform(0, 6, shape), random.uniform(0, most, shape)
    local = quaternion.from_rotation_vector(size * np.sin(time + phase))
    hips = 0.2 * np.sin(time[:, 0] + random.uniform(0, 6, (1, 3)))
    return world(bones, local, hips)


def of_rest(turns: np.ndarray, pose: Bones, rest: Bones) -> np.ndarray:
    """World rotations (T, B, 4) of `rest`, `pose` with axes of its own, for turns from the T-pose."""
    own = quaternion.multiply(quaternion.conjugate(pose.rotations), rest.rotations)
    return quaternion.multiply(turns, own)


def reaching(bones: Bones, hips: np.ndarray, ankles: np.ndarray, wrists: np.ndarray | None = None):
    """A body whose trunk moves by `hips` (T, 3) and whose ankles and wrists are at given places (T, 2, 3).

    Turns from the T-pose (T, B, 4), and heads (T, B, 3); soles stay level, arms hang without wrists.
    """
    frames = len(hips)
    turns = np.tile(quaternion.IDENTITY, (frames, len(bones), 1))
    for side, sign in SIDES:
        down = quaternion.from_rotation_vector(np.array([0.0, sign * 1.4, 0.0]))
        for row, name in enumerate(bones.names):
            if name.startswith(side) and any(p in name for p in ("arm", "hand")):
                turns[:, row] = down
    _reach(bones, turns, hips, ("thigh", "shin", "foot"), [-0.3, 0.0, 0.0], [0.6, 0.0, 0.0], ankles)
    if wrists is not None:
        _reach(bones, turns, hips, ("upper_arm", "forearm", "hand"), None, None, wrists)
    heads = np.empty((frames, len(bones), 3))
    for bone, parent in enumerate(bones.parents):
        if parent < 0:
            heads[:, bone] = bones.heads[bone] + hips
        else:
            step = bones.heads[bone] - bones.heads[parent]
            heads[:, bone] = heads[:, parent] + quaternion.rotate(turns[:, parent], step)
    return turns, heads


def _reach(bones, turns, hips, parts, first, second, places) -> None:
    rows = np.array([[bones.index(f"{side}_{p}") for p in parts] for side, _ in SIDES])
    joints = bones.heads[rows]
    upper, lower = joints[:, 1] - joints[:, 0], joints[:, 2] - joints[:, 1]
    start = np.tile(quaternion.to_matrix(turns[:1, rows]), (len(hips), 1, 1, 1, 1))
    if first is not None:  # knees a little bent, so that they bend forwards
        a, b = (
            quaternion.to_matrix(quaternion.from_rotation_vector(np.array(v)))
            for v in (first, second)
        )
        start[:, :, 0], start[:, :, 1] = a, a @ b
    hinge = np.tile([1.0, 0.0, 0.0], (2, 1))
    if first is None:
        hinge = np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
    legs = LegBones(upper, lower, 0.1 * lower, hinge)
    shoulders = joints[:, 0] + hips[:, None]
    found = reached(legs, shoulders, start, places, places + 0.1 * lower)
    for side in range(2):
        turns[:, rows[side, :2]] = quaternion.from_matrix(found[:, side, :2])
        if first is None:
            turns[:, rows[side, 2]] = turns[:, rows[side, 1]]
