"""How exactly and how fast motions are brought to other bodies.

    python benchmarks/retarget.py [FRAMES]

Ten motions of the CMU library (or made-up ones without PALLAS_DATA) onto rigs of many builds. Per rig:

- without feet mode, the angle between the target's bones and the source's: upper arm, forearm, thigh and
  shin; then what is level along the soles at rest; and feet from ankle to ball, which differ as the heights
  of ankles do, because soles that are flat in both rests stay flat;
- with it, the same bones, and thighs and shins alone, which give way where two standing feet want hips in two
  places; how far hips go beside their way, in mm of a leg of 0.81 m;
- how far standing feet move over the floor from one frame to the next: the ball, or the heel under the ankle
  of a foot that stands on it, in every frame in which the source's foot is low and slow; how much balls alone
  move where the target's foot is said to stand, and how many frames that leaves out: those in which the foot
  is on its heel, still comes down or already rises.

Then frames a second, and how long one frame of a stream takes.
"""

import resource
import sys
import time

import numpy as np
from retarget_inputs import A_POSE, Build, Rig, dancing, humanoid, motions, posed, rigs

from pallas.rig import quaternion
from pallas.rig.arrays import Array
from pallas.rig.retarget import (
    BoneMap,
    LimbTarget,
    Retargeted,
    Retargeter,
    RetargetOptions,
    SourceMotion,
)
from pallas.rig.retarget.feet import PERSON_LEG, foot_points, source_contacts
from pallas.rig.retarget.travel import floor_height

BONES = (("upper_arm", "forearm"), ("forearm", "hand"), ("thigh", "shin"), ("shin", "foot"))
FOOT = (("foot", "toe"),)
LEGS = BONES[2:]
ON_HEEL = 1.0  # degrees by which a foot is tilted that stands on its heel
KINDS = (
    *(f"{mode} {kind}" for mode in ("off", "feet") for kind in ("bones", "legs", "slide")),
    *("foot", "sole", "hips", "ball", "left out"),
)
STATISTICS = {
    "median": np.median,
    "99 %": lambda values: np.percentile(values, 99),
    "worst": np.max,
    "mean": np.mean,
    "over 1": lambda values: 100.0 * (values > 1.0).mean(),
}
OFF_COLUMNS = (
    ("off bones median", "median"),
    ("off bones worst", "worst"),
    ("sole worst", "sole"),
    ("foot worst", "ankle-ball"),
)
FEET_COLUMNS = (
    ("feet bones median", "all: median"),
    ("feet bones 99 %", "99 %"),
    ("feet legs median", "legs: median"),
    ("feet legs 99 %", "99 %"),
    ("feet legs worst", "worst"),
    ("hips median", "hips: median"),
    ("hips worst", "worst"),
)
SLIDE_COLUMNS = (
    *(
        (f"{mode} slide {key}", "over 1, %" if key == "over 1" else key)
        for mode in ("off", "feet")
        for key in ("median", "99 %", "worst", "over 1")
    ),
    ("ball worst", "ball: worst"),
    ("left out mean", "left out, %"),
)


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


def stands(motion: SourceMotion, maker: Retargeter) -> Array:
    """(T, 2) True where the source's left and right foot stand."""
    source = maker.source
    points = foot_points(source, motion.rotations, motion.heads)
    if points is None:
        return np.zeros((len(motion), 2), dtype=bool)
    floor = floor_height(points, source.soles, motion.fps, source.leg)
    return source_contacts(source, points, motion.fps, floor)


def slides(result: Retargeted, contacts: Array, maker: Retargeter) -> Array:
    """Millimetres from frame to frame of what a standing foot stands on, in every frame of `contacts`."""
    found = [np.zeros(0)]
    soles = maker.target.soles
    for foot, side in enumerate(("left", "right")):
        limb = result.limbs.get(f"{side}_leg")
        if limb is None:
            continue
        both = contacts[1:, foot] & contacts[:-1, foot]
        heel, on_heel = heels(limb, soles[foot], soles[2 + foot])
        steps = [np.linalg.norm(np.diff(p[:, :2], axis=0), axis=-1) for p in (heel, limb.ball)]
        if np.isfinite(limb.ball).all():
            alike = on_heel[1:] == on_heel[:-1]
            held = np.where(on_heel[1:], *steps)
            found.append(1000.0 * np.where(alike, held, np.minimum(*steps))[both])
        else:
            found.append(1000.0 * steps[0][both])
    return np.concatenate(found)


