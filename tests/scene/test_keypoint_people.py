"""What cameras saw, in the scene: empties, their distance from what was seen, keys taken away and filled."""

from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from stages import BODY, ring, seen, walker  # noqa: E402  after the skip where there is no bpy

from pallas.capture.cameras.reconstruct import reconstruct  # noqa: E402
from pallas.rig import PallasError  # noqa: E402
from pallas.rig.motion import Motion  # noqa: E402
from pallas.rig.skeleton import body_skeleton  # noqa: E402
from pallas.scene.camera_clips import clip_of, read_clip, show_clip  # noqa: E402
from pallas.scene.camera_objects import add_camera, look_through  # noqa: E402
from pallas.scene.clock import Clock  # noqa: E402
from pallas.scene.keypoint_fill import places_on_body  # noqa: E402
from pallas.scene.keypoint_keys import clear_keys, fill_keys, read_measured  # noqa: E402
from pallas.scene.keypoint_overlay import errors_now, marks, on_region  # noqa: E402
from pallas.scene.keypoint_people import CameraView, SeenPerson, add_people  # noqa: E402
from pallas.scene.keypoint_solved import put_solved_points, solved_empties  # noqa: E402
from pallas.scene.keypoint_views import cameras_of, read_seen, shown_at  # noqa: E402
from pallas.scene.markers import marker_objects  # noqa: E402

FRAMES = 12
WALK = walker(FRAMES)
CAMERAS = ring(3, lens=(-0.05, 0.01, 0.0, 0.0))
FOUND = reconstruct(seen([WALK], CAMERAS), CAMERAS, 60.0)
PEOPLE = [SeenPerson.of(person, BODY.names, CAMERAS) for person in FOUND]


@pytest.fixture
def parent(scene):
    """The parent of the walker's empties, the scene at 60 frames per second."""
    scene.render.fps = 60
    parents, _ = add_people("walk", PEOPLE, [CameraView(one) for one in CAMERAS])
    return parents[0]


def keyed(parent, name):
    return read_measured(parent).positions[:, read_measured(parent).names.index(name)]


def test_empties_are_where_the_person_is_and_the_scene_keeps_its_rate(scene):
    scene.render.fps, scene.frame_start = 24, 5
    (parent,), told = add_people("walk", PEOPLE, [CameraView(c) for c in CAMERAS])
    assert (scene.render.fps, scene.camera) == (24, None)
    assert len(told) == 3
    assert "bends by up to" in told[0]
    scene.frame_set(5, subframe=24.0 / 60.0 * 10 % 1.0)
    scene.frame_set(9)  # the tenth sample
    wrist = marker_objects(parent)["LWrist"]
    expected = WALK[10, BODY.names.index("LWrist")]
    np.testing.assert_allclose(wrist.matrix_world.translation, expected, atol=1e-4)


def test_what_was_seen_and_the_empties_meet_to_a_tenth_of_a_pixel(parent, scene):
    scene.frame_set(scene.frame_start + 7)
    for name, off in errors_now(parent, scene.frame_current).items():
        assert name in {camera.name for camera in CAMERAS}
        assert off.measured < 0.1
        assert off.count == len(BODY)
        assert np.isnan(off.solved)  # nothing was


def test_an_empty_that_is_moved_is_off_by_as_many_pixels(parent, scene):
    frame = scene.frame_start
    scene.frame_set(frame)
    place, item = cameras_of(parent)[1]
    wrist = marker_objects(parent)["RWrist"]
    wrist.location.z += 0.1
    bpy.context.view_layer.update()
    names, pixels, shown, _ = shown_at(parent, place, item, frame)
    off = np.linalg.norm(pixels - shown, axis=-1)
    moved = np.array(wrist.matrix_world.translation)
    expected = np.linalg.norm(
        np.diff(CAMERAS[1].project(np.stack([moved, moved - (0, 0, 0.1)])), axis=0)
    )
    assert off[names.index("RWrist")] == pytest.approx(expected, abs=0.1)
    assert np.delete(off, names.index("RWrist")).max() < 0.1


