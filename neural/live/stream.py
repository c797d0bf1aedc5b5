"""Live: one frame of four sensors in, one pose out, with no look into the future.

The network's step equals the offline causal pass; what follows it is causal too, and late by what it
filters. As options stand: accelerations 14 ms (two poles of 7 ms), contacts and the network's velocity
30 ms (two of 15 ms), joints and the waist's heading 1 / (2 pi cutoff), which is 20 ms at rest (8 Hz) and
4 ms where a joint's 6D rotation changes by 2 a second (36 Hz).
"""

import numpy as np
import torch

from ...rig.arrays import Array
from ...rig.skeleton import Skeleton, body_skeleton
from ..features import ACCELERATION_UNIT, NETWORK_FPS
from ..network import Pallas
from .body import LiveBody, LivePose, StreamOptions, heading_matrix
from .encoder_step import EncoderStep
from .heads_step import FramePrediction, HeadsStep
from .input import LiveInput

__all__ = ["LivePose", "Stream", "StreamOptions"]


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
        self.encoder, self._heads = EncoderStep(network.encoder), HeadsStep(network)
        self._body = LiveBody(self.skeleton, self.options)
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

    def predict(self, world_from_bone: Array, acceleration: Array) -> FramePrediction:
        """What the network says of the next frame (quaternions), before any filter."""
        turns = _matrices(world_from_bone)
        return self._predicted(turns, acceleration, heading_matrix(turns[0]))

    def _predicted(self, turns: Array, acceleration: Array, heading: Array) -> FramePrediction:
        # As `features.sensor_features`.
        seen = np.concatenate(
            [acceleration @ heading / ACCELERATION_UNIT, (heading.T @ turns).reshape(4, 9)], axis=-1
        )
        sensors = seen.astype(np.float32)
        with torch.inference_mode():
            return self._heads(self.encoder(sensors), sensors)

    def _posed(self, world_from_bone: Array, acceleration: Array) -> LivePose:
        turns = _matrices(world_from_bone)
        heading = heading_matrix(turns[0])
        prediction = self._predicted(turns, acceleration, heading)
        time = self._frames / NETWORK_FPS
        self._frames += 1
        return self._body(prediction, turns[0], heading, acceleration[0], time)


def _matrices(turns: Array) -> Array:
    """(4, 3, 3) of unit quaternions (4, 4): the quadratic form, written out."""
    w, x, y, z = turns.T
    return np.array(
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