def heels(limb: LimbTarget, ankle: float, ball: float) -> tuple[Array, Array]:
    """Where the heel under an ankle is (T, 3), and whether the foot is on it (T,); for soles' heights."""
    foot = limb.ball - limb.end
    if not np.isfinite(foot).all():
        return limb.end, np.ones(len(foot), dtype=bool)
    length = np.linalg.norm(foot, axis=-1)
    up = np.arcsin(foot[:, 2] / length) + np.arcsin(min((ankle - ball) / length.mean(), 1.0))
    over = np.maximum(np.linalg.norm(foot[:, :2], axis=-1), 1e-9)
    heading = foot * (1.0, 1.0, 0.0) / over[:, None]
    heel = limb.end + ankle * np.sin(up)[:, None] * heading
    heel[:, 2] -= ankle * np.cos(up)
    return heel, foot[:, 2] > ball - ankle + np.radians(ON_HEEL) * length


def main() -> None:
    """Print three tables with one line a rig, and times."""
    sources = motions()
    every = {rig[0]: measured(rig, sources) for rig in rigs()}
    sys.stdout.write(f"{len(sources)} motions, {sum(len(m) for m, _ in sources)} frames\n")
    table(every, OFF_COLUMNS, "without feet mode: degrees from the source's bones, soles, feet")
    table(every, FEET_COLUMNS, "with feet mode: degrees from the source's bones, mm beside the way")
    table(every, SLIDE_COLUMNS, "slide of standing feet, mm a frame, without feet mode and with it")
    speed(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)


def table(
    every: dict[str, dict[str, float]], columns: tuple[tuple[str, str], ...], title: str
) -> None:
    """Print one."""
    sys.stdout.write(f"\n{title}\n{'':<28}" + "".join(f"{name:>14}" for _, name in columns) + "\n")
    for name, values in every.items():
        numbers = "".join(f"{values[key]:>14.3f}" for key, _ in columns)
        sys.stdout.write(f"{name:<28}{numbers}\n")
    worst = "".join(f"{np.nanmax([v[key] for v in every.values()]):>14.3f}" for key, _ in columns)
    sys.stdout.write(f"{'worst of all':<28}{worst}\n")


def measured(rig: Rig, sources: list[tuple[SourceMotion, BoneMap]]) -> dict[str, float]:
    """Errors of one rig over all motions."""
    found: dict[str, list[Array]] = {key: [] for key in KINDS}
    for motion, own in sources:
        arguments = (motion.rotations, motion.heads, motion.fps)
        makers = [
            Retargeter(motion.bones, own, rig[1], rig[2], RetargetOptions(contacts=mode))
            for mode in ("off", "feet")
        ]
        contacts = stands(motion, makers[0])
        off, feet = (maker.whole(*arguments, contacts) for maker in makers)
        for name, mode in (("off", off), ("feet", feet)):
            found[f"{name} bones"].append(direction_errors(motion, own, rig, mode, BONES))
            found[f"{name} legs"].append(direction_errors(motion, own, rig, mode, LEGS))
            found[f"{name} slide"].append(slides(mode, contacts, makers[0]))
        found["foot"].append(direction_errors(motion, own, rig, off, FOOT))
        found["sole"].append(sole_errors(motion, own, rig, off))
        beside = np.linalg.norm(feet.heads[:, 0] - off.heads[:, 0], axis=-1)
        found["hips"].append(1000.0 * PERSON_LEG * beside / makers[0].target.leg)
        found["ball"] += [
            1000.0
            * np.linalg.norm(np.diff(feet.limbs[f"{side}_leg"].ball, axis=0), axis=-1)[
                feet.contacts[1:, foot] & feet.contacts[:-1, foot]
            ]
            for foot, side in enumerate(("left", "right"))
        ]
        found["left out"].append(100.0 * (contacts & ~feet.contacts)[contacts])
    return {
        f"{kind} {name}": float(of(np.concatenate(values))) if sum(map(len, values)) else np.nan
        for kind, values in found.items()
        for name, of in STATISTICS.items()
    }


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
