"""Evaluation of solvers over clips: what is averaged, what is printed, and where it is written."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pallas.capture.imu import ImuRecording
from pallas.capture.virtual_imu import ImuErrors, virtual_recording
from pallas.neural.baselines import MeanPose
from pallas.neural.body import posed_from_world
from pallas.neural.evaluation import solvers
from pallas.neural.evaluation.clips import EvaluationClip, library_clips
from pallas.neural.evaluation.drift import drift, evaluate_drift, walks
from pallas.neural.evaluation.evaluate import TABLE_UNITS, Row, evaluate_solvers
from pallas.neural.evaluation.motion_encoder import MotionEncoder
from pallas.neural.evaluation.pages import block, fill
from pallas.neural.evaluation.real import JOINTS, RealTrial
from pallas.neural.evaluation.real_table import real_tables
from pallas.neural.evaluation.solvers import (
    Take,
    find_weights,
    legs_solver,
    network_solver,
)
from pallas.neural.evaluation.suite import read_generator, read_runs, read_suite
from pallas.neural.evaluation.tables import accuracy_tables, drift_table, suite_tables
from pallas.neural.generator import GeneratorOptions
from pallas.neural.generator.network import Generator, GeneratorConfig
from pallas.neural.generator.stored import save_generator
from pallas.neural.library.store import Entry, save_clip, save_index
from pallas.neural.network import ROOT_OUTPUTS
from pallas.neural.predict import Posed
from pallas.neural.weights import build, save_network
from pallas.rig import FileError, ModelError, Motion, body_skeleton, quaternion

X, _, Z = np.eye(3)
PERFECT = {"perfect": None}


def walking(frames: int, speed: float = 1.0) -> Motion:
    """A body that swings its legs once a second and goes along x."""
    skeleton = body_skeleton()
    times = np.arange(frames) / 60.0
    vectors = np.zeros((frames, 24, 3))
    vectors[:, skeleton.index("left_hip"), 0] = 0.4 * np.sin(2 * np.pi * times)
    vectors[:, skeleton.index("right_hip"), 0] = -0.4 * np.sin(2 * np.pi * times)
    root = np.tile(skeleton.offsets[0], (frames, 1))
    root[:, 0] += speed * times
    return Motion(skeleton, root, quaternion.from_rotation_vector(vectors), 60.0)


def clip(name: str, frames: int, speed: float = 1.0) -> EvaluationClip:
    group, subject = name.split("/", maxsplit=1)[0], name.split("_", maxsplit=1)[0]
    return EvaluationClip(name, group, walking(frames, speed), subject)


def turning(degrees: Sequence[float]):
    """A solver that knows the truth, but turns the left hip; one take for each angle."""

    def solved(recording: ImuRecording, truth: Motion) -> list[Take]:
        takes = []
        for angle in degrees:
            rotations = np.array(truth.rotations)
            hip = truth.skeleton.index("left_hip")
            turn = quaternion.from_axis_angle(X, np.radians(angle))
            rotations[:, hip] = quaternion.multiply(rotations[:, hip], turn)
            takes.append(Take(replace(truth, rotations=rotations), None))
        return takes

    return solved


def rows_of(degrees: Sequence[float], clips: Sequence[EvaluationClip], **options) -> list[Row]:
    options = {"conditions": PERFECT, **options}
    return evaluate_solvers({"ours": turning(degrees)}, clips, lambda *_: None, **options)


def resting() -> MeanPose:
    """A network that always says the T-pose."""
    rest = posed_from_world(torch.eye(3).expand(24, 3, 3)).flatten()
    return MeanPose(torch.cat([rest, torch.zeros(ROOT_OUTPUTS)]))


def test_every_group_has_a_row_and_all_of_them_together_one():
    rows = rows_of([8.0], [clip("cmu/02_01", 60), clip("ui/s08_01", 120)])
    assert [(row.group, row.clips, row.frames) for row in rows] == [
        ("cmu", 1, 60),
        ("all", 2, 180),
        ("ui", 1, 120),
    ]
    for row in rows:
        assert set(row.metrics) == set(TABLE_UNITS)
        assert row.metrics["sip_error"] == pytest.approx(2.0)
        assert np.isnan(row.metrics["frechet"])


def test_one_set_alone_needs_no_row_for_all():
    assert [row.group for row in rows_of([0.0], [clip("cmu/1", 60)])] == ["cmu"]


def test_of_several_takes_the_mean_and_the_best_are_told():
    metrics = rows_of([8.0, 24.0], [clip("cmu/1", 60)])[0].metrics
    assert metrics["sip_error"] == pytest.approx(4.0)
    assert metrics["sip_error_best"] == pytest.approx(2.0)
    assert metrics["diversity"] > 1.0


def test_the_frechet_distance_grows_with_the_error():
    torch.manual_seed(0)
    encoder = MotionEncoder().eval()
    clips = [clip("cmu/1", 200), clip("cmu/2", 200)]
    none, some, much = (
        rows_of([angle], clips, encoder=encoder)[0].metrics["frechet"] for angle in (0.0, 10, 40)
    )
    assert none == pytest.approx(0.0, abs=1e-6)
    assert none < some < much


def test_sensor_errors_are_the_same_for_every_solver_and_differ_by_clip():
    seen: list[np.ndarray] = []

    def looking(recording: ImuRecording, truth: Motion) -> list[Take]:
        seen.append(recording.acceleration)
        return [Take(truth, None)]

    clips = [clip("cmu/1", 60), clip("cmu/2", 60)]
    worn = {"worn": ImuErrors.worn()}
    evaluate_solvers({"a": looking, "b": looking}, clips, lambda *_: None, conditions=worn)
    np.testing.assert_array_equal(seen[0], seen[1])
    assert np.abs(seen[0] - seen[2]).max() > 0.01


def test_a_network_is_judged_as_solve_uses_it():
    recording_of_rest = rows_of([0.0], [clip("cmu/1", 90, speed=0.0)])
    ways = {"rest": network_solver(resting())}
    rows = evaluate_solvers(ways, [clip("cmu/1", 90, 0.0)], lambda *_: None, conditions=PERFECT)
    swing = np.degrees(0.4 * np.abs(np.sin(2 * np.pi * np.arange(90) / 60.0)).mean())
    assert rows[0].metrics["sip_error"] == pytest.approx(swing / 2, rel=0.05)
    assert 0.0 <= rows[0].metrics["contact_f1"] <= 1.0
    assert recording_of_rest[0].metrics["sip_error"] == pytest.approx(0.0, abs=1e-6)


def test_generated_legs_are_as_many_takes_of_one_posed_body(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def drawn(posed: Posed, bones: np.ndarray, acceleration: np.ndarray, *how: object):
        asked.append((*how, bones.shape, acceleration.shape))
        return tuple(replace(posed, contacts=np.full((30, 2), p)) for p in (0.2, 0.9))

    monkeypatch.setattr(solvers, "generate_posed", drawn)
    truth = walking(30)
    generator = Generator(GeneratorConfig())
    takes = legs_solver(resting(), generator, takes=2, seed=5)(virtual_recording(truth), truth)
    assert asked == [(GeneratorOptions(takes=2, seed=5), generator, (30, 4, 4), (30, 4, 3))]
    assert [bool(take.contacts.all()) for take in takes] == [False, True]


def test_tables_have_a_column_per_solver_and_the_true_motion_and_no_row_that_nobody_can_tell():
    text = accuracy_tables(rows_of([8.0], [clip("cmu/1", 60), clip("ui_prmd/2", 60)]))
    assert "CMU, 1 clips, 0.0 minutes, perfect sensors:" in text
    assert "All clips, 2 clips" in text
    assert "| metric | unit | ours | true motion |" in text
    assert "| SIP error | degrees | 2.00 | \N{EN DASH} |" in text
    jerk = next(line for line in text.splitlines() if line.startswith("| jerk |"))
    assert "\N{EN DASH}" not in jerk
    assert "root drift 5m" not in text
    assert "jerk true" not in text


def test_a_block_is_put_between_its_marks_and_nothing_else_changes(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- end of a -->\nafter <!-- b -->\n")
    fill(page, "a", block(["x"], [["1"]]))
    assert page.read_text() == (
        "before\n<!-- a -->\n| x |\n| --- |\n| 1 |\n<!-- end of a -->\nafter <!-- b -->\n"
    )
    fill(page, "a", "new\n")
    assert page.read_text() == "before\n<!-- a -->\nnew\n<!-- end of a -->\nafter <!-- b -->\n"


@pytest.mark.parametrize("text", ["", "<!-- a -->\n", "<!-- end of a -->\n<!-- a -->\n"])
def test_a_page_without_marks_is_left_as_it_is(tmp_path: Path, text: str):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(FileError, match="marks"):
        fill(page, "a", "new\n")
    assert page.read_text() == text
    with pytest.raises(FileError, match="can't be read"):
        fill(tmp_path / "none.md", "a", "new\n")


def test_a_suite_lists_finished_networks_with_what_they_cost(tmp_path: Path):
    network = build("lstm", {"hidden": 8})
    for name, extra in (("b", {"steps": 20, "minutes": 1.5}), ("a", {"extra": {"steps": 10}})):
        (tmp_path / name).mkdir()
        save_network(tmp_path / name / "lstm", "lstm", network, extra)
    (tmp_path / "unfinished").mkdir()
    runs = read_suite(tmp_path)
    assert [(run.name, run.steps, run.minutes) for run in runs] == [
        ("a", 10, None),
        ("b", 20, 1.5),
    ]
    assert runs[0].parameters == sum(p.numel() for p in network.parameters())
    rows = evaluate_solvers(
        {run.name: turning([8.0]) for run in runs},
        [clip("cmu/1", 60)],
        lambda *_: None,
        conditions=PERFECT,
    )
    lines = suite_tables(runs, rows).splitlines()
    assert lines[2].startswith("| network | parameters | steps | minutes | angular, upper |")
    assert lines[4].startswith("| a | 0.0")
    assert "| 20 | 1.5 | 0.00 |" in lines[5]


def test_a_generator_costs_what_its_two_networks_cost_together(tmp_path: Path):
    save_generator(
        tmp_path / "generator", Generator(GeneratorConfig()), {"steps": [3, 4], "minutes": [1, 0.5]}
    )
    _, run = read_generator(tmp_path)
    assert (run.name, run.steps, run.minutes) == ("generator of legs", 7, 1.5)


def test_a_folder_without_networks_is_told(tmp_path: Path):
    with pytest.raises(ModelError, match="no finished network"):
        read_suite(tmp_path)
    with pytest.raises(ModelError, match="no finished network"):
        find_weights(tmp_path / "lstm")


def test_networks_are_named_by_folder_or_by_file(tmp_path: Path):
    save_network(tmp_path / "mine", "lstm", build("lstm", {"hidden": 8}))
    assert find_weights(tmp_path) == find_weights(tmp_path / "mine") == [tmp_path / "mine"]
    assert find_weights(tmp_path / "mine.json") == [tmp_path / "mine"]
    assert [run.name for run in read_runs([tmp_path / "mine"])] == ["pallas", "mine"]


def test_real_takes_are_told_by_parts_by_joints_and_by_what_was_removed():
    clean, wrong, removed = (dict.fromkeys(JOINTS, value) for value in (10.0, 30.0, 12.0))
    text = real_tables(
        [RealTrial("walk", 2.0, clean, wrong, removed, 0.9, 0.85, 0.5)],
        {"other": "no sensor on the neck"},
    )
    assert (
        "| walk | 2.0 | 10.00 | 30.00 | 12.00 | 10.00 | 30.00 | 12.00 | 90 % | 85 % | 50 % |"
        in text
    )
    assert "| left elbow | 10.00 | 30.00 | 12.00 |" in text
    assert "| other | no sensor on the neck |" in text


def test_clips_of_a_library_come_from_the_split_that_was_asked_for(tmp_path: Path):
    entries = []
    for number, split in enumerate(["test", "train", "test", "test"]):
        name = f"cmu/02_0{number}"
        save_clip(tmp_path, name, walking(20))
        entries.append(Entry(name, "cmu/02", "CMU", "free", split, 1.0, False, 60.0, 20))
    save_index(tmp_path, entries)
    assert [c.name for c in library_clips(tmp_path)] == ["cmu/02_00", "cmu/02_02", "cmu/02_03"]
    found = library_clips(tmp_path, every=2)
    assert [(c.name, c.group, c.subject) for c in found] == [
        ("cmu/02_00", "cmu", "cmu/02"),
        ("cmu/02_03", "cmu", "cmu/02"),
    ]


def test_walks_are_the_longest_of_each_performer_who_goes_somewhere():
    clips = [
        clip("cmu/02_01", 200),
        clip("cmu/02_02", 300),
        clip("cmu/05_01", 400, speed=0.1),
        clip("cmu/08_01", 250),
        clip("cmu/49_01", 60),
    ]
    assert [walk.name for walk in walks(clips, 3)] == ["cmu/02_02", "cmu/08_01"]


def test_drift_is_how_far_and_how_wrongly_turned_the_body_is_after_so_long():
    truth = walking(60 * 60 + 1)
    turn = quaternion.from_axis_angle(Z, np.radians(10.0) * truth.times / 60.0)
    rotations = np.array(truth.rotations)
    rotations[:, 0] = quaternion.multiply(turn, rotations[:, 0])
    slow = np.array(truth.root_position) * [0.9, 1.0, 1.0] + [3.0, 0.0, 0.0]
    solved = Motion(truth.skeleton, slow, rotations, 60.0)
    halfway, end = drift(solved, truth, (0.5, 1.0))
    assert halfway == pytest.approx((0.5, 30.0, 3.0, 5.0))
    assert end == pytest.approx((1.0, 60.0, 6.0, 10.0))


def test_a_network_that_stands_still_is_off_by_the_whole_way():
    rows = evaluate_drift(
        {"rest": resting()},
        [clip("cmu/02_01", 150)],
        lambda *_: None,
        minutes=(0.1, 0.2),
        conditions=PERFECT,
    )
    assert [row.minutes for row in rows] == [0.1, 0.2]
    assert rows[1].travelled == pytest.approx(12.0, rel=0.02)
    assert rows[1].distance == pytest.approx(12.0, rel=0.15)
    line = drift_table(rows).splitlines()[-1]
    assert line.startswith("| rest | perfect | 0.2 | 12 |")


def test_the_page_defines_every_metric_and_has_a_place_for_every_table():
    page = (Path(__file__).resolve().parents[2] / "docs" / "pallas.md").read_text(encoding="utf-8")
    for name in TABLE_UNITS:
        plain = name.removesuffix("_true").removesuffix("_best")
        stem, part = plain.rsplit("_", 1) if "_" in plain else (plain, "")
        of_a_part = f"`{stem}" in page and f"`_{part}`" in page
        assert f"`{plain}`" in page or of_a_part, name
    for mark in ("pallas", "legs", "ablations", "drift", "facing", "real"):
        assert f"<!-- {mark} -->\n" in page
        assert f"<!-- end of {mark} -->" in page
