"""What the pose network sees first: features of a picture at an eighth of its size.

`vgg` is the first ten layers of VGG-19 (Simonyan and Zisserman 2014) and two of Cao et al. (2017), `alexnet`
all layers of AlexNet (Krizhevsky et al. 2012) with strides for an eighth, `light` depthwise separable layers
(Chollet 2017: nothing between the two steps of a layer) with residuals.
"""

from collections.abc import Callable, Mapping
from typing import Final

from torch import Tensor, nn

__all__ = ["BACKBONES", "FEATURES", "LIGHT_FEATURES", "Separable"]

FEATURES: Final = 128  # channels that come out of the published backbones
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
    (64, 2), (64, 1), (160, 2), (160, 1), (160, 1), (160, 1), (160, 1), (160, 1),
)  # fmt: skip
_START: Final = 16
LIGHT_FEATURES: Final = _LIGHT[-1][0]


class Separable(nn.Module):
    """Each channel over space, then all channels of a place, normalised over the batch.

    What goes in is added where it has the shape of what comes out.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.space = nn.Conv2d(
            inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False
        )
        self.channels = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.added = inputs == outputs and stride == 1

    def forward(self, seen: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        found = self.norm(self.channels(self.space(seen)))
        return (found + seen if self.added else found).relu_()


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
        layers.append(Separable(inputs, outputs, stride=stride))
        inputs = outputs
    return nn.Sequential(*layers)


BACKBONES: Final[Mapping[str, Callable[[], nn.Sequential]]] = {
    "vgg": _vgg,
    "alexnet": _alexnet,
    "light": _light,
}
