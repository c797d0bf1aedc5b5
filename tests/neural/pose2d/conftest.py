"""People made of a few lines, and their maps."""

import numpy as np
import pytest

from pallas.neural.pose2d.layouts import PAF_LAYOUTS
from pallas.neural.pose2d.targets import target_maps

# BODY_25 of somebody who stands, in heads: x to the right of the picture, y down.
STANDING = {
    "Nose": (0, 0.5), "Neck": (0, 1.4), "RShoulder": (-0.8, 1.5), "RElbow": (-1.1, 2.7),
    "RWrist": (-1.2, 3.8), "LShoulder": (0.8, 1.5), "LElbow": (1.1, 2.7), "LWrist": (1.2, 3.8),
    "Hip": (0, 3.9), "RHip": (-0.5, 3.9), "RKnee": (-0.5, 5.7), "RAnkle": (-0.5, 7.4),
    "LHip": (0.5, 3.9), "LKnee": (0.5, 5.7), "LAnkle": (0.5, 7.4), "REye": (-0.2, 0.3),
    "LEye": (0.2, 0.3), "REar": (-0.5, 0.45), "LEar": (0.5, 0.45), "LBigToe": (0.8, 7.8),
    "LSmallToe": (1.1, 7.75), "LHeel": (0.4, 7.7), "RBigToe": (-0.8, 7.8), "RSmallToe": (-1.1, 7.75),
    "RHeel": (-0.4, 7.7),
}  # fmt: skip


def standing(layout, middle, top, size):
    """(K, 2) of somebody `8 * size` high whose head begins at `top`."""
    return np.array(
        [(middle + size * STANDING[n][0], top + size * STANDING[n][1]) for n in layout.names]
    )


@pytest.fixture
def person():
    return standing


@pytest.fixture
def three():
    """Three people in 46 x 46 cells; an arm of the second goes through the first's."""
    layout = PAF_LAYOUTS["coco_18"]
    people = np.stack(
        [
            standing(layout.layout, *place)
            for place in ((10.3, 4.2, 4.4), (23.7, 6.1, 4.1), (37.2, 3.3, 4.7))
        ]
    )
    names = layout.layout.names
    people[0, names.index("LElbow")], people[0, names.index("LWrist")] = (16.1, 14.2), (20.4, 19.3)
    people[1, names.index("RElbow")], people[1, names.index("RWrist")] = (19.6, 15.8), (15.0, 20.5)
    return layout, people


@pytest.fixture
def three_maps(three):
    layout, people = three
    return target_maps(people, layout.limbs, (46, 46))
