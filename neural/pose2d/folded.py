"""Networks ready to look: normalisation folded into convolutions, channels side by side in memory."""

from copy import deepcopy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .backbones import Separable
from .network import PafNetwork

__all__ = ["folded"]


def folded(network: PafNetwork) -> PafNetwork:
    """A copy that gives the same maps in less time, and can't be trained.

    Args:
        network: stays as it is.
    """
    copy = deepcopy(network).eval().requires_grad_(requires_grad=False)
    for module in list(copy.modules()):
        if isinstance(module, Separable):
            module.channels = fuse_conv_bn_eval(module.channels, module.norm)
            setattr(module, "norm", nn.Identity())  # noqa: B010  of another type
        elif isinstance(module, nn.Sequential):
            _fold_pairs(module)
    for weight in copy.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return copy


def _fold_pairs(layers: nn.Sequential) -> None:
    """Fold each normalisation that follows a convolution."""
    for number in range(len(layers) - 1):
        before, after = layers[number], layers[number + 1]
        if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
            layers[number] = fuse_conv_bn_eval(before, after)
            layers[number + 1] = nn.Identity()
