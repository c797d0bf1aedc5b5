"""Networks: shapes, stages, losses, files, OpenPose's names."""

from dataclasses import asdict

import numpy as np
import pytest
import safetensors.torch
import torch

from pallas.capture.video.crops import Box
from pallas.neural.pose2d.backbones import BACKBONES
from pallas.neural.pose2d.layouts import PAF_LAYOUTS
from pallas.neural.pose2d.look import averaged_maps, maps_of, network_size
from pallas.neural.pose2d.losses import Wanted, paf_losses
from pallas.neural.pose2d.network import Maps, PafConfig, PafNetwork, with_stages
from pallas.neural.pose2d.published import published_network
from pallas.neural.pose2d.stored import load_paf, save_paf
from pallas.rig.errors import FileError, FormatError, ModelError

BACKBONE = {  # Caffe's name: what goes in and out, as OpenPose's COCO deploy file has them
    "conv1_1": (3, 64), "conv1_2": (64, 64), "conv2_1": (64, 128), "conv2_2": (128, 128),
    "conv3_1": (128, 256), "conv3_2": (256, 256), "conv3_3": (256, 256), "conv3_4": (256, 256),
    "conv4_1": (256, 512), "conv4_2": (512, 512), "conv4_3_CPM": (512, 256), "conv4_4_CPM": (256, 128),
}  # fmt: skip


def published(stages=2, prefix=""):
    """A state dict with the published names and shapes, and random numbers."""
    shapes = {name: (out, into, 3) for name, (into, out) in BACKBONE.items()}
    for branch, out in (("L1", 38), ("L2", 19)):
        first = [(128, 128, 3)] * 3 + [(512, 128, 1), (out, 512, 1)]
        later = [(128, 185, 7)] + [(128, 128, 7)] * 4 + [(128, 128, 1), (out, 128, 1)]
        shapes |= {f"conv5_{n}_CPM_{branch}": shape for n, shape in enumerate(first, 1)}
        for stage in range(2, stages + 1):
            shapes |= {f"Mconv{n}_stage{stage}_{branch}": shape for n, shape in enumerate(later, 1)}
    draw = torch.Generator().manual_seed(3)
    state = {}
    for name, (out, into, kernel) in shapes.items():
        scale = (2.0 / (into * kernel * kernel)) ** 0.5
        state[f"{prefix}{name}.weight"] = scale * torch.randn(
            out, into, kernel, kernel, generator=draw
        )
        state[f"{prefix}{name}.bias"] = 0.01 * torch.randn(out, generator=draw)
    return state


def caffe(state, picture, stages):
    """The published graph, written down layer by layer."""

    def layer(name, value, *, last=False):
        weight = state[f"{name}.weight"]
        value = torch.conv2d(value, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)
        return value if last else value.relu()

    value = picture.flip(1)  # blue, green, red
    for name in BACKBONE:
        value = layer(name, value)
        if name in ("conv1_2", "conv2_2", "conv3_4"):
            value = torch.nn.functional.max_pool2d(value, 2, 2)
    features, found = value, {}
    for stage in range(1, stages + 1):
        begin = torch.cat([found["L1"], found["L2"], features], 1) if stage > 1 else features
        names = "Mconv{}_stage" + str(stage) + "_{}" if stage > 1 else "conv5_{}_CPM_{}"
        count = 7 if stage > 1 else 5
        for branch in ("L1", "L2"):
            value = begin
            for number in range(1, count + 1):
                value = layer(names.format(number, branch), value, last=number == count)
            found[branch] = value
    return found["L2"], found["L1"]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_gives_maps_of_an_eighth_for_every_stage(backbone):
    network = PafNetwork(PafConfig(backbone, "body_25", stages=2)).eval()
    with torch.inference_mode():
        found = network(torch.zeros(1, 3, 64, 80))
    assert [(m.confidence.shape, m.pafs.shape) for m in found] == [
        ((1, 26, 8, 10), (1, 52, 8, 10))
    ] * 2


def test_the_light_network_is_light():
    for layout in PAF_LAYOUTS:
        network = PafNetwork(PafConfig("light", layout, stages=6))
        assert sum(p.numel() for p in network.parameters()) < 4_000_000


