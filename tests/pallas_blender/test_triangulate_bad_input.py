"""What users give `pallas triangulate` by mistake, or can't help: one line, or the right answer."""

import json
from dataclasses import replace

import numpy as np
import pytest
from stages import BODY, calib_toml, restless, ring, seen, walker, write_openpose

from pallas.capture.markers import read_markers
from pallas.pallas_blender.cli import main

CAMERAS = ring(4)
TRUTH = walker(40, velocity=(0.2, 0.1))


def stage(folder, views, cameras=CAMERAS):
    for k, view in enumerate(views):
        write_openpose(folder / "pose" / f"cam{k + 1}", view)
    (folder / "Calib.toml").write_text(calib_toml(cameras))
    return folder


def run(capsys, folder, *more, fps=60):
    out = folder / "o.trc"
    code = main(
        ["triangulate", str(folder / "pose"), "--calib", str(folder / "Calib.toml"), "--fps", str(fps),
         "--filter", "none", "-o", str(out), "--json", *map(str, more)]
    )  # fmt: skip
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    report = json.loads(told.out) if code == 0 else None
    return code, report, told.err, out


def hidden(view, frames):
    """A view in which nobody is seen in these frames."""
    confidence = np.array(view.confidence)
    confidence[frames] = 0.0
    return replace(view, confidence=confidence)


def off(out, truth):
    """(T, K) millimetres, NaN where missing."""
    markers = read_markers(out)
    columns = [BODY.names.index(name) for name in markers.names]
    return 1000 * np.linalg.norm(markers.positions - truth[:, columns], axis=-1)


def test_empty_frames_are_gaps_and_long_ones_stay(tmp_path, capsys):
    views = [hidden(hidden(v, slice(6, 9)), slice(15, 35)) for v in seen([TRUTH], CAMERAS)]
    folder = stage(tmp_path, views)
    for k in range(4):
        path = folder / "pose" / f"cam{k + 1}" / f"cam{k + 1}_000000000020_keypoints.json"
        path.write_text('{"version": 1.3, "people": []}')
    code, report, _, out = run(capsys, folder)
    assert code == 0
    away = off(out, TRUTH)
    assert np.isnan(away[15:35]).all()
    assert np.isfinite(away[:15]).all()
    assert np.nanmax(away) < 10.0
    assert report["people"][0]["missing"] == 20 * 25


def test_two_people_who_cross_stay_themselves(tmp_path, capsys):
    one = walker(40, start=(-0.8, 0.1), velocity=(2.4, 0.0))
    other = walker(40, start=(0.8, -0.5), velocity=(-2.4, 0.0), phase=1.3, scale=0.92)
    folder = stage(tmp_path, seen([one, other], CAMERAS, noise=0.5))
    code, report, _, out = run(capsys, folder, "--people", 2)
    assert code == 0
    assert len(report["people"]) == 2
    first, second = out, out.with_name("o-2.trc")
    one_first = np.nanmedian(off(first, one)) < np.nanmedian(off(first, other))
    for path, truth in zip(
        (first, second), (one, other) if one_first else (other, one), strict=True
    ):
        assert np.nanpercentile(off(path, truth), 99) < 20.0


def test_a_camera_that_misses_a_stretch_is_not_needed(tmp_path, capsys):
    views = list(seen([TRUTH], CAMERAS))
    views[1] = hidden(views[1], slice(10, 30))
    code, report, _, out = run(capsys, stage(tmp_path, views))
    assert code == 0
    assert np.nanmax(off(out, TRUTH)) < 1.0
    assert report["people"][0]["missing"] == 0


def test_a_wrong_calibration_is_told_by_its_reprojection_errors(tmp_path, capsys):
    shifts = np.random.default_rng(2).normal(0.0, 0.5, (4, 3))
    moved = [
        replace(camera, translation=camera.translation + shift)
        for camera, shift in zip(CAMERAS, shifts, strict=True)
    ]
    code, _, noted, _ = run(capsys, stage(tmp_path, seen([TRUTH], CAMERAS), moved))
    assert "calibration" in noted
    assert code == 1 or "pass" in noted


def test_an_empty_file_is_named(tmp_path, capsys):
    folder = stage(tmp_path, seen([TRUTH[:4]], CAMERAS))
    (folder / "pose" / "cam2" / "cam2_000000000002_keypoints.json").write_text("")
    code, _, noted, _ = run(capsys, folder)
    assert code == 1
    assert noted.count("\n") == 1
    assert "cam2_000000000002_keypoints.json is empty" in noted


