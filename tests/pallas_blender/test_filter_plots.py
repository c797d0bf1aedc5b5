import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib import image

from pallas.pallas_blender.filter_plots import FilteredCurves, draw_filtered
from pallas.rig.errors import OutputError, ShapeError
from pallas.rig.filters import Butterworth, filtered

TIMES = np.arange(300) / 100.0


def has(path, colour):
    """Share of the picture's dots of a colour."""
    dots = np.round(255 * image.imread(path)[..., :3]).astype(int)
    return float((np.abs(dots - colour).max(axis=-1) <= 2).mean())


def curves(points=1, gap=slice(0)):
    noise = 0.05 * np.random.default_rng(0).normal(size=(300, points, 1))
    before = np.sin(2.0 * np.pi * TIMES)[:, None, None] + noise
    before[gap] = np.nan
    after = filtered(before, 100.0, Butterworth(), longest_gap=0.1)
    return FilteredCurves(TIMES, tuple(f"p{k}" for k in range(points)), before, after, ("x",))


def test_before_and_after_are_drawn_and_what_was_bridged_and_what_is_missing(tmp_path):
    plain, bridged, missing = (tmp_path / f"{name}.png" for name in ("plain", "bridged", "missing"))
    draw_filtered(plain, curves())
    draw_filtered(bridged, curves(gap=slice(100, 108)))
    draw_filtered(missing, curves(gap=slice(100, 150)), cutoff=6.0)
    grey, blue, orange, pale = (169, 169, 169), (0, 114, 178), (213, 94, 0), (246, 227, 180)
    assert has(plain, grey) > 1e-3 and has(plain, blue) > 1e-3
    assert has(plain, orange) == has(plain, pale) == 0.0
    assert has(bridged, orange) > 1e-4 and has(bridged, pale) == 0.0
    assert has(missing, pale) > 1e-2


def test_only_the_points_that_changed_most_are_drawn(tmp_path):
    draw_filtered(tmp_path / "two.png", curves(4), most=2)
    draw_filtered(tmp_path / "three.png", curves(4), most=3)
    heights = [len(image.imread(tmp_path / name)) for name in ("two.png", "three.png")]
    assert heights[1] > heights[0] + 100


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_hardly_anything_is_drawn_all_the_same(tmp_path, frames):
    values = np.full((frames, 2, 1), np.nan)
    values[:, 0] = 1.0
    drawn = FilteredCurves(TIMES[:frames], ("a", "b"), values, values, ("",), "deg")
    draw_filtered(tmp_path / "few.png", drawn, cutoff=6.0)
    assert (tmp_path / "few.png").stat().st_size > 1000


def test_a_picture_that_is_there_is_not_replaced_and_curves_must_fit(tmp_path):
    (tmp_path / "there.png").write_text("mine")
    with pytest.raises(OutputError, match="there already"):
        draw_filtered(tmp_path / "there.png", curves())
    with pytest.raises(ShapeError, match="values after"):
        FilteredCurves(TIMES, ("a",), np.zeros((300, 1, 3)), np.zeros((300, 1, 2)))
