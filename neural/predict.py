"""Run a network over a whole recording: numpy in, a motion out."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..rig import quaternion, so3
from ..rig.arrays import Array
from ..rig.kinematics import local_rotations
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from .body import joint_positions, leg_scale, world_from_posed
from .features import heading_matrix, sensor_features
from .network import Pallas, Prediction
from .root import WAIST_OFFSET, RootEvidence, integrate_root, root_velocity_changes
from .smoothing import over_time

__all__ = ["Posed", "pose_body"]

_CHUNK = 192  # frames at a time


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
        world_from_heading = _smooth_heading(bones[:, 0], fps)
        world_from_joint = world_from_heading[:, None] @ world_from_posed(prediction.sixd[0])
        offsets = torch.tensor(skeleton.offsets.copy(), dtype=torch.float32)
        joints = joint_positions(world_from_joint, offsets).double().numpy()
        velocity = (world_from_heading @ prediction.velocity[0, :, :, None]).squeeze(-1)
        local = so3.to_quaternion(local_rotations(skeleton, world_from_joint).double()).numpy()
    scale = leg_scale(skeleton.offsets)
    gained = root_velocity_changes(
        bones[:, 0].double().numpy(), acceleration[:, 0], WAIST_OFFSET * scale, fps
    )
    evidence = RootEvidence(
        joints,
        prediction.contacts[0].sigmoid().double().numpy(),
        velocity.double().numpy() * scale,
        prediction.height[0].double().numpy() * scale,
        scale,
        gained,
    )
    root = integrate_root(evidence, fps)
    motion = Motion(skeleton, root, quaternion.continuous(local), fps)
    return Posed(motion, evidence.contacts)


def _run(network: nn.Module, sensors: Tensor) -> Prediction:
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
    names = ("sixd", "contacts", "velocity", "height")
    smooth = {name: over_time(getattr(prediction, name)[0], fps)[None] for name in names}
    return replace(prediction, **smooth)


def _smooth_heading(world_from_waist: Tensor, fps: float) -> Tensor:
    """The same Gaussian on the waist's heading: (T, 3, 3) of rotations (T, 3, 3)."""
    heading = heading_matrix(world_from_waist)
    smooth = over_time(heading[:, :2, 0], fps)  # where the x axis points
    cosine, sine = functional.normalize(smooth, dim=-1).unbind(-1)
    turned = heading.clone()
    turned[:, 0, 0], turned[:, 0, 1], turned[:, 1, 0], turned[:, 1, 1] = cosine, -sine, sine, cosine
    return turned
