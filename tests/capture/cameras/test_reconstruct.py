import warnings
from dataclasses import replace

import numpy as np
import pytest
from stages import BODY, restless, ring, seen, walker

from pallas.capture.cameras.agreement_told import told_agreement
from pallas.capture.cameras.association import associated, common_frames
from pallas.capture.cameras.checks import agreement
from pallas.capture.cameras.files import read_calibration
from pallas.capture.cameras.reconstruct import ReconstructionOptions, reconstruct
from pallas.capture.cameras.synchronise import find_offsets, retimed, synchronised
from pallas.capture.keypoints.files import read_views
from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.keypoints.layout import LAYOUTS
from pallas.capture.trc import read_trc
from pallas.rig.errors import RecordingError
from pallas.rig.filters import Butterworth
from pallas.rig.filters.filtering import filtered

CAMERAS = ring(4, lens=(-0.05, 0.01, 0.0005, -0.0005))
TWO = ReconstructionOptions(people=2)


def off(person, truth):
    """Millimetres between the points found and the truth (T, 25, 3)."""
    columns = [BODY.names.index(name) for name in person.markers.names]
    return 1000 * np.linalg.norm(person.markers.positions - truth[:, columns], axis=-1)


def lost(view, frames, keypoints=slice(None)):
    """The view with nothing in these frames."""
    confidence = np.array(view.confidence)
    confidence[frames, :, keypoints] = 0.0
    return replace(view, confidence=confidence)


def changed(view, change):
    positions = np.array(view.positions)
    change(positions)
    return replace(view, positions=positions)


def test_one_person_is_where_she_is():
    truth = walker(velocity=(0.3, 0.1))
    (person,) = reconstruct(seen([truth], CAMERAS), CAMERAS, 60.0)
    assert person.markers.names == BODY.names
    assert off(person, truth).max() < 0.01
    assert person.found.all()


def test_pixels_of_noise_are_millimetres():
    truth = walker()
    (person,) = reconstruct(seen([truth], CAMERAS, noise=3.0), CAMERAS, 60.0)
    assert np.median(off(person, truth)) < 12.0  # 3 px at 4.5 m are 8 mm
    assert 1.0 < np.nanmedian(person.triangulation.error) < 5.0


def test_two_people_who_cross_are_kept_apart():
    one = walker(120, start=(-1.0, 0.15), velocity=(1.0, 0.0))
    other = walker(120, start=(1.0, -0.15), velocity=(-1.0, 0.0), phase=1.0, turn=1.0, scale=0.93)
    people = reconstruct(seen([one, other], CAMERAS, noise=1.0), CAMERAS, 60.0, TWO)
    assert len(people) == 2
    found = sorted(people, key=lambda person: person.markers.positions[0, 0, 0])
    for person, truth in zip(found, (one, other), strict=True):
        assert np.nanmedian(off(person, truth)) < 8.0
        assert np.nanpercentile(off(person, truth), 99) < 60.0


def test_crossing_people_of_whom_one_hides_the_other_are_kept_apart():
    """Where they are near each other, each view in turn sees only one of them for a while."""
    one = walker(120, start=(-1.0, 0.2), velocity=(1.0, 0.0))
    other = walker(120, start=(1.0, -0.2), velocity=(-1.0, 0.0), phase=2.0, scale=0.93)
    views = []
    for k, view in enumerate(seen([one, other], CAMERAS, noise=1.0, shuffled=False)):
        confidence = np.array(view.confidence)
        confidence[50 + 3 * k : 62 + 3 * k, k % 2] = 0.0
        views.append(replace(view, confidence=confidence))
    people = reconstruct(views, CAMERAS, 60.0, TWO)
    found = sorted(people, key=lambda person: person.markers.positions[0, 0, 0])
    for person, truth in zip(found, (one, other), strict=True):
        assert np.nanmedian(off(person, truth)) < 8.0
        assert (np.isfinite(off(person, truth))).mean() > 0.97


def test_a_camera_that_is_missing_for_a_stretch_is_done_without():
    truth = walker()
    views = list(seen([truth], CAMERAS))
    views[1] = lost(views[1], slice(20, 70))
    (person,) = reconstruct(views, CAMERAS, 60.0)
    assert off(person, truth).max() < 0.01
    assert not person.triangulation.used[20:70, :, 1].any()
    assert person.triangulation.used[:20, :, 1].all()


