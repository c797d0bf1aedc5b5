"""Live: one frame of four sensors in, one pose out, with no look into the future.

The network's step equals the offline causal pass; what follows it is causal too. Delays at 60 Hz with the
values below: accelerations 14 ms (two poles of 7 ms), joint rotations 1 / (2 pi cutoff), which is 20 ms
at rest (8 Hz) and less in motion, contacts and the network's velocity 20 ms. The world's heading of the
waist is not filtered.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ..rig import quaternion, so3
from ..rig.arrays import Array
from ..rig.skeleton import BODY_PARENTS, Skeleton, body_skeleton
from .body import joint_positions, leg_scale, world_from_posed
from .contacts import ANKLES, TOES
from .encoder_step import EncoderStep
from .features import NETWORK_FPS, heading_matrix, sensor_features
from .leg_ik import SIDES, LegBones
from .live_feet import FootPlanter
from .live_filters import OneEuro, TwoPole
from .live_input import ACCELERATION_TIME, LiveInput
from .live_root import RootTracker
from .network import Pallas, Prediction
from .root import WAIST_OFFSET, RootEvidence

__all__ = ["LivePose", "Stream", "StreamOptions"]


@dataclass(frozen=True)
class StreamOptions:
    """How a stream trades noise for delay; zeros switch a filter off.

    Attributes:
        at_rest: Hz, cutoff of the 1 euro filter on joint rotations when they rest; infinite for none.
        per_speed: Hz per unit per second of a joint's 6D rotation, by which it opens.
        state_time: seconds, time constant of the two poles on contacts, velocity and height.
        acceleration_time: seconds, time constant of the two poles on sensed accelerations.
        plant_feet: hold standing feet where they landed.
    """

    at_rest: float = 8.0
    per_speed: float = 4.0
    state_time: float = 0.01
    acceleration_time: float = ACCELERATION_TIME
    plant_feet: bool = True


@dataclass(frozen=True, eq=False)
class LivePose:
    """A pose at one moment.

    Attributes:
        time: seconds since the first frame.
        rotations: (24, 4) unit quaternions, parent_from_joint; the root's is world_from_root.
        root_position: (3,) metres, floor at z = 0.
        contacts: (2,) probability that the left and the right foot stand.
    """

    time: float
    rotations: Array
    root_position: Array
    contacts: Array


class Stream:
    """A live performer. Memory does not grow and no frame takes longer for those before it.

    Args:
        network: as `weights.load_network` gives it.
        skeleton: of the performer, 24 joints; of average height if None.
        fps: samples per second that will be pushed, at an even rate.
        options: filters.

    Use inside `threads.one_thread`, or with torch set to one thread: more make a frame slower.
    """

    def __init__(
        self,
        network: Pallas,
        skeleton: Skeleton | None = None,
        fps: float = NETWORK_FPS,
        options: StreamOptions | None = None,
    ) -> None:
        self.skeleton, self.options = skeleton or body_skeleton(), options or StreamOptions()
        self._input = LiveInput(fps, self.options.acceleration_time)
        self._network, self.encoder = network, EncoderStep(network.encoder)
        self._body = _Body(self.skeleton, self.options)
        self._frames = 0

    def push(self, world_from_bone: Array, acceleration: Array) -> list[LivePose]:
        """Take one sample of all sensors and give the poses that are now known, one at 60 samples a second.

        Args:
            world_from_bone: (4, 4) quaternions or (4, 3, 3) matrices of the bones under the sensors, in
                `PLACEMENTS` order; NaN where a sensor is silent, which then keeps its last orientation.
            acceleration: (4, 3) linear, world frame, m/s^2.

        Raises:
            ShapeError: the arrays have other shapes.
        """
        return [self._posed(*frame) for frame in self._input.push(world_from_bone, acceleration)]

    def predict(self, world_from_bone: Array, acceleration: Array) -> Prediction:
        """What the network says of the next frame (quaternions), before any filter: (1, 1) frames."""
        bones = so3.from_quaternion(torch.tensor(world_from_bone, dtype=torch.float32))
        return self._predicted(bones, acceleration)

    def _predicted(self, bones: torch.Tensor, acceleration: Array) -> Prediction:
        with torch.inference_mode():
            sensors = sensor_features(bones, torch.tensor(acceleration, dtype=torch.float32))
            features = self.encoder(sensors)
            return self._network.decode(features[None, None], sensors[None, None])

    def _posed(self, world_from_bone: Array, acceleration: Array) -> LivePose:
        bones = so3.from_quaternion(torch.tensor(world_from_bone, dtype=torch.float32))
        prediction = self._predicted(bones, acceleration)
        pose = self._body(prediction, bones[0], acceleration[0], self._frames / NETWORK_FPS)
        self._frames += 1
        return pose


class _Body:
    """From what the network says of a frame to a pose in the world."""

    def __init__(self, skeleton: Skeleton, options: StreamOptions) -> None:
        fps = NETWORK_FPS
        self._offsets = torch.tensor(skeleton.offsets.copy(), dtype=torch.float32)
        self._scale = leg_scale(skeleton.offsets)
        self._turns = OneEuro(options.at_rest, options.per_speed, fps)
        self._state = TwoPole(options.state_time, fps)
        self._root = RootTracker(fps, WAIST_OFFSET * self._scale)
        self._feet = FootPlanter(LegBones.of(skeleton), self._scale, fps)
        self._plant = options.plant_feet
        self._last = np.tile(quaternion.IDENTITY, (len(skeleton), 1))
        self._legs = [[skeleton.index(f"{s}_{j}") for j in ("hip", "knee", "ankle")] for s in SIDES]
        self._points = np.array([ANKLES, TOES]).T  # (foot, [heel, ball])

    def __call__(
        self, prediction: Prediction, waist: torch.Tensor, felt: Array, time: float
    ) -> LivePose:
        sixd = self._turns(prediction.sixd[0, 0].numpy())
        parts = (prediction.contacts, prediction.velocity, prediction.height[..., None])
        state = self._state(torch.cat([part[0, 0] for part in parts]).double().numpy())
        world_from_heading = heading_matrix(waist)
        world = world_from_heading @ world_from_posed(torch.from_numpy(sixd))
        joints = joint_positions(world, self._offsets).double().numpy()
        turns = world.double().numpy()
        evidence = self._evidence(joints, state, world_from_heading.double().numpy())
        root = self._root(evidence, waist.double().numpy(), felt)
        if self._plant:
            places = joints + root
            legs = turns[self._legs]
            hips = places[[row[0] for row in self._legs]]
            turns[self._legs] = self._feet(hips, legs, places[self._points], evidence.contacts[0])
        return LivePose(time, self._local(turns), root, evidence.contacts[0])

    def _evidence(self, joints: Array, state: Array, world_from_heading: Array) -> RootEvidence:
        contacts = 1.0 / (1.0 + np.exp(-state[:2]))
        velocity = world_from_heading @ state[2:5] * self._scale
        height = state[5:] * self._scale
        return RootEvidence(joints[None], contacts[None], velocity[None], height, self._scale)

    def _local(self, turns: Array) -> Array:
        """(24, 4) parent_from_joint, each in the hemisphere of the frame before."""
        local = turns.copy()
        local[1:] = turns[list(BODY_PARENTS[1:])].transpose(0, 2, 1) @ turns[1:]
        found = quaternion.from_matrix(local)
        found = np.where((found * self._last).sum(-1, keepdims=True) < 0.0, -found, found)
        self._last = found
        return found
