import re
from pathlib import Path

import pytest

pytest.importorskip("bpy")

from pallas.render.dataset.landmarks import SETS
from pallas.render.dataset.spec import FIELDS, parse_spec
from pallas.render.dataset.statistics_page import statistics_page

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "rendering.md"


def test_the_guide_has_every_key_of_a_spec_with_its_default():
    text = GUIDE.read_text(encoding="utf-8")
    for table, keys in FIELDS.items():
        own = text.partition(f"### [{table}]")[2].partition("\n### ")[0]
        assert set(keys) <= set(re.findall(r"^\| `(\w+)` \|", own, re.MULTILINE)), table


def record(frame, turn):
    joints = [[0.1 * k, 0.01 * k * k + turn, 1.0 + 0.02 * k] for k in range(24)]
    points = [[10.0, 12.0, k % 3] for k in range(17)]
    camera = {
        "view": 0,
        "camera_from_world": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        "translation": [0, 1.5, 3],
        "lens_mm": 35.0,
    }
    person = {"person": 0, "bbox": [1, 2, 30, 64], "points": {"coco_17": points}}
    return {
        "clip": 0,
        "frame": frame,
        "world": [{"person": 0, "points": {"joints_24": joints}}],
        "views": [{"camera": camera, "people": [person]}],
    }


def test_statistics_count_what_records_say():
    spec = parse_spec(b"[image]\nheight = 128")
    page = statistics_page(spec, [record(0, 0.0), record(1, 0.3)])
    assert page == statistics_page(spec, [record(0, 0.0), record(1, 0.3)])
    assert "<td>frames</td><td>2</td>" in page and "<td>people in them</td><td>2</td>" in page
    for plot in ("Lens (mm)", "Height of the camera", "Angle at the elbow", "Keypoints: seen"):
        assert plot in page


def test_statistics_of_nothing_are_a_page_too():
    assert "<td>frames</td><td>0</td>" in statistics_page(parse_spec(b""), [])


def test_the_sets_of_points_have_as_many_as_their_names_say():
    assert all(len(names) == int(name.rpartition("_")[2]) for name, names in SETS.items())
