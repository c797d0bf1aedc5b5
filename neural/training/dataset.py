"""Windows of motion as a network sees them: virtual sensors in, poses, contacts and root motion out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from ...rig import quaternion, so3
from ...rig.arrays import Array, Mask
from ...rig.errors import ModelError
from ...rig.motion import Motion
from ..body import leg_scale, posed_from_world
from ..contacts import foot_contacts
from ..features import NETWORK_FPS, heading_matrix, sensor_features
from .augmentation import Augmentation, draw_errors, draw_sites, draw_sizes, draw_speed
from .sites import (
    FLIPPED_X,
    JOINT_GROUPS,
    MIRRORED_JOINTS,
    MIRRORED_PARTS,
    PART_GROUPS,
    SITE_JOINTS,
    SITE_PARTS,
    acceleration_parts,
)

__all__ = ["Batch", "Track", "WindowSampler", "prepare"]

# A mirror across the plane x = 0 turns a rotation's axis over and keeps its x.
_FLIPPED_ROTATION = np.array([1, 1, -1, -1], dtype=np.float32)


@dataclass(frozen=True)
class Track:
    """One clip at the network's rate, as arrays of float32.

    Attributes:
        rotations: (T, 24, 4) world_from_joint, without sign jumps.
        parts: (T, P, 3) acceleration by `sites.PARTS`, world frame, m/s^2.
        velocity: (T, 3) of the pelvis, m/s for a body of standard size.
        height: (T,) of the pelvis, metres for a body of standard size.
        contacts: (T, 2) left and right foot.
        offsets: (24, 3) of the performer's skeleton, metres.
        weight: how often the clip is drawn per frame it has.
    """

    rotations: Array
    parts: Array
    velocity: Array
    height: Array
    contacts: Array
    offsets: Array
    weight: float

    def __len__(self) -> int:
        return len(self.rotations)


@dataclass(frozen=True)
class Batch:
    """(B, T) frames: what goes in and what should come out, in the sensed waist's heading frame."""

    sensors: Tensor  # (B, T, 4, 12)
    sixd: Tensor  # (B, T, 21, 6)
    rotations: Tensor  # (B, T, 24, 3, 3) heading_from_joint
    offsets: Tensor  # (B, 1, 24, 3)
    contacts: Tensor  # (B, T, 2)
    velocity: Tensor  # (B, T, 3)
    height: Tensor  # (B, T)

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def prepare(motion: Motion, fps: float, weight: float = 1.0) -> Track:
    """Turn a clip into a track at the network's rate."""
    motion = motion.resampled(fps)
    rotations, positions = motion.world()
    scale = leg_scale(motion.skeleton.offsets)
    velocity = np.gradient(motion.root_position, 1.0 / fps, axis=0) / scale

    def narrow(values: Array | Mask) -> Array:
        return values.astype(np.float32)  # half the memory

    return Track(
        narrow(quaternion.continuous(rotations)),
        narrow(acceleration_parts(motion)),
        narrow(velocity),
        narrow(motion.root_position[:, 2] / scale),
        narrow(foot_contacts(positions, fps, scale)),
        narrow(motion.skeleton.offsets),
        weight,
    )


