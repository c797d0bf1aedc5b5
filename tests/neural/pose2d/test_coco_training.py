"""A tiny COCO folder: read, cropped, learnt from."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pallas.capture.keypoints.layout import LAYOUTS
from pallas.neural.pose2d import picture_cache
from pallas.neural.pose2d.coco_set import labelled_pictures
from pallas.neural.pose2d.layouts import FEET, PAF_LAYOUTS
from pallas.neural.pose2d.looks import compressed
from pallas.neural.pose2d.masks import mask_of
from pallas.neural.pose2d.network import PafConfig
from pallas.neural.pose2d.sampler import PoseSampler
from pallas.neural.pose2d.stored import load_paf
from pallas.neural.pose2d.targets import target_maps
from pallas.neural.pose2d.train import fit_pose2d, train_pose2d
from pallas.neural.pose2d.variation import Variation
from pallas.neural.training.group import Group
from pallas.neural.training.options import Plan, TrainingOptions
from pallas.rig.errors import FileError, FormatError

WIDE, HIGH = 160, 120


def runs(mask):
    """COCO's run lengths, as numbers."""
    flat = np.concatenate([[False], mask.T.ravel(), [not mask.T.ravel()[-1]]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return {"size": list(mask.shape), "counts": np.diff(np.concatenate([[0], ends])).tolist()}


@pytest.fixture
def folder(tmp_path, person):
    """Five pictures of three clips with one person each; the last also with a crowd."""
    body = LAYOUTS["body_25"]
    images, annotations = [], []
    for number in range(5):
        points = dict(zip(body.names, person(body, 50.0 + 12 * number, 12.0, 12.0), strict=True))
        picture = np.full((HIGH, WIDE, 3), (40, 90, 60), np.uint8)
        mask = np.zeros((HIGH, WIDE), bool)
        for x, y in points.values():
            mask[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4] = True
        picture[mask] = (230, 180, 150)
        name = f"images/{number // 2:05d}/{number:06d}_0.png"
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(tmp_path / name)
        images.append(
            {
                "id": number + 1,
                "file_name": name,
                "width": WIDE,
                "height": HIGH,
                "clip": number // 2,
            }
        )
        rows = [[(*points[n], 2) for n in names] for names in (LAYOUTS["coco_17"].names, FEET)]
        annotations.append(
            {
                "id": number + 1, "image_id": number + 1, "category_id": 1, "iscrowd": 0, "num_keypoints": 17,
                "keypoints": np.ravel(rows[0]).tolist(), "foot_kpts": np.ravel(rows[1]).tolist(),
                "segmentation": runs(mask), "bbox": [0, 0, 10, 10],
            }
        )  # fmt: skip
    annotations.append(
        {
            "id": 9, "image_id": 5, "category_id": 1, "iscrowd": 1, "num_keypoints": 0,
            "keypoints": [0] * 51, "bbox": [0, 0, 32, HIGH], "segmentation": [],
        }
    )  # fmt: skip
    (tmp_path / "annotations").mkdir()
    text = json.dumps({"images": images, "annotations": annotations})
    (tmp_path / "annotations" / "people.json").write_text(text)
    return tmp_path


def test_clips_are_either_learnt_from_or_held_out(folder):
    training, held = (labelled_pictures(folder, split) for split in ("train", "validation"))
    assert {one.group for one in held} == {"0"} and {one.group for one in training} == {"1", "2"}
    assert held[0].points[0, 0].tolist() == [50.0, 18.0]
    assert held[0].feet_known and held[0].mask("people").sum() > 500
    crowd = next(one for one in training if one.unknown).mask("unknown")
    assert crowd[:, :32].all() and not crowd[:, 33:].any()


def test_folders_of_several_renders_are_one_and_the_held_out_one_is_the_validation(
    folder, tmp_path
):
    root = tmp_path / "all"
    for name in ("one", "two"):
        shutil.copytree(folder / "annotations", root / name / "annotations")
        shutil.copytree(folder / "images", root / name / "images")
    training, held = (labelled_pictures(root, split) for split in ("train", "validation"))
    assert {one.group for one in held} == {"one/0", "two/0"} and len(training) == 6
    (root / "two").rename(root / "held-out")
    training, held = (labelled_pictures(root, split) for split in ("train", "validation"))
    assert {one.group.split("/")[0] for one in training} == {"one"} and len(training) == 5
    assert {one.group.split("/")[0] for one in held} == {"held-out"} and len(held) == 5


def test_mixed_people_stand_before_another_picture_with_all_of_their_points(folder):
    layout, plain = PAF_LAYOUTS["coco_18"], Variation(size=128).unvaried()
    pictures = [one for one in labelled_pictures(folder, "train") if not one.unknown]
    alone = PoseSampler(pictures, layout, plain, 6, seed=4)(0)
    mixed = PoseSampler(pictures, layout, replace(plain, mix=1.0), 6, seed=4)(0)
    for one, two in zip(alone.points, mixed.points, strict=True):
        assert (len(one), len(two)) == (1, 2)
        np.testing.assert_array_equal(one[0], two[0])
    skin = (alone.pictures == torch.tensor([230, 180, 150])).all(dim=-1)
    assert skin.any() and (mixed.pictures[skin] == alone.pictures[skin]).all()


def test_pictures_are_read_once_as_long_as_there_is_room(folder, monkeypatch):
    pictures, read = labelled_pictures(folder, "train"), []
    true = picture_cache.read_picture
    monkeypatch.setattr(picture_cache, "read_picture", lambda one: read.append(one) or true(one))
    for most, times in ((1 << 30, 1), (0, 3)):
        cache = picture_cache.PictureCache(most)
        seen = [cache(pictures[-1]) for _ in range(3)]
        assert (
            len(read) == times and (seen[0] == seen[2]).all() and seen[0].shape == (5, HIGH, WIDE)
        )
        assert (seen[0][3].astype(bool) == pictures[-1].mask("people")).all()
        read.clear()


def test_a_crop_shows_the_keypoints_where_its_targets_are(folder):
    layout = PAF_LAYOUTS["body_25"]
    seen = Variation(size=128, turn=0.6, grey=0.0, paste=0.0).unvaried()
    varied = Variation(
        size=128, turn=0.6, smallest=0.6, largest=0.9, mix=0, paste=0, holes=0, brightness=0,
        contrast=0, colour=0, grey=0, blur=0, noise=0, jpeg=0,
    )  # fmt: skip
    for variation in (seen, varied):
        batch = PoseSampler(labelled_pictures(folder, "train"), layout, variation, 6, seed=1)(0)
        for picture, points, maps in zip(
            batch.pictures.numpy(), batch.points, batch.wanted.maps.confidence, strict=True
        ):
            for k, (x, y) in enumerate(points[0]):
                if 4 < x < 123 and 4 < y < 123:
                    assert picture[round(y), round(x), 0] > 150, layout.layout.names[k]
                    peak = np.unravel_index(maps[k].argmax(), maps[k].shape)
                    np.testing.assert_allclose(np.array(peak)[::-1] * 8 + 3.5, (x, y), atol=4.01)


def test_mirrored_people_keep_their_left_hand_left(folder):
    layout = PAF_LAYOUTS["coco_18"]
    variation = Variation(size=128, mirror=1.0, turn=0.0)
    batch = PoseSampler(labelled_pictures(folder, "train"), layout, variation, 4, seed=2)(0)
    names = layout.layout.names
    for points in batch.points:
        assert points[0, names.index("LWrist"), 0] > points[0, names.index("RWrist"), 0]


def test_batches_are_the_same_for_the_same_seed_and_number(folder):
    pictures, layout = labelled_pictures(folder, "train"), PAF_LAYOUTS["coco_18"]
    draw = [PoseSampler(pictures, layout, Variation(size=64), 2, seed) for seed in (1, 1, 2)]
    assert (draw[0](3).pictures == draw[1](3).pictures).all()
    assert (draw[0](3).pictures != draw[2](3).pictures).any()


def test_crowds_and_feet_that_nobody_labelled_do_not_count(folder):
    path = folder / "annotations" / "people.json"
    document = json.loads(path.read_text())
    for one in document["annotations"]:
        one.pop("foot_kpts", None)
    path.write_text(json.dumps(document))
    pictures = [one for one in labelled_pictures(folder, "train") if one.unknown]
    layout = PAF_LAYOUTS["body_25"]
    wanted = PoseSampler(pictures, layout, Variation(size=128, largest=0.4), 4, seed=0)(0).wanted
    counted = wanted.confidence[0, :, 0, 0].bool().tolist()
    assert [
        n for n, yes in zip((*layout.layout.names, "-"), counted, strict=True) if not yes
    ] == list(FEET)
    assert (wanted.region.mean(dim=(1, 2, 3)) < 1).any() and wanted.pafs.sum(dim=1).flatten()[
        0
    ] == 52 - 12


def test_fields_of_two_limbs_in_one_place_are_their_mean():
    points = np.array([[[2.0, 5.0], [12.0, 5.0]], [[7.0, 0.0], [7.0, 10.0]]])
    confidence, pafs = target_maps(points, [(0, 1)], (12, 15))
    assert pafs[:, 5, 3].tolist() == [1.0, 0.0] and pafs[:, 1, 7].tolist() == [0.0, 1.0]
    assert pafs[:, 5, 7].tolist() == [0.5, 0.5] and not pafs[:, 9, 2].any()
    assert confidence[0, 5, 2] == 1.0 and confidence[2, 5, 2] == 0.0


def test_jpeg_keeps_a_plain_picture_and_flattens_fine_noise():
    plain = np.full((16, 16, 3), 128.0, np.float32)
    np.testing.assert_allclose(compressed(plain, 1.0), plain, atol=1e-3)
    noisy = plain + np.random.default_rng(0).normal(0, 6, plain.shape).astype(np.float32)
    assert compressed(noisy, 4.0).std() < 0.5 * noisy.std()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_masks_come_back_from_runs_and_from_the_text_of_coco(data):
    width, height = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    bits = data.draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    mask = np.array(bits).reshape(height, width)
    assert (mask_of(runs(mask), height, width) == mask).all()


def test_a_polygon_covers_the_pixels_whose_middle_it_goes_around():
    mask = mask_of([[1, 1, 4, 1, 4, 3, 1, 3]], 5, 6)
    assert mask[1:3, 1:4].all() and mask.sum() == 6
    text = {"size": [2, 3], "counts": "141"}  # 1 clear, 4 set, 1 clear
    assert mask_of(text, 2, 3).T.ravel().tolist() == [False, True, True, True, True, False]


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers(-9, 99) | st.text(max_size=6),
        lambda c: st.lists(c, max_size=8) | st.dictionaries(st.sampled_from(["size", "counts"]), c),
    )
)
def test_any_other_mask_is_told_or_empty(value):
    try:
        assert mask_of(value, 4, 5).shape == (4, 5)
    except FormatError as error:
        assert "a mask is damaged" in str(error)


