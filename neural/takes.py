"""From a posed body to the takes a user gets: legs as predicted, drawn, or seated; feet cleaned; how sure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..capture.imu import Gap, ImuRecording
from ..rig import quaternion
from ..rig.arrays import Array, Mask
from ..rig.errors import ShapeError
from ..rig.motion import Motion
from .confidence import activity, confidence_of, expected_errors, silence
from .contacts import PLANTED, STANDING
from .feet import clean_feet
from .generator import GeneratorOptions, generate_posed, seated
from .predict import Posed

__all__ = ["LEGS", "LegOptions", "SolvedTake", "at_rate", "choose_legs", "with_confidence"]

LEGS = ("deterministic", "generated", "seated")


@dataclass(frozen=True)
class LegOptions:
    """Which legs.

    Attributes:
        mode: "deterministic" as the network predicts them, "generated" as the generator draws them, or
            "seated" for who sits in a chair; generated if several takes are asked for, unless told.
        takes: how many variants of generated legs.
        seed: of everything random; the same seed, the same bytes.
        temperature: of the generator; above 1 more varied.
        top_k: of the generator; tokens that may be drawn at each place, 0 for all.
        seat_height: metres of a seated pelvis above the floor; None for level thighs.
        clean_feet: let standing feet stand; generated feet always do.
    """

    mode: str = "deterministic"
    takes: int = 1
    seed: int = 0
    temperature: float = 1.0
    top_k: int = 40
    seat_height: float | None = None
    clean_feet: bool = True

    def __post_init__(self) -> None:
        if self.mode not in LEGS:
            raise ShapeError(f"no legs {self.mode!r}; there are: {', '.join(LEGS)}")
        if self.takes < 1:
            raise ShapeError(f"takes is {self.takes}, expected one or more")
        if self.takes > 1 and self.mode != "generated":
            raise ShapeError(
                f"{self.takes} takes of {self.mode} legs would all be the same; ask for generated legs"
            )
        if self.seat_height is not None and self.mode != "seated":
            raise ShapeError(
                "a seat height is given, but the legs are not seated; ask for seated legs"
            )


@dataclass(frozen=True)
class SolvedTake:
    """A motion, and (T, 2) True where its left and right foot stand."""

    motion: Motion
    contacts: Mask


def choose_legs(
    posed: Posed, world_from_bone: Array, acceleration: Array, options: LegOptions
) -> list[Posed]:
    """Give a posed body its legs; several variants if asked for.

    Args:
        posed: feet not cleaned, T frames.
        world_from_bone: (T, 4, 4) that it was posed from.
        acceleration: (T, 4, 3) likewise.
        options: which legs.

    Raises:
        ModelError: the generator's weights are missing.
        ShapeError: the seat is too high or too low for the legs.
    """
    if options.mode == "generated":
        chosen = GeneratorOptions(options.takes, options.seed, options.temperature, options.top_k)
        return list(generate_posed(posed, world_from_bone, acceleration, chosen))
    if options.mode == "seated":
        feet_down = np.ones_like(posed.contacts)
        return [Posed(seated(posed.motion, options.seat_height), feet_down)]
    if options.clean_feet:
        return [replace(posed, motion=clean_feet(posed.motion, posed.contacts > PLANTED))]
    return [posed]


def with_confidence(
    motion: Motion, acceleration: Array, gaps: Sequence[Gap], start: float, mode: str
) -> Motion:
    """The motion with how sure each joint is; of several drawn takes, no surer than they agree.

    Args:
        motion: T frames.
        acceleration: (T, 4, 3) m/s^2 that it was posed from.
        gaps: in which a sensor was silent and not bridged.
        start: seconds, the recording's time at the first frame.
        mode: of the legs.
    """
    expected = expected_errors(activity(acceleration, motion.fps))
    confidence = confidence_of(expected, silence(gaps, start, motion.times), mode)
    if motion.confidence is not None:
        confidence = np.minimum(confidence, motion.confidence)
    return replace(motion, confidence=confidence)


def at_rate(posed: Posed, recording: ImuRecording) -> SolvedTake:
    """Bring a motion at the network's rate back to the recording's, over its whole span."""
    motion = posed.motion
    span = recording.times[-1] - recording.times[0]
    count = int(np.round(span * recording.fps)) + 1
    times = np.linspace(0.0, span, count)

    def linear(values: Array) -> Array:
        return np.stack([np.interp(times, motion.times, c) for c in values.T], axis=-1)

    rotations = quaternion.resample(motion.rotations, motion.times, times)
    nearest = np.clip(np.round(times * motion.fps).astype(int), 0, len(motion) - 1)
    fps = (count - 1) / span
    confidence = None if motion.confidence is None else linear(motion.confidence)
    moved = Motion(motion.skeleton, linear(motion.root_position), rotations, fps, confidence)
    return SolvedTake(moved, posed.contacts[nearest] > STANDING)
