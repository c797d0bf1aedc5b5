"""Legs for a whole take: a posed upper body in, motions with drawn legs and root paths out."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ...rig import quaternion, so3
from ...rig.arrays import Array, checked
from ...rig.errors import ShapeError
from ...rig.motion import Motion
from ..body import leg_scale
from ..contacts import PLANTED
from ..features import NETWORK_FPS, heading_matrix
from ..feet import clean_feet
from ..predict import Posed
from ..root import WAIST_OFFSET, RootEvidence, integrate_root, root_velocity_changes
from ..threads import one_thread
from ..weights import EMBEDDED
from .confidence import with_confidence
from .grounded import grounded
from .judge import Judge
from .network import Generator
from .options import GeneratorOptions
from .sampling import draw_windows, randoms
from .stored import load_generator
from .tokeniser import WINDOW
from .windows import LEGS, clip_of, pelvis_from_legs, sensed

__all__ = ["embedded_generator", "generate", "generate_posed", "with_legs"]


def generate(
    posed: Posed,
    world_from_bone: Array | None = None,
    acceleration: Array | None = None,
    options: GeneratorOptions | None = None,
    network: Generator | None = None,
) -> tuple[Motion, ...]:
    """The motions of `generate_posed`."""
    takes = generate_posed(posed, world_from_bone, acceleration, options, network)
    return tuple(take.motion for take in takes)


def generate_posed(
    posed: Posed,
    world_from_bone: Array | None = None,
    acceleration: Array | None = None,
    options: GeneratorOptions | None = None,
    network: Generator | None = None,
) -> tuple[Posed, ...]:
    """Draw legs, root translation and foot contacts that fit a solved upper body.

    Root orientation and every upper-body rotation are the input's, to the bit. Feet are cleaned.

    Args:
        posed: what `predict.pose_body` returned, T frames at `features.NETWORK_FPS`, feet not cleaned.
        world_from_bone: (T, 4, 4) quaternions of the bones under the sensors, as `pose_body` took them;
            None measures the posed motion itself with virtual sensors.
        acceleration: (T, 4, 3) linear, world frame, m/s^2, as `pose_body` took it; None likewise.
        options: how many, seed, temperature, top-k.
        network: the generator; the embedded one if None.

    Returns:
        `options.takes` motions at the same rate, each with the contact probabilities it was drawn with. Of
        several takes each has their agreement as its joints' confidence (`confidence.agreement`).

    Raises:
        ModelError: the weights are missing or damaged.
        ShapeError: the motion has another rate than the network, or arrays do not fit it.
    """
    options, motion = options or GeneratorOptions(), posed.motion
    network = network or embedded_generator()
    if not np.isclose(motion.fps, NETWORK_FPS):
        raise ShapeError(
            f"the motion has {motion.fps:g} frames per second, expected {NETWORK_FPS:g}; resample it first"
        )
    with one_thread(), torch.inference_mode():
        upper = _upper(motion, world_from_bone, acceleration)
        felt = _felt(motion, world_from_bone, acceleration)
        pelvis = _padded(
            so3.from_quaternion(torch.tensor(motion.rotations[:, 0], dtype=torch.float32))
        )
        contacts = _padded(torch.tensor(posed.contacts, dtype=torch.float32))
        judge = Judge(network, pelvis, _gains(felt, motion, len(pelvis)), contacts)
        latents = draw_windows(network, _surrounded(upper), options, randoms(options), judge=judge)
        lower = network.tokeniser.decode(latents, pelvis.expand(options.takes, -1, -1, -1))
        takes = [_clean(_take(motion, take, felt)) for take in lower[:, : len(motion)]]
    sure = with_confidence([take.motion for take in takes])
    return tuple(replace(take, motion=m) for take, m in zip(takes, sure, strict=True))


@lru_cache(maxsize=1)
def embedded_generator() -> Generator:
    """The generator that ships with PALLAS.

    Raises:
        ModelError: its weights are missing or damaged.
    """
    return load_generator(EMBEDDED / "generator")


def with_legs(motion: Motion, pelvis_from_leg: Array) -> Motion:
    """The same motion with other legs, given relative to the pelvis (T, 8, 4); all else to the bit."""
    world = quaternion.multiply(motion.rotations[:, :1], pelvis_from_leg)
    rotations = np.array(motion.rotations)
    for place, joint in enumerate(LEGS):
        parent = motion.rotations[:, 0] if place < 2 else world[:, place - 2]
        local = quaternion.multiply(quaternion.conjugate(parent), world[:, place])
        rotations[:, joint] = quaternion.continuous(quaternion.normalised(local))
    return replace(motion, rotations=rotations)


def _upper(motion: Motion, world_from_bone: Array | None, acceleration: Array | None) -> Tensor:
    """(T, 51) of the sensors that were worn, or of virtual ones."""
    if world_from_bone is None or acceleration is None:
        clip = clip_of(motion)
        return sensed(so3.from_quaternion(clip.bones), clip.acceleration)
    bones = checked("world_from_bone", world_from_bone, (len(motion), 4, 4))
    given = checked("acceleration", acceleration, (len(motion), 4, 3))
    matrices = so3.from_quaternion(torch.tensor(bones, dtype=torch.float32))
    return sensed(matrices, torch.tensor(given, dtype=torch.float32))


def _padded(frames: Tensor) -> Tensor:
    """Frames (T, …) with the last one held until windows are full."""
    missing = -len(frames) % WINDOW
    return torch.cat([frames, frames[-1:].expand(missing, *frames.shape[1:])])


def _surrounded(upper: Tensor) -> Tensor:
    """(64 (n + 2), 51): full windows, with the first frame held before and the last one after them."""
    before = _still(upper[:1]).expand(WINDOW, -1)
    missing = -len(upper) % WINDOW + WINDOW
    return torch.cat([before, upper, _still(upper[-1:]).expand(missing, -1)])


def _still(upper: Tensor) -> Tensor:
    """The same pose (1, 51), neither accelerated nor turning."""
    held = upper.clone()
    held[:, :48].view(-1, 4, 12)[..., :3] = 0.0
    held[:, 48:] = 0.0
    return held


def _felt(
    motion: Motion, world_from_bone: Array | None, acceleration: Array | None
) -> Array | None:
    """(T, 3) m/s that the root gained from frame to frame by the waist's sensor, if one was worn."""
    if world_from_bone is None or acceleration is None:
        return None
    waist = quaternion.to_matrix(world_from_bone[:, 0])
    offset = WAIST_OFFSET * leg_scale(motion.skeleton.offsets)
    return root_velocity_changes(waist, acceleration[:, 0], offset, motion.fps)


