import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from strides import walk

from pallas.pallas_blender.plot_style import LEFT, RIGHT
from pallas.pallas_blender.report_heat import heat_map
from pallas.pallas_blender.report_plots import gait_picture
from pallas.pallas_blender.report_svg import Curve, Panel, figure, round_steps
from pallas.rig.gait import gait_summary


def drawn(text, colour):
    """Places (N, 2) of every unbroken line of a colour."""
    paths = [p for p in ET.fromstring(text).iter() if p.get("stroke") == colour]
    lines = [part for p in paths for part in p.get("d").split("M") if "L" in part]
    return [np.array([c.split() for c in line.split("L")], dtype=float) for line in lines]


def panel(y, **more):
    curve = Curve(np.arange(len(y)) / 10.0, np.asarray(y, dtype=float), LEFT)
    return figure("t", {"": [Panel("p", "deg", (curve,), **more)]})


@pytest.mark.parametrize(
    ("low", "high", "most", "told"),
    [
        (0.0, 100.0, 5, [0, 20, 40, 60, 80, 100]),
        (-57.0, 23.0, 5, [-40, -20, 0, 20]),
        (0.51, 1.04, 5, [0.6, 0.8, 1.0]),
        (3.0, 3.0, 5, [3.0]),
    ],
)
def test_ticks_are_round(low, high, most, told):
    assert round_steps(low, high, most) == told


def test_a_line_rises_where_its_values_do_and_breaks_where_they_are_missing():
    (line,) = drawn(panel([0.0, 1.0, 4.0]), LEFT)
    assert (np.diff(line[:, 0]) > 0).all()
    np.testing.assert_allclose(np.diff(line[:, 1])[1] / np.diff(line[:, 1])[0], 3.0, atol=0.1)
    assert line[2, 1] < line[0, 1]  # up is up
    assert len(drawn(panel([0.0, 1.0, np.nan, 2.0, 1.0]), LEFT)) == 2
    assert drawn(panel([np.nan] * 4), LEFT) == drawn(panel([]), LEFT) == []


def test_a_long_recording_stays_small_and_keeps_its_peaks():
    y = np.sin(np.arange(100_000) / 50.0)
    y[71_234] = 9.0
    text = panel(y)
    assert len(text) < 20_000
    (line,) = drawn(text, LEFT)
    alone = line[line[:, 1] < line[:, 1].min() + 1.0]
    assert len(alone) == 1
    assert (alone[0, 0] - line[0, 0]) / np.ptp(line[:, 0]) == pytest.approx(0.71234, abs=0.002)


def test_angles_are_drawn_over_the_cycle_left_and_right():
    points = walk(seconds=8.0)
    angles = {name: np.sin(3.0 * points.times) for name in ("knee_l", "knee_r", "trunk")}
    text = gait_picture(gait_summary(points, angles))
    assert re.findall(r">(knee|trunk)<", text) == ["knee", "trunk"]
    assert len(drawn(text, LEFT)) == len(drawn(text, RIGHT)) == 2
    assert not drawn(gait_picture(gait_summary(points)), LEFT)


def test_a_map_shows_small_large_and_missing_values_apart():
    values = np.zeros((50, 2))
    values[10:20, 0], values[30:, 1] = 9.0, np.nan
    text = heat_map("t", ["a & b", "c"], np.arange(50) / 10.0, values, "mm")
    runs = {p.get("stroke"): p.get("d") for p in ET.fromstring(text).iter() if p.get("stroke")}
    assert len(runs) == 3
    assert sum(path.count("M") for path in runs.values()) == 5  # three of a, two of c
    assert "a &amp; b" in text
