"""Run a network over a whole recording: numpy in, a motion out."""

from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional

from ..rig import quaternion, so3
from ..rig.arrays import Array
from ..rig.kinematics import local_rotations
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from .body import joint_positions, leg_scale, world_from_posed
from .features import heading_matrix, sensor_features
from .network import Pallas, Prediction
from .root import RootEvidence, integrate_root

__all__ = ["Posed", "pose_body"]

_CHUNK = 512  # frames at a time
SMOOTHING = 0.03  # seconds, standard deviation, chosen on validation clips; 4.4 Hz at -3 dB


@dataclass(frozen=True)
class Posed:
    """A motion at the network's rate and the evidence it came from."""

    motion: Motion
    contacts: Array  # (T, 2) probabilities


def pose_body(
    network: nn.Module,
    world_from_bone: Array,
    acceleration: Array,
    skeleton: Skeleton,
    fps: float,
) -> Posed:
    """Solve T frames, without any foot cleaning.

    Args:
        network: of `weights`; causal ones run in chunks with a cache, others over all frames at once.
        world_from_bone: (T, 4, 4) quaternions of the bones under the sensors, in `PLACEMENTS` order.
        acceleration: (T, 4, 3) linear, world frame, m/s^2.
        skeleton: the body to move, 24 joints.
        fps: frames per second of the input; the network's own rate.
    """
    bones = so3.from_quaternion(torch.tensor(world_from_bone, dtype=torch.float32))
    sensors = sensor_features(bones, torch.tensor(acceleration, dtype=torch.float32))
    with torch.inference_mode():
        prediction = _smoothed(_run(network, sensors[None]), fps)
    world_from_heading = heading_matrix(bones[:, 0])
    world_from_joint = world_from_heading[:, None] @ world_from_posed(prediction.sixd[0])
    offsets = torch.tensor(skeleton.offsets.copy(), dtype=torch.float32)
    velocity = (world_from_heading @ prediction.velocity[0, :, :, None]).squeeze(-1)
    scale = leg_scale(skeleton.offsets)
    contacts = prediction.contacts[0].sigmoid().double().numpy()
    evidence = RootEvidence(
        joint_positions(world_from_joint, offsets).double().numpy(),
        contacts,
        velocity.double().numpy() * scale,
        prediction.height[0].double().numpy() * scale,
        scale,
    )
    local = so3.to_quaternion(local_rotations(skeleton, world_from_joint).double()).numpy()
    root = integrate_root(evidence, fps)
    return Posed(Motion(skeleton, root, quaternion.continuous(local), fps), contacts)


def _run(network: nn.Module, sensors: torch.Tensor) -> Prediction:
    if not isinstance(network, Pallas):
        result: Prediction = network(sensors)
        return result
    cache = network.stream()
    parts = [network(chunk, cache) for chunk in sensors.split(_CHUNK, dim=1)]
    names = [name for name in Prediction.__dataclass_fields__ if name != "positions"]
    joined = {name: torch.cat([getattr(p, name) for p in parts], dim=1) for name in names}
    return Prediction(None, **joined)


def _smoothed(prediction: Prediction, fps: float) -> Prediction:
    """A Gaussian over time on everything that is predicted: a whole take has a future to look into."""
    width = SMOOTHING * fps
    reach = max(1, int(3 * width))
    steps = torch.arange(-reach, reach + 1)
    kernel = torch.exp(-0.5 * (steps / width) ** 2)
    kernel = kernel / kernel.sum()

    def over_time(values: torch.Tensor) -> torch.Tensor:
        columns = values.flatten(2).transpose(1, 2).flatten(0, 1)[:, None]  # (B * N, 1, T)
        padded = functional.pad(columns, (reach, reach), mode="replicate")
        smooth = functional.conv1d(padded, kernel[None, None])
        return (
            smooth.unflatten(0, (len(values), -1)).squeeze(2).transpose(1, 2).reshape(values.shape)
        )

    return replace(
        prediction,
        sixd=over_time(prediction.sixd),
        contacts=over_time(prediction.contacts),
        velocity=over_time(prediction.velocity),
        height=over_time(prediction.height[..., None]).squeeze(-1),
    )