def test_what_the_cameras_saw_is_read_back_and_follows_a_parent_that_is_moved(parent):
    before = read_seen(parent)
    assert before.pixels.shape == (FRAMES, len(BODY), 3, 2)
    np.testing.assert_allclose(
        before.cameras[0].without_lens.project(WALK), before.pixels[:, :, 0], atol=0.1
    )
    parent.parent.location = (1.0, 2.0, 0.5)
    bpy.context.view_layer.update()
    moved = read_seen(parent).cameras[0].without_lens
    np.testing.assert_allclose(
        moved.project(read_measured(parent).positions), before.pixels[:, :, 0], atol=0.2
    )


def test_a_camera_that_was_deleted_is_left_out(parent):
    _, item = cameras_of(parent)[0]
    bpy.data.objects.remove(item)
    assert len(read_seen(parent).cameras) == 2
    for _, other in cameras_of(parent):
        bpy.data.objects.remove(other)
    with pytest.raises(PallasError, match="were deleted; import the views again"):
        read_seen(parent)


def test_keys_taken_away_in_a_range_are_missing_there_and_nowhere_else(parent, scene):
    wrist = marker_objects(parent)["LWrist"]
    first = scene.frame_start
    assert clear_keys([wrist], first + 3, first + 6) == 4
    gone = np.isnan(keyed(parent, "LWrist")[:, 0])
    assert np.flatnonzero(gone).tolist() == [3, 4, 5, 6]
    assert np.isfinite(keyed(parent, "RWrist")).all()
    assert clear_keys([wrist], first + 3, first + 6) == 0
    with pytest.raises(PallasError, match="no keypoint"):
        clear_keys([parent], 1, 2)


def test_what_is_filled_in_is_no_measurement_the_next_time(parent, scene):
    whole = read_measured(parent).positions
    clear_keys([marker_objects(parent)["LWrist"]], scene.frame_start + 3, scene.frame_start + 6)
    measured = read_measured(parent)
    assert fill_keys(parent, measured, whole + 0.01) == 4
    again = read_measured(parent)
    assert np.flatnonzero(np.isnan(keyed(parent, "LWrist")[:, 0])).tolist() == [3, 4, 5, 6]
    np.testing.assert_array_equal(again.positions, measured.positions)
    scene.frame_set(scene.frame_start + 4)
    place = marker_objects(parent)["LWrist"].matrix_world.translation
    column = again.names.index("LWrist")
    np.testing.assert_allclose(place, whole[4, column] + 0.01, atol=1e-5)


def test_a_keypoint_that_lost_all_its_keys_is_filled_in_like_any_other(parent):
    whole = read_measured(parent).positions
    clear_keys([marker_objects(parent)["Nose"]], -1e6, 1e6)
    measured = read_measured(parent)
    assert "Nose" in measured.names
    assert fill_keys(parent, measured, whole) == FRAMES
    clear_keys(marker_objects(parent).values(), -1e6, 1e6)
    with pytest.raises(PallasError, match="no keys"):
        read_measured(parent)


def test_a_gap_is_filled_by_the_joint_that_carries_the_keypoint():
    skeleton, time = body_skeleton(1.7), np.linspace(0.0, 1.0, 30)
    root = np.stack([time, 0 * time, 0.9 + 0.2 * np.sin(9 * time)], axis=-1)
    turns = np.zeros((30, 24, 4))
    turns[..., 0] = 1.0
    motion = Motion(skeleton, root, turns, 30.0)
    _, joints = motion.world()
    knee = joints[:, skeleton.names.index("left_knee")] + (0.03, -0.02, 0.01)
    track = np.stack([knee, np.full_like(knee, np.nan)], axis=1)
    track[8:20, 0] = np.nan
    found = places_on_body(track, motion)
    np.testing.assert_allclose(found[:, 0], knee, atol=1e-9)
    assert np.isnan(found[:, 1]).all()
    with pytest.raises(PallasError, match="29 frames"):
        places_on_body(track, motion.clipped(0, 29))