def test_one_camera_that_was_moved_is_named(tmp_path, capsys):
    views = seen([TRUTH], CAMERAS)
    moved = replace(CAMERAS[2], translation=CAMERAS[2].translation + np.array([0.5, 0.2, 0.0]))
    folder = stage(tmp_path, views, (*CAMERAS[:2], moved, CAMERAS[3]))
    code, report, noted, out = run(capsys, folder)
    assert code == 0
    assert "cam3" in noted
    assert np.nanmax(off(out, TRUTH)) < 1.0
    row = report["people"][0]["cameras"][2]
    assert row["seen"] == 0 or row["left_out"] > 0.5


def test_clips_of_other_lengths_are_used_as_far_as_they_go(tmp_path, capsys):
    views = list(seen([TRUTH], CAMERAS))
    cut = [40, 25, 33, 12]
    views = [
        replace(v, positions=v.positions[:n], confidence=v.confidence[:n])
        for v, n in zip(views, cut, strict=True)
    ]
    code, report, noted, out = run(capsys, stage(tmp_path, views))
    assert code == 0
    assert "views have 12 to 40 frames" in noted
    away = off(out, TRUTH[: report["frames"]])
    assert np.isfinite(away[:33]).all()
    assert np.nanmax(away) < 1.0


def test_clips_of_other_rates_are_told(tmp_path, capsys):
    folder = stage(tmp_path, seen([TRUTH], CAMERAS))
    code, _, noted, _ = run(capsys, folder, fps="60,30,60,60")
    assert code == 1
    assert "30 and 60 frames per second; give --sync" in noted


def test_points_at_the_corner_and_without_confidence_are_missing(tmp_path, capsys):
    """OpenPose writes 0, 0, 0 where it sees nothing; others leave a position there, or a confidence."""
    views = []
    for c, view in enumerate(seen([TRUTH], CAMERAS)):
        positions, confidence = np.array(view.positions), np.array(view.confidence)
        if c < 2:
            positions[:, :, 3] = 0.0
            confidence[:, :, 4] = 0.0
        views.append(replace(view, positions=positions, confidence=confidence))
    code, _, _, out = run(capsys, stage(tmp_path, views))
    assert code == 0
    assert np.nanmax(off(out, TRUTH)) < 1.0


@pytest.mark.parametrize("word", ["NaN", "null"])
def test_what_is_not_a_number_is_missing_or_told(tmp_path, capsys, word):
    folder = stage(tmp_path, seen([TRUTH], CAMERAS))
    path = folder / "pose" / "cam1" / "cam1_000000000005_keypoints.json"
    frame = json.loads(path.read_text())
    frame["people"][0]["pose_keypoints_2d"][:3] = [0.5, 0.25, 0.125]
    path.write_text(json.dumps(frame).replace("0.5, 0.25, 0.125", f"{word}, {word}, {word}"))
    code, _, noted, out = run(capsys, folder)
    assert code == 0 or noted.count("\n") == 1
    if code == 0:
        assert np.nanmax(off(out, TRUTH)) < 1.0


@pytest.mark.parametrize("more", [(), ("--refine",)])
def test_a_clip_of_one_frame_is_one_frame(tmp_path, capsys, more):
    code, report, _, out = run(capsys, stage(tmp_path, seen([TRUTH[:1]], CAMERAS)), *more)
    assert code == 0
    assert report["frames"] == 1
    assert np.nanmax(off(out, TRUTH[:1])) < (30.0 if more else 1.0)


@pytest.mark.parametrize(
    "content",
    [
        '{"type": "FeatureCollection", "features": []}',
        '{"keypoints": "none"}',
        "[1, 2, 3]",
        '{"people": 5}',
        '{"version": 1.3, "people": [{"face_keypoints_2d": [1, 2, 3]}]}',
    ],
)
def test_json_of_another_program_is_told(tmp_path, capsys, content):
    folder = stage(tmp_path, seen([TRUTH[:2]], CAMERAS))
    for path in (folder / "pose" / "cam2").iterdir():
        path.write_text(content)
    code, _, noted, out = run(capsys, folder)
    assert code == 1
    assert noted.count("\n") == 1
    assert "cam2" in noted
    assert not out.exists()


def test_nobody_in_any_frame_is_told(tmp_path, capsys):
    views = [hidden(v, slice(None)) for v in seen([TRUTH[:5]], CAMERAS)]
    code, _, noted, _ = run(capsys, stage(tmp_path, views))
    assert code == 1
    assert noted.count("\n") == 1


def test_who_is_not_there_at_first_is_missing_then_also_when_refined(tmp_path, capsys):
    truth = restless(walker(40))
    views = [hidden(v, slice(0, 12)) for v in seen([truth], CAMERAS, noise=1.0)]
    code, _, _, out = run(capsys, stage(tmp_path, views), "--refine")
    assert code == 0
    away = off(out, truth)
    assert np.isnan(away[:12]).all()
    assert np.isfinite(away[12:]).all()
    assert np.nanmedian(away) < 8.0
