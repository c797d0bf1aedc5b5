"""The examples of the engine's document run, one after another, as a reader would type them."""

import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "kinematic-engine.md"


def test_the_examples_run_and_give_what_the_text_says(capsys: pytest.CaptureFixture[str]):
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(DOCUMENT), "exec"), names)
    as_it_is, with_sizes = (
        float(word) for word in re.findall(r"([\d.]+) mm", capsys.readouterr().out)
    )
    assert as_it_is > 5.0
    assert with_sizes < 0.3 * as_it_is
    knee = names["legs"].coordinate_index("knee_flexion_r")
    assert abs(names["now"].pose[knee] - 1.2) < 0.1
    assert names["targets"].grad.abs().max() > 0.0


def test_the_papers_lower_body_is_built_in_under_forty_lines():
    first = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)[0]
    names: dict = {}
    exec(first, names)
    assert len(first.splitlines()) < 40
    assert len(names["legs"].coordinates) == 6 + 2 * (3 + 1 + 2)