def test_marks_lie_where_the_view_shows_the_pixels(scene):
    """A view that looks through the camera: its picture fills the region."""
    item = add_camera(replace(CAMERAS[0], distortion=np.zeros(0)), scene.collection)
    width, height = look_through(scene, item)
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    window = np.array(item.calc_matrix_camera(graph, x=width, y=height))
    perspective = window @ np.linalg.inv(np.array(item.matrix_world))
    pixels = np.array([[0.0, 0.0], [1079.0, 1919.0], [500.0, 300.0]])
    expected = np.stack([pixels[:, 0] + 0.5, 1920.0 - pixels[:, 1] - 0.5], axis=-1)
    found = on_region(item, pixels, perspective, (width, height))
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_marks_tell_apart_what_was_seen_what_is_shown_and_what_is_off():
    nowhere = [np.nan, np.nan]
    (off, _), (seen_marks, cyan), (shown_marks, orange), (solved_marks, white) = marks(
        np.array([[10.0, 10.0], [20.0, 20.0]]),
        np.array([[13.0, 14.0], nowhere]),
        np.array([nowhere, [21.0, 20.0]]),
    )
    assert off.tolist() == [[10.0, 10.0], [13.0, 14.0]]
    assert (len(seen_marks), len(shown_marks), len(solved_marks)) == (8, 8, 8)
    assert solved_marks.mean(axis=0).tolist() == [21.0, 20.0]
    assert len({cyan, orange, white}) == 3


def test_the_solved_bodys_points_stand_beside_the_measured_ones_which_stay(parent, scene):
    measured = read_measured(parent).positions
    names = ("LWrist", "RWrist")
    points = WALK[2:, [BODY.names.index(name) for name in names]]
    parent.parent.location = (1.0, 0.0, 0.0)
    bpy.context.view_layer.update()
    put_solved_points(parent, names, points, 2)
    scene.frame_set(scene.frame_start + 5)
    wrist = solved_empties(parent)["LWrist"].matrix_world.translation
    np.testing.assert_allclose(wrist, points[3, 0], atol=1e-4)
    parent.parent.location = (0.0, 0.0, 0.0)
    bpy.context.view_layer.update()
    put_solved_points(parent, names, points, 2)
    scene.frame_set(scene.frame_start + 5)
    found = solved_empties(parent)
    assert list(found) == list(names)
    np.testing.assert_allclose(found["LWrist"].matrix_world.translation, points[3, 0], atol=1e-4)
    np.testing.assert_array_equal(read_measured(parent).positions, measured)
    assert all(off.solved < 0.2 for off in errors_now(parent, scene.frame_current).values())
    (collection,) = found["LWrist"].users_collection
    bpy.data.batch_remove([*collection.objects])
    assert solved_empties(parent) == {}
    put_solved_points(parent, names[:1], points[:, :1], 2)
    assert list(solved_empties(parent)) == ["LWrist"]


@pytest.mark.parametrize("rate", [60, 24])
def test_a_clip_shows_each_frame_at_its_time(scene, data, rate):
    path = data("video/pose2sim/single/videos/cam01.mp4")
    clip = read_clip(path)
    assert (clip.size, clip.frames) == ((1080, 1920), 100)
    assert clip.fps == pytest.approx(60.0, abs=0.01)
    assert not bpy.data.movieclips
    scene.render.fps = rate
    item = add_camera(CAMERAS[0], scene.collection)
    show_clip(item, path, clip, 11.0, scene)
    graph = bpy.context.evaluated_depsgraph_get()
    for frame in (5, 11, 12, 20, 40, 45, 2000):
        scene.frame_set(frame)
        user = clip_of(item.evaluated_get(graph)).image_user
        counted = min(max(frame - user.frame_start + 1, 0), user.frame_duration)
        expected = min(max(int((frame - 11.0) * 60.0 / rate + 0.5), 0), 99)
        # A movie shows its first frame before its start, and its last one after its end.
        assert min(max(counted + user.frame_offset - 1, 0), 99) == expected


def test_a_clip_that_is_none_is_told(scene, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    with pytest.raises(PallasError, match=r"broken\.mp4"):
        read_clip(tmp_path / "broken.mp4")
    assert not bpy.data.movieclips


def test_the_first_sample_of_the_clock_is_the_first_frame(parent, scene):
    assert Clock.of(parent).first == scene.frame_start
