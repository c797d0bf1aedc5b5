"""A person with keypoints: bone lengths, and where the keypoints sit on the body."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..model.model import BodyMarker, KinematicModel
from ..model.skeletons import model_of_skeleton
from ..skeleton import Skeleton, body_skeleton
from .body_points import body_markers

__all__ = ["MeasuredPerson"]


@dataclass(frozen=True, eq=False)
class MeasuredPerson:
    """The 24-joint body of one person.

    Attributes:
        skeleton: with the person's bone lengths.
        markers: where the keypoints sit.
    """

    skeleton: Skeleton
    markers: tuple[BodyMarker, ...]

    @classmethod
    def standard(cls, names: Sequence[str], height: float) -> "MeasuredPerson":
        """Someone of usual proportions, with keypoints where they usually are."""
        return cls(body_skeleton(height), body_markers(names, height))

    @property
    def model(self) -> KinematicModel:
        """The body as the engine fits it."""
        return model_of_skeleton(self.skeleton).with_markers(self.markers)

    @property
    def stature(self) -> float:
        """Metres, of someone with these bones."""
        usual = body_skeleton(1.0).rest_positions
        own = self.skeleton.rest_positions
        head, foot = self.skeleton.index("head"), self.skeleton.index("left_foot")
        return float((own[head, 2] - own[foot, 2]) / (usual[head, 2] - usual[foot, 2]))

    def resized(self, scales: Array, positions: Array) -> "MeasuredPerson":
        """With bodies scaled (B, 3), and keypoints at other places (M, 3) before that."""
        model = self.model
        own = scales[[model.body_index(name) for name in self.skeleton.names]]
        offsets = np.array(self.skeleton.offsets)
        offsets[1:] *= own[list(self.skeleton.parents[1:])]
        skeleton = Skeleton(
            self.skeleton.names, self.skeleton.parents, offsets, self.skeleton.tips * own
        )
        markers = tuple(
            BodyMarker(m.name, m.body, tuple(place * scales[model.body_index(m.body)]))
            for m, place in zip(self.markers, positions, strict=True)
        )
        return MeasuredPerson(skeleton, markers)
