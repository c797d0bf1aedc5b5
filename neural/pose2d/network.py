"""The pose network: a backbone, then stages of two branches, each refining the maps of the one before.

After Cao et al. 2017, "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields": every stage but
the first sees the fields and the maps of the stage before, and the backbone's features.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from ...rig.errors import ModelError
from .backbones import BACKBONES, FEATURES, LIGHT_FEATURES, Separable
from .context import Context
from .layouts import PafLayout, paf_layout

__all__ = ["MOST_STAGES", "STRIDE", "Maps", "PafConfig", "PafNetwork", "with_stages"]

STRIDE: Final = 8  # pixels of a cell of the maps
MOST_STAGES: Final = 6
_STILL: Final = 0.01  # spread of the last layers' weights at first, as Cao et al. have it


@dataclass(frozen=True)
class PafConfig:
    """Everything needed to rebuild the network.

    Attributes:
        backbone: vgg, alexnet or light; with light the stages are depthwise separable, too.
        layout: of the keypoints: coco_18 or body_25.
        stages: 1 to 6, the first included.
        width: channels within a light stage (the others have 128, as published).
        side: pixels of a square around somebody, as the network is used to them.
        context: channels of what each light stage sees at a half and a quarter of the maps' size; 0 for none.
    """

    backbone: str = "light"
    layout: str = "coco_18"
    stages: int = 2
    width: int = 96
    side: int = 256
    context: int = 0

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ValueError(f"backbone is {self.backbone!r}; there are: {', '.join(BACKBONES)}")
        if not 1 <= self.stages <= MOST_STAGES:
            raise ValueError(f"stages is {self.stages}; expected 1 to {MOST_STAGES}")
        if self.width < 1:
            raise ValueError(f"width is {self.width}; expected 1 or more")
        if self.side < 64 or self.side % STRIDE:
            raise ValueError(f"side is {self.side}; expected a multiple of {STRIDE}, 64 or more")
        if self.context < 0 or (self.context and self.backbone != "light"):
            raise ValueError(f"context is {self.context}; expected 0 or more, with light only")
        paf_layout(self.layout)

    @property
    def paf_layout(self) -> PafLayout:
        """Keypoints and limbs."""
        return paf_layout(self.layout)


class Maps(NamedTuple):
    """What a stage says of B pictures, in cells of 8 pixels; cell c is the middle of pixels 8c to 8c + 7."""

    confidence: Tensor  # (B, K + 1, h, w): each keypoint, last the background
    pafs: Tensor  # (B, 2L, h, w): x and y of each limb's direction, one after the other


class PafNetwork(nn.Module):
    """Pictures (B, 3, H, W) red, green, blue as value / 256 - 0.5 in; `Maps` of every stage out.

    H and W are multiples of 8.
    """

    def __init__(self, config: PafConfig | None = None) -> None:
        super().__init__()
        self.config = config or PafConfig()
        layout = self.config.paf_layout
        self.backbone = BACKBONES[self.config.backbone]()
        sizes = (2 * len(layout.limbs), layout.points + 1)
        features = LIGHT_FEATURES if self.config.backbone == "light" else FEATURES
        self.stages = nn.ModuleList(
            _Stage(self.config, sizes, features + (sum(sizes) if number else 0), first=not number)
            for number in range(self.config.stages)
        )

    def forward(self, pictures: Tensor) -> list[Maps]:
        """The maps of each stage, the last the best."""
        features = self.backbone(pictures)
        found: list[Maps] = []
        seen = features
        for stage in self.stages:
            found.append(stage(seen))
            seen = torch.cat([found[-1].pafs, found[-1].confidence, features], dim=1)
        return found


class _Stage(nn.Module):
    """Two branches that see the same."""

    def __init__(
        self, config: PafConfig, sizes: tuple[int, int], inputs: int, *, first: bool
    ) -> None:
        super().__init__()
        self.context = Context(inputs, config.context) if config.context else nn.Identity()
        if config.backbone == "light":
            self.pafs = _light_branch(inputs, config.width, sizes[0], first=first)
            self.confidence = _light_branch(inputs, config.width, sizes[1], first=first)
        else:
            self.pafs = _branch(inputs, sizes[0], first=first)
            self.confidence = _branch(inputs, sizes[1], first=first)
        _still(self.pafs[-1])
        _still(self.confidence[-1], background=True)

    def forward(self, seen: Tensor) -> Maps:
        seen = self.context(seen)
        return Maps(self.confidence(seen), self.pafs(seen))


def _still(last: nn.Module, *, background: bool = False) -> None:
    """Begin near what nobody being there looks like, which is most of every picture."""
    assert isinstance(last, nn.Conv2d) and last.bias is not None
    nn.init.normal_(last.weight, std=_STILL)
    nn.init.zeros_(last.bias)
    if background:
        nn.init.ones_(last.bias[-1:])


def _branch(inputs: int, outputs: int, *, first: bool) -> nn.Sequential:
    """As published: three layers 3x3 and two 1x1 first, five 7x7 and two 1x1 later."""
    kernels = (3, 3, 3) if first else (7,) * 5
    wide = 512 if first else 128
    layers: list[nn.Module] = []
    for kernel in kernels:
        layers += [nn.Conv2d(inputs, 128, kernel, padding=kernel // 2), nn.ReLU(inplace=True)]
        inputs = 128
    layers += [nn.Conv2d(128, wide, 1), nn.ReLU(inplace=True), nn.Conv2d(wide, outputs, 1)]
    return nn.Sequential(*layers)


def _light_branch(inputs: int, width: int, outputs: int, *, first: bool) -> nn.Sequential:
    kernel = 3 if first else 5
    return nn.Sequential(
        nn.Conv2d(inputs, width, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        *(Separable(width, width, kernel) for _ in range(3)),
        nn.Conv2d(width, outputs, 1),
    )


def with_stages(network: PafNetwork, stages: int) -> PafNetwork:
    """The same network without its last stages, as the first `stages` of it were trained.

    Raises:
        ModelError: it has fewer, or none would be left.
    """
    if not 1 <= stages <= network.config.stages:
        raise ModelError(
            f"the network has {network.config.stages} stages; {stages} of them can't be kept"
        )
    kept = PafNetwork(replace(network.config, stages=stages))
    names = kept.state_dict().keys()
    kept.load_state_dict({n: t for n, t in network.state_dict().items() if n in names})
    return kept.train(network.training)
