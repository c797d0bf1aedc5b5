"""Which bone of a rig does what: the parts of a human body, and the bones that move them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["FINGERS", "LIMBS", "ROLES", "SIDES", "TWISTS", "BoneMap", "role_names"]

SIDES: Final = ("left", "right")
FINGERS: Final = tuple(
    f"{finger}_{part}"
    for finger in ("thumb", "index", "middle", "ring", "pinky")
    for part in (1, 2, 3)
)
LIMBS: Final = ("shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe")
TWISTS: Final = ("upper_arm_twist", "forearm_twist", "thigh_twist", "shin_twist")


def role_names() -> tuple[str, ...]:
    """Every role, the trunk first, then the left side and the right.

    `root` is a bone on the floor that carries the whole body, `hips` the lowest bone of the trunk that legs
    and spine hang on. `spine`, `neck` and twists may be several bones, from the hips (or joint) outwards.
    """
    sided = (*LIMBS, *TWISTS, *FINGERS)
    return ("root", "hips", "spine", "neck", "head", *(f"{s}_{r}" for s in SIDES for r in sided))


ROLES: Final = role_names()


@dataclass(frozen=True)
class BoneMap:
    """What the bones of one rig do.

    Attributes:
        bones: by role, the names of its bones; most have one, `spine`, `neck` and twists may have several.
        confidence: by bone name, 0 to 1, how sure the match is; a bone that a person chose has 1.
        unmapped: the rig's other bones.
        rig: name of the preset or kind of rig it was recognised as; empty if none.
    """

    bones: Mapping[str, tuple[str, ...]]
    confidence: Mapping[str, float] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    rig: str = ""

    def first(self, role: str) -> str | None:
        """The role's first bone, None if it has none."""
        found = self.bones.get(role, ())
        return found[0] if found else None