class WindowSampler:
    """Draws batches of windows; batch number n is the same for the same seed, whoever asks.

    Several processes share a batch: each asks for its own rows of it.
    """

    def __init__(
        self,
        tracks: Iterable[Track],
        *,
        frames: int,
        batch: int,
        seed: int,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.tracks: Sequence[Track] = [track for track in tracks if len(track) > 2]
        if not self.tracks:
            raise ModelError("no clip to train on; build the motion library first")
        self.frames, self.batch, self.seed = frames, batch, seed
        self.augmentation = augmentation or Augmentation()
        share = np.cumsum([len(track) * track.weight for track in self.tracks])
        self._share = share / share[-1]

    def __call__(self, number: int, rows: slice = slice(None)) -> Batch:
        """Batch `number`, or some rows of it."""
        windows = []
        for row in range(self.batch)[rows]:
            random = np.random.default_rng([self.seed, number, row])
            track = self.tracks[int(np.searchsorted(self._share, random.random()))]
            windows.append(self._window(track, random))
        stacked = [torch.from_numpy(np.stack(column)) for column in zip(*windows, strict=True)]
        return _batch(_Window(*stacked), self.augmentation.gravity)

    def _window(self, track: Track, random: np.random.Generator) -> "_Window[Array]":
        """One augmented window; a short clip is held at its ends."""
        options, frames = self.augmentation, self.frames
        speed = draw_speed(options, random)
        cut = _Cut(len(track), frames, speed, random)
        rotations = cut(track.rotations)
        rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
        parts, velocity = cut.rate(track.parts, 2), cut.rate(track.velocity, 1)
        contacts, offsets = track.contacts[cut.nearest], track.offsets
        if random.random() < options.mirror:
            rotations = rotations[:, MIRRORED_JOINTS] * _FLIPPED_ROTATION
            parts, velocity = parts[:, MIRRORED_PARTS] * FLIPPED_X, velocity * FLIPPED_X
            contacts, offsets = contacts[:, ::-1], offsets[MIRRORED_JOINTS] * FLIPPED_X
        sizes = draw_sizes(options, random)
        sites = draw_sites(options, random)
        errors = draw_errors(options, frames, NETWORK_FPS, random)
        acceleration = (SITE_PARTS[sites] * sizes[PART_GROUPS]) @ parts  # (T, 4, 3)
        sensor = np.arange(4)
        return _Window(
            rotations,
            rotations[errors.source, SITE_JOINTS[sites]],
            (acceleration + errors.noise)[errors.source, sensor],
            errors.mounting,
            errors.orientation[errors.source, sensor],
            errors.bias,
            velocity,
            cut(track.height),
            np.ascontiguousarray(contacts),
            offsets * sizes[JOINT_GROUPS, None],
        )


Values = TypeVar("Values", Array, Tensor)


class _Window(NamedTuple, Generic[Values]):
    """What a window (as arrays) or a batch of them (as tensors) is made of, in the world."""

    rotations: Values  # (T, 24, 4) world_from_joint
    bones: Values  # (T, 4, 4) of the bones under the sensors, late or held where samples are
    acceleration: Values  # (T, 4, 3)
    mounting: Values  # (4, 3) rotation vectors
    orientation: Values  # (T, 4, 3) rotation vectors, believed world from world
    bias: Values  # (4, 3)
    velocity: Values  # (T, 3)
    height: Values  # (T,)
    contacts: Values  # (T, 2)
    offsets: Values  # (24, 3)


class _Cut:
    """Frames of a window on a track that is played at another speed."""

    def __init__(self, length: int, frames: int, speed: float, random: np.random.Generator) -> None:
        low, high = sorted((0, int(length - 1 - speed * (frames - 1))))
        place = int(random.integers(low, high + 1)) + speed * np.arange(frames)
        self.moving = ((place >= 0) & (place <= length - 1)).astype(np.float32)
        place = place.clip(0, length - 1)
        self.speed = speed
        self.nearest = np.round(place).astype(int)
        self.before = np.minimum(place.astype(int), length - 2)
        self.part = (place - self.before).astype(np.float32)

    def __call__(self, values: Array) -> Array:
        """Linear interpolation of (N, ...) values."""
        part = self.part.reshape(-1, *([1] * (values.ndim - 1)))
        result: Array = values[self.before] * (1.0 - part) + values[self.before + 1] * part
        return result

    def rate(self, values: Array, order: int) -> Array:
        """Of derivatives in time of this order: zero where the body is held still."""
        factor = self.moving * np.float32(self.speed**order)
        return self(values) * factor.reshape(-1, *([1] * (values.ndim - 1)))


def _batch(windows: _Window[Tensor], gravity: float) -> Batch:
    """Let the sensors measure, and bring windows into the heading frame that their waist sensor senses."""
    world_from_joint = so3.from_quaternion(windows.rotations)  # (B, T, 24, 3, 3)
    believed = so3.exp(windows.orientation)  # (B, T, 4, 3, 3) believed world from world
    mounting = so3.exp(windows.mounting)[:, None]
    sensed = believed @ so3.from_quaternion(windows.bones) @ mounting
    up = torch.tensor([0.0, 0.0, gravity])
    # A sensor feels acceleration and gravity, and takes off gravity where it believes it to be.
    measured = (believed @ (windows.acceleration + up)[..., None]).squeeze(-1) - up
    measured = measured + (sensed @ windows.bias[:, None, ..., None]).squeeze(-1)
    heading_from_world = heading_matrix(sensed[..., 0, :, :]).transpose(-1, -2)
    heading_from_joint = heading_from_world[..., None, :, :] @ world_from_joint
    return Batch(
        sensor_features(sensed, measured),
        posed_from_world(heading_from_joint),
        heading_from_joint,
        windows.offsets[:, None],
        windows.contacts,
        (heading_from_world @ windows.velocity[..., None]).squeeze(-1),
        windows.height,
    )
