"""Legs for a whole take: a posed upper body in, motions with drawn legs and root paths out."""

from ...rig.arrays import Array
from ...rig.motion import Motion
from ..predict import Posed
from .options import GeneratorOptions

__all__ = ["generate", "generate_posed"]


def generate(
    posed: Posed,
    world_from_bone: Array | None = None,
    acceleration: Array | None = None,
    options: GeneratorOptions | None = None,
) -> tuple[Motion, ...]:
    """The motions of `generate_posed`."""
    return tuple(
        take.motion for take in generate_posed(posed, world_from_bone, acceleration, options)
    )


def generate_posed(
    posed: Posed,
    world_from_bone: Array | None = None,
    acceleration: Array | None = None,
    options: GeneratorOptions | None = None,
) -> tuple[Posed, ...]:
    """Draw legs, root translation and foot contacts that fit a solved upper body.

    Root orientation and every upper-body rotation are the input's, to the bit. Feet are cleaned.

    Args:
        posed: what `predict.pose_body` returned, T frames at `features.NETWORK_FPS`, feet not cleaned.
        world_from_bone: (T, 4, 4) quaternions of the bones under the sensors, as `pose_body` took them;
            None measures the posed motion itself with virtual sensors.
        acceleration: (T, 4, 3) linear, world frame, m/s^2, as `pose_body` took it; None likewise.
        options: how many, seed, temperature, top-k.

    Returns:
        `options.takes` motions at the same rate, each with the contact probabilities it was drawn with.

    Raises:
        ModelError: the weights are missing or damaged.
        ShapeError: the motion has another rate than the network, or arrays do not fit it.
    """
    raise NotImplementedError
