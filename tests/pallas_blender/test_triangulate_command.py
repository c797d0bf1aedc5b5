import json
from dataclasses import replace

import numpy as np
import pytest
from stages import BODY, calib_toml, restless, ring, seen, walker, write_openpose

from pallas.capture.formats import read_motion
from pallas.capture.markers import read_markers
from pallas.pallas_blender.cli import main
from pallas.rig.skeleton import BODY_JOINTS

CAMERAS = ring(4)
TRUTH = walker(60, velocity=(0.2, 0.1))


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Folders of OpenPose and a calibration."""
    folder = tmp_path_factory.mktemp("stage")
    for k, view in enumerate(seen([TRUTH], CAMERAS)):
        write_openpose(folder / "pose" / f"cam{k + 1}_json", view)
    (folder / "Calib.toml").write_text(calib_toml(CAMERAS))
    return folder


def run(capsys, *words):
    code = main(["triangulate", *map(str, words)])
    told = capsys.readouterr()
    return code, told.out, told.err


def folders(stage):
    return [stage / "pose" / f"cam{k}_json" for k in (1, 2, 3, 4)]


@pytest.mark.parametrize("suffix", [".trc", ".c3d"])
def test_four_folders_become_points_in_space(stage, tmp_path, capsys, suffix):
    out = tmp_path / f"walk{suffix}"
    code, said, _ = run(
        capsys,
        *folders(stage),
        "--calib",
        stage / "Calib.toml",
        "--fps",
        60,
        "--filter",
        "none",
        "-o",
        out,
    )
    assert code == 0
    assert "60 frames, 25 points, 100.0 % found" in said
    markers = read_markers(out)
    assert markers.fps == 60.0
    columns = [BODY.names.index(name) for name in markers.names]
    assert 1000 * np.abs(markers.positions - TRUTH[:, columns]).max() < 0.1


def test_one_folder_may_hold_all_and_json_tells_everything(stage, tmp_path, capsys):
    code, said, noted = run(
        capsys,
        stage / "pose",
        "--calib",
        stage / "Calib.toml",
        "--fps",
        60,
        "-o",
        tmp_path / "o.trc",
        "--json",
    )
    report = json.loads(said)
    assert code == 0
    assert report["frames"] == 60
    assert report["layout"] == "body_25b"
    (person,) = report["people"]
    assert [row["camera"] for row in person["cameras"]] == ["cam_01", "cam_02", "cam_03", "cam_04"]
    assert person["median_px"] < 0.1
    assert person["missing"] == 0
    assert report["warnings"] == []
    assert "warning" not in noted


def test_no_frame_rate_is_taken_for_granted(stage, tmp_path, capsys):
    words = (stage / "pose", "--calib", stage / "Calib.toml", "-o", tmp_path / "o.trc")
    code, _, noted = run(capsys, *words)
    assert code == 1
    assert noted.count("\n") == 1
    assert "don't say their frame rate" in noted
    assert "--fps 60" in noted


def test_the_frame_rate_of_a_project_is_taken_and_said(tmp_path, capsys):
    for k, view in enumerate(seen([TRUTH[:8]], CAMERAS)):
        write_openpose(tmp_path / "pose" / f"cam{k + 1}_json", view)
    (tmp_path / "Calib.toml").write_text(calib_toml(CAMERAS))
    (tmp_path / "Config.toml").write_text("[project]\nframe_rate = 48\n")
    out = tmp_path / "o.trc"
    code, _, noted = run(capsys, tmp_path / "pose", "--calib", tmp_path / "Calib.toml", "-o", out)
    assert code == 0
    assert "48 frames per second, as Config.toml has" in noted
    assert read_markers(out).fps == 48.0


def test_refined_points_have_no_gaps_and_the_body_is_a_motion(tmp_path, capsys):
    truth = walker(24, velocity=(0.2, 0.1))
    blind = list(seen([truth], CAMERAS, noise=2.0))
    for k, view in enumerate(blind):
        confidence = np.array(view.confidence)
        confidence[8:14, :, BODY.names.index("LWrist")] = (
            0.0  # nobody sees it, longer than gaps may be
        )
        write_openpose(tmp_path / "pose" / f"cam{k + 1}", replace(view, confidence=confidence))
    (tmp_path / "Calib.toml").write_text(calib_toml(CAMERAS))
    out, motion = tmp_path / "o.trc", tmp_path / "o.npz"
    words = (tmp_path / "pose", "--calib", tmp_path / "Calib.toml", "--fps", 60, "--gap", 0.05)
    code, said, _ = run(capsys, *words, "--refine", "--motion", motion, "-o", out, "--json")
    assert code == 0
    body = json.loads(said)["people"][0]["body"]
    assert body["missing"] == 0
    assert 1.5 < body["height"] < 2.0
    assert body["refined"]["mean_px"] < 4.0
    markers = read_markers(out)
    columns = [BODY.names.index(name) for name in markers.names]
    assert 1000 * np.median(np.abs(markers.positions - truth[:, columns])) < 5.0
    found = read_motion(motion)
    knee = found.world()[1][:, found.skeleton.index("left_knee")]
    assert 1000 * np.median(np.abs(knee - truth[:, BODY.names.index("LKnee")])) < 40.0
    assert found.skeleton.names == BODY_JOINTS


def test_a_motion_alone_may_be_the_output(stage, tmp_path, capsys):
    words = (stage / "pose", "--calib", stage / "Calib.toml", "--fps", 60, "--motion", "x.npz")
    code, _, noted = run(capsys, *words, "-o", tmp_path / "o.bvh")
    assert code == 1
    assert "are both motions" in noted


def test_several_people_are_several_files(tmp_path, capsys):
    other = walker(60, start=(0.9, 0.5), phase=1.0)
    for k, view in enumerate(seen([TRUTH, other], CAMERAS)):
        write_openpose(tmp_path / "pose" / f"cam{k + 1}", view)
    (tmp_path / "Calib.toml").write_text(calib_toml(CAMERAS))
    out = tmp_path / "two.trc"
    code, *_ = run(
        capsys,
        tmp_path / "pose",
        "--calib",
        tmp_path / "Calib.toml",
        "--fps",
        60,
        "--people",
        2,
        "-o",
        out,
    )
    assert code == 0
    assert out.is_file()
    assert (tmp_path / "two-2.trc").is_file()


def test_exchanged_cameras_are_said_and_put_right_when_asked(tmp_path, capsys):
    cameras = list(CAMERAS)
    wrong = [replace(cameras[k], name=cameras[j].name) for j, k in enumerate((1, 0, 2, 3))]
    for k, view in enumerate(seen([TRUTH], CAMERAS, noise=0.5)):
        write_openpose(tmp_path / "pose" / f"cam{k + 1}", view)
    (tmp_path / "Calib.toml").write_text(calib_toml(wrong))
    words = (
        tmp_path / "pose",
        "--calib",
        tmp_path / "Calib.toml",
        "--fps",
        60,
        "-o",
        tmp_path / "o.trc",
    )
    code, _, noted = run(capsys, *words)
    assert code == 1
    assert "the cameras are exchanged" in noted
    assert "cam1 is of cam_02 and cam2 is of cam_01" in noted
    assert not (tmp_path / "o.trc").exists()
    code, said, noted = run(capsys, *words, "--reorder")
    assert code == 0
    assert "100.0 % found" in said
    assert "taken so" in noted


def test_views_of_other_rates_and_times_are_brought_together(tmp_path, capsys):
    truth = restless(walker(240, velocity=(0.2, 0.0)))
    for k, view in enumerate(seen([truth], CAMERAS, noise=0.3)):
        every, first = (2, 0) if k == 1 else (1, 15 * (k == 2))
        write_openpose(
            tmp_path / "pose" / f"cam{k + 1}",
            replace(
                view,
                positions=view.positions[first::every],
                confidence=view.confidence[first::every],
            ),
        )
    (tmp_path / "Calib.toml").write_text(calib_toml(CAMERAS))
    words = (tmp_path / "pose", "--calib", tmp_path / "Calib.toml", "-o", tmp_path / "o.trc")
    code, _, noted = run(capsys, *words, "--fps", "60,30,60,60")
    assert code == 1
    assert "30 and 60 frames per second; give --sync" in noted
    code, said, noted = run(capsys, *words, "--fps", "60,30,60,60", "--sync", "--json")
    assert code == 0
    assert json.loads(said)["people"][0]["median_px"] < 3.0
    assert "cam3 started 0.250 s after cam1" in noted


def test_an_output_that_is_there_is_kept(stage, tmp_path, capsys):
    out = tmp_path / "o.trc"
    out.write_text("mine")
    code, _, noted = run(capsys, stage / "pose", "--calib", stage / "Calib.toml", "-o", out)
    assert code == 1
    assert "--force" in noted
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing"], "does not exist"),
        (["pose/cam1_json"], "one view; triangulation needs at least two"),
        (["pose", "--fps", "60,30"], "2 frame rates for 4 views"),
        (["Calib.toml"], "Calib.toml: no JSON"),
        (["pose", "--layout", "coco_17"], "25 keypoints; coco_17 has 17"),
        (["pose", "--min-cameras", "5"], "--min-cameras is 5, and there are 4 views"),
        (["pose", "--filter", "soft"], "no filter 'soft'"),
        (["pose", "--confidence", "0.99"], "no two cameras agree on anybody"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(stage, tmp_path, capsys, monkeypatch, words, told):
    monkeypatch.chdir(stage)
    rate = () if "--fps" in words else ("--fps", 60)
    code, _, noted = run(capsys, *words, *rate, "--calib", "Calib.toml", "-o", tmp_path / "o.trc")
    assert code == 1
    assert told in noted
    assert noted.count("\n") == 1
    assert "Traceback" not in noted
    assert not (tmp_path / "o.trc").exists()


def test_wrong_usage_is_two(capsys):
    assert run(capsys, "pose", "--calib", "c", "-o", "o.trc", "--fps", "fast")[0] == 2
    assert run(capsys, "pose", "--calib", "c", "-o", "o.trc", "--image-size", "big")[0] == 2


def test_the_shared_trial_from_its_archives(data, tmp_path, capsys):
    folder = data("video/pose2sim/openpose")
    archives = [folder / f"pose_cam{k}_json.tar.xz" for k in (1, 2, 3, 4)]
    out = tmp_path / "balancing.trc"
    code, said, _ = run(
        capsys,
        *archives,
        "--calib",
        folder / "Calib_qualisys.toml",
        "--fps",
        60,
        "--refine",
        "-o",
        out,
        "--json",
    )
    assert code == 0
    (person,) = json.loads(said)["people"]
    assert person["missing"] == 0
    assert person["found"] > 0.98
    assert (
        person["body"]["refined"]["median_px"] < person["body"]["triangulated"]["median_px"] + 0.1
    )
    assert person["body"]["refined"]["all_mean_px"] < person["body"]["triangulated"]["all_mean_px"]
    assert person["median_px"] < 12.0
    assert read_markers(out).positions.shape == (100, 25, 3)
