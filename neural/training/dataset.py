"""Windows of motion as a network sees them: virtual sensors in, poses, contacts and root motion out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...capture.virtual_imu import STANDARD_SENSORS, VirtualSensor, virtual_recording
from ...rig import so3
from ...rig.arrays import Array, Mask
from ...rig.errors import ModelError
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS
from ..body import leg_scale, posed_from_world
from ..contacts import foot_contacts
from ..features import heading_matrix, sensor_features

__all__ = ["Augmentation", "Batch", "Track", "WindowSampler", "prepare"]

# The upper back stands in for the neck in part of the windows: some suits have a sensor only there.
_SENSORS = {**STANDARD_SENSORS, "upper_back": VirtualSensor("spine3", (0.0, 0.10, 0.10))}
_JOINTS = [BODY_JOINTS.index(sensor.joint) for sensor in _SENSORS.values()]
_NECK, _UPPER_BACK = 3, 4
_MIRRORED_JOINTS = [
    BODY_JOINTS.index(name.replace("left", "L").replace("right", "left").replace("L", "right"))
    for name in BODY_JOINTS
]
_MIRRORED_SENSORS = [0, 2, 1, 3, 4]
# A mirror across the plane x = 0 turns a rotation's axis over and keeps its x.
_FLIPPED_ROTATION = np.array([1, 1, -1, -1], dtype=np.float32)
_FLIPPED_X = np.array([-1, 1, 1], dtype=np.float32)


@dataclass(frozen=True)
class Track:
    """One clip at the network's rate, as arrays of float32.

    Attributes:
        rotations: (T, 24, 4) world_from_joint.
        acceleration: (T, 5, 3) of the four sensors and the upper back, world frame, m/s^2.
        velocity: (T, 3) of the pelvis, m/s for a body of standard size.
        height: (T,) of the pelvis, metres for a body of standard size.
        contacts: (T, 2) left and right foot.
        offsets: (24, 3) of the performer's skeleton, metres.
        weight: how often the clip is drawn per frame it has.
    """

    rotations: Array
    acceleration: Array
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
    recording = virtual_recording(motion, _SENSORS)
    rotations, positions = motion.world()
    scale = leg_scale(motion.skeleton.offsets)
    velocity = np.gradient(motion.root_position, 1.0 / fps, axis=0) / scale

    def narrow(values: Array | Mask) -> Array:
        return values.astype(np.float32)  # half the memory

    return Track(
        narrow(rotations),
        narrow(recording.acceleration),
        narrow(velocity),
        narrow(motion.root_position[:, 2] / scale),
        narrow(foot_contacts(positions, fps, scale)),
        narrow(motion.skeleton.offsets),
        weight,
    )


@dataclass(frozen=True)
class Augmentation:
    """What a window's sensors get wrong; zeros for perfect sensors."""

    mirror: float = 0.5  # probability
    upper_back: float = 0.25  # probability that the neck's sensor sits on the upper back
    mounting_error: float = 0.07  # radians per axis, standard deviation, constant in a window
    acceleration_noise: float = 0.25  # m/s^2, white
    acceleration_bias: float = 0.1  # m/s^2, constant in a window


class WindowSampler:
    """Draws batches of windows; batch number n is the same for the same seed, whoever asks."""

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
        share = np.array([len(track) * track.weight for track in self.tracks])
        self._share = share / share.sum()

    def __call__(self, number: int) -> Batch:
        """Batch `number`."""
        random = np.random.default_rng([self.seed, number])
        chosen = random.choice(len(self.tracks), self.batch, p=self._share)
        rows = [self._window(self.tracks[index], random) for index in chosen]
        stacked = [torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)]
        return _batch(*stacked)

    def _window(self, track: Track, random: np.random.Generator) -> tuple[Array, ...]:
        """One augmented window; a short clip is held at its ends."""
        options = self.augmentation
        low, high = sorted((0, len(track) - self.frames))
        start = int(random.integers(low, high + 1))
        index = np.arange(start, start + self.frames)
        held = (index < 0) | (index >= len(track))
        index = index.clip(0, len(track) - 1)
        rotations, acceleration = track.rotations[index], track.acceleration[index]
        velocity, contacts = track.velocity[index], track.contacts[index]
        acceleration, velocity = acceleration * ~held[:, None, None], velocity * ~held[:, None]
        offsets = track.offsets
        if random.random() < options.mirror:
            rotations = rotations[:, _MIRRORED_JOINTS] * _FLIPPED_ROTATION
            acceleration = acceleration[:, _MIRRORED_SENSORS] * _FLIPPED_X
            velocity, contacts = velocity * _FLIPPED_X, contacts[:, ::-1]
            offsets = offsets[_MIRRORED_JOINTS] * _FLIPPED_X
        sensors = [0, 1, 2, _UPPER_BACK if random.random() < options.upper_back else _NECK]
        noise = random.normal(0, options.acceleration_noise, (self.frames, 4, 3))
        bias = random.normal(0, options.acceleration_bias, (4, 3))
        mounting = random.normal(0, options.mounting_error, (4, 3))
        return (
            rotations,
            acceleration[:, sensors] + (noise + bias).astype(np.float32),
            np.array([_JOINTS[sensor] for sensor in sensors]),
            mounting.astype(np.float32),
            velocity,
            track.height[index],
            np.ascontiguousarray(contacts),
            offsets,
        )


def _batch(
    rotations: Tensor,
    acceleration: Tensor,
    joints: Tensor,
    mounting: Tensor,
    velocity: Tensor,
    height: Tensor,
    contacts: Tensor,
    offsets: Tensor,
) -> Batch:
    """Bring a window's arrays into the heading frame that its waist sensor senses."""
    world_from_joint = so3.from_quaternion(rotations)  # (B, T, 24, 3, 3)
    rows = joints[:, None, :, None, None].expand(-1, rotations.shape[1], -1, 3, 3)
    sensed = world_from_joint.gather(2, rows) @ so3.exp(mounting)[:, None]
    heading_from_world = heading_matrix(sensed[..., 0, :, :]).transpose(-1, -2)
    heading_from_joint = heading_from_world[..., None, :, :] @ world_from_joint
    return Batch(
        sensor_features(sensed, acceleration),
        posed_from_world(heading_from_joint),
        heading_from_joint,
        offsets[:, None],
        contacts,
        (heading_from_world @ velocity[..., None]).squeeze(-1),
        height,
    )
