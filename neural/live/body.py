"""From what the network says of a live frame to a pose in the world; lean, for it runs 60 times a second."""

from dataclasses import dataclass

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.planting import SIDES, LegBones
from ...rig.skeleton import BODY_PARENTS, Skeleton
from ..body import POSED_ROW, ancestors, bone_basis, leg_scale
from ..contacts import ANKLES, TOES
from ..features import NETWORK_FPS
from ..root import WAIST_OFFSET, RootEvidence
from .feet import FootPlanter
from .filters import OneEuro, TwoPole
from .heads_step import FramePrediction
from .input import ACCELERATION_TIME
from .root import RootTracker

__all__ = ["LiveBody", "LivePose", "StreamOptions", "heading_matrix"]

_PARENTS = [max(parent, 0) for parent in BODY_PARENTS]
_POINTS = np.array([ANKLES, TOES]).T  # (foot, [heel, ball])


@dataclass(frozen=True)
class StreamOptions:
    """How a stream trades noise for delay; a time of zero and a cutoff of infinity switch a filter off.

    The joints' filters were chosen on validation clips, as open as leaves joints less jerky than true motion.

    Attributes:
        at_rest: Hz, cutoff of the 1 euro filters on joint rotations and heading when they rest.
        per_speed: Hz per unit per second of a joint's 6D rotation, by which they open.
        state_time: seconds, time constant of the two poles on contacts, velocity and height.
        acceleration_time: seconds, time constant of the two poles on sensed accelerations.
        plant_feet: hold standing feet where they landed.
    """

    at_rest: float = 8.0
    per_speed: float = 14.0
    state_time: float = 0.015
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
        world_from_joint: (24, 4) unit quaternions.
        joints: (24, 3) metres, the joints in the world.
    """

    time: float
    rotations: Array
    root_position: Array
    contacts: Array
    world_from_joint: Array
    joints: Array


class LiveBody:
    """Filters, forward kinematics, root and feet of one performer, frame by frame.

    Args:
        skeleton: 24 joints.
        options: filters.
    """

    def __init__(self, skeleton: Skeleton, options: StreamOptions) -> None:
        fps = NETWORK_FPS
        self._offsets = np.array(skeleton.offsets)[..., None]
        self._scale = leg_scale(skeleton.offsets)
        self._basis_from_joint = bone_basis().double().numpy().swapaxes(-1, -2)[list(POSED_ROW)]
        self._ancestors = ancestors().double().numpy()
        self._turns = OneEuro(options.at_rest, options.per_speed, fps)
        self._heading = OneEuro(options.at_rest, options.per_speed, fps)
        self._state = TwoPole(options.state_time, fps)
        self._root = RootTracker(fps, WAIST_OFFSET * self._scale)
        self._feet = FootPlanter(LegBones.of(skeleton), self._scale, fps)
        self._plant = options.plant_feet
        self._last = np.tile(quaternion.IDENTITY, (len(skeleton), 1))
        self._legs = np.array(
            [[skeleton.index(f"{side}_{j}") for j in ("hip", "knee", "ankle")] for side in SIDES]
        )

    def __call__(
        self, prediction: FramePrediction, waist: Array, heading: Array, felt: Array, time: float
    ) -> LivePose:
        """Pose the next frame.

        Args:
            prediction: what the network says of it.
            waist: (3, 3) world_from_waist.
            heading: (3, 3) its `heading_matrix`.
            felt: (3,) acceleration of the waist's sensor, world frame, m/s^2.
            time: seconds.
        """
        sixd = self._turns(prediction.sixd.astype(np.float64))
        heading = _turned_to(*self._heading(heading[None, :2, 0])[0])
        turns = heading @ _rotations(sixd)[list(POSED_ROW)] @ self._basis_from_joint
        joints = self._from_root(turns)
        evidence = self._evidence(prediction, joints, heading)
        root = self._root(evidence, waist, felt)
        if self._plant:
            places = joints + root
            hips, points = places[self._legs[:, 0]], places[_POINTS]
            turns[self._legs] = self._feet(hips, turns[self._legs], points, evidence.contacts[0])
            joints = self._from_root(turns)
        world = quaternion.from_matrix(turns)
        return LivePose(time, self._local(turns), root, evidence.contacts[0], world, joints + root)

    def _from_root(self, turns: Array) -> Array:
        """(24, 3) metres, joints from the root's origin."""
        found: Array = self._ancestors @ (turns[_PARENTS] @ self._offsets)[..., 0]
        return found

    def _evidence(self, prediction: FramePrediction, joints: Array, heading: Array) -> RootEvidence:
        said = (prediction.contacts, prediction.velocity, [prediction.height])
        state = self._state(np.concatenate(said).astype(np.float64))
        contacts = 1.0 / (1.0 + np.exp(-state[:2]))
        velocity = heading @ state[2:5] * self._scale
        height = state[5:] * self._scale
        return RootEvidence(joints[None], contacts[None], velocity[None], height, self._scale)

    def _local(self, turns: Array) -> Array:
        """(24, 4) parent_from_joint, each in the hemisphere of the frame before."""
        local = turns.copy()
        local[1:] = turns[_PARENTS[1:]].transpose(0, 2, 1) @ turns[1:]
        found = quaternion.from_matrix(local)
        found = np.where((found * self._last).sum(-1, keepdims=True) < 0.0, -found, found)
        self._last = found
        return found


def heading_matrix(waist: Array) -> Array:
    """`features.heading_matrix` of one rotation (3, 3)."""
    yaw = np.arctan2(waist[1, 0] - waist[0, 1], waist[0, 0] + waist[1, 1])
    return _turned_to(np.cos(yaw), np.sin(yaw))


def _turned_to(x: float, y: float) -> Array:
    """(3, 3) the turn about the vertical that lays the x axis along (x, y)."""
    length = max(float(np.hypot(x, y)), 1e-12)
    cosine, sine = x / length, y / length
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _rotations(sixd: Array) -> Array:
    """`so3.from_sixd` of (N, 6)."""
    first, second = sixd[:, :3], sixd[:, 3:]
    x = first / np.maximum(np.sqrt((first * first).sum(-1, keepdims=True)), 1e-12)
    across = second - (x * second).sum(-1, keepdims=True) * x
    y = across / np.maximum(np.sqrt((across * across).sum(-1, keepdims=True)), 1e-12)
    turns = np.empty((len(sixd), 3, 3))
    turns[:, :, 0], turns[:, :, 1] = x, y
    turns[:, 0, 2] = x[:, 1] * y[:, 2] - x[:, 2] * y[:, 1]
    turns[:, 1, 2] = x[:, 2] * y[:, 0] - x[:, 0] * y[:, 2]
    turns[:, 2, 2] = x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]
    return turns
