"""One frame in, one pose out: the same solver, started from the frame before."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..arrays import Array
from ..errors import ShapeError
from ..model.model import KinematicModel
from .fit import coupled
from .lm import Settings, minimise_one
from .orientations import Orientations
from .points import Markers
from .poses import StayNear
from .problem import At, Problem
from .starts import first_pose

__all__ = ["Stream", "StreamPose"]

_NEXT = Settings(iterations=10, tolerance=1e-4, damping=1e-6, newton=True)


@dataclass(frozen=True, eq=False)
class StreamPose:
    """The pose of one frame.

    Attributes:
        pose: (D,) radians and metres.
        rms: metres, of the markers seen; NaN if none were.
        weak: whether so little was seen that the pose before had to carry it.
    """

    pose: Array
    rms: float
    weak: bool


class Stream:
    """Markers and sensor orientations of one frame after another, with a model.

    Args:
        model: whose pose is wanted.
        markers: P names of its markers, in the order they will come; none if there are only sensors.
        weights: one or (P,): 1 / metres.
        sensors: Q names of bodies that wear a sensor, in the order they will come.
        body_from_sensor: (Q, 3, 3) how the sensors sit on their bodies.
        sensor_weights: one, (Q,) or (Q, 3) about the world's axes: 1 / radians.
        hold: 1 / radians and 1 / metres, how strongly a frame stays near the one before; it decides only
            what the frame's own measurements leave open.
        robust: metres; a marker that is further off counts linearly.
    """

    def __init__(
        self,
        model: KinematicModel,
        markers: Sequence[str] = (),
        weights: Array | float = 100.0,
        sensors: Sequence[str] = (),
        body_from_sensor: Array | None = None,
        sensor_weights: Array | float = 20.0,
        hold: float = 0.1,
        robust: float | None = None,
    ) -> None:
        if not markers and not sensors:
            raise ShapeError(
                "a stream has neither markers nor sensors, expected at least one of them"
            )
        self.model, self.pose = model, np.array(model.default_pose)
        self._started = False
        self._before: Tensor | None = None  # the pose of one frame earlier
        self._markers = Markers(
            markers, torch.full((1, len(markers), 3), torch.nan), weights, robust
        )
        self._sensors = Orientations(
            sensors,
            torch.full((1, len(sensors), 3, 3), torch.nan),
            body_from_sensor,
            sensor_weights,
        )
        self._near = StayNear(self.pose, hold)
        measured = [self._markers] if markers else []
        worn = [self._sensors] if sensors else []
        self._free = Problem(model, (*measured, *worn))
        self._held = Problem(model, (*measured, *worn, self._near))

    def step(self, markers: Array | None = None, sensors: Array | None = None) -> StreamPose:
        """The pose of the next frame.

        Args:
            markers: (P, 3) metres in the world; NaN where one was not seen.
            sensors: (Q, 3, 3) world_from_sensor; NaN where one has no reading.

        Raises:
            ShapeError: another number of markers or sensors than the stream was made for.
        """
        self._markers.renew(markers)
        self._sensors.renew(sensors)
        observed = int(self._markers.observed[0]) + int(self._sensors.observed[0])
        weak = observed < min(self._enough, len(self._free.unknowns))
        pose = torch.as_tensor(self.pose)
        with torch.no_grad():
            if not self._started and not weak:
                pose, self._started, self._before = first_pose(self._free, pose), True, None
            start = pose if weak else self._foretold(pose)
            self._near.renew(start)
            at = minimise_one(self._held, start, _NEXT)
            self._before, self.pose = pose, coupled(self._held, at.pose)[0].numpy()
            return StreamPose(self.pose, self._rms(at), weak)

    def _foretold(self, pose: Tensor) -> Tensor:
        """(D,) where the pose goes if it moves on as it did."""
        if self._before is None:
            return pose
        step = self._free.unknowns.away(self._before[None], pose[None])
        return self._free.unknowns.stepped(pose[None], step)[0]

    @cached_property
    def _enough(self) -> int:
        """Numbers measured in a frame that needs no help."""
        every = 3 * (len(self._markers.names) + len(self._sensors.names))
        return int(0.75 * every)

    def _rms(self, at: At) -> float:
        seen = self._markers.weights[0] > 0.0
        if not bool(seen.any()):
            return float("nan")
        residual = self._markers.residual(at)[:, seen, 0]
        return float(residual.square().sum(0).mean().sqrt())