@pytest.mark.parametrize("sides", [(64, 64), (72, 104)])
def test_what_is_seen_at_smaller_sizes_adds_nothing_before_it_was_trained(sides):
    torch.manual_seed(4)
    plain = PafNetwork(PafConfig("light", width=16)).eval()
    network = PafNetwork(PafConfig("light", width=16, context=8)).eval()
    network.load_state_dict(network.state_dict() | plain.state_dict())
    picture = torch.randn(1, 3, *sides)
    for one, other in zip(network(picture), plain(picture), strict=True):
        assert torch.equal(one.confidence, other.confidence) and torch.equal(one.pafs, other.pafs)
    torch.nn.init.ones_(network.stages[0].context.out.weight)
    assert not torch.equal(network(picture)[0].pafs, plain(picture)[0].pafs)
    with pytest.raises(ValueError, match="context is 8; expected 0 or more, with light only"):
        PafConfig("vgg", context=8)


def test_a_network_without_its_last_stages_says_what_those_before_said():
    torch.manual_seed(0)
    network = PafNetwork(PafConfig(stages=3)).eval()
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        full, less = network(picture), with_stages(network, 2)(picture)
    assert len(less) == 2
    torch.testing.assert_close(less[1].pafs, full[1].pafs)
    with pytest.raises(ModelError, match="has 3 stages; 4 of them"):
        with_stages(network, 4)


def test_limbs_end_at_the_layouts_keypoints_and_have_their_mirror_image():
    names = PAF_LAYOUTS["coco_18"].layout.names
    told = [f"{names[a]}-{names[b]}" for a, b in PAF_LAYOUTS["coco_18"].limbs]
    assert (told[0], told[9], told[18]) == ("Neck-RHip", "RShoulder-REar", "LEye-LEar")
    for layout in PAF_LAYOUTS.values():
        assert sorted(layout.mirrored_limbs) == list(range(len(layout.limbs)))
        assert {k for limb in layout.limbs for k in limb} == set(range(layout.points))


def test_losses_are_sums_of_squares_over_stages_where_something_is_known():
    found = Maps(torch.full((1, 2, 2, 2), 3.0), torch.full((1, 2, 2, 2), 2.0))
    region = torch.tensor([[[[1.0, 0.0], [1.0, 1.0]]]])
    wanted = Wanted(
        Maps(torch.ones(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)),
        region,
        torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1),
        torch.ones(1, 2, 1, 1),
    )
    terms = paf_losses([found, found], wanted)
    assert (
        float(terms["confidence"]) == 2 * 3 * 4.0
    )  # stages, known cells of one map, squared error
    assert float(terms["pafs"]) == 2 * 3 * 2 * 4.0


