import json
import tarfile

import numpy as np
import pytest
from tiny_dataset import TINY, hashes, killed_after_a_frame

pytestmark = pytest.mark.blender
pytest.importorskip("bpy")

from pallas.capture.formats import read_recording  # noqa: E402
from pallas.capture.run_lengths import decoded  # noqa: E402
from pallas.pallas_blender.cli import main  # noqa: E402
from pallas.render.dataset.exr import read_exr  # noqa: E402


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def dataset(spec, tmp_path_factory):
    """Two clips of two frames, rendered without interruption."""
    out = tmp_path_factory.mktemp("data") / "out"
    assert main(["render", str(spec), "-o", str(out), "--threads", "1"]) == 0
    return out


def record(dataset, clip=0, frame=0):
    return json.loads((dataset / f"frames/{clip:06d}/{frame:06d}.json").read_bytes())


def test_a_dataset_is_as_its_manifest_says(dataset, capsys):
    assert main(["render", "--verify", str(dataset)]) == 0
    assert "all as in the manifest" in capsys.readouterr().out


def test_rendering_killed_at_any_time_goes_on_to_the_same_bytes(spec, dataset, tmp_path):
    out = tmp_path / "out"
    assert 1 <= killed_after_a_frame(spec, out) < 4
    assert main(["render", str(spec), "-o", str(out)]) == 0
    assert hashes(out) == hashes(dataset)


def test_shards_make_what_one_run_makes(spec, dataset, tmp_path):
    out = tmp_path / "out"
    for shard in ("2/2", "1/2"):
        assert not (out / "manifest.json").exists()
        assert main(["render", str(spec), "-o", str(out), "--shard", shard]) == 0
    assert hashes(out) == hashes(dataset)


