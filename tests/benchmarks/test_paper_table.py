import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def program(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module("paper_table")
    for name in [
        name for name in sys.modules if name.split(".")[0] in {"ik", "paper", "paper_table"}
    ]:
        del sys.modules[name]


def test_the_page_shows_the_model_that_the_table_was_made_with(program):
    page = (ROOT / "docs" / "kinematic-engine-paper.md").read_text(encoding="utf-8")
    assert f"```python\n{program.MODEL.read_text(encoding='utf-8')}```\n" in page


def test_an_angle_s_difference_is_the_shorter_way_round(program):
    comparison = importlib.import_module("paper.comparison")
    ours, theirs = {"knee": np.radians([179.0, 10.0])}, {"knee": np.radians([-179.0, 14.0])}
    found = comparison.angle_differences(ours, theirs, {"Left": ["knee"]})
    assert found["Left"] == pytest.approx([3.0])
