"""`pallas evaluate` on the command line."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from pallas.neural.library.store import Entry, save_clip, save_index
from pallas.pallas_blender.cli import main
from pallas.pallas_blender.commands import evaluate
from pallas.rig import Motion, body_skeleton, quaternion

PAGE = "# Page\n<!-- pallas -->\nold\n<!-- end of pallas -->\nkept\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short clips of standing people."""
    folder = tmp_path_factory.mktemp("library")
    skeleton = body_skeleton()
    entries = []
    for name in ("cmu/02_01", "ui_prmd/s08_e01"):
        root = np.tile(skeleton.offsets[0], (130, 1))
        rotations = np.tile(quaternion.IDENTITY, (130, 24, 1))
        save_clip(folder, name, Motion(skeleton, root, rotations, 60.0))
        subject = name.split("_")[0]
        entries.append(Entry(name, subject, "test", "free", "test", 1.0, False, 60.0, 130))
    save_index(folder, entries)
    return folder


def test_tables_are_printed_written_between_their_marks_and_kept_as_numbers(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    page, numbers = tmp_path / "page.md", tmp_path / "numbers.json"
    page.write_text(PAGE)
    command = ["evaluate", "pallas", "--library", str(library), "--worn"]
    assert main([*command, "--write", str(page), "-o", str(numbers)]) == 0
    printed = capsys.readouterr().out
    assert "CMU, 1 clips" in printed
    assert "worn sensors" in printed
    assert "perfect" not in printed
    text = page.read_text()
    assert text.startswith("# Page\n<!-- pallas -->\n")
    assert text.endswith("<!-- end of pallas -->\nkept\n")
    assert "old" not in text
    assert "| SIP error | degrees |" in text
    rows = json.loads(numbers.read_text())["rows"]
    assert {row["group"] for row in rows} == {"cmu", "ui_prmd", "all"}
    assert all(0 <= row["metrics"]["sip_error"] < 180 for row in rows)


def test_json_is_one_object_on_stdout(library: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["evaluate", "facing", "--library", str(library), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "facing"


def test_all_fills_every_table_that_it_can(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    page, done = tmp_path / "page.md", []
    names = ("pallas", "legs", "drift", "facing", "ablations")
    page.write_text("".join(f"<!-- {n} -->\n<!-- end of {n} -->\n" for n in names))
    (tmp_path / "ablations").mkdir()

    def evaluated(arguments: argparse.Namespace, console: object) -> tuple[str, dict]:
        done.append((arguments.name, arguments.every, arguments.folder))
        return f"table of {arguments.name}", {"clips": 2}

    monkeypatch.setattr(evaluate, "_EVALUATIONS", dict.fromkeys(evaluate._EVALUATIONS, evaluated))
    command = ["evaluate", "all", str(tmp_path), "--library", str(library), "--every", "4"]
    assert main([*command, "--write", str(page)]) == 0
    assert done == [
        ("pallas", 1, tmp_path),
        ("drift", 1, tmp_path),
        ("facing", 1, tmp_path),
        ("legs", 4, tmp_path),
        ("suite", 4, tmp_path / "ablations"),
    ]
    assert "<!-- ablations -->\ntable of suite\n<!-- end of ablations -->" in page.read_text()
    assert "<!-- legs -->\ntable of legs\n<!-- end of legs -->" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody"], "there are: pallas, legs, suite, drift, facing"),
        (["pallas"], "pass --library"),
        (["real"], "pass --data"),
        (["real", "--data", "nowhere"], "expected a folder of recordings"),
        (["suite"], "expected: pallas evaluate suite DIR"),
        (["pallas", "--library", "none"], "holds no motion library"),
        (["pallas", "--every", "0"], "expected one or more"),
        (["suite", "nowhere"], "no finished network"),
        (["pallas", "-o", "numbers.txt"], "expected .json"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["evaluate", *arguments]) == 1
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
