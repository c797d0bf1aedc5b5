"""`pallas ik`: OpenSim's trials end where OpenSim ends, and what is wrong with a file is one line."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.capture.coordinates import pose_from_table
from pallas.capture.markers import write_markers
from pallas.capture.osim import read_osim
from pallas.capture.osim_writer import write_osim
from pallas.capture.storage import read_storage
from pallas.pallas_blender import cli
from pallas.rig.model import BodyMarker, Frame, KinematicModel, free, hinge
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.trajectories import MarkerTrajectories

GAIT = "markers/opensim/Gait2354_Simbody/"
FEET = {"x": (0.1, 0.0, 0.0), "y": (0.0, 0.1, 0.0), "z": (0.0, 0.0, 0.1), "o": (0.0, 0.0, -0.1)}


@pytest.fixture
def leg() -> KinematicModel:
    """Two bodies with four markers each."""
    markers = [
        BodyMarker(f"{body}_{name}", body, place)
        for body in ("thigh", "shank")
        for name, place in FEET.items()
    ]
    joints = (free("root", "thigh"), hinge("knee", "thigh", "shank", Frame((0.0, -0.4, 0.0))))
    return KinematicModel("leg", joints, markers=tuple(markers))


@pytest.fixture
def trial(tmp_path, leg):
    """The leg and a recording of it, as files; the knee bends from 0 to 1 radian."""
    pose = np.zeros((60, len(leg.coordinates)))
    pose[:, leg.coordinate_index("knee")] = np.linspace(0.0, 1.0, 60)
    places = markers_in_world(leg, torch.tensor(pose)).numpy() + np.array([0.2, 0.3, 0.9])
    write_osim(tmp_path / "leg.osim", leg)
    recording = MarkerTrajectories(leg.marker_names, places, 100.0, 1.0)
    write_markers(tmp_path / "leg.trc", recording, up="z")
    return recording


def ik(folder, *options: str, trc: str = "leg.trc", osim: str = "leg.osim", up: str = "z") -> int:
    out = str(folder / "out.mot")
    return cli.main(["ik", str(folder / osim), str(folder / trc), "-o", out, "--up", up, *options])


def test_gait2354_ends_where_opensim_ended(data, tmp_path, capsys):
    out = tmp_path / "walk.mot"
    model, trc = data(GAIT + "subject01_simbody.osim"), data(GAIT + "subject01_walk1.trc")
    setup, reference = data(GAIT + "subject01_Setup_IK.xml"), data(GAIT + "subject01_walk1_ik.mot")
    given = ["ik", str(model), str(trc), "-o", str(out), "--tasks", str(setup), "--json"]
    assert cli.main([*given, "--reference", str(reference)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["frames"] == 73
    assert report["weighted_rms_mm"] < 11.7
    assert max(report["against_the_reference"].values()) < 0.1
    opened = pose_from_table(read_storage(out), read_osim(model))
    assert opened.shape == (73, 23)
    assert not report["swaps"]


def test_the_tables_and_plots_of_a_report_say_what_the_recording_says(trial, tmp_path, capsys):
    assert ik(tmp_path, "--report", str(tmp_path / "report"), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["weighted_rms_mm"] < 0.01
    rows = (tmp_path / "report" / "velocities.csv").read_text("utf-8").splitlines()
    column = rows[0].split(",").index("knee [deg/s]")
    speeds = [float(row.split(",")[column]) for row in rows[1:]]
    assert np.median(speeds) == pytest.approx(np.degrees(100.0 / 59.0), rel=1e-3)
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert {"report.json", "residuals.csv", "markers.csv", "angles.csv"} <= names
    assert {"angles.png", "errors.png", "worst_markers.png"} <= names


def test_sizes_in_the_solve_fit_a_larger_person(leg, trial, tmp_path, capsys):
    larger = replace(trial, positions=1.1 * trial.positions)
    write_markers(tmp_path / "larger.trc", larger, up="z")
    assert ik(tmp_path, "--json", trc="larger.trc") == 0
    before = json.loads(capsys.readouterr().out)["weighted_rms_mm"]
    model = tmp_path / "larger.osim"
    options = ("--scale", "--model-out", str(model), "--force", "--json")
    assert ik(tmp_path, *options, trc="larger.trc") == 0
    assert json.loads(capsys.readouterr().out)["weighted_rms_mm"] < 0.2 * before
    knee = next(joint for joint in read_osim(model).joints if joint.name == "knee")
    assert knee.parent_frame.translation[1] == pytest.approx(-0.44, abs=0.004)


def test_frames_without_markers_are_carried_and_told(trial, tmp_path, capsys):
    places = np.array(trial.positions)
    places[20:30, 2:] = np.nan
    write_markers(tmp_path / "gaps.trc", replace(trial, positions=places), up="z")
    assert ik(tmp_path, trc="gaps.trc") == 0
    assert "10 frames show too few markers" in capsys.readouterr().err
    table = read_storage(tmp_path / "out.mot")
    knee = table.values[:, table.names.index("knee")]
    np.testing.assert_allclose(knee, np.degrees(np.linspace(0.0, 1.0, 60)), atol=1.0)


def test_what_is_there_is_kept_unless_told(trial, tmp_path, capsys):
    (tmp_path / "out.mot").write_text("mine")
    assert ik(tmp_path) == 1
    assert (tmp_path / "out.mot").read_text() == "mine"
    assert "--force" in capsys.readouterr().err


def broken(name: str, trial: MarkerTrajectories, leg: KinematicModel, folder) -> None:
    """Write `bad.trc` or `bad.osim` over the good files."""
    trc, osim = folder / "leg.trc", folder / "leg.osim"
    text = osim.read_text("utf-8")
    if name == "other names":
        others = tuple(f"m{k}" for k in range(len(trial.names)))
        write_markers(trc, replace(trial, names=others), up="z", force=True)
    elif name == "two markers in every frame":
        places = np.array(trial.positions)
        places[:, 2:] = np.nan
        write_markers(trc, replace(trial, positions=places), up="z", force=True)
    elif name == "no markers in the model":
        write_osim(osim, leg.with_markers([]), force=True)
    elif name == "a file cut short":
        osim.write_text(text[: len(text) // 2], "utf-8")
    elif name == "a bomb":
        bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]>'
        osim.write_text(text.replace("<OpenSimDocument", f"{bomb}<OpenSimDocument", 1), "utf-8")
    elif name == "limits the wrong way":
        assert "<range>" in text
        osim.write_text(
            text.replace("<range>", "<range>9 -9 <!--").replace("</range>", "--></range>")
        )
    elif name == "duplicate names":
        lines = trc.read_text("utf-8").splitlines(keepends=True)
        lines[3] = lines[3].replace("thigh_y", "thigh_x")
        trc.write_text("".join(lines), "utf-8")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("other names", "share 0 markers"),
        ("two markers in every frame", "no frame shows 3"),
        ("no markers in the model", "the model has no marker"),
        ("a file cut short", "leg.osim"),
        ("a bomb", "leg.osim"),
        ("limits the wrong way", "limits"),
        ("duplicate names", "thigh_x"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(trial, leg, tmp_path, capsys, name, said):
    broken(name, trial, leg, tmp_path)
    assert ik(tmp_path) == 1
    told = capsys.readouterr().err.strip().splitlines()
    assert said in told[-1]
    assert told[-1].startswith("pallas: ")
    assert not (tmp_path / "out.mot").exists()


def test_markers_in_another_unit_are_told(trial, tmp_path, capsys):
    assert ik(tmp_path, "--unit", "m") == 1
    assert "1000 times as far apart as the model" in capsys.readouterr().err
