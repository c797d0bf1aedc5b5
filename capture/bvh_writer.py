"""BVH out: Y up, +Z front, centimetres, six channels on the root and three on every other joint.

That is what Blender and other programs expect unless told otherwise. Every leaf gets an End Site, of
zero length where the end of its bone is not known.
"""

import re
from pathlib import Path

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from . import axes
from .textfile import write_text

__all__ = ["format_bvh", "write_bvh"]


def write_bvh(
    path: Path | str,
    motion: Motion,
    *,
    force: bool = False,
    unit: float | str = "cm",
    order: str = "ZXY",
) -> None:
    """Write a motion as BVH. See `format_bvh`.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
        FormatError: an option is unknown, or the motion holds NaN.
    """
    write_text(path, format_bvh(motion, unit=unit, order=order), force=force)


def format_bvh(
    motion: Motion, *, unit: float | str = "cm", up: str = "y", order: str = "ZXY"
) -> str:
    """The text of a BVH file.

    Args:
        motion: what to write; its confidence is left out, BVH has no place for it.
        unit: a name in `axes.UNITS` or metres per unit.
        up: "y" (the front is +Z) or "z" (the house's axes).
        order: of the rotation channels, such as "ZXY".
    """
    if up not in ("y", "z") or sorted(order) != ["X", "Y", "Z"]:
        raise FormatError(
            f"up is {up!r} and order {order!r}, expected 'y' or 'z' and such as 'ZXY'"
        )
    skeleton, scale = motion.skeleton, 1.0 / axes.metres_per(unit)
    offsets, tips = skeleton.offsets * scale, skeleton.tips * scale
    position, rotations = motion.root_position * scale, motion.rotations
    if up == "y":
        offsets, tips = axes.y_up_from_z_up(offsets), axes.y_up_from_z_up(tips)
        position, rotations = axes.y_up_from_z_up(position), axes.y_up_from_z_up_rotation(rotations)
    sequence = _depth_first(skeleton)
    angles = np.degrees(_unwrapped(quaternion.to_euler(rotations, order)))
    table = np.concatenate(
        [position, angles[:, sequence].reshape(len(motion), 3 * len(sequence))], axis=1
    )
    if not np.isfinite(table).all():
        raise FormatError("the motion holds NaN, which BVH can't say; fill the gaps first")
    lines = ["HIERARCHY", *_hierarchy_lines(skeleton, sequence, offsets, tips, order)]
    lines += ["MOTION", f"Frames: {len(motion)}", f"Frame Time: {1.0 / motion.fps:.12f}"]
    lines += [" ".join(f"{value:.6f}" for value in row) for row in table + 0.0]
    return "\n".join(lines) + "\n"


def _unwrapped(angles: Array) -> Array:
    """Without jumps by a whole turn, so that a program that interpolates the angles does it right."""
    return np.unwrap(angles, axis=0) if len(angles) else angles


def _depth_first(skeleton: Skeleton) -> list[int]:
    sequence, waiting = [], [0]
    while waiting:
        joint = waiting.pop()
        sequence.append(joint)
        waiting.extend(reversed(skeleton.children[joint]))
    return sequence


def _hierarchy_lines(
    skeleton: Skeleton, sequence: list[int], offsets: Array, tips: Array, order: str
) -> list[str]:
    turns = " ".join(f"{axis}rotation" for axis in order)
    lines, open_joints = [], list[int]()
    for joint in sequence:
        while open_joints and open_joints[-1] != skeleton.parents[joint]:
            open_joints.pop()
            lines.append("\t" * len(open_joints) + "}")
        tabs = "\t" * len(open_joints)
        name = re.sub(r"[\s{}]+", " ", skeleton.names[joint]).strip() or "joint"
        places = "" if open_joints else "Xposition Yposition Zposition "
        lines += [
            f"{tabs}{'JOINT' if open_joints else 'ROOT'} {name}",
            tabs + "{",
            f"{tabs}\tOFFSET {_triple(offsets[joint])}",
            f"{tabs}\tCHANNELS {3 if open_joints else 6} {places}{turns}",
        ]
        open_joints.append(joint)
        if np.isfinite(tips[joint]).all() or not skeleton.children[joint]:
            end = _triple(np.nan_to_num(tips[joint]))
            lines += [f"{tabs}\tEnd Site", f"{tabs}\t{{", f"{tabs}\t\tOFFSET {end}", f"{tabs}\t}}"]
    while open_joints:
        open_joints.pop()
        lines.append("\t" * len(open_joints) + "}")
    return lines


def _triple(vector: Array) -> str:
    return " ".join(f"{value:.6f}" for value in vector + 0.0)
