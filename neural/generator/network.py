"""The generator: a tokeniser of lower bodies and the transformer that draws their tokens."""

from dataclasses import dataclass, field

from torch import nn

from .next_scale import NextScale, NextScaleConfig
from .tokeniser import Tokeniser, TokeniserConfig

__all__ = ["Generator", "GeneratorConfig"]


@dataclass(frozen=True)
class GeneratorConfig:
    """Everything needed to rebuild the generator; saved as JSON beside its weights."""

    tokeniser: TokeniserConfig = field(default_factory=TokeniserConfig)
    next_scale: NextScaleConfig = field(default_factory=NextScaleConfig)

    def __post_init__(self) -> None:
        ours, theirs = self.tokeniser, self.next_scale
        if (ours.codes, ours.latent) != (theirs.codes, theirs.latent):
            raise ValueError(
                f"the tokeniser has {ours.codes} codes of {ours.latent} numbers, the transformer expects "
                f"{theirs.codes} of {theirs.latent}"
            )


class Generator(nn.Module):
    """Both networks; `sampling` runs them."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.tokeniser = Tokeniser(config.tokeniser)
        self.next_scale = NextScale(config.next_scale)
