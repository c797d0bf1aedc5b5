import numpy as np
import pytest
from stages import BODY, ring, walker

import pallas.rig.solve.views as solving
from pallas.rig import Motion, ShapeError, body_skeleton, quaternion
from pallas.rig.errors import RecordingError
from pallas.rig.solve.body_points import body_markers, body_point
from pallas.rig.solve.views import BodyOptions, SpacePoints, View, solve_views

TALL, FPS, FRAMES = 1.85, 50.0, 40
NAMES = BODY.names
CAMERAS = [camera.without_lens for camera in ring(4)]


def _turn(count, axis, radians):
    return quaternion.from_rotation_vector(
        np.eye(3)[axis] * np.broadcast_to(radians, count)[:, None]
    )


def _moved():
    """Someone who turns, bends knees and waves: known joints and keypoints."""
    t = np.arange(FRAMES) / FPS
    skeleton = body_skeleton(TALL)
    turns = np.tile(quaternion.IDENTITY, (FRAMES, len(skeleton), 1))

    def put(name, axis, radians):
        turns[:, skeleton.index(name)] = _turn(FRAMES, axis, radians)

    put("pelvis", 2, 0.6 + 0.5 * t)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        put(f"{side}_hip", 0, -0.3 - 0.3 * sign * np.sin(5 * t))
        put(f"{side}_knee", 0, 0.7 + 0.3 * np.sin(5 * t))
        put(f"{side}_shoulder", 1, sign * (1.1 + 0.2 * np.sin(4 * t)))
        put(f"{side}_elbow", 2, -sign * (0.8 + 0.4 * np.sin(3 * t)))
    root = np.stack([0.2 * t, -0.1 * t, 0.95 + 0.02 * np.sin(6 * t)], axis=-1)
    return Motion(skeleton, root, turns, FPS)


MOVED = _moved()
JOINTS = MOVED.world()[1]


def _keypoints():
    world, origins = MOVED.world()
    points = np.empty((FRAMES, len(NAMES), 3))
    for k, marker in enumerate(body_markers(NAMES, TALL)):
        joint = MOVED.skeleton.index(marker.body)
        points[:, k] = origins[:, joint] + quaternion.rotate(
            world[:, joint], np.array(marker.position)
        )
    return points


POINTS = _keypoints()


def views_of(points, noise=0.0, cameras=CAMERAS):
    random = np.random.default_rng(0)
    return [
        View(
            camera.project(points) + noise * random.standard_normal((*points.shape[:2], 2)),
            camera.projection,
        )
        for camera in cameras
    ]


def off(body):
    """(T, 24) millimetres between joints and the truth."""
    return 1000.0 * np.linalg.norm(body.motion.world()[1] - JOINTS, axis=-1)


@pytest.fixture(scope="module")
def noisy():
    return solve_views(NAMES, FPS, views=views_of(POINTS, 6.0))


def test_every_keypoint_of_the_layout_is_a_point_of_the_body():
    assert all(body_point(name) is not None for name in NAMES)
    assert body_point("LHeel").joint == "left_ankle"
    assert body_point("RHeel").joint == "right_ankle"
    assert body_point("RBigToe").place[0] == -body_point("LBigToe").place[0]
    assert body_point("LHand3") is None


def test_four_cameras_give_the_body_back():
    body = solve_views(NAMES, FPS, views=views_of(POINTS))
    assert off(body).mean() < 2.0
    assert np.nanmax(body.errors_px) < 1.0
    assert body.height == pytest.approx(TALL, abs=0.03)


def test_bones_have_one_length_and_noise_is_less_than_it_was(noisy):
    raw = 1000.0 * np.linalg.norm(noisy.tracks - POINTS, axis=-1)
    assert off(noisy).mean() < 15.0
    assert np.median(raw) < 10.0
    lengths = np.linalg.norm(noisy.motion.skeleton.offsets, axis=-1)
    left, right = (noisy.motion.skeleton.index(f"{side}_knee") for side in ("left", "right"))
    assert lengths[left] == pytest.approx(lengths[right])
    assert lengths[left] == pytest.approx(0.245 * TALL, rel=0.05)


def test_uncertainty_is_as_large_as_errors_are(noisy):
    seen = [
        noisy.motion.skeleton.index(n) for n in ("left_knee", "right_ankle", "left_elbow", "pelvis")
    ]
    ratio = off(noisy)[:, seen].mean() / (1000.0 * noisy.uncertainty[:, seen].mean())
    assert 0.2 < ratio < 1.2
    hands = noisy.motion.skeleton.index("left_hand")
    assert noisy.uncertainty[:, hands].mean() > 2.0 * noisy.uncertainty[:, seen].mean()
    assert noisy.motion.confidence[:, hands].mean() < noisy.motion.confidence[:, seen].mean()


