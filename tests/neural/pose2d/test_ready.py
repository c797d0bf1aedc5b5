"""Networks ready to look: folded, brought nearer to a clip, written as ONNX files."""

import numpy as np
import pytest
import torch

from pallas.neural.pose2d.adaptation import adapted
from pallas.neural.pose2d.backbones import BACKBONES
from pallas.neural.pose2d.folded import folded
from pallas.neural.pose2d.look import maps_of
from pallas.neural.pose2d.network import PafConfig, PafNetwork
from pallas.neural.pose2d.onnx_file import write_onnx

MEAN, DEVIATION = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 256, (64, 72, 3), dtype=np.uint8)


def network_of(backbone, context=0):
    """Of random numbers, its normalisation too."""
    torch.manual_seed(2)
    network = PafNetwork(PafConfig(backbone, "body_25", width=16, context=context))
    for stage in network.stages if context else ():
        torch.nn.init.normal_(stage.context.out.weight, std=0.1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("context", [0, 16])
def test_a_folded_network_says_the_same_with_fewer_layers(picture, context):
    network = network_of("light", context)
    ready = folded(network)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in ready.modules())
    for one, other in zip(maps_of(network, picture), maps_of(ready, picture), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("backbone", "context"), [*((name, 0) for name in BACKBONES), ("light", 16)]
)
def test_an_onnx_file_says_what_the_network_says(backbone, context, picture, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    network = network_of(backbone, context)
    path = tmp_path / "pose.onnx"
    write_onnx(path, network)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = ((picture - MEAN) / DEVIATION).transpose(2, 0, 1)[None].astype(np.float32)
    confidence, pafs = session.run(None, {"crops": given})
    wanted = maps_of(network, picture)
    np.testing.assert_allclose(confidence[0], wanted.confidence[:25], atol=1e-5)
    np.testing.assert_allclose(pafs[0], wanted.pafs, atol=1e-5)


def test_the_onnx_detector_takes_the_file(picture, tmp_path):
    pytest.importorskip("onnxruntime")
    from pallas.capture.video.detector import DetectorOptions, make_detector  # noqa: PLC0415

    write_onnx(tmp_path / "pose.onnx", network_of("light"), (64, 64))
    detector = make_detector("onnx", DetectorOptions(tmp_path / "pose.onnx", layout="body_25"))
    assert detector.detect(picture).positions.shape[1:] == (25, 2)


def test_normalising_by_a_clip_takes_up_its_brightness_and_leaves_the_network_as_it_was(picture):
    network = network_of("light")
    first = network.backbone[1]
    before = first.running_mean.clone()
    dark = [np.zeros_like(picture), np.full_like(picture, 10)]
    for share in (0.0, 1.0):
        mean = adapted(network, dark, share).backbone[1].running_mean
        crops = torch.from_numpy(np.stack(dark)).permute(0, 3, 1, 2).float() / 256.0 - 0.5
        with torch.no_grad():
            seen = network.backbone[0](crops).mean(dim=(0, 2, 3))
        torch.testing.assert_close(mean, (1 - share) * before + share * seen, atol=1e-5, rtol=1e-4)
    assert (first.running_mean == before).all()
