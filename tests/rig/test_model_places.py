"""A model placed in numpy is where the solvers' kinematics put it."""

import numpy as np
import pytest
import torch

from pallas.capture.osim import read_osim
from pallas.rig import ShapeError
from pallas.rig.model import Frame, KinematicModel, ball, free, hinge
from pallas.rig.model.kinematics import bodies_in_world
from pallas.rig.model.places import body_places

ARM = KinematicModel(
    "arm",
    (
        free("root", "upper"),
        hinge("elbow", "upper", "lower", Frame((0.0, 0.0, -0.3)), "y"),
        ball("wrist", "lower", "hand", Frame((0.0, 0.0, -0.25), (0.1, 0.2, 0.3))),
    ),
)
MODELS = (
    "markers/opensim/Gait2354_Simbody/gait2354_simbody.osim",
    "markers/opensim/Rajagopal/Rajagopal2016.osim",
)


def test_a_bent_elbow_lifts_the_wrist_to_its_height():
    pose = np.zeros((1, 10))
    pose[0, ARM.coordinate_index("root_tz")] = 1.4
    pose[0, ARM.coordinate_index("elbow")] = -np.pi / 2
    _, origins = body_places(ARM, pose)
    np.testing.assert_allclose(origins[0, 2], [0.0, 0.0, 1.1], atol=1e-12)
    np.testing.assert_allclose(origins[0, 3], [0.25, 0.0, 1.1], atol=1e-12)


@pytest.mark.parametrize("name", [None, *MODELS])
def test_random_poses_are_those_of_the_solvers(data, name):
    model = ARM if name is None else read_osim(data(name))
    random = np.random.default_rng(0)
    pose = model.default_pose + random.normal(scale=0.3, size=(20, len(model.coordinates)))
    rotations, origins = body_places(model, pose)
    expected = bodies_in_world(model, torch.as_tensor(pose))
    np.testing.assert_allclose(rotations, expected[0].numpy(), atol=1e-12)
    np.testing.assert_allclose(origins, expected[1].numpy(), atol=1e-12)


def test_a_pose_of_another_length_is_refused():
    with pytest.raises(ShapeError, match=r"\(any, 10\)"):
        body_places(ARM, np.zeros((1, 3)))
