"""What is seen at a half and a quarter of the size of the maps: the rest of a body, which side is left."""

from typing import Final

from torch import Tensor, nn
from torch.nn import functional

from .backbones import Separable

__all__ = ["Context", "enlarged"]

_WIDER: Final = 3  # at a quarter of the size, halves of the channels of a half


class Context(nn.Module):
    """Adds to features what a smaller picture of them says; nothing before it was trained.

    Args:
        features: channels that come in and go out.
        width: channels at half the size.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        wide = width * _WIDER // 2
        self.lower = nn.Sequential(
            Separable(features, width, 5, stride=2), Separable(width, width, 5)
        )
        self.lowest = nn.Sequential(
            Separable(width, wide, 5, stride=2),
            *(Separable(wide, wide) for _ in range(3)),
            Separable(wide, width),
        )
        self.joined = Separable(width, width)
        self.out = nn.Conv2d(width, features, 1)
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def forward(self, seen: Tensor) -> Tensor:
        """(B, features, h, w) to the same."""
        half = self.lower(seen)
        half = self.joined(half + enlarged(self.lowest(half), half))
        return seen + enlarged(self.out(half), seen)


def enlarged(small: Tensor, like: Tensor) -> Tensor:
    """(B, C, ceil(h / 2), ceil(w / 2)) as large as `like` (B, C, h, w): each place twice along each side."""
    return functional.interpolate(small, like.shape[-2:], mode="nearest")