def _gains(felt: Array | None, motion: Motion, frames: int) -> Tensor | None:
    """What a standard body's root would have gained, (frames, 3) with nothing gained after the end."""
    if felt is None:
        return None
    gains = torch.zeros(frames, 3)
    gains[: len(felt)] = torch.from_numpy(felt / leg_scale(motion.skeleton.offsets))
    return gains


def _take(motion: Motion, lower: Tensor, felt: Array | None) -> Posed:
    """Put a drawn lower body (T, 54) under the upper one."""
    legs = so3.to_quaternion(pelvis_from_legs(lower).double()).numpy()
    moved = with_legs(motion, legs)
    scale = leg_scale(motion.skeleton.offsets)
    origin = replace(moved, root_position=np.zeros_like(moved.root_position))
    joints = origin.world()[1]
    contacts = grounded(lower[:, 52:].sigmoid().double().numpy(), joints, scale, motion.fps)
    pelvis = so3.from_quaternion(torch.tensor(motion.rotations[:, 0]))
    velocity = (heading_matrix(pelvis) @ lower[:, 48:51, None].double()).squeeze(-1).numpy()
    height = lower[:, 51].double().numpy() * scale
    evidence = RootEvidence(joints, contacts, velocity * scale, height, scale, felt)
    return Posed(replace(moved, root_position=integrate_root(evidence, motion.fps)), contacts)


def _clean(posed: Posed) -> Posed:
    return replace(posed, motion=clean_feet(posed.motion, posed.contacts > PLANTED))