def test_a_short_gap_is_closed_and_a_long_one_stays():
    truth = walker()
    views = [lost(lost(view, slice(20, 28)), slice(50, 80)) for view in seen([truth], CAMERAS)]
    (person,) = reconstruct(views, CAMERAS, 60.0)
    assert person.closed[20:28].all()
    assert np.nanmax(off(person, truth)[:50]) < 50.0
    assert np.isnan(person.markers.positions[50:80]).all()


def test_sides_that_one_view_exchanges_are_put_right():
    truth = walker()

    def exchange(positions):
        positions[30:60] = positions[30:60][:, :, list(BODY.mirrored)]

    views = list(seen([truth], CAMERAS, noise=1.0))
    views[2] = changed(views[2], exchange)
    (person,) = reconstruct(views, CAMERAS, 60.0)
    assert person.flips[30:60, 2].mean() > 0.8  # at times both sides are in one place in this view
    assert np.median(off(person, truth)) < 5.0
    assert not person.flips[:, [0, 1, 3]].any()
    assert not person.flips[:30, 2].any()
    assert person.triangulation.used[30:60, :, 2].mean() > 0.95


def test_a_point_that_one_camera_sees_elsewhere_is_made_by_the_others():
    truth = walker()
    wrist = BODY.names.index("LWrist")

    def move(positions):
        positions[:, :, wrist] += [150.0, 90.0]

    views = list(seen([truth], CAMERAS))
    views[3] = changed(views[3], move)
    (person,) = reconstruct(views, CAMERAS, 60.0)
    assert off(person, truth).max() < 0.01
    assert person.triangulation.left_out[:, wrist, 3].all()
    assert person.triangulation.left_out.sum() == len(truth)


def test_exchanged_cameras_are_found_and_said():
    views = seen([walker()], CAMERAS, noise=1.0)
    wrong = (CAMERAS[2], CAMERAS[1], CAMERAS[0], CAMERAS[3])
    found = agreement(views, wrong)
    assert found.order == (2, 1, 0, 3)
    assert found.best < 0.01
    assert found.distance > 0.02
    told = told_agreement(found, views, wrong)
    assert "the cameras are exchanged" in told
    assert "cam_01 is of cam_01" in told


def test_a_camera_with_a_wrong_calibration_is_found_and_said():
    views = seen([walker()], CAMERAS, noise=1.0)
    wrong = list(CAMERAS)
    wrong[1] = replace(wrong[1], translation=wrong[1].translation + np.array([0.4, 0.2, 0.0]))
    found = agreement(views, wrong)
    assert found.doubtful == 1
    assert "cam_02 (cam_02) disagrees" in told_agreement(found, views, wrong)


def test_a_calibration_of_another_setup_is_said():
    views = seen([walker()], CAMERAS, noise=1.0)
    other = tuple(
        replace(one, translation=one.translation + np.random.default_rng(k).normal(0, 0.6, 3))
        for k, one in enumerate(CAMERAS)
    )
    assert "the cameras disagree" in told_agreement(agreement(views, other), views, other)


def test_good_cameras_are_not_complained_of():
    views = seen([walker(), walker(start=(1.0, 1.0))], CAMERAS, noise=3.0)
    assert told_agreement(agreement(views, CAMERAS), views, CAMERAS) is None


def test_views_that_started_at_other_times_are_brought_together():
    """The second began 12 frames after the first, the third 7 before it."""
    truth = restless(walker(240, velocity=(0.2, 0.0)))
    views = list(seen([truth], CAMERAS, noise=0.5))
    for k, (first, stop) in enumerate([(10, 220), (22, 240), (3, 200), (10, 230)]):
        views[k] = replace(
            views[k],
            positions=views[k].positions[first:stop],
            confidence=views[k].confidence[first:stop],
        )
    told = []
    together = synchronised(views, CAMERAS, told)
    (person,) = reconstruct(together, CAMERAS, 60.0)
    assert np.nanmedian(person.triangulation.error) < 1.5
    assert "cam_02 started 0.200 s after cam_01" in told
    assert "cam_03 started 0.117 s before cam_01" in told


def test_views_of_other_frame_rates_are_brought_together():
    truth = restless(walker(240, velocity=(0.2, 0.0)))
    views = [
        *seen([truth], CAMERAS[:2], noise=0.5),
        *seen([truth[::2]], CAMERAS[2:], noise=0.5, fps=30.0),
    ]
    found = find_offsets(views)
    assert max(abs(second) for second in found.seconds) < 0.05
    (person,) = reconstruct(synchronised(views, CAMERAS, []), CAMERAS, 60.0)
    middle = off(person, truth[: len(person.markers)])[5:-5]
    assert np.nanmedian(middle) < 8.0


