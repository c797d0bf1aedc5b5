"""What a user may choose of generated legs."""

from dataclasses import dataclass

from ...rig.errors import ShapeError

__all__ = ["GeneratorOptions"]


@dataclass(frozen=True)
class GeneratorOptions:
    """How legs are drawn; the same options and input give the same bytes on one thread.

    Attributes:
        takes: how many variants, each with other legs.
        seed: of everything random. Take k of K is the same whatever K is.
        temperature: above 1 more varied, below 1 nearer to the likeliest; 0 is the likeliest itself.
        top_k: tokens that may be drawn at each place, the likeliest ones; 0 for all.
        tries: how often each window is drawn; the one that fits physics and the waist's sensor best is kept
            (`judge`).
    """

    takes: int = 1
    seed: int = 0
    temperature: float = 1.0
    top_k: int = 40
    tries: int = 4

    def __post_init__(self) -> None:
        if self.takes < 1:
            raise ShapeError(f"takes is {self.takes}, expected one or more")
        if self.tries < 1:
            raise ShapeError(f"tries is {self.tries}, expected one or more")
        if not self.temperature >= 0.0:
            raise ShapeError(f"temperature is {self.temperature}, expected zero or more")
        if self.top_k < 0:
            raise ShapeError(f"top_k is {self.top_k}, expected zero (all) or more")
