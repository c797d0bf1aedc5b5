"""`pallas solve` with legs of one's choice: what is written, and what is refused in one line."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from pallas.capture.formats import read_motion
from pallas.neural import takes
from pallas.pallas_blender import cli

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"


def refused(capsys, *words) -> str:
    """What the command says when it exits 1."""
    assert cli.main(["solve", str(DEMO), *map(str, words)]) == 1
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    return error[0]


def test_a_seated_performer_sits_at_the_height_that_was_asked_for(tmp_path, capsys):
    out = tmp_path / "sitting.npz"
    words = [
        "solve",
        str(DEMO),
        "-o",
        str(out),
        "--legs",
        "seated",
        "--seat-height",
        "0.5",
        "--json",
    ]
    assert cli.main(words) == 0
    assert json.loads(capsys.readouterr().out)["legs"] == "seated"
    motion = read_motion(out)
    np.testing.assert_allclose(motion.root_position[:, 2], 0.5)
    assert motion.confidence.shape == (len(motion), 24)


def test_several_takes_are_files_numbered_from_one(tmp_path, monkeypatch, capsys):
    def drawn(posed, bones, felt, options):
        assert (options.takes, options.seed, options.temperature, options.top_k) == (3, 7, 0.5, 9)
        return tuple([posed] * options.takes)

    monkeypatch.setattr(takes, "generate_posed", drawn)
    out = tmp_path / "walk.npz"
    words = ["--takes", "3", "--seed", "7", "--temperature", "0.5", "--top-k", "9", "--json"]
    assert cli.main(["solve", str(DEMO), "-o", str(out), *words]) == 0
    report = json.loads(capsys.readouterr().out)
    names = [f"walk-{take}.npz" for take in (1, 2, 3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [Path(written).name for written in report["outs"]] == names
    assert report["legs"] == "generated"


def test_a_take_that_is_there_is_never_overwritten(tmp_path, capsys):
    (tmp_path / "walk-2.npz").write_bytes(b"mine")
    said = refused(capsys, "-o", tmp_path / "walk.npz", "--takes", 2)
    assert "walk-2.npz is there already" in said
    assert [path.name for path in tmp_path.iterdir()] == ["walk-2.npz"]


def test_legs_that_can_not_be_drawn_for_want_of_weights_are_refused(tmp_path, monkeypatch, capsys):
    # The package has a function of the module's name.
    generate = importlib.import_module("pallas.neural.generator.generate")
    monkeypatch.setattr(generate, "EMBEDDED", tmp_path)
    generate.embedded_generator.cache_clear()
    said = refused(capsys, "-o", tmp_path / "walk.npz", "--legs", "generated")
    generate.embedded_generator.cache_clear()
    assert "can't be used" in said
    assert "install PALLAS again" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--takes", "0"], "--takes is 0, expected one or more"),
        (["--takes", "2", "--legs", "seated"], "2 takes of seated legs would all be the same"),
        (["--seat-height", "0.5"], "the legs are not seated"),
        (["--legs", "seated", "--seat-height", "5"], "a seat height of 5 m doesn't suit legs"),
    ],
)
def test_choices_that_contradict_each_other_are_refused(tmp_path, capsys, words, message):
    assert message in refused(capsys, "-o", tmp_path / "walk.npz", *words)
    assert not list(tmp_path.iterdir())
