"""The whole network: it starts as the stiff body its sensors describe, and streams."""

import pytest
import torch

from pallas.neural.body import POSED, bone_basis, sensed_pose
from pallas.neural.features import heading_matrix, sensor_features
from pallas.neural.network import Pallas, PallasConfig
from pallas.neural.weights import EMBEDDED, load_network
from pallas.rig import so3

BONES = {"pelvis": 0, "left_elbow": 1, "right_elbow": 2, "neck": 3}


def sensed(frames: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Random bones (1, T, 4, 3, 3) in the heading frame, and what the network reads of them."""
    generator = torch.Generator().manual_seed(0)
    bones = so3.exp(torch.randn(1, frames, 4, 3, generator=generator))
    sensors = sensor_features(bones, torch.randn(1, frames, 4, 3, generator=generator))
    return sensors[..., 3:].unflatten(-1, (3, 3)), sensors


def test_before_training_every_sensed_bone_is_where_its_sensor_is():
    bones, sensors = sensed()
    prediction = Pallas(PallasConfig())(sensors)
    found = so3.from_sixd(prediction.sixd) @ bone_basis().transpose(-1, -2)
    for joint, sensor in BONES.items():
        torch.testing.assert_close(
            found[:, :, POSED.index(joint)], bones[:, :, sensor], atol=1e-5, rtol=0
        )
    torch.testing.assert_close(prediction.sixd, sensed_pose(sensors))


def test_features_do_not_change_when_everything_turns_about_the_vertical():
    bones = so3.exp(torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(1)))
    acceleration = torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(2))
    turn = so3.exp(torch.tensor([0.0, 0.0, 1.3]))
    turned = sensor_features(turn @ bones, (turn @ acceleration[..., None]).squeeze(-1))
    torch.testing.assert_close(turned, sensor_features(bones, acceleration), atol=1e-5, rtol=0)


def test_the_heading_of_an_upright_waist_is_its_turn():
    turn = so3.exp(torch.tensor([0.0, 0.0, -2.0]))
    torch.testing.assert_close(heading_matrix(turn), turn, atol=1e-6, rtol=0)
    leaning = turn @ so3.exp(torch.tensor([0.5, 0.0, 0.0]))
    torch.testing.assert_close(heading_matrix(leaning), turn, atol=1e-6, rtol=0)


@pytest.mark.parametrize("frames", [1, 2, 300])
def test_the_trained_network_streams_what_it_says_at_once(frames):
    network, _ = load_network(EMBEDDED / "pallas")
    _, sensors = sensed(frames)
    cache = network.stream()
    with torch.inference_mode():
        parts = [network(sensors[:, t : t + 1], cache).sixd for t in range(frames)]
        at_once = network(sensors).sixd
    torch.testing.assert_close(torch.cat(parts, dim=1), at_once, atol=1e-4, rtol=0)
