"""When a foot stands: the rule that labels motions, used in training, evaluation and cleaning."""

from ..rig.arrays import Array, Mask
from ..rig.planting import standing
from ..rig.skeleton import BODY_JOINTS

__all__ = ["ANKLES", "PLANTED", "STANDING", "TOES", "foot_contacts"]

ANKLES = [BODY_JOINTS.index("left_ankle"), BODY_JOINTS.index("right_ankle")]
TOES = [BODY_JOINTS.index("left_foot"), BODY_JOINTS.index("right_foot")]
STANDING = 0.5  # probability from which a predicted contact counts as one
# Probability from which cleaning holds a foot, chosen on validation clips: a foot that is held a little too
# long is seen less than one that slides.
PLANTED = 0.3


def foot_contacts(positions: Array, fps: float, scale: float = 1.0) -> Mask:
    """(T, 2) True where the left and the right foot stand: its heel or its ball is low and slow.

    Args:
        positions: (T, 24, 3) joint origins in the world, metres, floor at z = 0.
        fps: frames per second.
        scale: size of the body; 1 is 1.70 m tall.
    """
    return standing(positions[:, ANKLES + TOES], fps, scale)
