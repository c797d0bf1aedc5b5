"""`pallas augment`: keypoints in a file to anatomical markers in a file."""

import json

import numpy as np
import pytest
import torch

from pallas.capture.markers import read_markers, write_markers
from pallas.neural.augmenter.networks import Augmenter, AugmenterConfig
from pallas.neural.augmenter.points import KEYPOINTS, MARKERS
from pallas.neural.augmenter.stored import save_augmenter
from pallas.neural.augmenter.train import crowd_for
from pallas.pallas_blender.cli import main
from pallas.rig.trajectories import MarkerTrajectories


@pytest.fixture(scope="module")
def keypoints(tmp_path_factory):
    points = crowd_for("test").points[0, len(MARKERS) :].numpy()
    path = tmp_path_factory.mktemp("augment") / "keypoints.trc"
    write_markers(path, MarkerTrajectories(KEYPOINTS, np.tile(points, (45, 1, 1)), 50.0))
    return path


def run(capsys, *words):
    code = main(["augment", *map(str, words)])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.mark.parametrize("suffix", [".trc", ".c3d"])
def test_keypoints_become_forty_three_markers(keypoints, tmp_path, capsys, suffix):
    out = tmp_path / f"markers{suffix}"
    code, said, _ = run(capsys, keypoints, "--height", 1.6, "--mass", 52, "-o", out, "--json")
    assert code == 0 and json.loads(said)["markers"] == 43
    found = read_markers(out)
    assert found.names == MARKERS and (len(found), found.fps) == (45, 50.0)


def test_the_same_input_gives_the_same_bytes_and_nothing_is_overwritten(
    keypoints, tmp_path, capsys
):
    out = tmp_path / "markers.trc"
    words = (keypoints, "--height", 1.6, "--mass", 52, "-o", out)
    assert run(capsys, *words)[0] == 0
    first = out.read_bytes()
    code, _, told = run(capsys, *words)
    assert code == 1 and "is there already" in told and told.count("\n") == 1
    assert run(capsys, *words, "--force")[0] == 0
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("height", "content", "told"),
    [
        (160, None, "height is 160; expected 0.5 to 2.5 metres"),
        (1.6, "no markers at all", "bad.trc"),
    ],
)
def test_bad_input_is_one_line(keypoints, tmp_path, capsys, height, content, told):
    path = keypoints
    if content is not None:
        path = tmp_path / "bad.trc"
        path.write_text(content)
    out = tmp_path / "markers.trc"
    code, _, said = run(capsys, path, "--height", height, "--mass", 52, "-o", out)
    assert code == 1 and told in said and said.strip().count("\n") == 0 and not out.exists()


def test_markers_instead_of_keypoints_are_told(tmp_path, capsys):
    path = tmp_path / "other.trc"
    random = np.random.default_rng(0)
    positions = random.normal(0.0, 0.5, (5, 6, 3))
    write_markers(path, MarkerTrajectories(tuple("abcdef"), positions, 60.0))
    code, _, said = run(
        capsys, path, "--height", 1.6, "--mass", 52, "-o", tmp_path / "m.trc", "--up", "y"
    )
    assert code == 1 and "none of the keypoints" in said and "a, b, c" in said and "Neck" in said


def test_attention_is_drawn(keypoints, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    torch.manual_seed(0)
    network = Augmenter(AugmenterConfig("lstm", 8, 0, attention=1, heads=2, anatomy=False))
    save_augmenter(tmp_path / "looking", network, {})
    out, heat = tmp_path / "markers.trc", tmp_path / "heat.png"
    words = (keypoints, "--height", 1.6, "--mass", 52, "-o", out, "--attention", heat)
    code, _, told = run(capsys, *words, "--network", tmp_path / "looking")
    assert code == 0, told
    assert heat.read_bytes()[:4] == b"\x89PNG"
    assert run(capsys, *words, "--network", tmp_path / "looking")[0] == 1  # both are there already
