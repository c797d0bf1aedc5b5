"""`pallas ik`: trials end where OpenSim ends, its files open there, and its reports say what is so."""

import csv
import json
import sys
from dataclasses import replace

import leg_trial
import numpy as np
import pytest

from pallas.capture.coordinates import pose_from_table
from pallas.capture.markers import read_markers, write_markers
from pallas.capture.osim import WORLD_FROM_GROUND, read_osim
from pallas.capture.osim_writer import write_osim
from pallas.capture.storage import read_storage
from pallas.pallas_blender import cli, ik_files
from pallas.rig.model import KinematicModel
from pallas.rig.solve.swaps import Swap, without_swaps
from pallas.rig.trajectories import MarkerTrajectories

GAIT = "markers/opensim/Gait2354_Simbody/"
TEN = "markers/opensim/Gait10dof18musc/"
TABLES = {"report.json", "markers.csv", "residuals.csv", "angles.csv", "velocities.csv"}
PLOTS = {"angles.png", "velocities.png", "residuals.png", "worst_markers.png", "limits.png"}


@pytest.fixture
def leg() -> KinematicModel:
    return leg_trial.leg()


@pytest.fixture
def trial(tmp_path, leg) -> MarkerTrajectories:
    """The leg and a recording of it, as files."""
    write_osim(tmp_path / "leg.osim", leg)
    recording = leg_trial.recorded(leg, 60, start=1.0)
    write_markers(tmp_path / "leg.trc", recording, up="z")
    return recording


@pytest.fixture
def ik(tmp_path, capsys):
    """Run the command on the leg; exit code, lines on stderr, and the JSON object."""

    def run(*options, trc="leg.trc", out="out.mot", up="z"):
        given = [str(tmp_path / "leg.osim"), str(tmp_path / trc), "-o", str(tmp_path / out)]
        code = cli.main(["ik", *given, *(("--up", up) if up else ()), "--json", *options])
        told = capsys.readouterr()
        return code, told.err.splitlines(), json.loads(told.out)

    return run


def solved(data, tmp_path, capsys, model, trc, *options):
    out = tmp_path / "out.mot"
    given = ["ik", str(data(model)), str(data(trc)), "-o", str(out), "--json"]
    assert cli.main([*given, *options]) == 0
    return out, json.loads(capsys.readouterr().out)


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_gait2354_ends_where_opensim_ended(data, tmp_path, capsys):
    setup, reference = data(GAIT + "subject01_Setup_IK.xml"), data(GAIT + "subject01_walk1_ik.mot")
    model, trc = GAIT + "subject01_simbody.osim", GAIT + "subject01_walk1.trc"
    options = ("--tasks", str(setup), "--reference", str(reference))
    out, report = solved(data, tmp_path, capsys, model, trc, *options)
    assert (report["frames"], report["start"], report["end"]) == (73, 0.4, 1.6)
    assert report["weighted_rms_mm"] == pytest.approx(11.6, abs=0.05)
    assert max(each["rms"] for each in report["against_the_reference"].values()) < 0.1
    assert {each["unit"] for each in report["against_the_reference"].values()} == {"deg", "mm"}
    assert report["swaps"] == []
    names = read_osim(data(model)).coordinate_names
    assert read_storage(out).names == names