def test_folders_that_are_no_data_set_are_told(tmp_path):
    with pytest.raises(FileError, match="holds no annotations/people.json"):
        labelled_pictures(tmp_path, "train")
    (tmp_path / "annotations").mkdir()
    path = tmp_path / "annotations" / "people.json"
    for text in ("{", "[]", '{"images":[{}],"annotations":[]}', '{"images":[],"annotations":[{}]}'):
        path.write_text(text)
        with pytest.raises(FormatError, match="no COCO data set"):
            labelled_pictures(tmp_path, "train")
    path.write_text('{"images":[],"annotations":[]}')
    with pytest.raises(FormatError, match="no picture with a person"):
        labelled_pictures(tmp_path, "train")


def test_training_lowers_the_loss_and_a_stopped_run_goes_on_as_if_never_stopped(folder, tmp_path):
    config, variation = PafConfig(width=16, stages=1), Variation(size=64).unvaried()
    training, held = (labelled_pictures(folder, split) for split in ("train", "validation"))
    told = []

    def fit(name, stop=None):
        options = TrainingOptions(
            steps=10, batch=2, validation=2, warm_up=1, checkpoint_every=5, learning_rate=3e-3
        )

        def progress(done, total, line):
            told.append(line)
            if done == stop:
                raise KeyboardInterrupt

        plan = Plan(name="pose2d", kind="pose2d", training=options)
        return fit_pose2d(plan, config, training, held, tmp_path / name, progress, variation)

    whole = fit("whole")
    losses = [float(line.split()[3]) + float(line.split()[5]) for line in told]
    assert losses[9] < 0.8 * losses[0]
    with pytest.raises(KeyboardInterrupt):
        fit("stopped", stop=7)
    again = fit("stopped")
    for name, tensor in whole.state_dict().items():
        assert (tensor == again.state_dict()[name]).all(), name
    loaded = load_paf(tmp_path / "whole" / "pose2d.safetensors")
    assert loaded.config == config


def test_processes_that_train_together_draw_each_crop_of_a_batch_once(folder):
    layout, variation = PafConfig().paf_layout, Variation(size=64)
    sampler = PoseSampler(labelled_pictures(folder, "train"), layout, variation, 4, seed=3)
    whole = sampler(7).pictures
    shares = [sampler(7, Group(rank, 2).rows(4)).pictures for rank in range(2)]
    assert torch.equal(torch.cat(shares), whole)


def test_training_by_its_plan_writes_weights_once(folder, tmp_path):
    options = TrainingOptions(steps=1, batch=1, validation=1)
    plan = Plan("pose2d", "pose2d", {"width": 8, "stages": 1}, options)
    weights = train_pose2d(plan, folder, tmp_path / "out", lambda *_: None)
    before = weights.read_bytes()
    assert train_pose2d(plan, folder, tmp_path / "out", lambda *_: None).read_bytes() == before
    with pytest.raises(FormatError, match="stages"):
        train_pose2d(
            Plan("pose2d", "pose2d", {"stages": 7}), folder, tmp_path / "x", lambda *_: None
        )