def test_a_view_at_its_own_times_is_itself():
    (view,) = seen([walker(20)], CAMERAS[:1])
    same = retimed(view, 0.0, 60.0)
    np.testing.assert_array_equal(same.positions, view.positions)


def test_clips_of_different_lengths_are_laid_side_by_side():
    (view,) = seen([walker(20)], CAMERAS[:1])
    short = replace(view, positions=view.positions[5:12], confidence=view.confidence[5:12], start=5)
    one, other = common_frames([view, short])
    assert len(one) == len(other) == 20
    np.testing.assert_array_equal(np.flatnonzero(other.seen.any(axis=(1, 2))), np.arange(5, 12))


def test_a_clip_of_one_frame_is_enough():
    truth = walker(1)
    (person,) = reconstruct(seen([truth], CAMERAS), CAMERAS, 60.0)
    assert off(person, truth).max() < 0.01


def test_empty_frames_are_gaps_and_nobody_gives_nobody():
    views = [lost(view, slice(None)) for view in seen([walker(20)], CAMERAS)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert reconstruct(views, CAMERAS, 60.0) == []
        assert np.isnan(agreement(views, CAMERAS).distance)


def test_who_is_seen_by_one_camera_alone_is_nobody():
    views = list(seen([walker(30)], CAMERAS))
    views[1:] = [lost(view, slice(None)) for view in views[1:]]
    assert associated(views, CAMERAS) == []


def test_views_without_cameras_are_refused():
    views = seen([walker(5)], CAMERAS)
    with pytest.raises(RecordingError, match="4 views and 3 cameras"):
        reconstruct(views, CAMERAS[:3], 60.0)


@pytest.fixture(scope="module")
def balancing(data):
    folder = data("video/pose2sim/openpose")
    return read_views([folder]), read_calibration(folder / "Calib_qualisys.toml"), folder


def test_the_shared_trial_is_where_pose2sim_has_it(balancing):
    """Pose2Sim wrote y up, its x our y, after a Butterworth filter at 6 Hz: so are ours compared."""
    views, cameras, folder = balancing
    (person,) = reconstruct(views, cameras, 60.0)
    theirs = read_trc(folder / "Balancing_for_IK.trc", up="y").markers
    columns = [person.markers.names.index(name) for name in theirs.names]
    smooth = filtered(person.markers.positions[:, columns], 60.0, Butterworth(6.0))
    turned = np.stack([smooth[..., 1], -smooth[..., 0], smooth[..., 2]], axis=-1)
    away = 1000 * np.linalg.norm(turned - theirs.positions, axis=-1)
    gaps = np.isnan(turned[..., 0]).sum(), np.isnan(theirs.positions[..., 0]).sum()
    print(f"median {np.nanmedian(away):.2f} mm, gaps {gaps[0]}, theirs {gaps[1]}")  # noqa: T201
    assert np.nanmedian(away) < 5.0
    assert gaps[0] <= gaps[1]
    assert np.nanpercentile(away, 95) < 25.0


def test_the_person_behind_is_found_by_the_two_cameras_that_see_her(balancing):
    views, cameras, _ = balancing
    first, second = reconstruct(views, cameras, 60.0, TWO)
    assert first.triangulation.used.any(axis=(0, 1)).all()
    assert second.triangulation.used.any(axis=(0, 1)).tolist() == [True, True, False, False]


def test_exchanged_cameras_of_the_shared_trial_are_found(balancing):
    views, cameras, _ = balancing
    assert agreement(views, cameras).order == (0, 1, 2, 3)
    assert agreement(views, [cameras[k] for k in (1, 0, 2, 3)]).order == (1, 0, 2, 3)


@pytest.mark.parametrize(
    "look", [lambda views: agreement(views, CAMERAS), find_offsets], ids=["agreement", "offsets"]
)
def test_views_of_different_detectors_are_told_before_anything_is_compared(look):
    (view,) = seen([walker(30)], CAMERAS[:1])
    other = Keypoints(LAYOUTS["coco_17"], np.ones((30, 1, 17, 2)), np.ones((30, 1, 17)), 60.0)
    with pytest.raises(RecordingError, match=r"different layouts \(.*coco_17"):
        look([view, other])
