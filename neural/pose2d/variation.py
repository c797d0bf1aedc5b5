"""What varies from crop to crop when the pose network is trained."""

from dataclasses import dataclass, replace

__all__ = ["Variation"]


@dataclass(frozen=True)
class Variation:
    """Ranges and probabilities.

    Attributes:
        size: pixels of a crop's sides; a multiple of 8.
        smallest: of the crop's side, how large the person in its middle is, at least ...
        largest: ... and at most, drawn evenly in the logarithm.
        shift: of the crop's side, how far from the middle.
        turn: radians by which the picture is turned, at most.
        mirror: probability that left and right are exchanged.
        mix: probability that the people stand in another picture, before the people there.
        paste: probability that the people of others stand before a random texture.
        holes: probability that rectangles are cut out.
        brightness: largest change, of the whole range.
        contrast: largest change of the logarithm.
        colour: largest change of the logarithm of each channel.
        grey: probability of a picture without colours.
        blur: probability that it is blurred.
        noise: largest standard deviation, of the whole range.
        jpeg: probability that it is compressed as JPEG does.
    """

    size: int = 256
    smallest: float = 0.35
    largest: float = 1.1
    shift: float = 0.15
    turn: float = 0.5
    mirror: float = 0.5
    mix: float = 0.25
    paste: float = 0.25
    holes: float = 0.3
    brightness: float = 0.2
    contrast: float = 0.4
    colour: float = 0.25
    grey: float = 0.1
    blur: float = 0.3
    noise: float = 0.06
    jpeg: float = 0.4

    def __post_init__(self) -> None:
        if self.size < 64 or self.size % 8:
            raise ValueError(f"size is {self.size}; expected a multiple of 8, 64 or more")

    def unvaried(self) -> "Variation":
        """Crops as detection makes them, for measuring."""
        return replace(
            self, smallest=0.75, largest=0.75, shift=0.0, turn=0.0, mirror=0.0, mix=0.0, paste=0.0,
            holes=0.0, brightness=0.0, contrast=0.0, colour=0.0, grey=0.0, blur=0.0, noise=0.0, jpeg=0.0,
        )  # fmt: skip