def test_coco_loads_what_was_written(dataset, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    people = coco.COCO(str(dataset / "annotations/people.json"))
    parts = coco.COCO(str(dataset / "annotations/parts.json"))
    assert len(people.imgs) == 4 and len(parts.cats) == 24
    for entry in [*people.anns.values(), *parts.anns.values()]:
        assert people.annToMask(entry).sum() == entry["area"]


def test_coco_files_name_pictures_that_are_there_and_points_inside_of_them(dataset):
    told = json.loads((dataset / "annotations/people.json").read_bytes())
    assert [image["id"] for image in told["images"]] == [1, 2, 3, 4]
    assert all((dataset / image["file_name"]).is_file() for image in told["images"])
    assert len(told["annotations"]) == 4
    for entry in told["annotations"]:
        points = np.array(entry["keypoints"]).reshape(17, 3)
        shown = points[points[:, 2] > 0]
        assert len(shown) == entry["num_keypoints"] > 10
        assert (shown[:, :2] > -0.5).all() and (shown[:, :2] < (47.5, 39.5)).all()
        left, top, wide, tall = entry["bbox"]
        near = (shown[:, :2] > (left - 3, top - 3)) & (
            shown[:, :2] < (left + wide + 3, top + tall + 3)
        )
        assert near.all()


def test_parts_make_up_the_person(dataset):
    (person,) = record(dataset)["views"][0]["people"]
    whole = decoded(person["mask"])
    parts = [decoded(rle) for rle in person["parts"].values()]
    assert (np.sum(parts, axis=0) == whole).all() and len(parts) > 8


def test_a_seen_marker_lies_on_the_persons_mask_at_its_depth(dataset):
    told = record(dataset)
    (person,) = told["views"][0]["people"]
    depth = read_exr(dataset / "depth/000000/000000_0.exr")["Z"]
    mask = decoded(person["mask"])
    camera = told["views"][0]["camera"]
    turn, along = np.array(camera["camera_from_world"]), np.array(camera["translation"])
    world = np.array(told["world"][0]["points"]["markers_43"]) @ turn.T + along
    found = []
    for (x, y, flag), place in zip(person["points"]["markers_43"], world, strict=True):
        row, column = round(y), round(x)
        if flag == 2 and mask[row, column]:
            found.append(abs(depth[row, column] - place[2]))
    assert len(found) > 8 and np.median(found) < 0.06


def test_virtual_sensors_record_the_clips_time(dataset):
    recording = read_recording(dataset / "imu/000000_0.pallas")
    assert recording.placements == ("waist",)
    np.testing.assert_allclose(recording.times, np.arange(7) / 60.0, atol=1e-6)


def test_the_bodys_motion_is_that_of_the_joints(dataset):
    with np.load(dataset / "bodies/000000.npz") as bodies:
        root = bodies["root_position"][0]
        assert bodies["rotations"].shape == (1, 2, 24, 4)
    pelvis = np.array(record(dataset, 0, 1)["world"][0]["points"]["joints_24"][0])
    assert np.linalg.norm(root[1][:2] - pelvis[:2]) < 0.1


def test_tars_hold_samples_whole_and_without_times(dataset):
    with tarfile.open(dataset / "shards/000000.tar") as tar:
        entries = tar.getmembers()
    assert {entry.mtime for entry in entries} == {0}
    assert [entry.name for entry in entries[:3]] == [
        "000000_000000_0.depth.exr",
        "000000_000000_0.json",
        "000000_000000_0.png",
    ]
    assert len(entries) == 9 and (dataset / "shards/000001.tar").is_file()


def test_a_sheet_and_a_page_of_statistics_show_the_dataset(spec, dataset):
    assert main(["render", str(spec), "-o", str(dataset), "--sheet"]) == 0
    assert (dataset / "sheet.png").read_bytes()[:4] == b"\x89PNG"
    page = (dataset / "statistics.html").read_text()
    assert "<svg" in page and "Angle at the knee" in page
    assert main(["render", "--verify", str(dataset)]) == 0  # the sheet is no part of it
    (dataset / "sheet.png").unlink()


def test_a_folder_of_another_spec_is_refused(spec, dataset, tmp_path, capsys):
    other = tmp_path / "other.toml"
    other.write_text(TINY.replace("width = 48", "width = 32"))
    assert main(["render", str(other), "-o", str(dataset)]) == 1
    assert "another spec (width in [image] differs)" in capsys.readouterr().err


def test_one_broken_motion_is_told_and_the_rest_is_done(tmp_path, capsys):
    motions = tmp_path / "motions"
    motions.mkdir()
    (motions / "broken.bvh").write_text("HIERARCHY\nROOT")
    (tmp_path / "s.toml").write_text(
        TINY.replace('["poses"]', '["poses", "motions"]')
        .replace("clips = 2", "clips = 3")
        .replace("frames = 2", "frames = 1")
        .replace("[image]", "[image]\n")
    )
    out = tmp_path / "out"
    assert main(["render", str(tmp_path / "s.toml"), "-o", str(out)]) == 1
    told = capsys.readouterr().err
    assert "broken.bvh" in told and "of 3 clips can't be made" in told
    done = len(list(out.glob("frames/*/*.json")))
    assert 0 < done < 3 and (out / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('["poses"]', '["empty"]'), "holds no motion"),
        (('["poses"]', '["nowhere"]'), "does not exist"),
        (("samples = 1", 'samples = 1\ndevice = "gpu"'), "no graphics card"),
        (("distance = [2.2, 2.6]", "distance = 0.2"), "met a body"),
    ],
)
def test_what_cant_be_rendered_is_told_in_a_line(change, told, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "s.toml").write_text(TINY.replace(*change).replace("frames = 2", "frames = 1"))
    assert main(["render", str(tmp_path / "s.toml"), "-o", str(tmp_path / "out")]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert told in lines[-1]
    # What another spec mends leaves no folder behind, which would refuse that spec.
    assert (tmp_path / "out").exists() == (told == "met a body")


def test_a_picture_of_one_pixel_and_a_clip_without_people_are_done(tmp_path):
    (tmp_path / "s.toml").write_text(
        TINY.replace("width = 48", "width = 1")
        .replace("height = 40", "height = 1")
        .replace("count = 1", "count = 0")
        .replace("clips = 2", "clips = 1")
        .replace("frames = 2", "frames = 1")
    )
    assert main(["render", str(tmp_path / "s.toml"), "-o", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out/annotations/people.json").read_bytes())
    assert len(told["images"]) == 1 and told["annotations"] == []


def test_a_spec_and_a_folder_are_asked_for(capsys):
    assert main(["render"]) == 1
    assert "needs a spec and a folder" in capsys.readouterr().err
