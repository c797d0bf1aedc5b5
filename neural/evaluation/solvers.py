"""What is compared: ways from a recording to one take, or to several, under the names of the tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ...capture.imu import ImuRecording
from ...rig.arrays import Mask
from ...rig.errors import ModelError
from ...rig.motion import Motion
from ..contacts import PLANTED, STANDING
from ..feet import clean_feet
from ..generator import GeneratorOptions, generate_posed
from ..generator.network import Generator
from ..predict import pose_body
from ..threads import one_thread

__all__ = [
    "Solver",
    "Take",
    "find_weights",
    "legs_solver",
    "network_solver",
]


@dataclass(frozen=True)
class Take:
    """A solved motion, and (T, 2) when the left and the right foot stand, as the solver says."""

    motion: Motion
    contacts: Mask | None


# Calibrated recording at the network's rate, and the performer's true motion, of which only the skeleton
# and the rate may be used.
Solver = Callable[[ImuRecording, Motion], Sequence[Take]]


def network_solver(network: nn.Module) -> Solver:
    """As `solve` does it: posed, then feet cleaned, on the performer's own skeleton."""

    def solved(recording: ImuRecording, truth: Motion) -> list[Take]:
        bones, acceleration = recording.world_from_sensor, recording.acceleration
        with one_thread():
            posed = pose_body(network, bones, acceleration, truth.skeleton, truth.fps)
            contacts = posed.contacts > STANDING
            return [Take(clean_feet(posed.motion, posed.contacts > PLANTED), contacts)]

    return solved


def legs_solver(network: nn.Module, generator: Generator, takes: int, seed: int = 0) -> Solver:
    """The network's upper body with so many takes of legs that the generator draws, feet cleaned."""
    options = GeneratorOptions(takes=takes, seed=seed)

    def solved(recording: ImuRecording, truth: Motion) -> list[Take]:
        bones, acceleration = recording.world_from_sensor, recording.acceleration
        with one_thread():
            posed = pose_body(network, bones, acceleration, truth.skeleton, truth.fps)
            drawn = generate_posed(posed, bones, acceleration, options, generator)
        return [Take(take.motion, take.contacts > STANDING) for take in drawn]

    return solved


def find_weights(place: Path) -> list[Path]:
    """Networks in a folder, or the one whose files are `place`.json and `place`.safetensors; without suffix.

    Raises:
        ModelError: there is none.
    """
    candidates = sorted(place.glob("*.json")) if place.is_dir() else [place.with_name(place.name)]
    stems = [path.with_suffix("") if path.suffix == ".json" else path for path in candidates]
    found = [
        stem
        for stem in stems
        if all(stem.with_name(f"{stem.name}{s}").is_file() for s in (".json", ".safetensors"))
    ]
    if not found:
        raise ModelError(f"{place} holds no finished network; finish pallas train first")
    return found
