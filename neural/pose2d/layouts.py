"""The networks' layouts as data: which limbs have a field, in OpenPose's order of channels.

The keypoints are those of `capture.keypoints.layout`. Limbs from a shoulder to an ear are shortcuts: they
join what is there and begin nobody.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ...capture.keypoints.layout import LAYOUTS, Layout
from ...rig.arrays import Array
from ...rig.errors import FormatError

__all__ = ["FEET", "PAF_LAYOUTS", "PafLayout", "paf_layout"]

_TABLE: Final[Any] = json.loads(
    (Path(__file__).parent / "layouts.json").read_text(encoding="utf-8")
)
FEET: Final[tuple[str, ...]] = tuple(_TABLE["feet"])  # of COCO-WholeBody's foot_kpts
_COCO: Final = LAYOUTS["coco_17"].names


@dataclass(frozen=True)
class PafLayout:
    """K keypoints and L limbs with a field.

    Attributes:
        layout: the keypoints.
        limbs: (from, to) of each limb; its field points that way. Trunk first, outwards.
        shortcuts: the limbs that begin nobody.
    """

    layout: Layout
    limbs: tuple[tuple[int, int], ...]
    shortcuts: frozenset[int]

    @property
    def points(self) -> int:
        """K."""
        return len(self.layout)

    @property
    def trunk(self) -> tuple[int, ...]:
        """The neck, and the hip where there is one."""
        return tuple(k for k, name in enumerate(self.layout.names) if name in _TABLE["trunk"])

    @property
    def mirrored_limbs(self) -> tuple[int, ...]:
        """L indices: the limb of the other side, or itself."""
        other = self.layout.mirrored
        return tuple(self.limbs.index((other[a], other[b])) for a, b in self.limbs)

    def from_coco(self, points: Array, feet: Array) -> Array:
        """This layout's keypoints (P, K, 2) of COCO's 17 (P, 17, 2) and 6 of the feet; NaN stays NaN.

        The neck is the middle of the shoulders, the hip that of the hips.
        """
        places = {name: points[:, k] for k, name in enumerate(_COCO)}
        places |= {name: feet[:, k] for k, name in enumerate(FEET)}
        for name, parts in _TABLE["made"].items():
            places[name] = np.mean([places[part] for part in parts], axis=0)
        return np.stack([places[name] for name in self.layout.names], axis=1)


def _paf_layout(key: str) -> PafLayout:
    limbs = tuple((a, b) for a, b in _TABLE["limbs"][key])
    shortcuts = frozenset(limbs.index((a, b)) for a, b in _TABLE["shortcuts"][key])
    return PafLayout(LAYOUTS[key], limbs, shortcuts)


PAF_LAYOUTS: Final[Mapping[str, PafLayout]] = MappingProxyType(
    {key: _paf_layout(key) for key in _TABLE["limbs"]}
)


def paf_layout(key: str) -> PafLayout:
    """The layout called `key`.

    Raises:
        FormatError: there is none; the message lists those there are.
    """
    if key not in PAF_LAYOUTS:
        raise FormatError(
            f"no pose network has the layout {key[:40]!r}; there are: {', '.join(PAF_LAYOUTS)}"
        )
    return PAF_LAYOUTS[key]