def test_one_camera_and_a_lifters_points_give_place_and_depth():
    random = np.random.default_rng(1)
    relative = (
        POINTS - POINTS.mean(axis=1, keepdims=True) + 0.02 * random.standard_normal(POINTS.shape)
    )
    body = solve_views(
        NAMES,
        FPS,
        views=views_of(POINTS, 2.0, CAMERAS[:1]),
        points=SpacePoints(relative, placed=False),
        options=BodyOptions(height=TALL),
    )
    assert off(body).mean() < 35.0
    assert np.nanmedian(body.errors_px) < 4.0


def test_points_in_space_alone_are_enough():
    body = solve_views(NAMES, FPS, points=SpacePoints(POINTS))
    assert off(body).mean() < 2.0
    assert body.errors_px.shape == (0, FRAMES, len(NAMES))


def test_our_joints_may_be_given_by_name():
    names = ("pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
             "left_shoulder", "right_shoulder", "neck", "left_elbow", "right_elbow", "left_wrist",
             "right_wrist", "left_foot", "right_foot", "nonsense")  # fmt: skip
    places = [MOVED.skeleton.index(name) for name in names[:-1]]
    points = np.concatenate([JOINTS[:, places], np.full((FRAMES, 1, 3), np.nan)], axis=1)
    body = solve_views(names, FPS, points=SpacePoints(points))
    assert body.names == names[:-1]
    assert off(body)[:, places].mean() < 15.0


def test_frames_that_see_nothing_lie_between_others_and_say_so():
    views = views_of(POINTS)
    for view in views:
        view.pixels[18:22] = np.nan
    body = solve_views(NAMES, FPS, views=views)
    np.testing.assert_array_equal(np.flatnonzero(body.interpolated), [18, 19, 20, 21])
    assert np.isfinite(body.tracks).all()
    assert off(body)[18:22].mean() < 60.0
    assert body.uncertainty[19].mean() > 5.0 * body.uncertainty[5].mean()


def test_a_keypoint_that_one_camera_sees_elsewhere_does_not_pull():
    views = views_of(POINTS)
    views[2].pixels[:, NAMES.index("LKnee")] += 150.0
    body = solve_views(NAMES, FPS, views=views)
    assert off(body)[:, MOVED.skeleton.index("left_knee")].mean() < 5.0


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_frames_are_a_motion_too(count):
    body = solve_views(NAMES, FPS, views=views_of(POINTS[:count]))
    assert len(body.motion) == count
    assert np.isfinite(body.motion.rotations).all()
    assert np.isfinite(body.tracks).all()


def test_long_takes_are_solved_in_windows_that_meet(monkeypatch, noisy):
    monkeypatch.setattr(solving, "_WINDOW", 16)
    monkeypatch.setattr(solving, "_OVERLAP", 8)
    apart = (
        solve_views(NAMES, FPS, views=views_of(POINTS, 6.0)).motion.world()[1]
        - (noisy.motion.world()[1])
    )
    assert 1000.0 * np.abs(apart).max() < 5.0


def test_feet_that_stand_do_not_slide_and_are_on_the_floor():
    still = np.repeat(POINTS[:1], FRAMES, axis=0)
    views = views_of(still, 6.0)
    ankle = MOVED.skeleton.index("left_foot")
    free = solve_views(NAMES, FPS, views=views)
    stood = solve_views(NAMES, FPS, views=views, standing=np.ones((FRAMES, 2)))
    slid = [np.ptp(b.motion.world()[1][:, ankle], axis=0).max() for b in (free, stood)]
    assert slid[1] < 0.25 * slid[0]
    options = BodyOptions(floor=0.05)
    low = solve_views(NAMES, FPS, views=views, standing=np.ones((FRAMES, 2)), options=options)
    before, after = (b.motion.world()[1][:, ankle, 2].mean() for b in (stood, low))
    assert abs(after - 0.06) < abs(before - 0.06)


def test_an_earlier_solution_may_be_the_start():
    body = solve_views(NAMES, FPS, views=views_of(POINTS), initial=MOVED)
    assert off(body).mean() < 2.0


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({}, ShapeError, "nothing was seen"),
        ({"points": SpacePoints(POINTS[:, :3])}, ShapeError, "points"),
        ({"points": SpacePoints(np.full_like(POINTS, np.nan))}, RecordingError, "no frame shows"),
        ({"views": views_of(POINTS)[:1]}, RecordingError, "more views"),
        ({"views": [View(POINTS[..., :2], np.eye(4))]}, ShapeError, "projection of view 1"),
    ],
)
def test_what_cannot_be_is_told(given, error, told):
    with pytest.raises(error, match=told):
        solve_views(NAMES, FPS, **given)


def test_names_that_are_no_body_are_told():
    with pytest.raises(ShapeError, match="no point of the body"):
        solve_views(("tail",), FPS, points=SpacePoints(np.zeros((3, 1, 3))))


def test_the_walker_of_the_stages_is_refined_too():
    truth = walker(30, fps=30.0)
    body = solve_views(NAMES, 30.0, views=views_of(truth, 3.0))
    assert 1000.0 * np.median(np.linalg.norm(body.tracks - truth, axis=-1)) < 8.0
