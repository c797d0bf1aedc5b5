"""Video through the buttons: rows, cameras and empties, a solve, a stretch that is taken away and filled."""

import json
import shutil
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from stages import BODY, calib_toml, ring, seen, walker, write_openpose  # noqa: E402  after the skip

from pallas.capture.markers import write_markers  # noqa: E402
from pallas.capture.video import detector  # noqa: E402
from pallas.neural.lifter import solve as lifter  # noqa: E402
from pallas.neural.lifter import stored  # noqa: E402
from pallas.operators.video_job import VideoJob  # noqa: E402
from pallas.operators.video_solving import Observed  # noqa: E402
from pallas.rig.trajectories import MarkerTrajectories  # noqa: E402
from pallas.scene.curves import channels_of, read_curve  # noqa: E402
from pallas.scene.keypoint_keys import read_measured  # noqa: E402
from pallas.scene.keypoint_overlay import errors_now  # noqa: E402
from pallas.scene.keypoint_views import Seen, cameras_of  # noqa: E402
from pallas.scene.markers import marker_objects  # noqa: E402

FRAMES = 20
WALK = walker(FRAMES, velocity=(0.0, -0.6))
CAMERAS = ring(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three cameras' keypoints as OpenPose writes them, and the calibration."""
    made = tmp_path_factory.mktemp("walk")
    for number, view in enumerate(seen([WALK], CAMERAS, noise=0.5), start=1):
        write_openpose(made / f"cam{number}_json", view)
    (made / "Calib.toml").write_text(calib_toml(CAMERAS))
    return made


@pytest.fixture
def video(scene, folder):
    """The panel with what the folder holds."""
    scene.render.fps = 60
    bpy.ops.pallas.add_views(directory=str(folder))
    scene.pallas.video.fps = 60.0
    return scene.pallas.video


def problems(video):
    return [line.name for line in video.problems]


def keys(item):
    """Scene frames of an empty's keys, and their kinds."""
    curve = channels_of(item).fcurves.find("location", index=0)
    return [(round(p.co[0]), p.type) for p in curve.keyframe_points]


def test_a_folder_becomes_a_row_for_each_camera_and_its_calibration(video, folder):
    assert [row.name for row in video.views] == ["cam1_json", "cam2_json", "cam3_json"]
    assert video.calibration == str(folder / "Calib.toml")
    assert not any(row.clip for row in video.views)


def test_clips_join_the_keypoints_of_their_camera(video, tmp_path):
    for name in ("cam02.mp4", "cam03.MOV", "take7.mp4"):
        (tmp_path / name).touch()
    bpy.ops.pallas.add_views(directory=str(tmp_path), files=[{"name": "cam02.mp4"}])
    bpy.ops.pallas.add_views(
        directory=str(tmp_path), files=[{"name": "cam03.MOV"}, {"name": "take7.mp4"}]
    )
    clips = {row.name: row.clip.rpartition("/")[2] for row in video.views}
    assert clips == {
        "cam1_json": "",
        "cam2_json": "cam02.mp4",
        "cam3_json": "cam03.MOV",
        "take7": "take7.mp4",
    }
    bpy.ops.pallas.remove_view(place=3)
    assert len(video.views) == 3


def test_what_is_no_keypoints_is_told(scene, tmp_path):
    (tmp_path / "notes.odt").touch()
    with pytest.raises(RuntimeError, match=r"'notes\.odt' is no clip, no keypoints"):
        bpy.ops.pallas.add_views(directory=str(tmp_path), files=[{"name": "notes.odt"}])
    with pytest.raises(RuntimeError, match="Add clips or keypoints first"):
        bpy.ops.pallas.import_views()


def test_views_become_cameras_and_empties_and_the_scene_keeps_its_rate(video, scene):
    scene.render.fps, scene.frame_end = 24, 3
    assert bpy.ops.pallas.import_views() == {"FINISHED"}
    assert problems(video) == []
    assert video.summary.startswith("3 cameras, 20 frames at 60 Hz")
    assert (scene.render.fps, scene.camera, scene.frame_end) == (24, None, 9)
    assert len(marker_objects(video.keypoints)) == len(BODY)
    scene.frame_set(6)
    assert all(off.measured < 2.0 for off in errors_now(video.keypoints, 6).values())


def test_exchanged_cameras_are_told_in_the_panel_and_can_be_put_in_order(video, folder, tmp_path):
    for row, theirs, number in zip(video.views, (2, 1), (1, 2), strict=False):
        shutil.copytree(folder / f"cam{theirs}_json", tmp_path / f"cam{number}")
        row.keypoints = str(tmp_path / f"cam{number}")
    with pytest.raises(RuntimeError, match="the cameras are exchanged"):
        bpy.ops.pallas.import_views()
    assert "the cameras are exchanged" in problems(video)[0]
    assert video.keypoints is None
    video.reorder = True
    assert bpy.ops.pallas.import_views() == {"FINISHED"}
    assert "taken so" in problems(video)[0]


@pytest.mark.parametrize("what", ["empty calibration", "one view", "other JSON"])
def test_bad_input_is_told_and_changes_nothing(video, scene, tmp_path, what):
    before = len(bpy.data.objects)
    if what == "empty calibration":
        (tmp_path / "Calib.toml").write_text("")
        video.calibration, told = str(tmp_path / "Calib.toml"), "is empty"
    elif what == "one view":
        bpy.ops.pallas.remove_view(place=2)
        bpy.ops.pallas.remove_view(place=1)
        video.calibration = ""
        told = "don't say how large their picture is"
    else:
        (tmp_path / "cam1.json").write_text(json.dumps({"song": "la la"}))
        video.views[0].keypoints, told = str(tmp_path / "cam1.json"), "of another program"
    with pytest.raises(RuntimeError, match=told):
        bpy.ops.pallas.import_views()
    assert told in problems(video)[0]
    assert len(bpy.data.objects) == before


def test_without_a_detector_the_panel_says_what_to_install(video, data, monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe.python.solutions", None)
    video.views[2].keypoints = ""
    video.views[2].clip = str(data("video/pose2sim/single/videos/cam03.mp4"))
    with pytest.raises(RuntimeError, match="pip install mediapipe"):
        bpy.ops.pallas.import_views()
    assert len(problems(video)) == 1
    assert "pip install mediapipe" in problems(video)[0]


def test_every_detector_can_be_chosen_and_what_it_lacks_is_told(video, data, monkeypatch):
    items = video.bl_rna.properties["detector"].enum_items
    assert [item.identifier for item in items] == list(detector.DETECTORS)
    video.views[2].keypoints = ""
    video.views[2].clip = str(data("video/pose2sim/single/videos/cam03.mp4"))
    kind = detector.DetectorKind("for this test", None, packages=("nowhere==1.2",))
    monkeypatch.setitem(detector.DETECTORS, "onnx", kind)
    video.detector = "onnx"
    with pytest.raises(RuntimeError, match=r"the detector onnx needs nowhere==1\.2 in Blender"):
        bpy.ops.pallas.import_views()
    assert "pip install nowhere==1.2" in problems(video)[0]


def test_what_a_detector_finds_in_a_clip_is_triangulated_like_any_keypoints(
    video, scene, data, monkeypatch
):
    """A detector that knows where the walker is, on one clip; the other cameras' keypoints are files."""
    clip = data("video/pose2sim/single/videos/cam03.mp4")
    pixels = CAMERAS[2].project(walker(100, velocity=(0.0, -0.6)))

    closed = []

    class Knows:
        name, layout, seen = "knows", BODY, 0

        def detect(self, picture):
            self.seen += 1
            return detector.Found(pixels[self.seen - 1][None], np.ones((1, len(BODY))))

        def close(self):
            closed.append(self.name)

    kind = detector.DetectorKind("for this test", lambda options: Knows())
    monkeypatch.setitem(detector.DETECTORS, "mediapipe", kind)
    video.views[2].keypoints, video.views[2].clip = "", str(clip)
    assert bpy.ops.pallas.import_views() == {"FINISHED"}
    assert len(cameras_of(video.keypoints)) == 3
    assert closed == ["knows"]
    behind = cameras_of(video.keypoints)[2][1].data.background_images[0]
    assert behind.image.source == "MOVIE"
    scene.frame_set(10)
    assert max(off.measured for off in errors_now(video.keypoints, 10).values()) < 3.0


def test_one_camera_alone_is_lifted(video, monkeypatch):
    """What the lifter finds becomes a camera and empties; here it knows where the walker is."""

    def knows(view, camera, network, *, height, calibrated, progress):
        assert (view.people, height, calibrated, network) == (
            1,
            pytest.approx(1.7),
            True,
            "network",
        )
        progress(1.0)
        markers = MarkerTrajectories(BODY.names[:20], WALK[:, :20], 60.0)
        return SimpleNamespace(
            markers=markers,
            camera=camera,
            body=SimpleNamespace(errors_px=np.full((1, 20, 20), 2.0)),
        )

    monkeypatch.setattr(stored, "load_lifter", lambda: "network")
    monkeypatch.setattr(lifter, "solve_lift", knows)
    bpy.ops.pallas.remove_view(place=2)
    bpy.ops.pallas.remove_view(place=1)
    assert bpy.ops.pallas.import_views() == {"FINISHED"}
    assert video.summary == "1 camera, 20 frames at 60 Hz, 2.0 px off"
    ((_, item),) = cameras_of(video.keypoints)
    np.testing.assert_allclose(item.matrix_world.translation, CAMERAS[0].position, atol=1e-5)
    assert len(marker_objects(video.keypoints)) == 20


def test_looking_through_a_camera_sets_its_picture_and_says_so(video, scene):
    bpy.ops.pallas.import_views()
    _, item = cameras_of(video.keypoints)[1]
    assert bpy.ops.pallas.look_through(camera=item.name) == {"FINISHED"}
    assert scene.camera == item
    assert (scene.render.resolution_x, scene.render.resolution_y) == (1080, 1920)
    with pytest.raises(RuntimeError, match="no calibrated camera 'none'"):
        bpy.ops.pallas.look_through(camera="none")


def test_a_solve_moves_the_character_and_fills_a_stretch_that_was_taken_away(video, scene):
    bpy.ops.pallas.import_views()
    assert bpy.ops.pallas.solve_video() == {"FINISHED"}
    character = scene.pallas.retarget.target
    action = character.animation_data.action
    assert tuple(action.frame_range) == pytest.approx((1.0, 20.0))
    assert near(scene, video, character) < 0.08
    solved = errors_now(video.keypoints, 10).values()
    assert all(0.1 < off.solved < 8.0 for off in solved), [off.solved for off in solved]
    wrist = marker_objects(video.keypoints)["LWrist"]
    others = {name: keys(item) for name, item in marker_objects(video.keypoints).items()}
    wrist.select_set(True)
    video.clear_start, video.clear_end = 8, 12
    assert bpy.ops.pallas.clear_keypoints() == {"FINISHED"}
    assert [frame for frame, _ in keys(wrist)] == [*range(1, 8), *range(13, 21)]
    assert keys(marker_objects(video.keypoints)["RWrist"]) == others["RWrist"]
    assert bpy.ops.pallas.solve_video() == {"FINISHED"}
    assert keys(wrist) == [
        (frame, "GENERATED" if 8 <= frame <= 12 else "KEYFRAME") for frame in range(1, 21)
    ]
    curve = channels_of(wrist).fcurves.find("location", index=2)
    truth = WALK[:, BODY.names.index("LWrist"), 2]
    np.testing.assert_allclose(read_curve(curve)[:, 1], truth, atol=0.03)
    assert scene.pallas.retarget.target == character
    assert character.animation_data.action != action
    assert action.name in bpy.data.actions  # what the user had is kept
    assert "5 keys filled in" in video.summary


def near(scene, video, character):
    """Metres, mean, from knees and wrists of the character to the empties in a frame."""
    scene.frame_set(10)
    empties = marker_objects(video.keypoints)
    bones = {"LKnee": "LeftLeg", "RKnee": "RightLeg", "LWrist": "LeftHand", "RWrist": "RightHand"}
    off = [
        empties[name].matrix_world.translation
        - character.matrix_world @ character.pose.bones[f"mixamorig:{bone}"].head
        for name, bone in bones.items()
    ]
    return float(np.mean([vector.length for vector in off]))


def test_a_character_that_is_chosen_is_the_one_that_moves(video, scene):
    bpy.ops.pallas.import_views()
    bpy.ops.pallas.add_character(sensors=False)
    character = bpy.context.object
    character.location = (2.0, 0.0, 0.0)
    scene.pallas.retarget.target = character
    assert bpy.ops.pallas.solve_video() == {"FINISHED"}
    assert character.animation_data.action is not None
    assert tuple(character.location) == (2.0, 0.0, 0.0)
    assert sum(item.type == "ARMATURE" for item in bpy.data.objects) == 1


def test_nothing_measured_is_left_and_the_panel_says_so(video):
    bpy.ops.pallas.import_views()
    video.clear_start, video.clear_end = -100, 1000
    bpy.ops.pallas.clear_keypoints()
    with pytest.raises(RuntimeError, match="have no keys"):
        bpy.ops.pallas.solve_video()
    assert "have no keys" in problems(video)[0]


def test_cameras_that_disagree_with_a_key_are_not_believed():
    measured = MarkerTrajectories(BODY.names, WALK, 60.0)
    pixels = np.stack([camera.project(WALK) for camera in CAMERAS], axis=2)
    sight = Seen(BODY.names, CAMERAS, pixels, np.ones(pixels.shape[:3]))
    assert Observed(measured, sight).trusted().all()
    moved = WALK.copy()
    moved[5, 3] += (0.0, 0.0, 0.5)
    moved[6, 3] = np.nan
    trusted = Observed(MarkerTrajectories(BODY.names, moved, 60.0), sight).trusted()
    assert not trusted[5, 3].any()
    assert not trusted[6, 3].any()
    assert trusted.sum() == trusted.size - 2 * len(CAMERAS)


def test_esc_ends_the_thread_where_it_tells_next():
    went = []

    def work(tell):
        for step in range(1000):
            went.append(step)
            tell("stepping", step / 1000)
            time.sleep(0.01)

    job = VideoJob(work)
    while not went:
        time.sleep(0.01)
    job.cancel()
    deadline = time.monotonic() + 20.0
    while not job.done() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert job.done()
    assert len(went) < 1000
    assert job.piece in ("", "stepping")


def test_dropped_files_go_where_they_belong(scene, folder, tmp_path):
    frame = folder / "cam1_json" / "cam1_json_000000000000_keypoints.json"
    (tmp_path / "cam1.json").write_bytes(frame.read_bytes())
    (tmp_path / "cam2.mp4").touch()
    (tmp_path / "walk.bvh").touch()
    write_markers(tmp_path / "walk.trc", MarkerTrajectories(("A", "B"), WALK[:, :2], 60.0))
    drop = bpy.ops.pallas
    where = {"directory": str(tmp_path)}
    assert drop.drop_keypoints(**where, files=[{"name": "cam1.json"}]) == {"FINISHED"}
    assert drop.drop_clips(**where, files=[{"name": "cam2.mp4"}]) == {"FINISHED"}
    assert [row.name for row in scene.pallas.video.views] == ["cam1", "cam2"]
    assert drop.drop_markers(**where, files=[{"name": "walk.trc"}]) == {"FINISHED"}
    assert len(read_positions(scene.pallas.markers.markers)) == FRAMES
    assert drop.drop_motion(**where, files=[{"name": "walk.bvh"}]) == {"FINISHED"}
    settings = scene.pallas.retarget
    assert (settings.source, settings.file) == ("FILE", str(tmp_path / "walk.bvh"))
    with pytest.raises(RuntimeError, match="no file was dropped"):
        drop.drop_motion()


def read_positions(parent):
    return read_measured(parent).positions


def test_file_handlers_are_offered_over_3d_views_for_each_kind_of_file():
    offered = {
        suffix: handler.bl_import_operator
        for handler in bpy.types.FileHandler.__subclasses__()
        if handler.__name__.startswith("PALLAS")
        for suffix in handler.bl_file_extensions.split(";")
    }
    assert offered[".mp4"] == "pallas.drop_clips"
    assert offered[".json"] == "pallas.drop_keypoints"
    assert offered[".trc"] == "pallas.drop_markers"
    assert offered[".bvh"] == "pallas.drop_motion"
