"""What the pose network sees first: features of a picture at an eighth of its size.

`vgg` is the first ten layers of VGG-19 (Simonyan and Zisserman 2014) and two of Cao et al. (2017), `alexnet`
all layers of AlexNet (Krizhevsky et al. 2012) with strides for an eighth, `light` depthwise separable layers
(Howard et al. 2017).
"""

from collections.abc import Callable, Mapping
from typing import Final

from torch import nn

__all__ = ["BACKBONES", "FEATURES", "separable"]

FEATURES: Final = 128  # channels that come out of every backbone
_VGG: Final = (
    64,
    64,
    0,
    128,
    128,
    0,
    256,
    256,
    256,
    256,
    0,
    512,
    512,
    256,
    FEATURES,
)  # 0: half the size
_LIGHT: Final = (  # channels, stride
    (48, 1), (96, 2), (96, 1), (192, 2), (192, 1), (192, 1), (192, 1), (192, 1), (FEATURES, 1),
)  # fmt: skip
_START: Final = 24


def separable(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Each channel over space, then all channels of a place; normalised over the batch."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _vgg() -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = 3
    for outputs in _VGG:
        if outputs:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = outputs
        else:
            layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def _alexnet() -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 11, stride=4, padding=5),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, padding=1),
    ]
    inputs = 64
    for outputs, kernel in ((192, 5), (384, 3), (256, 3), (256, 3), (FEATURES, 3)):
        layers += [
            nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2),
            nn.ReLU(inplace=True),
        ]
        inputs = outputs
    return nn.Sequential(*layers)


def _light() -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(3, _START, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(_START),
        nn.ReLU(inplace=True),
    ]
    inputs = _START
    for outputs, stride in _LIGHT:
        layers.append(separable(inputs, outputs, stride=stride))
        inputs = outputs
    return nn.Sequential(*layers)


BACKBONES: Final[Mapping[str, Callable[[], nn.Sequential]]] = {
    "vgg": _vgg,
    "alexnet": _alexnet,
    "light": _light,
}
