import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.rig import SceneError  # noqa: E402  after the skip where there is no bpy
from pallas.rig.trajectories import MarkerTrajectories  # noqa: E402
from pallas.scene.curves import channels_of, read_curve  # noqa: E402
from pallas.scene.markers import add_markers, marker_objects, read_marker_set  # noqa: E402
from pallas.scene.residuals import (  # noqa: E402
    hide_residuals,
    residual_colours,
    residuals_shown,
    show_residuals,
    write_residuals,
)

ERRORS = np.array([[0.0, 0.010], [0.020, np.nan], [0.060, 0.030]])  # metres


@pytest.fixture
def markers():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    positions = np.random.default_rng(0).normal(size=(3, 3, 3))
    positions[1, 1] = np.nan
    return add_markers(MarkerTrajectories(("A", "B", "C"), positions, 24.0, 2.0), "take")


def at(frame):
    bpy.context.scene.frame_set(frame)


def balls(markers):
    return {
        item["pallas_marker"]: item.children[0]
        for item in marker_objects(markers).values()
        if item.children
    }


def test_residuals_are_curves_in_millimetres_on_every_marker_and_their_mean_on_the_parent(markers):
    write_residuals(markers, ("A", "B"), ERRORS, 2.0)
    items = marker_objects(markers)
    at(2)
    assert items["A"]["residual_mm"] == pytest.approx(20.0)
    assert markers["residual_mm"] == pytest.approx(20.0)
    at(3)
    assert (items["A"]["residual_mm"], items["B"]["residual_mm"]) == pytest.approx((60.0, 30.0))
    assert markers["residual_mm"] == pytest.approx(45.0)
    curve = channels_of(items["B"]).fcurves.find('["residual_mm"]')
    np.testing.assert_allclose(read_curve(curve), [[1.0, 10.0], [3.0, 30.0]])
    assert "residual_mm" not in items["C"]


def test_residuals_that_start_later_lie_on_their_own_frames(markers):
    write_residuals(markers, ("A", "B"), ERRORS[1:], 2.0 + 1 / 24)
    curve = channels_of(marker_objects(markers)["A"]).fcurves.find('["residual_mm"]')
    np.testing.assert_allclose(read_curve(curve), [[2.0, 20.0], [3.0, 60.0]], rtol=1e-6)


def test_a_second_solve_replaces_them(markers):
    write_residuals(markers, ("A", "B"), ERRORS, 2.0)
    write_residuals(markers, ("B",), 2.0 * ERRORS[:, 1:], 2.0)
    assert "residual_mm" not in marker_objects(markers)["A"]
    at(3)
    assert marker_objects(markers)["B"]["residual_mm"] == pytest.approx(60.0)
    assert len(read_marker_set(markers).names) == 3


def test_colours_go_from_blue_over_green_and_yellow_to_red():
    levels = np.array([0.0, 10.0, 20.0, 40.0, 400.0])
    blue, green, yellow, red, beyond = residual_colours(levels)
    assert blue.argmax() == 2
    assert green.argmax() == 1
    assert yellow[0] > 0.9
    assert yellow[1] > 0.5
    assert red.argmax() == 0
    assert red[1] < 0.1
    np.testing.assert_array_equal(red, beyond)


def test_balls_take_the_colours_over_time_and_share_one_mesh(markers):
    write_residuals(markers, ("A", "B"), ERRORS, 2.0)
    assert show_residuals(markers) == 2
    assert residuals_shown(markers)
    shown = balls(markers)
    assert set(shown) == {"A", "B"}
    assert shown["A"].data is shown["B"].data
    for frame, error in ((1, 0.0), (2, 20.0), (3, 60.0)):
        at(frame)
        colour = residual_colours(np.array([error]))[0]
        np.testing.assert_allclose(shown["A"].color[:3], colour, atol=1e-6)
        place = marker_objects(markers)["A"].matrix_world.translation
        np.testing.assert_allclose(shown["A"].matrix_world.translation, place, atol=1e-6)


def test_a_ball_is_hidden_where_its_marker_is(markers):
    write_residuals(markers, ("A", "B"), ERRORS, 2.0)
    show_residuals(markers)
    hidden = []
    for frame in (1, 2, 3):
        at(frame)
        hidden.append(balls(markers)["B"].hide_render)
    assert hidden == [False, True, False]


def test_hiding_them_leaves_nothing_behind_but_the_curves(markers):
    write_residuals(markers, ("A", "B"), ERRORS, 2.0)
    slots = len(marker_objects(markers)["A"].animation_data.action.slots)
    for _ in range(2):
        show_residuals(markers)
        show_residuals(markers)
        assert len(balls(markers)) == 2
        hide_residuals(markers)
    assert not residuals_shown(markers)
    assert len(bpy.data.meshes) == len(bpy.data.materials) == 0
    assert len(marker_objects(markers)["A"].animation_data.action.slots) == slots
    assert channels_of(marker_objects(markers)["A"]).fcurves.find('["residual_mm"]') is not None


def test_balls_that_are_shown_take_the_colours_of_the_next_solve(markers):
    write_residuals(markers, ("A", "B"), ERRORS, 2.0)
    show_residuals(markers)
    write_residuals(markers, ("A", "B"), ERRORS + 0.04, 2.0)
    at(1)
    colour = residual_colours(np.array([40.0]))[0]
    np.testing.assert_allclose(balls(markers)["A"].color[:3], colour, atol=1e-6)


def test_before_a_solve_there_is_nothing_to_show(markers):
    with pytest.raises(SceneError, match="solve first"):
        show_residuals(markers)
