"""A body from optical markers."""

from dataclasses import replace

import numpy as np
import pytest

from pallas.neural.library.ui_prmd import marker_order, read_repetitions
from pallas.rig import Motion, ShapeError, body_skeleton, quaternion
from pallas.rig.marker_sets import PLUG_IN_GAIT
from pallas.rig.solve.marked_body import MarkedBody, fit_body, marker_errors, track

BODY = body_skeleton(1.7)
PERSON = MarkedBody(BODY, PLUG_IN_GAIT, np.array([marker.offset for marker in PLUG_IN_GAIT]))


def squats(frames: int = 40) -> Motion:
    """Bend hips and knees, the arms hanging."""
    rotations = np.tile(quaternion.IDENTITY, (frames, 24, 1))
    bend = np.linspace(0.0, 1.2, frames)[:, None]

    def turn(joint: str, axis: tuple[float, float, float], angle: np.ndarray) -> None:
        vector = angle * np.array(axis)
        rotations[:, BODY.index(joint)] = quaternion.from_rotation_vector(vector)

    for side, sign in (("left", 1.0), ("right", -1.0)):
        turn(f"{side}_hip", (1, 0, 0), -bend)
        turn(f"{side}_knee", (1, 0, 0), 2.0 * bend)
        turn(f"{side}_shoulder", (0, sign, 0), np.full((frames, 1), 1.2))
    root = BODY.offsets[0] - np.array([0.0, 0.0, 0.8]) * (1.0 - np.cos(bend))
    return Motion(BODY, root, rotations, 100.0)


def markers_of(motion: Motion, person: MarkedBody = PERSON) -> np.ndarray:
    """Where a person's markers are."""
    world, origins = motion.world()
    index = [BODY.index(marker.joint) for marker in PLUG_IN_GAIT]
    return origins[:, index] + quaternion.rotate(world[:, index], person.offsets)


def test_a_squat_is_found_again_from_its_markers_though_some_are_missing():
    truth = squats()
    markers = markers_of(truth)
    markers[10:20, 3] = np.nan
    markers[5, 30:34] = np.nan
    (found,) = track(PERSON, [markers], 100.0)
    _, expected = truth.world()
    _, origins = found.world()
    assert np.abs(origins - expected).max() < 0.02
    assert np.nanmax(marker_errors(PERSON, found, markers)) < 0.02


def test_clips_are_tracked_together_and_come_back_one_by_one():
    markers = markers_of(squats())
    found = track(PERSON, [markers[:7], markers[:1], markers], 100.0)
    assert [len(motion) for motion in found] == [7, 1, 40]


def test_a_taller_person_is_measured():
    tall = replace(PERSON, skeleton=body_skeleton(1.87), offsets=PERSON.offsets * 1.1)
    motion = squats()
    markers = markers_of(motion) * 1.1  # everything is a tenth larger
    body = fit_body(markers[::2], PLUG_IN_GAIT, 100.0)
    lengths = np.linalg.norm(body.skeleton.offsets, axis=-1)[4:9]
    expected = np.linalg.norm(tall.skeleton.offsets, axis=-1)[4:9]
    np.testing.assert_allclose(lengths, expected, rtol=0.05)


def test_a_person_of_other_proportions_is_measured_with_the_markers_where_they_are():
    motion = squats()
    thighs, shanks = 1.08, 0.95  # and the markers on them, which sit where the bones end
    bones = {"knee": thighs, "ankle": shanks}
    skeleton = BODY.scaled([bones.get(name.split("_")[-1], 1.0) for name in BODY.names])
    segments = {"hip": thighs, "knee": shanks}
    grown = [segments.get(marker.joint.split("_")[-1], 1.0) for marker in PLUG_IN_GAIT]
    random = np.random.default_rng(0)
    offsets = PERSON.offsets * np.array(grown)[:, None]
    offsets += 0.005 * random.standard_normal(offsets.shape)
    truth = MarkedBody(skeleton, PLUG_IN_GAIT, offsets)
    markers = markers_of(replace(motion, skeleton=skeleton), truth)
    body = fit_body(markers, PLUG_IN_GAIT, 100.0)
    (found,) = track(body, [markers], 100.0)
    assert np.sqrt(np.mean(marker_errors(body, found, markers) ** 2)) < 0.005
    lengths = np.linalg.norm(body.skeleton.offsets, axis=-1)
    thigh, shank = BODY.index("left_knee"), BODY.index("left_ankle")
    expected = np.linalg.norm(skeleton.offsets, axis=-1)
    np.testing.assert_allclose(lengths[[thigh, shank]], expected[[thigh, shank]], rtol=0.025)


def test_the_toes_grow_with_the_feet():
    body = fit_body(markers_of(squats())[::4] * 1.1, PLUG_IN_GAIT, 100.0)
    foot, toe = BODY.index("left_ankle"), BODY.index("left_foot")
    longer = np.linalg.norm(body.skeleton.offsets[toe]) / np.linalg.norm(BODY.offsets[toe])
    tips = np.linalg.norm(body.skeleton.tips[toe]) / np.linalg.norm(BODY.tips[toe])
    assert tips == pytest.approx(longer)
    assert longer == pytest.approx(1.1, rel=0.05)
    assert np.isnan(body.skeleton.tips[foot]).all()


def test_the_order_of_a_files_markers_names_each_once():
    assert len({marker.name for marker in marker_order()}) == 39


def test_another_number_of_markers_is_told():
    with pytest.raises(ShapeError, match=r"have shape \(5, 3, 3\), expected \(frames, 39, 3\)"):
        track(PERSON, [np.zeros((5, 3, 3))], 100.0)


def test_a_real_squat_fits_its_markers_within_two_and_a_half_centimetres(data):
    repetitions = read_repetitions(data("motion/ui_prmd/s01.npz"))
    squat = repetitions["m01_e01_correct"]
    poses = np.concatenate([clip[::40] for clip in list(repetitions.values())[::5]])[:60]
    body = fit_body(poses, marker_order(), 100.0)
    (motion,) = track(body, [squat], 100.0)
    assert np.sqrt(np.nanmean(marker_errors(body, motion, squat) ** 2)) < 0.025
    knees = motion.rotations[:, [BODY.index("left_knee"), BODY.index("right_knee")]]
    bend = quaternion.to_rotation_vector(knees)[..., 0]
    assert bend.min() > -0.2
    assert np.all(bend.max(axis=0) > 1.2)
    assert np.ptp(motion.root_position[:, 2]) > 0.3
