"""What users will do wrong: each is one clear line and exit 1, and nothing is lost."""

import dataclasses
import math

import numpy as np
import pytest

from pallas.capture import formats
from pallas.capture.imu import ImuRecording
from pallas.capture.virtual_imu import virtual_recording
from pallas.pallas_blender import cli
from pallas.rig import Motion, body_skeleton, quaternion

STILL = 2.0  # seconds in the N-pose at the start


def arm_swing(seconds=6.0, fps=60.0, outwards=0.0):
    """Someone who stands with hanging arms, then bends both elbows to and fro, facing -Y.

    The left arm is raised to its side too, by up to 1.2 `outwards` radians.
    """
    skeleton = body_skeleton()
    times = np.arange(round(seconds * fps)) / fps
    rotations = np.tile(quaternion.IDENTITY, (len(times), len(skeleton), 1))
    moved = np.maximum(times - STILL, 0.0)
    bend = 0.6 * (1.0 - np.cos(2.0 * math.pi * moved))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        shoulder = skeleton.names.index(f"{side}_shoulder")
        down = sign * math.pi / 2 - (outwards if side == "left" else 0.0) * bend
        y = np.array([0.0, 1.0, 0.0])
        rotations[:, shoulder] = [quaternion.from_axis_angle(y, angle) for angle in down]
        elbow = skeleton.names.index(f"{side}_elbow")
        axis = np.array([0.0, 0.0, -sign])
        rotations[:, elbow] = [quaternion.from_axis_angle(axis, angle) for angle in bend]
    root = np.tile([0.0, 0.0, 1.0], (len(times), 1))
    return Motion(skeleton, root, rotations, fps)


@pytest.fixture(scope="session")
def take():
    """A recording whose mounting is not known, as a device gives it."""
    return dataclasses.replace(virtual_recording(arm_swing()), bone_from_sensor=None)


