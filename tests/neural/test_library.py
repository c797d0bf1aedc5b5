"""The motion library: what is mended, what is refused, who is in which split."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import pallas.neural.library as room
from pallas.neural.library import SPLITS, Library, build_library, load_library, load_splits
from pallas.neural.library.checks import clip_floor, on_floor, problem_of, steady_parts
from pallas.neural.library.mend import mended, restored_cmu_bvh, without_pose_frame
from pallas.neural.library.ui_prmd import with_resting_neck
from pallas.rig import (
    FileError,
    FormatError,
    Motion,
    OutputError,
    Skeleton,
    body_skeleton,
    quaternion,
)

BODY = body_skeleton(1.7)


def standing(frames: int = 240, fps: float = 120.0, height: float = 0.0) -> Motion:
    """Stand still, the soles at `height`."""
    rotations = np.tile(quaternion.IDENTITY, (frames, 24, 1))
    root = np.tile(BODY.offsets[0] + [0.0, 0.0, height], (frames, 1))
    return Motion(BODY, root, rotations, fps)


def turned(motion: Motion, joint: str, frames: slice, angle: float) -> Motion:
    """Turn one joint about x on some frames."""
    rotations = np.array(motion.rotations)
    turn = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.asarray(angle))
    rotations[frames, BODY.index(joint)] = turn
    return Motion(BODY, motion.root_position, rotations, motion.fps)


def moved(motion: Motion, frames: slice, by: tuple[float, float, float]) -> Motion:
    """Shift the root on some frames."""
    root = np.array(motion.root_position)
    root[frames] += by
    return Motion(BODY, root, motion.rotations, motion.fps)


def test_a_glitch_of_one_to_three_frames_is_bridged_and_a_longer_move_is_not():
    for length in (1, 2, 3):
        whole, touched = mended(turned(standing(), "left_knee", slice(100, 100 + length), 0.5))
        assert touched == length
        assert quaternion.angle(whole.rotations, quaternion.IDENTITY).max() < 1e-9
    whole, touched = mended(turned(standing(), "left_knee", slice(100, 110), 0.5))
    assert touched == 0
    assert (
        quaternion.angle(whole.rotations[105, BODY.index("left_knee")], quaternion.IDENTITY) > 0.4
    )


def test_a_root_that_leaves_for_a_frame_is_bridged():
    whole, touched = mended(moved(standing(), slice(50, 51), (0.2, 0.0, 0.0)))
    assert touched == 1
    assert np.ptp(whole.root_position, axis=0).max() < 1e-9


def test_a_wrist_that_flips_over_is_interpolated():
    whole, _ = mended(turned(standing(), "left_wrist", slice(60, 120), 3.0))
    assert quaternion.angle(whole.rotations, quaternion.IDENTITY).max() < 1e-9


def test_a_calibration_pose_in_the_first_frame_is_dropped_and_a_normal_start_is_not():
    assert len(without_pose_frame(turned(standing(), "left_shoulder", slice(0, 1), 1.2))) == 239
    assert len(without_pose_frame(standing())) == 240


def test_the_lost_bones_of_the_cmu_conversion_come_back():
    names = ("Hips", "Spine", "Spine1", "Neck", "LeftShoulder", "RightShoulder", "LeftForeArm",
             "LeftHand", "LeftFingerBase", "LThumb", "RightForeArm", "RightHand",
             "RightFingerBase", "RThumb")  # fmt: skip
    parents = (-1, 0, 1, 2, 2, 2, 4, 6, 7, 7, 5, 10, 11, 11)
    offsets = np.zeros((14, 3))
    offsets[2] = (0.0, 0.01, 0.11)
    offsets[7], offsets[11] = (0.2, 0.0, 0.0), (-0.22, 0.0, 0.0)
    still = np.tile(quaternion.IDENTITY, (2, 14, 1))
    motion = Motion(Skeleton(names, parents, offsets), np.zeros((2, 3)), still, 120.0)
    fixed = restored_cmu_bvh(motion).skeleton.offsets
    np.testing.assert_allclose(fixed[3], [0.0, 0.0, np.hypot(0.01, 0.11)])
    np.testing.assert_allclose(fixed[8], [0.1, 0.0, 0.0])
    np.testing.assert_allclose(fixed[12], [-0.11, 0.0, 0.0])


def test_a_neck_that_is_always_bent_rests_so_and_no_joint_moves():
    bent = turned(turned(standing(), "neck", slice(None), 0.25), "head", slice(None), -0.3)
    (resting,) = with_resting_neck([bent])
    np.testing.assert_allclose(resting.world()[1], bent.world()[1], atol=1e-12)
    neck, head = resting.rotations[0, BODY.index("neck")], resting.rotations[0, BODY.index("head")]
    assert quaternion.angle(neck, quaternion.IDENTITY) < 1e-9
    assert quaternion.to_rotation_vector(head)[0] == pytest.approx(-0.05)


def test_a_clip_stands_on_the_floor_and_one_on_a_box_keeps_its_height():
    clips = [standing(height=0.50), standing(height=0.51), standing(height=0.80)]
    floors = [clip_floor(clip) for clip in on_floor(clips)]
    np.testing.assert_allclose(floors, [0.0, 0.0, 0.29], atol=1e-9)


@pytest.mark.parametrize(
    ("motion", "reason"),
    [
        (standing(), ""),
        (standing(height=0.5), "feet never nearer to the floor than 50 cm"),
        (moved(standing(), slice(0, 20), (0, 0, -0.3)), "feet 30 cm under the floor"),
        (standing(frames=5), "lasts 0.03 s"),
        (turned(standing(), "right_knee", slice(0, 200), -1.0), "right knee bends backwards"),
    ],
)
def test_what_makes_a_clip_unusable_is_told(motion: Motion, reason: str):
    found = problem_of(motion)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_a_clip_is_cut_where_it_jumps_and_flipped_frames_are_left_out():
    motion = moved(standing(600), slice(300, None), (1.0, 0.0, 0.0))
    assert steady_parts(motion) == (
        [(0, 300), (300, 600)],
        "the pelvis jumps at frame 299: 120 m/s",
    )
    flipped = turned(standing(600), "left_hip", slice(200, 400), 2.5)
    assert steady_parts(flipped)[0] == [(0, 200), (400, 600)]
    assert steady_parts(standing(600)) == ([(0, 600)], "")


def test_no_subject_is_in_two_splits_and_those_that_may_be_one_person_are_together():
    splits = load_splits()
    assert set(splits.values()) == set(SPLITS)
    table = json.loads((Path(room.__file__).parent / "splits.json").read_text())
    for group in table["together"]:
        assert len({splits[subject] for subject in group}) == 1
    with_retargets = {"cmu/10", "cmu/13", "cmu/60", "cmu/61", "cmu/94", "cmu/06"}
    assert all(splits[subject] == "train" for subject in with_retargets)


def test_a_subject_in_two_splits_is_refused(tmp_path):
    table = {"train": ["cmu/01"], "validation": [], "test": ["cmu/01"]}
    (tmp_path / "splits.json").write_text(json.dumps(table))
    with pytest.raises(FormatError, match="cmu/01 is in train and in test"):
        load_splits(tmp_path / "splits.json")


CLIPS = ("cmu/02_01", "cmu/06_01", "cmu/06_04")


@pytest.fixture(scope="module")
def library(data, tmp_path_factory) -> Library:
    out = tmp_path_factory.mktemp("library")
    build_library(data("motion/cmu.tar.xz").parent, out, only=CLIPS)
    return load_library(out)


def test_three_clips_of_three_formats_become_bodies_at_their_own_rate(library):
    assert [clip.name for clip in library] == list(CLIPS)
    asf, bvh, daz = library
    assert (asf.split, asf.subject, asf.weight, asf.retargeted) == ("test", "cmu/02", 1.0, False)
    assert (daz.split, daz.retargeted) == ("train", True)
    assert daz.weight < 1.0
    for clip in (asf, bvh, daz):
        assert clip.motion.fps == 120.0
        assert abs(clip_floor(clip.motion)) < 0.04
        assert problem_of(clip.motion) == ""
    assert len(asf.motion) == 343  # the file's frames, all of them


def test_a_walk_walks_forwards_with_its_head_up_and_swings_its_arms(library):
    motion = library["cmu/02_01"].motion
    world, origins = motion.world()
    forward = quaternion.rotate(world[:, 0], np.array([0.0, -1.0, 0.0]))
    step = origins[-1, 0] - origins[0, 0]
    assert np.linalg.norm(step[:2]) > 2.0
    assert np.all(forward @ (step / np.linalg.norm(step)) > 0.8)
    assert np.all(origins[:, BODY.index("head"), 2] > origins[:, 0, 2] + 0.4)
    wrists = origins[:, [BODY.index("left_wrist"), BODY.index("right_wrist")]] - origins[:, :1]
    swing = wrists @ (step / np.linalg.norm(step))
    assert np.all(np.ptp(swing, axis=0) > 0.3)
    assert np.corrcoef(swing.T)[0, 1] < -0.5  # one arm is in front while the other is behind


def test_splits_can_be_loaded_alone_and_unknown_names_are_told(library):
    assert [clip.name for clip in load_library(library.folder, "test")] == ["cmu/02_01"]
    with pytest.raises(FormatError, match="no split 'dev'; there are: train, validation, test"):
        load_library(library.folder, "dev")
    with pytest.raises(FileError, match="no clip 'cmu/1'"):
        library["cmu/1"]
    with (library.folder / "rejected.csv").open() as file:
        assert next(csv.reader(file)) == ["name", "subject", "minutes", "reason"]


def test_a_folder_without_motion_data_and_one_with_a_library_are_told(library, tmp_path):
    with pytest.raises(FileError, match="holds no motion data; expected cmu.tar.xz and ui_prmd/"):
        build_library(tmp_path, tmp_path / "out")
    with pytest.raises(OutputError, match="holds a library already; choose another name or pass"):
        build_library(tmp_path, library.folder)
    with pytest.raises(FileError, match="holds no motion library"):
        load_library(tmp_path)


def test_a_damaged_archive_is_told(tmp_path):
    (tmp_path / "cmu.tar.xz").write_bytes(b"not an archive")
    (tmp_path / "cmu_index.csv").write_text("clip,format,true_fps\n02_01,amc,120\n")
    with pytest.raises(FileError, match="can't be unpacked"):
        build_library(tmp_path, tmp_path / "out")
