import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")
from marker_scenes import go_to  # noqa: E402  after the skip where there is no bpy
from mathutils import Euler  # noqa: E402

from pallas.capture import read_markers  # noqa: E402
from pallas.rig import SceneError  # noqa: E402
from pallas.rig.trajectories import MarkerTrajectories  # noqa: E402
from pallas.scene.clock import Clock  # noqa: E402
from pallas.scene.curves import channels_of  # noqa: E402
from pallas.scene.markers import add_markers, marker_objects, read_marker_set  # noqa: E402


def some_markers(frames=21, count=4, fps=100.0, start=0.5):
    random = np.random.default_rng(1)
    names = tuple(f"M{place}" for place in reversed(range(count)))
    return MarkerTrajectories(names, random.normal(size=(frames, count, 3)), fps, start)


def with_gap(markers, marker, first, stop):
    positions = markers.positions.copy()
    positions[first:stop, marker] = np.nan
    return MarkerTrajectories(markers.names, positions, markers.fps, markers.start)


def test_every_marker_is_an_empty_where_it_was_measured(scene):
    markers = some_markers()
    parent = add_markers(markers, "walk")
    assert parent.users_collection[0].name == "Markers: walk"
    assert sorted(c.name for c in parent.children) == sorted(markers.names)
    for sample in (0, 7, 20):
        go_to(1.0 + sample * 24 / 100.0)
        for place, item in enumerate(marker_objects(parent).values()):
            assert item.type == "EMPTY"
            measured = markers.positions[sample, place]
            np.testing.assert_allclose(item.matrix_world.translation, measured, atol=1e-6)


def test_the_scene_keeps_its_rate_and_its_frames(scene):
    scene.render.fps, scene.frame_start, scene.frame_end = 30, 5, 7
    parent = add_markers(some_markers(101, fps=100.0), "walk")
    assert (scene.render.fps, scene.render.fps_base) == (30, 1.0)
    assert (scene.frame_start, scene.frame_end) == (5, 7)
    action = parent.children[0].animation_data.action
    np.testing.assert_allclose(action.frame_range, (5.0, 35.0), atol=1e-5)


def test_they_come_back_as_they_were_in_the_order_of_the_file(scene):
    markers = with_gap(some_markers(), 2, 5, 9)
    back = read_marker_set(add_markers(markers, "walk"))
    assert back.names == markers.names
    assert (back.fps, back.start) == (markers.fps, markers.start)
    np.testing.assert_allclose(back.positions, markers.positions, atol=1e-6)


def test_a_marker_is_hidden_and_has_no_keys_where_it_was_not_seen(scene):
    markers = with_gap(some_markers(fps=24.0), 1, 5, 9)
    parent = add_markers(markers, "walk")
    item = marker_objects(parent)[markers.names[1]]
    hidden = []
    for sample in range(len(markers)):
        go_to(1.0 + sample)
        hidden.append(item.hide_viewport)
    assert [sample for sample, flag in enumerate(hidden) if flag] == [5, 6, 7, 8]
    assert len(channels_of(item).fcurves.find("location", index=0).keyframe_points) == 21 - 4
    other = marker_objects(parent)[markers.names[0]]
    assert channels_of(other).fcurves.find("hide_viewport") is None


def test_a_marker_that_is_missing_at_the_start_is_hidden_from_the_start(scene):
    markers = with_gap(some_markers(fps=24.0), 1, 0, 3)
    parent = add_markers(markers, "walk")
    item = marker_objects(parent)[markers.names[1]]
    go_to(1)
    assert item.hide_viewport
    go_to(4)
    assert not item.hide_viewport
    np.testing.assert_allclose(read_marker_set(parent).positions, markers.positions, atol=1e-6)


def test_a_marker_that_was_never_seen_is_kept_hidden(scene):
    markers = with_gap(some_markers(), 3, 0, 21)
    parent = add_markers(markers, "walk")
    assert marker_objects(parent)["M0"].hide_viewport
    assert read_marker_set(parent).names == markers.names


def test_moving_turning_and_scaling_the_parent_moves_what_is_read(scene):
    markers = some_markers()
    parent = add_markers(markers, "walk")
    parent.location, parent.scale = (1.0, 2.0, 3.0), (2.0, 2.0, 2.0)
    parent.rotation_euler = Euler((0.0, 0.0, np.pi / 2))
    bpy.context.view_layer.update()
    x, y, z = np.moveaxis(markers.positions, -1, 0)
    moved = np.stack([1.0 - 2.0 * y, 2.0 + 2.0 * x, 3.0 + 2.0 * z], axis=-1)
    np.testing.assert_allclose(read_marker_set(parent).positions, moved, atol=1e-5)


def test_keys_that_were_deleted_are_missing_and_shifted_ones_are_at_another_time(scene):
    parent = add_markers(some_markers(fps=24.0), "walk")
    item = marker_objects(parent)["M3"]
    points = channels_of(item).fcurves.find("location", index=1).keyframe_points
    points.remove(points[4])
    back = read_marker_set(parent)
    assert np.isnan(back.positions[4, 0]).all()
    assert np.isfinite(back.positions[4, 1:]).all()
    for child in parent.children:
        for curve in channels_of(child).fcurves:
            for point in curve.keyframe_points:
                point.co.x += 12.0
    assert read_marker_set(parent).start == pytest.approx(0.5 + 12 / 24)


def test_the_rate_of_the_scene_may_change_after_the_import(scene):
    markers = some_markers()
    parent = add_markers(markers, "walk")
    scene.render.fps = 60
    np.testing.assert_allclose(read_marker_set(parent).positions, markers.positions, atol=1e-6)
    assert Clock.of(parent).fps == 100.0


def test_a_second_recording_with_the_same_names_is_a_set_of_its_own(scene):
    first, second = some_markers(), with_gap(some_markers(30), 0, 1, 2)
    parents = [add_markers(markers, "walk") for markers in (first, second)]
    assert parents[0] != parents[1]
    for parent, markers in zip(parents, (first, second), strict=True):
        assert read_marker_set(parent).names == markers.names
        assert len(read_marker_set(parent)) == len(markers)


def test_ten_thousand_frames_of_fifty_markers_come_back(scene):
    markers = some_markers(10_000, 50, fps=200.0)
    back = read_marker_set(add_markers(markers, "long"))
    np.testing.assert_allclose(back.positions, markers.positions, atol=1e-6)


def test_a_real_recording_with_gaps_comes_back(scene, data):
    markers = read_markers(data("markers/odd/walking2.c3d"))
    back = read_marker_set(add_markers(markers, "walking2"))
    assert np.isnan(markers.positions).any()
    np.testing.assert_allclose(back.positions, markers.positions, atol=1e-6)


def test_what_is_no_marker_set_is_told(scene):
    with pytest.raises(SceneError, match="import markers first"):
        read_marker_set(bpy.data.objects.new("thing", None))
    with pytest.raises(SceneError, match="0 frames of 4"):
        add_markers(some_markers(0), "empty")


def test_a_copied_empty_is_told_by_its_marker(scene):
    parent = add_markers(some_markers(), "walk")
    copy = marker_objects(parent)["M1"].copy()
    parent.users_collection[0].objects.link(copy)
    with pytest.raises(SceneError, match="two empties.*'M1'"):
        read_marker_set(parent)