@pytest.fixture
def run(tmp_path, capsys):
    """Solve a recording; give the exit code, the lines on stderr, and the output's path."""

    def solve(recording, *words, name="take.pallas", out="out.bvh"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(recording, ImuRecording):
            formats.write_recording(path, recording, force=True)
        elif recording is not None:
            path.write_bytes(recording)
        code = cli.main(["solve", str(path), "-o", str(tmp_path / out), *words])
        return code, capsys.readouterr().err.splitlines(), tmp_path / out

    return solve


def scaled(recording, acceleration):
    return dataclasses.replace(recording, acceleration=recording.acceleration * acceleration)


def stretch(recording, samples):
    """Every `samples` of it."""
    return dataclasses.replace(
        recording,
        times=recording.times[samples],
        world_from_sensor=recording.world_from_sensor[samples],
        acceleration=recording.acceleration[samples],
    )


def assert_one_line(outcome, *words):
    code, lines, out = outcome
    assert code == 1, lines
    assert len(lines) == 1, lines
    assert lines[0].startswith("pallas: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert not out.exists()


def test_a_sound_take_is_solved_over_its_whole_span(run, take):
    code, lines, out = run(take)
    assert (code, lines) == (0, [])
    motion = formats.read_motion(out)
    assert len(motion) == len(take)
    assert motion.fps == pytest.approx(60.0)


def test_a_path_with_spaces_and_letters_of_all_kinds_works(run, take):
    code, lines, out = run(take, name="mein Täke 走.pallas", out="Ünd hier 出.bvh")
    assert (code, lines) == (0, [])
    assert out.exists()


def test_a_missing_sensor_is_named(run, take):
    assert_one_line(run(take.selected({n: n for n in take.placements[:3]})), "neck")


def test_accelerations_in_g_are_told_with_the_option_that_helps(run, take):
    outcome = run(scaled(take, 1 / 9.80665))
    assert_one_line(outcome, "in g", "--acceleration-unit g")


def test_accelerations_in_g_are_solved_when_the_option_is_given(run, take):
    code, lines, _ = run(scaled(take, 1 / 9.80665), "--acceleration-unit", "g")
    assert (code, lines) == (0, [])


def test_exchanged_wrists_are_solved_with_a_warning(run):
    take = virtual_recording(arm_swing(outwards=1.0))
    names = ("waist", "right_wrist", "left_wrist", "neck")
    code, lines, _ = run(dataclasses.replace(take, placements=names, bone_from_sensor=None))
    assert code == 0
    assert len(lines) == 1, lines
    assert lines[0].startswith("pallas: warning: ")
    assert "left" in lines[0]


def test_gravity_left_in_is_told(run, take):
    heavy = dataclasses.replace(
        take, acceleration=take.acceleration + np.array([0.0, 0.0, 9.80665])
    )
    assert_one_line(run(heavy), "gravity")


def test_orientations_in_degrees_are_told(run):
    header = "time,waist.qw,waist.qx,waist.qy,waist.qz,waist.ax,waist.ay,waist.az\n"
    rows = "".join(f"{i / 60},90,12,45,180,0,0,0\n" for i in range(200))
    assert_one_line(run((header + rows).encode(), name="take.csv"), "quaternion")


def test_a_gap_is_bridged(run, take):
    orientation, acceleration = take.world_from_sensor.copy(), take.acceleration.copy()
    orientation[200:206, 1] = np.nan
    acceleration[200:206, 1] = np.nan
    gappy = dataclasses.replace(take, world_from_sensor=orientation, acceleration=acceleration)
    code, _, out = run(gappy)
    assert code == 0
    assert np.isfinite(formats.read_motion(out).rotations).all()


def test_a_sensor_that_never_spoke_is_named(run, take):
    orientation = take.world_from_sensor.copy()
    orientation[:, 2] = np.nan
    assert_one_line(run(dataclasses.replace(take, world_from_sensor=orientation)), "right_wrist")


@pytest.mark.parametrize(("samples", "word"), [(0, "no samples"), (1, "sample"), (5, "0.1 s")])
def test_too_few_samples_are_told(run, take, samples, word):
    assert_one_line(run(stretch(take, slice(samples))), word)


@pytest.mark.parametrize("fps", [15.0, 1000.0])
def test_any_rate_is_solved_and_kept(run, fps):
    take = virtual_recording(arm_swing(4.0, fps=max(fps, 60.0)), fps=fps)
    code, lines, out = run(dataclasses.replace(take, bone_from_sensor=None))
    assert (code, lines) == (0, [])
    assert formats.read_motion(out).fps == pytest.approx(fps, rel=1e-3)


def test_a_clock_that_runs_backwards_is_told(run):
    names = ("waist", "left_wrist", "right_wrist", "neck")
    columns = [f"{n}.{c}" for n in names for c in ("qw", "qx", "qy", "qz", "ax", "ay", "az")]
    rows = [f"{t}," + ",".join(["1,0,0,0,0,0,0"] * 4) for t in (0.0, 0.1, 0.05, 0.2)]
    text = "\n".join([",".join(["time", *columns]), *rows]) + "\n"
    assert_one_line(run(text.encode(), name="take.csv"), "clock")


def test_a_recording_cut_in_the_middle_is_solved_up_to_there_and_told(run, take, tmp_path):
    path = tmp_path / "whole.pallas"
    formats.write_recording(path, take)
    content = path.read_bytes()
    code, lines, out = run(content[: len(content) * 2 // 3])
    assert code == 0
    assert len(lines) == 1
    assert lines[0].startswith("pallas: warning: ")
    assert 0.6 * len(take) < len(formats.read_motion(out)) < 0.7 * len(take)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"<mvnx", b"time,x\n1,2\n"])
@pytest.mark.parametrize("suffix", [".pallas", ".csv", ".mvnx", ".xyz"])
def test_any_other_bytes_are_told_in_one_line(run, content, suffix):
    assert_one_line(run(content, name=f"take{suffix}"))


def test_a_take_that_is_not_there_is_told(run):
    assert_one_line(run(None), "does not exist")


def test_an_output_that_is_there_is_kept(run, take, tmp_path):
    (tmp_path / "out.bvh").write_text("mine")
    code, lines, out = run(take)
    assert code == 1
    assert len(lines) == 1
    assert "--force" in lines[0]
    assert out.read_text() == "mine"


def test_an_output_that_is_there_is_replaced_with_force(run, take, tmp_path):
    (tmp_path / "out.bvh").write_text("mine")
    assert run(take, "--force")[0] == 0
    assert (tmp_path / "out.bvh").read_text().startswith("HIERARCHY")


def test_an_output_folder_that_is_not_there_is_told(run, take):
    assert_one_line(run(take, out="nowhere/out.bvh"), "nowhere")


def test_an_output_folder_that_may_not_be_written_is_told(run, take, tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    if can_write(folder):
        folder.rmdir()  # root writes anywhere; the nearest thing to a closed folder is a file
        folder.write_text("not a folder")
    assert_one_line(run(take, out="closed/out.bvh"), "closed")


def can_write(folder):
    try:
        (folder / "try").touch()
    except PermissionError:
        return False
    (folder / "try").unlink()
    return True


def test_an_output_of_unknown_kind_is_told(run, take):
    assert_one_line(run(take, out="out.fbx"), ".npz or .bvh")


def test_a_pose_outside_the_take_is_told(run, take):
    assert_one_line(run(take, "--pose-at", "100:102"), "no sample between")


def test_a_performer_who_moves_in_the_pose_is_told(run, take):
    assert_one_line(run(take, "--pose-at", "2:5"), "stands still")


def test_a_map_to_a_sensor_that_is_not_there_lists_those_that_are(run, take, tmp_path):
    path = tmp_path / "map.json"
    path.write_text('{"waist": "Hips"}')
    assert_one_line(run(take, "--map", str(path)), "Hips", "left_wrist")


@pytest.mark.parametrize("height", ["0", "-1.7", "nan", "170"])
def test_a_height_that_is_no_persons_is_wrong(run, take, height):
    code, lines, out = run(take, f"--height={height}")
    assert code == 2
    assert "metres" in lines[-1]
    assert not out.exists()


@pytest.mark.parametrize("command", ["info"])
def test_info_tells_a_damaged_file_in_one_line(tmp_path, capsys, command):
    path = tmp_path / "take.bvh"
    path.write_text("HIERARCHY\nROOT")
    assert cli.main([command, str(path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_info_counts_what_a_recording_holds(tmp_path, capsys, take):
    path = tmp_path / "take.pallas"
    formats.write_recording(path, take)
    assert cli.main(["info", str(path)]) == 0
    words = capsys.readouterr().out
    assert "waist, left_wrist, right_wrist, neck" in words
    assert str(len(take)) in words
