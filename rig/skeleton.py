"""A skeleton: named joints in a tree, with the offsets that place them in the rest pose.

At rest every joint rotation is the identity, so every joint frame is aligned with the world.
`body_skeleton` is the one that PALLAS solves for: 24 SMPL-named joints in a T-pose, z up, facing -Y
(Blender's front view), the performer's left at +X.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .arrays import Array, checked, frozen
from .errors import ShapeError

__all__ = ["BODY_JOINTS", "BODY_PARENTS", "Skeleton", "body_skeleton"]


@dataclass(frozen=True, eq=False)
class Skeleton:
    """J joints, parents before children.

    Attributes:
        names: J unique joint names.
        parents: J indices of the parent joint; the first is -1 (the root), no other is.
        offsets: (J, 3) metres, joint origin in its parent's frame; the root's is where it stands at rest.
        tips: (J, 3) metres, the end of a leaf bone in its joint's frame; NaN where none is known.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Array
    tips: Array = field(default_factory=lambda: np.empty((0, 3)))

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(set(self.names)) != count or len(self.parents) != count or count == 0:
            raise ShapeError(
                f"a skeleton has {count} names, {len(set(self.names))} of them different, and "
                f"{len(self.parents)} parents; expected at least one joint and as many of each"
            )
        for joint, parent in enumerate(self.parents):
            if not (-1 <= parent < joint) or (parent == -1) != (joint == 0):
                raise ShapeError(
                    f"joint {self.names[joint]!r} has parent {parent}; "
                    "expected the root first and every parent before its children"
                )
        tips = self.tips if len(self.tips) else np.full((count, 3), np.nan)
        object.__setattr__(self, "offsets", frozen(checked("offsets", self.offsets, (count, 3))))
        object.__setattr__(self, "tips", frozen(checked("tips", tips, (count, 3))))

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Position of the joint called `name`.

        Raises:
            ShapeError: there is no such joint; the message lists those there are.
        """
        if name not in self.names:
            raise ShapeError(f"no joint {name!r}; the joints are: {', '.join(self.names)}")
        return self.names.index(name)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For every joint, the indices of its children."""
        found: list[list[int]] = [[] for _ in self.names]
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(joint)
        return tuple(tuple(row) for row in found)

    @cached_property
    def rest_positions(self) -> Array:
        """(J, 3) joint origins in the rest pose, metres."""
        positions = np.array(self.offsets)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                positions[joint] += positions[parent]
        return positions

    def scaled(self, factor: float | Sequence[float]) -> "Skeleton":
        """The same skeleton with every bone scaled by one factor, or joint by joint (J,)."""
        factors = np.broadcast_to(np.asarray(factor, dtype=np.float64), (len(self),))[:, None]
        return Skeleton(self.names, self.parents, self.offsets * factors, self.tips * factors)


# name, parent, offset from the parent as a fraction of body height (x left, y back, z up).
# Segment lengths after Drillis and Contini (1966) as given in Winter, Biomechanics and Motor Control.
_BODY: tuple[tuple[str, str | None, tuple[float, float, float]], ...] = (
    ("pelvis", None, (0.0, 0.0, 0.5400)),
    ("left_hip", "pelvis", (0.0500, 0.0, -0.0220)),
    ("right_hip", "pelvis", (-0.0500, 0.0, -0.0220)),
    ("spine1", "pelvis", (0.0, 0.0, 0.0600)),
    ("left_knee", "left_hip", (0.0, 0.0, -0.2450)),
    ("right_knee", "right_hip", (0.0, 0.0, -0.2450)),
    ("spine2", "spine1", (0.0, 0.0, 0.0750)),
    ("left_ankle", "left_knee", (0.0, 0.0, -0.2300)),
    ("right_ankle", "right_knee", (0.0, 0.0, -0.2300)),
    ("spine3", "spine2", (0.0, 0.0, 0.0750)),
    ("left_foot", "left_ankle", (0.0, -0.0780, -0.0330)),
    ("right_foot", "right_ankle", (0.0, -0.0780, -0.0330)),
    ("neck", "spine3", (0.0, 0.0, 0.1050)),
    ("left_collar", "spine3", (0.0200, 0.0, 0.0680)),
    ("right_collar", "spine3", (-0.0200, 0.0, 0.0680)),
    ("head", "neck", (0.0, 0.0, 0.0550)),
    ("left_shoulder", "left_collar", (0.0850, 0.0, 0.0)),
    ("right_shoulder", "right_collar", (-0.0850, 0.0, 0.0)),
    ("left_elbow", "left_shoulder", (0.1720, 0.0, 0.0)),
    ("right_elbow", "right_shoulder", (-0.1720, 0.0, 0.0)),
    ("left_wrist", "left_elbow", (0.1460, 0.0, 0.0)),
    ("right_wrist", "right_elbow", (-0.1460, 0.0, 0.0)),
    ("left_hand", "left_wrist", (0.0500, 0.0, 0.0)),
    ("right_hand", "right_wrist", (-0.0500, 0.0, 0.0)),
)
# Ends of the leaf bones: crown, finger tips, toe tips; the soles are 1 cm under the foot joints.
_TIPS: dict[str, tuple[float, float, float]] = {
    "head": (0.0, 0.0, 0.1250),
    "left_hand": (0.0580, 0.0, 0.0),
    "right_hand": (-0.0580, 0.0, 0.0),
    "left_foot": (0.0, -0.0380, 0.0),
    "right_foot": (0.0, -0.0380, 0.0),
}

BODY_JOINTS: tuple[str, ...] = tuple(name for name, _, _ in _BODY)
BODY_PARENTS: tuple[int, ...] = tuple(
    -1 if parent is None else BODY_JOINTS.index(parent) for _, parent, _ in _BODY
)


def body_skeleton(height: float = 1.70) -> Skeleton:
    """The 24-joint body of a person `height` metres tall, standing in a T-pose on the floor z = 0."""
    tips = np.full((len(_BODY), 3), np.nan)
    for name, tip in _TIPS.items():
        tips[BODY_JOINTS.index(name)] = tip
    offsets = np.array([offset for _, _, offset in _BODY])
    return Skeleton(BODY_JOINTS, BODY_PARENTS, offsets * height, tips * height)