@pytest.mark.parametrize(
    ("model", "trc", "setup"),
    [
        (f"{GAIT}subject01_simbody.osim", f"{GAIT}subject01_walk1.trc", f"{GAIT}subject01_Setup_IK.xml"),
        (f"{TEN}subject01.osim", f"{TEN}subject01_walk.trc", f"{TEN}walk_Setup_IK.xml"),
    ],
)  # fmt: skip
def test_opensim_opens_the_file_and_puts_the_markers_where_the_report_says(
    data, tmp_path, capsys, model, trc, setup
):
    opensim = pytest.importorskip("opensim")
    folder = tmp_path / "report"
    out, report = solved(
        data, tmp_path, capsys, model, trc, "--tasks", str(data(setup)), "--report", str(folder)
    )
    theirs = opensim.Model(str(data(model)))
    state = theirs.initSystem()
    storage = opensim.Storage(str(out))
    assert storage.isInDegrees()
    theirs.getSimbodyEngine().convertDegreesToRadians(storage)
    measured = read_markers(data(trc))
    measured = measured.clipped(round((report["start"] - measured.start) * measured.fps), None)
    residuals = rows_of(folder / "residuals.csv")
    labels = storage.getColumnLabels()
    for frame in (0, report["frames"] // 2, report["frames"] - 1):
        values = storage.getStateVector(frame).getData()
        for column in range(1, labels.getSize()):
            coordinate = theirs.getCoordinateSet().get(labels.get(column))
            coordinate.setLocked(state, False)
            coordinate.setValue(state, values.get(column - 1), False)
        theirs.realizePosition(state)
        for row in report["marker_errors"]:
            place = theirs.getMarkerSet().get(row["marker"]).getLocationInGround(state)
            place = WORLD_FROM_GROUND @ [place.get(k) for k in range(3)]
            seen = measured.positions[frame, measured.names.index(row["marker"])]
            told = residuals[frame][f"{row['marker']} [mm]"]
            apart = 1000.0 * np.linalg.norm(place - seen)
            assert told == "" if np.isnan(apart) else float(told) == pytest.approx(apart, abs=0.01)


def test_the_tables_of_a_report_say_what_the_recording_says(ik, trial, tmp_path):
    code, _, report = ik("--report", str(tmp_path / "report"))
    assert code == 0
    assert report["weighted_rms_mm"] < 0.01
    speeds = [float(row["knee [deg/s]"]) for row in rows_of(tmp_path / "report" / "velocities.csv")]
    assert speeds == pytest.approx([np.degrees(100.0 / 59.0)] * 60, rel=1e-3)
    angles = [float(row["knee [deg]"]) for row in rows_of(tmp_path / "report" / "angles.csv")]
    assert angles == pytest.approx(np.degrees(np.linspace(0.0, 1.0, 60)), abs=0.01)
    assert {path.name for path in (tmp_path / "report").iterdir()} == TABLES | PLOTS
    assert {row["marker"] for row in rows_of(tmp_path / "report" / "markers.csv")} == {*trial.names}
    assert {path.name for path in tmp_path.iterdir()} == {
        "leg.osim",
        "leg.trc",
        "out.mot",
        "report",
    }


def test_the_same_input_gives_the_same_files(ik, trial, tmp_path):
    for name in ("one", "two"):
        assert ik("--report", str(tmp_path / name), "--force")[0] == 0
    for name in (TABLES | PLOTS) - {"report.json"}:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_marker_that_sits_elsewhere_has_an_offset_in_its_bodys_frame(ik, trial, tmp_path, leg):
    moved = [
        replace(m, position=(0.1, 0.0, 0.02)) if m.name == "thigh_x" else m for m in leg.markers
    ]
    write_osim(tmp_path / "leg.osim", leg.with_markers(moved), force=True)
    _, _, report = ik("--robust", "1")
    worst = report["marker_errors"][0]
    assert (worst["marker"], worst["body"], worst["seen"]) == ("thigh_x", "thigh", 1.0)
    assert worst["offset_mm"] == pytest.approx([0.0, 0.0, -20.0], abs=2.0)


def test_a_coordinate_at_its_limit_is_told(ik, trial, tmp_path, leg):
    limits = {"limits": (-0.1, 0.5), "clamped": True}
    write_osim(tmp_path / "leg.osim", leg.with_coordinates({"knee": limits}), force=True)
    _, lines, report = ik()
    assert 0.4 < report["coordinates_at_limits"]["knee"] < 0.6
    assert any("at or beyond a limit" in line and "knee (" in line for line in lines)


def test_csv_is_written_by_the_ending_of_the_name(ik, trial, tmp_path):
    assert ik(out="out.csv")[0] == 0
    assert list(rows_of(tmp_path / "out.csv")[0])[-1] == "knee [deg]"


def test_only_the_part_that_is_wanted_is_solved(ik, trial):
    _, _, report = ik("--start", "1.1", "--end", "1.2")
    assert (report["frames"], report["start"]) == (11, pytest.approx(1.1))


def test_sizes_in_the_solve_fit_a_larger_person(ik, trial, tmp_path):
    larger = replace(trial, positions=1.1 * trial.positions)
    write_markers(tmp_path / "larger.trc", larger, up="z")
    _, _, before = ik(trc="larger.trc")
    model = tmp_path / "larger.osim"
    options = ("--scale", "--model-out", str(model), "--force")
    _, _, after = ik(*options, trc="larger.trc")
    assert after["weighted_rms_mm"] < 0.2 * before["weighted_rms_mm"]
    knee = next(joint for joint in read_osim(model).joints if joint.name == "knee")
    assert knee.parent_frame.translation[2] == pytest.approx(-0.44, abs=0.004)


def test_markers_move_unless_they_are_fixed_and_the_model_is_written(ik, trial, tmp_path, leg):
    moved = [
        replace(m, position=(0.1, 0.0, 0.02))
        if m.name == "shank_x"
        else replace(m, free=(m.body == "shank",) * 3)
        for m in leg.markers
    ]
    write_osim(tmp_path / "leg.osim", leg.with_markers(moved), force=True)
    assert ik("--fit-markers", "--model-out", str(tmp_path / "marked.osim"))[0] == 0
    marked = {m.name: m.position for m in read_osim(tmp_path / "marked.osim").markers}
    assert marked["shank_x"][2] < 0.01
    assert all(marked[m.name] == m.position for m in moved if m.body == "thigh")


def test_lbfgs_ends_where_lm_ends(ik, trial, tmp_path):
    errors = [ik("--method", m, "--force")[2]["weighted_rms_mm"] for m in ("lm", "lbfgs")]
    assert errors == pytest.approx([0.0, 0.0], abs=0.05)


def test_frames_without_markers_are_carried_and_told(ik, trial, tmp_path):
    places = np.array(trial.positions)
    places[20:25, 2:] = np.nan
    places[25:30] = np.nan
    write_markers(tmp_path / "gaps.trc", replace(trial, positions=places), up="z")
    for options in ((), ("--smooth", "0.01")):
        code, lines, report = ik("--force", *options, trc="gaps.trc")
        assert (code, report["weak_frames"]) == (0, 10)
        assert report["weak_seconds"] == [[pytest.approx(1.2), pytest.approx(1.29)]]
        assert any("10 frames show too few markers (1.20 to 1.29 s)" in line for line in lines)
        table = read_storage(tmp_path / "out.mot")
        knee = table.values[:, table.names.index("knee")]
        np.testing.assert_allclose(knee, np.degrees(np.linspace(0.0, 1.0, 60)), atol=1.5)


def test_exchanged_names_are_told_and_put_right_only_if_asked(ik, trial, tmp_path):
    swap = Swap("pair", ("thigh_x", "shank_z"), 10, 25, 0.0, 0.0)
    write_markers(tmp_path / "wrong.trc", without_swaps(trial, [swap]), up="z")
    _, lines, report = ik(trc="wrong.trc")
    (found,) = report["swaps"]
    assert ({*found["names"]}, found["frames"]) == ({"thigh_x", "shank_z"}, [10, 25])
    assert any("look exchanged" in line and "frames 10 to 24" in line for line in lines)
    assert report["weighted_rms_mm"] > 10.0
    _, lines, report = ik("--fix-swaps", "--force", trc="wrong.trc")
    assert any("were exchanged, which is put right" in line for line in lines)
    assert report["weighted_rms_mm"] < 0.01


def test_the_axis_that_is_up_changes_nothing(ik, trial, tmp_path):
    angles = []
    for up in ("y", "z"):
        write_markers(tmp_path / f"{up}.trc", trial, up=up)
        assert ik("--force", trc=f"{up}.trc", up=up)[0] == 0
        angles.append(
            pose_from_table(read_storage(tmp_path / "out.mot"), read_osim(tmp_path / "leg.osim"))
        )
    np.testing.assert_allclose(angles[0], angles[1], atol=1e-4)


def test_where_the_markers_do_not_tell_what_is_up_the_model_does(ik, trial, tmp_path):
    as_wide_as_high = ("thigh_x", "thigh_y", "thigh_z")
    write_markers(tmp_path / "thigh.trc", trial.chosen(as_wide_as_high), up="z")
    _, lines, report = ik(trc="thigh.trc", up=None)
    assert (report["up"], report["up_is"]) == ("z", "detected")
    assert any("do not tell what is up: taken is z" in line for line in lines)


def test_without_matplotlib_there_are_tables_and_a_line(ik, trial, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, lines, _ = ik("--report", str(tmp_path / "report"))
    assert code == 0
    assert any("pip install matplotlib" in line for line in lines)
    assert {path.name for path in (tmp_path / "report").iterdir()} == TABLES


def test_what_is_there_is_kept_unless_told(ik, trial, tmp_path):
    (tmp_path / "out.mot").write_text("mine")
    code, lines, _ = ik()
    assert (code, (tmp_path / "out.mot").read_text()) == (1, "mine")
    assert "--force" in lines[-1]
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "angles.png").write_text("mine")
    assert ik("--report", str(tmp_path / "report"), out="other.mot")[0] == 1
    assert (tmp_path / "report" / "angles.png").read_text() == "mine"
    assert not (tmp_path / "other.mot").exists()


def test_a_report_that_fails_leaves_nothing(ik, trial, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ik_files, "_tables", full)
    code, lines, _ = ik("--report", str(tmp_path / "report"))
    assert code == 1
    assert "No space left" in lines[-1]
    assert {path.name for path in tmp_path.iterdir()} == {"leg.osim", "leg.trc"}


def test_a_reference_whose_angles_are_whole_turns_away_is_no_different(ik, trial, tmp_path):
    assert ik(out="first.mot")[0] == 0
    turned = (tmp_path / "first.mot").read_text().splitlines()
    start = turned.index("endheader") + 2
    rows = [
        "\t".join([*r.split("\t")[:-1], str(float(r.split("\t")[-1]) + 360.0)])
        for r in turned[start:]
    ]
    (tmp_path / "turned.mot").write_text("\n".join([*turned[:start], *rows, ""]))
    _, _, report = ik("--reference", str(tmp_path / "turned.mot"))
    assert report["against_the_reference"]["knee"]["rms"] == pytest.approx(0.0, abs=1e-6)
