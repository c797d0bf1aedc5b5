"""A network brought nearer to a clip that it was not trained for, by the spread of the clip's features."""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

from ...capture.video.frames import Picture
from .look import normalised
from .network import PafNetwork

__all__ = ["adapted"]


def adapted(network: PafNetwork, crops: list[Picture], share: float = 0.5) -> PafNetwork:
    """A copy whose normalisation layers also know the crops of a clip (Li et al. 2016, AdaBN).

    Args:
        network: stays as it is.
        crops: (H, W, 3) of one size.
        share: how much the clip's statistics count against those of the training.
    """
    copy = deepcopy(network)
    for module in copy.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = share
    with torch.no_grad():
        copy.train()(normalised(torch.from_numpy(np.stack(crops))))
    return copy.eval()