@pytest.mark.parametrize(("prefix", "suffix"), [("", ".safetensors"), ("module.model0.", ".pth")])
def test_published_weights_give_the_published_maps(tmp_path, prefix, suffix):
    state, path = published(prefix=prefix), tmp_path / f"body{suffix}"
    if suffix == ".pth":
        torch.save(state, path)
    else:
        safetensors.torch.save_file(state, path)
    network = load_paf(path)
    assert (network.config.backbone, network.config.stages) == ("vgg", 2)
    picture = torch.rand(1, 3, 32, 40) - 0.5
    with torch.inference_mode():
        maps = network(picture)[-1]
    confidence, pafs = caffe({n.removeprefix(prefix): t for n, t in state.items()}, picture, 2)
    torch.testing.assert_close(maps.confidence, confidence, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(maps.pafs, pafs, atol=1e-5, rtol=1e-4)


def test_a_wrong_state_dict_names_what_differs_first():
    state = published()
    assert published_network(state, "body.pth", stages=1).config.stages == 1
    lacking = {n: t for n, t in state.items() if not n.startswith("conv3_")}
    with pytest.raises(
        ModelError, match=r"lacks conv3_1.weight, conv3_1.bias, conv3_2.weight and 5 more"
    ):
        published_network(lacking, "body.pth")
    with pytest.raises(ModelError, match=r"the network lacks, Mconv8_stage2_L1.weight"):
        published_network(state | {"Mconv8_stage2_L1.weight": torch.zeros(1)}, "body.pth")
    with pytest.raises(
        ModelError, match=r"conv5_5_CPM_L2.weight has shape \(26, 512, 1, 1\); expected \(19,"
    ):
        published_network(state | {"conv5_5_CPM_L2.weight": torch.zeros(26, 512, 1, 1)}, "body.pth")


def test_a_network_comes_back_from_its_files(tmp_path):
    torch.manual_seed(1)
    network = PafNetwork(PafConfig(width=16)).eval()
    save_paf(tmp_path / "pose", network, {"steps": 3})
    again = load_paf(tmp_path / "pose.safetensors")
    assert asdict(again.config) == asdict(network.config)
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(again(picture)[-1], network(picture)[-1], atol=2e-3, rtol=2e-2)
    assert load_paf(tmp_path / "pose.safetensors", stages=1).config.stages == 1


def test_files_that_are_no_network_are_told(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        load_paf(tmp_path / "none.pth")
    (tmp_path / "bytes.pth").write_bytes(b"abc" * 50)
    with pytest.raises(ModelError, match="holds no weights that can be read"):
        load_paf(tmp_path / "bytes.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ModelError, match="no state dict"):
        load_paf(tmp_path / "list.pth")
    save_paf(tmp_path / "pose", PafNetwork(PafConfig(width=16)))
    text = (tmp_path / "pose.json").read_text()
    (tmp_path / "pose.json").write_text(text.replace('"width": 16', '"width": 24'))
    with pytest.raises(ModelError, match="first in stages.0.pafs.0.weight"):
        load_paf(tmp_path / "pose.safetensors")
    (tmp_path / "pose.json").write_text(text.replace('"light"', '"heavy"'))
    with pytest.raises(FormatError, match="there are: vgg, alexnet, light"):
        load_paf(tmp_path / "pose.safetensors")
    (tmp_path / "pose.json").unlink()
    with pytest.raises(FileError, match="lies beside"):
        load_paf(tmp_path / "pose.safetensors")


def test_maps_of_several_scales_are_averaged_on_the_largest():
    torch.manual_seed(2)
    network = PafNetwork(PafConfig(width=16)).eval()
    picture = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    whole = Box(60, 45, 120, 90)
    each = [averaged_maps(network, picture, whole, 128, [scale]) for scale in (0.75, 1.0)]
    both = averaged_maps(network, picture, whole, 128, (0.75, 1.0))
    assert both[0].shape == (19, 12, 16) and both[3] == (128, 96)
    mean = 0.5 * (each[0][0].mean() + each[1][0].mean())
    assert both[0].mean() == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize(
    ("picture", "size"), [((1, 900), (120, 368)), ((7680, 4320), (368, 208)), ((1, 1), (368, 368))]
)
def test_pictures_of_any_shape_have_a_size_for_the_network(picture, size):
    assert network_size(*picture, 368) == size


def test_a_mirror_image_says_the_same_the_other_way_around():
    torch.manual_seed(6)
    network = PafNetwork(PafConfig("light", "body_25", width=16)).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.out_channels in (26, 52):
            torch.nn.init.normal_(module.weight, std=0.3)
    picture = np.random.default_rng(2).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    own = maps_of(network, picture, mirrored=True)
    other = maps_of(network, np.ascontiguousarray(picture[:, ::-1]), mirrored=True)
    layout = network.config.paf_layout
    names = layout.layout.names
    left, right = names.index("LWrist"), names.index("RWrist")
    torch.testing.assert_close(own.confidence[left], other.confidence[right].flip(-1))
    limb = layout.limbs.index((names.index("RElbow"), right))
    twin = layout.limbs.index((names.index("LElbow"), left))
    torch.testing.assert_close(own.pafs[2 * limb], -other.pafs[2 * twin].flip(-1))
    torch.testing.assert_close(own.pafs[2 * limb + 1], other.pafs[2 * twin + 1].flip(-1))
    assert not torch.allclose(own.pafs, maps_of(network, picture).pafs)
