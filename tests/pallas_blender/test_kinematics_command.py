"""`pallas kinematics`: a walk of the anatomical model comes back as angles, gait and a page."""

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.capture.formats import read_motion
from pallas.capture.markers import read_markers, write_markers
from pallas.capture.osim import read_osim
from pallas.capture.storage import read_storage
from pallas.pallas_blender import cli
from pallas.rig.anatomy import anatomical_model
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.trajectories import MarkerTrajectories

FPS = 50.0
LEGS = ("pelvis", "femur", "tibia", "talus", "calcn", "torso")


def walking(frames=150):
    """Poses (T, D) of a walk at 1.2 m/s, a stride a second: the knee bends 60 degrees, the hip moves 40."""
    model = anatomical_model()
    pose = np.tile(model.default_pose, (frames, 1))
    times = np.arange(frames) / FPS
    pose[:, model.coordinate_index("pelvis_tx")] = 1.2 * times
    for side, start in (("r", 0.0), ("l", 0.5)):
        phase = 2.0 * np.pi * (times + start)
        pose[:, model.coordinate_index(f"hip_flexion_{side}")] = np.radians(20.0 * np.cos(phase))
        bend = np.radians(30.0 * (1.0 - np.cos(phase + 0.9)))
        pose[:, model.coordinate_index(f"knee_angle_{side}")] = bend
    return model, pose


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """The walk's markers of legs and trunk, in a file."""
    model, pose = walking()
    chosen = [
        marker.name
        for marker in model.markers
        if marker.name.endswith("_study") and marker.body.split("_")[0] in LEGS
    ]
    found = markers_in_world(model, torch.as_tensor(pose)).numpy()
    places = found[:, [model.marker_index(name) for name in chosen]]
    path = tmp_path_factory.mktemp("trial") / "walk.trc"
    write_markers(path, MarkerTrajectories(tuple(chosen), places, FPS))
    return path


@pytest.fixture(scope="module")
def done(trial):
    """The command run once; its folder and report."""
    out = trial.parent / "walk"
    assert cli.main(["kinematics", str(trial), "-o", str(out), "--height", "1.75"]) == 0
    return out, json.loads((out / "report.json").read_text(encoding="utf-8"))


def column(path, name):
    table = read_storage(path)
    return table.values[:, table.names.index(name)]


def test_angles_and_their_velocities_come_back(done):
    out, report = done
    model, pose = walking()
    for name in ("hip_flexion_r", "knee_angle_l"):
        truth = np.degrees(pose[:, model.coordinate_index(name)])
        assert np.abs(column(out / "angles.mot", name) - truth).max() < 1.5
        speed = np.gradient(truth, 1.0 / FPS)
        away = (column(out / "velocities.mot", name) - speed)[10:-10]
        assert np.sqrt((away**2).mean()) < 0.05 * np.ptp(speed)
    assert report["cutoff_hz"] == 6.0
    assert "cut-off 6 Hz" in (out / "accelerations.mot").read_text(encoding="utf-8").splitlines()[0]
    assert "[deg/s^2]" in (out / "accelerations.csv").read_text(encoding="utf-8").splitlines()[0]


def test_the_walk_is_measured(done):
    _, report = done
    gait = report["gait"]
    assert gait["cadence_steps_per_minute"] == pytest.approx(120.0, abs=2.0)
    assert gait["left"]["strides"] == gait["right"]["strides"] == 2
    assert gait["right"]["range_deg"]["knee_angle_r"]["mean"] == pytest.approx(60.0, abs=2.0)
    assert gait["right"]["range_deg"]["hip_flexion_r"]["mean"] == pytest.approx(40.0, abs=2.0)


def test_the_page_stands_alone_with_its_pictures_inside(done):
    page = (done[0] / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg ") == len(list(done[0].glob("*.svg"))) == 6
    assert not re.search(r'(src|href)="', page)
    assert "knee range" in page and "120/min" in page and "cut-off 6 Hz" in page


def test_model_and_motion_go_on_to_other_programs(done):
    out, _ = done
    assert "r_knee_study" in read_osim(out / "model.osim").marker_names
    motion, again = read_motion(out / "motion.npz"), read_motion(out / "motion.bvh")
    assert len(motion) == len(again) == 150
    assert motion.root_position[-1, 0] - motion.root_position[0, 0] == pytest.approx(
        1.2 * 2.98, abs=0.02
    )


def test_what_is_there_stays(done, trial, capsys):
    before = (done[0] / "report.html").stat().st_mtime_ns
    assert cli.main(["kinematics", str(trial), "-o", str(done[0])]) == 1
    assert "pass --force" in capsys.readouterr().err
    assert (done[0] / "report.html").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda m: m.clipped(0, 1), "1 frames, too few for velocities"),
        (lambda m: m.chosen(list(m.names[:2])), "share 2 markers"),
        (lambda m: replace(m, names=tuple(f"x{name}" for name in m.names)), "share 0 markers"),
        (lambda m: replace(m, positions=np.full_like(m.positions, np.nan)), "no frame shows"),
    ],
)
def test_a_bad_recording_is_told_in_one_line(trial, tmp_path, capsys, spoil, message):
    write_markers(tmp_path / "bad.trc", spoil(read_markers(trial)))
    out = tmp_path / "out"
    assert cli.main(["kinematics", str(tmp_path / "bad.trc"), "-o", str(out), "--up", "y"]) == 1
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.trc"], "does not exist"),
        (["a.json", "b.json"], "--calib"),
        (["a.mp4", "b.json"], "one kind of input"),
        (["a.trc", "b.trc"], "expected one"),
    ],
)
def test_inputs_that_do_not_fit_are_told_in_one_line(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    for name in ("a.json", "b.json", "a.mp4", "a.trc", "b.trc"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    assert cli.main(["kinematics", *words, "-o", "out"]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_recording_too_short_for_a_stride_says_so_and_is_drawn_without_matplotlib(
    trial, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    short = read_markers(trial).clipped(0, 20)
    write_markers(tmp_path / "short.trc", short)
    out = tmp_path / "out"
    assert cli.main(["kinematics", str(tmp_path / "short.trc"), "-o", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["gait"] is None and "no whole stride" in report["gait_is"]
    assert (out / "report.html").read_text(encoding="utf-8").count("<svg ") == 5


def test_ik_takes_the_packages_model_by_its_name(trial, tmp_path):
    short = read_markers(trial).clipped(0, 20)
    write_markers(tmp_path / "short.trc", short)
    words = ["ik", "pallas", str(tmp_path / "short.trc"), "-o", str(tmp_path / "a.mot"), "--scale"]
    words += ["--motion", str(tmp_path / "a.npz"), "--model-out", str(tmp_path / "a.osim")]
    assert cli.main(words) == 0
    model, pose = walking()
    truth = np.degrees(pose[:20, model.coordinate_index("knee_angle_r")])
    assert np.abs(column(tmp_path / "a.mot", "knee_angle_r") - truth).max() < 1.5
    assert len(read_motion(tmp_path / "a.npz")) == 20
    assert "knee_angle_r" in read_osim(tmp_path / "a.osim").coordinate_names
