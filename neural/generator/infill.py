"""In-filling: other legs in a chosen range of frames, given the frames around it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...rig import quaternion, so3
from ...rig.arrays import Array, Mask
from ...rig.errors import ShapeError
from ...rig.motion import Motion
from ..contacts import STANDING
from ..features import NETWORK_FPS
from ..threads import one_thread
from .generate import embedded_generator, with_legs
from .hold import hold_legs
from .network import Generator
from .options import GeneratorOptions
from .sampling import draw_windows, randoms
from .tokeniser import WINDOW
from .windows import LEGS, Clip, clip_of, lower_body, pelvis_from_legs, sensed

__all__ = ["infill"]

CANDIDATES = 8  # drawn, of which the one that meets its surroundings best is taken
BLEND = 0.25  # seconds over which kept legs turn into drawn ones


def infill(
    motion: Motion,
    frames: slice,
    *,
    pinned: Sequence[int] = (),
    contacts: Mask | None = None,
    options: GeneratorOptions | None = None,
    network: Generator | None = None,
) -> Motion:
    """Draw the legs anew in a range of frames; everything else stays as it is, to the bit.

    The root's path and the upper body are kept. No joint's velocity jumps at the range's borders.

    Args:
        motion: 24 joints at any rate, floor at z = 0, as solved or as an animator changed it.
        frames: start and stop (not included) of the range, without a step.
        pinned: frames in the range whose leg pose is kept, within 1 mm and 0.1 degrees.
        contacts: (T, 2) True where the left and the right foot must stand where `motion` has it; None
            lets the generator decide.
        options: seed, temperature, top-k; `takes` is not used.
        network: the generator; the embedded one if None.

    Raises:
        ModelError: the weights are missing or damaged.
        ShapeError: the range is empty or outside the motion, a pinned frame is outside the range, or the
            contacts are not of the motion.
    """
    start, stop = _range(motion, frames, pinned, contacts)
    options = replace(options or GeneratorOptions(), takes=CANDIDATES)
    keep = _kept(len(motion), start, stop, pinned, motion.fps)
    with one_thread(), torch.inference_mode():
        legs, standing = _drawn(motion, start, stop, options, network or embedded_generator())
    before = _pelvis_from_legs(motion)
    best = _nearest(legs, before[start:stop], keep[start:stop])
    blended = np.array(before)
    blended[start:stop] = quaternion.slerp(legs[best], before[start:stop], keep[start:stop, None])
    told = np.zeros((len(motion), 2), dtype=bool)
    told[start:stop] = standing[best]
    return hold_legs(motion, with_legs(motion, blended), slice(start, stop), keep, told, contacts)


def _range(
    motion: Motion, frames: slice, pinned: Sequence[int], contacts: Mask | None
) -> tuple[int, int]:
    start, stop = frames.start or 0, len(motion) if frames.stop is None else frames.stop
    if not 0 <= start < stop <= len(motion) or frames.step not in (None, 1):
        raise ShapeError(
            f"the range {start} to {stop} is not within the motion's {len(motion)} frames; "
            "choose a first frame and a later one after the last"
        )
    outside = [frame for frame in pinned if not start <= frame < stop]
    if outside:
        raise ShapeError(f"frame {outside[0]} is pinned, but the range is {start} to {stop}")
    if contacts is not None and contacts.shape != (len(motion), 2):
        raise ShapeError(f"contacts have shape {contacts.shape}, expected ({len(motion)}, 2)")
    return start, stop


def _kept(count: int, start: int, stop: int, pinned: Sequence[int], fps: float) -> Array:
    """(T,) how much of the old legs stays: one outside the range and at pins, smooth in between."""
    reach = max(1.0, min(BLEND * fps, (stop - start + 1) / 2))
    frames = np.arange(count)
    away = np.minimum(frames - (start - 1), stop - frames).astype(np.float64)
    if start == 0:  # the range has no border where the motion ends
        away = (stop - frames).astype(np.float64)
    if stop == count:
        away = np.where(start == 0, np.inf, frames - (start - 1.0))
    for frame in pinned:
        away = np.minimum(away, np.abs(frames - frame))
    part = np.clip(away / reach, 0.0, 1.0)
    # Perlin's smoother step: neither velocity nor acceleration jumps at its ends.
    keep: Array = 1.0 - part**3 * (part * (part * 6.0 - 15.0) + 10.0)
    return keep


def _pelvis_from_legs(motion: Motion) -> Array:
    """(T, 8, 4) of the legs' joints."""
    world = motion.world()[0]
    return quaternion.multiply(quaternion.conjugate(world[:, :1]), world[:, LEGS])


def _drawn(
    motion: Motion, start: int, stop: int, options: GeneratorOptions, network: Generator
) -> tuple[Array, Mask]:
    """Candidate legs (K, n, 8, 4) relative to the pelvis and contacts (K, n, 2) of the range's frames."""
    times = motion.times[start:stop]
    first = round(times[0] * NETWORK_FPS)
    needed = round(times[-1] * NETWORK_FPS) + 1 - first
    count = -(-needed // WINDOW)
    first -= (count * WINDOW - needed) // 2  # what is too much of whole windows goes to both sides
    clip = clip_of(motion)
    around = clip.held(first - WINDOW, first + (count + 1) * WINDOW)
    latents, pelvis = _latents(around, network)
    drawn = draw_windows(
        network,
        sensed(so3.from_quaternion(around.bones), around.acceleration),
        options,
        randoms(options),
        latents[0] if start > 0 else None,
        latents[-1] if stop < len(motion) else None,
    )
    ends = (side.expand(options.takes, -1, -1) for side in (latents[0], latents[-1]))
    whole = torch.cat([next(ends), drawn, next(ends)], dim=1)
    lower = network.tokeniser.decode(whole, pelvis.expand(options.takes, -1, -1, -1))
    place = times * NETWORK_FPS - (first - WINDOW)
    legs = so3.to_quaternion(pelvis_from_legs(lower).double()).numpy()
    steps = np.arange(lower.shape[1], dtype=np.float64)
    at_times = np.stack([quaternion.resample(quaternion.continuous(k), steps, place) for k in legs])
    standing = lower[..., 52:].sigmoid().numpy()[:, np.round(place).astype(int)] > STANDING
    return at_times, standing


def _latents(around: Clip, network: Generator) -> tuple[Tensor, Tensor]:
    """Quantised latents (n, 16, D) of whole windows, and their pelvis (T, 3, 3)."""
    pelvis, legs = so3.from_quaternion(around.bones[:, 0]), so3.from_quaternion(around.legs)
    lower = lower_body(pelvis, legs, around.velocity, around.height, around.contacts)
    latents = network.tokeniser.encode(lower[None], pelvis[None])
    return network.tokeniser.quantise(latents).latents, pelvis


def _nearest(legs: Array, before: Array, keep: Array) -> int:
    """The candidate that is nearest to the legs that are kept, where they are."""
    angle = quaternion.angle(legs, before[None]).sum(-1)  # (K, n)
    return int(np.argmin((angle * keep).sum(-1)))
