"""BVH: foreign axes, units and oddities end in the reader, and nothing is lost on the way back."""

import math

import numpy as np
import pytest

from pallas.capture.bvh import format_bvh, parse_bvh, read_all_bvh, read_bvh, write_bvh
from pallas.capture.textfile import FormatWarning
from pallas.rig import FormatError, Motion, OutputError, Skeleton, body_skeleton, quaternion

# A person of 1.7 m in centimetres, Y up, facing +Z: hips, one leg to the left, a spine with a head.
PERSON = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 30 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 50 0
    }
  }
  JOINT LeftLeg
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -90 5
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0083333
0 90 20 0 0 0 0 0 0 0 0 0
0 90 20 0 0 90 0 0 0 0 -90 0
"""


def test_y_up_centimetres_facing_z_become_z_up_metres_facing_minus_y():
    motion = parse_bvh(PERSON)
    np.testing.assert_allclose(motion.root_position[0], [0.0, -0.2, 0.9], atol=1e-12)
    np.testing.assert_allclose(motion.skeleton.offsets[1:], [[0, 0, 0.3], [0.1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(motion.skeleton.tips[2], [0, -0.05, -0.9], atol=1e-12)


def test_a_left_turn_about_the_vertical_takes_the_left_leg_to_the_back():
    # Facing -Y and turning left ends facing +X, so the left side points to +Y.
    _, origins = parse_bvh(PERSON).world()
    np.testing.assert_allclose(origins[1, 2] - origins[1, 0], [0.0, 0.1, 0.0], atol=1e-12)


def test_a_negative_turn_about_x_swings_a_hanging_leg_forward():
    world, origins = parse_bvh(PERSON).world()
    toe = origins[1, 2] + quaternion.rotate(world[1, 2], np.array([0.0, 0.0, -0.9]))
    # Forward is +X after the turn to the left.
    np.testing.assert_allclose(toe - origins[1, 2], [0.9, 0.0, 0.0], atol=1e-12)


def test_a_frame_time_that_was_rounded_gives_the_whole_rate():
    assert parse_bvh(PERSON).fps == 120.0


@pytest.mark.parametrize(
    ("printed", "fps"),
    [
        ("0.033333", 30.0),
        (".0166667", 60.0),
        ("0.0166833", 1 / 0.0166833),  # 59.94
        ("1e-2", 100.0),
        ("0.0417083", 1 / 0.0417083),  # 23.976
    ],
)
def test_only_rounding_makes_a_rate_whole(printed: str, fps: float):
    assert parse_bvh(PERSON.replace("0.0083333", printed)).fps == pytest.approx(fps, abs=1e-12)


def test_the_rate_can_be_overridden():
    assert parse_bvh(PERSON, fps=60.0).fps == 60.0


@pytest.mark.parametrize(("name", "metres"), [("m", 1.0), ("inch", 0.0254), ("mm", 0.001)])
def test_the_unit_is_the_one_in_which_the_skeleton_is_a_person(name: str, metres: float):
    skeleton = body_skeleton(1.7)
    motion = Motion(skeleton, np.zeros((1, 3)), np.tile(quaternion.IDENTITY, (1, 24, 1)), 30.0)
    text = format_bvh(motion, unit=name)
    assert f"{0.2450 * 1.7 / metres:.6f}"[:6] in text
    back = parse_bvh(text)
    np.testing.assert_allclose(
        back.skeleton.offsets[back.skeleton.index("left_knee")],
        skeleton.offsets[skeleton.index("left_knee")],
        atol=1e-6,
    )


def test_a_skeleton_that_is_a_person_in_no_unit_is_read_as_centimetres_and_says_so():
    ant = PERSON.replace("OFFSET 0 50 0", "OFFSET 0 900 0")
    with pytest.warns(FormatWarning, match="taken as centimetres"):
        motion = parse_bvh(ant)
    np.testing.assert_allclose(motion.skeleton.tips[1], [0, 0, 9.0], atol=1e-12)
    assert parse_bvh(ant, unit=0.001).skeleton.tips[1, 2] == pytest.approx(0.9)


def test_a_file_with_z_up_is_recognised_by_its_rest_pose():
    motion = parse_bvh(format_bvh(_walker(), up="z", unit="m"))
    np.testing.assert_allclose(motion.root_position, _walker().root_position, atol=1e-6)


def test_case_tabs_line_ends_and_blank_lines_do_not_matter():
    odd = (
        PERSON.lower().replace("  ", "\t\t ").replace("\n", " \r\n").replace("motion", "\r\nmotion")
    )
    odd = odd.replace("{", "\r\n\r\n{")
    left, right = parse_bvh(odd), parse_bvh(PERSON)
    assert left.skeleton.names == ("hips", "spine", "leftleg")
    np.testing.assert_array_equal(left.rotations, right.rotations)


def test_braces_may_touch_names_and_names_may_hold_spaces():
    odd = PERSON.replace("LeftLeg\n  {", "Bip01 L Leg{").replace("End Site\n    {", "End Site{")
    assert parse_bvh(odd).skeleton.names[2] == "Bip01 L Leg"


def test_rotation_channels_may_come_in_any_order_and_number():
    text = PERSON.replace(
        "JOINT LeftLeg\n  {\n    OFFSET 10 0 0\n    CHANNELS 3 Zrotation Xrotation Yrotation",
        "JOINT LeftLeg\n  {\n    OFFSET 10 0 0\n    CHANNELS 2 Yrotation Xrotation",
    )
    text = text.replace("0 0 0 0 -90 0\n", "0 0 0 90 -90\n").replace("0 0 0 0 0 0\n", "0 0 0 0 0\n")
    expected = quaternion.from_euler(np.radians([90.0, -90.0]), "YX")  # in the file's axes
    w, x, y, z = expected
    angle = quaternion.angle(parse_bvh(text).rotations[1, 2], np.array([w, x, -z, y]))
    assert angle == pytest.approx(0.0, abs=1e-9)


def test_the_position_channel_replaces_the_offset_of_the_root():
    motion = parse_bvh(PERSON.replace("OFFSET 0 0 0", "OFFSET 0 95 0"))
    np.testing.assert_allclose(motion.root_position[0], [0.0, -0.2, 0.9], atol=1e-12)
    np.testing.assert_allclose(motion.skeleton.offsets[0], [0.0, 0.0, 0.95], atol=1e-12)


def _with_spine_positions(first: str, second: str) -> str:
    text = PERSON.replace(
        "OFFSET 0 30 0\n    CHANNELS 3",
        "OFFSET 0 30 0\n    CHANNELS 6 Xposition Yposition Zposition",
    )
    rows = text.split("\n")
    for index, place in ((-3, first), (-2, second)):
        words = rows[index].split()
        rows[index] = " ".join([*words[:6], place, *words[6:]])
    return "\n".join(rows)


def test_constant_positions_below_the_root_become_the_offset():
    motion = parse_bvh(_with_spine_positions("0 32 0", "0 32 0"))
    np.testing.assert_allclose(motion.skeleton.offsets[1], [0, 0, 0.32], atol=1e-12)


def test_zero_positions_below_the_root_are_differences_from_the_offset():
    motion = parse_bvh(_with_spine_positions("0 0 0", "0 0 0"))
    np.testing.assert_allclose(motion.skeleton.offsets[1], [0, 0, 0.30], atol=1e-12)


def test_a_bone_that_stretches_gets_its_mean_length_and_a_warning():
    with pytest.warns(FormatWarning, match="ends in 'Spine' changes"):
        motion = parse_bvh(_with_spine_positions("0 30 0", "0 36 0"))
    np.testing.assert_allclose(motion.skeleton.offsets[1], [0, 0, 0.33], atol=1e-12)


def test_a_still_reference_node_takes_over_the_path_of_its_only_child():
    hips = PERSON.split("ROOT Hips")[1].split("MOTION", maxsplit=1)[0]
    text = (
        "HIERARCHY\nROOT Reference\n{\nOFFSET 0 0 0\nCHANNELS 0\nJOINT Hips"
        + hips
        + "}\nMOTION"
        + PERSON.split("MOTION")[1].replace("0 90 20 0 0 90", "50 90 20 0 0 90")
    )
    _, origins = parse_bvh(text, unit="cm").world()
    np.testing.assert_allclose(origins[:, 1], [[0, -0.2, 0.9], [0.5, -0.2, 0.9]], atol=1e-12)


def test_joints_of_one_name_are_told_apart():
    text = PERSON.replace("LeftLeg", "Spine")
    assert parse_bvh(text).skeleton.names == ("Hips", "Spine", "Spine_2")


def test_a_second_end_site_becomes_a_joint():
    end = "End Site\n    {\n      OFFSET 0 50 0\n    }"
    motion = parse_bvh(PERSON.replace(end, end + "\n" + end.replace("0 50 0", "0 10 10")))
    assert motion.skeleton.names[2] == "Spine_end"
    np.testing.assert_allclose(motion.skeleton.tips[1], [0, 0, 0.5])
    np.testing.assert_allclose(motion.skeleton.offsets[2], [0, -0.1, 0.1])
    np.testing.assert_array_equal(motion.rotations[:, 2], np.tile(quaternion.IDENTITY, (2, 1)))


def test_every_figure_of_a_file_is_read_and_can_be_named():
    first, second = PERSON.split("HIERARCHY\n")[1].split("MOTION")
    two = first.replace("Hips", "Partner")
    rows = [line + " " + line.replace("90 20", "90 70") for line in second.split("\n")[3:5]]
    head = "\n".join(second.split("\n")[:3])
    text = f"HIERARCHY\n{first}{two}MOTION{head}\n" + "\n".join(rows)
    assert parse_bvh(text).skeleton.names[0] == "Hips"
    partner = parse_bvh(text, root="Partner")
    np.testing.assert_allclose(partner.root_position[0], [0.0, -0.7, 0.9], atol=1e-12)
    with pytest.raises(FormatError, match="it has: Hips, Partner"):
        parse_bvh(text, root="Nobody")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0 90 20 0 0 90 0 0 0 0 -90 0", "0 90 20 0", "cut or damaged"),
        ("-90 0\n", "-90 x\n", "line 29: found 'x'"),
        ("-90 0\n", "-90 nan\n", "line 29: found 'nan'"),
        ("Frames: 2", "Frames: two", "Frames: N"),
        ("OFFSET 0 30 0", "OFFSET 0 30", "line 9: OFFSET"),
        ("OFFSET 0 30 0", "OFFSET 0 1e300 0", "line 8: OFFSET"),
        ("Yrotation\n  JOINT", "Wrotation\n  JOINT", "unknown channel 'wrotation'"),
        ("Frame Time: 0.0083333", "Frame Time: 0", "above zero"),
        ("MOTION", "", "no MOTION"),
        ("HIERARCHY", "SOMETHING", "no HIERARCHY"),
        ("}\nMOTION", "MOTION", "hierarchy ends early"),
    ],
)
def test_damage_is_told_in_one_line(old: str, new: str, message: str):
    with pytest.raises(FormatError, match=message):
        parse_bvh(PERSON.replace(old, new))


def test_more_frames_than_announced_are_all_read_and_told():
    with pytest.warns(FormatWarning, match="announces 1 frames and holds 2"):
        assert len(parse_bvh(PERSON.replace("Frames: 2", "Frames: 1"))) == 2


def _walker() -> Motion:
    """A body that moves every joint, with angles beyond half a turn."""
    random = np.random.default_rng(1)
    frames = np.arange(50) / 50
    skeleton = body_skeleton()
    axes = random.normal(size=(len(skeleton), 3))
    turns = frames[:, None, None] * axes * 3.0
    root = np.stack([frames, np.sin(frames), 0.9 + 0.1 * frames], axis=1)
    return Motion(skeleton, root, quaternion.from_rotation_vector(turns), 59.94)


@pytest.mark.parametrize("order", ["ZXY", "XYZ", "YZX", "ZYX"])
def test_a_motion_comes_back_from_its_file(order: str):
    motion = _walker()
    back = parse_bvh(format_bvh(motion, order=order))
    same = [back.skeleton.index(name) for name in motion.skeleton.names]
    assert back.fps == pytest.approx(motion.fps, rel=1e-9)
    assert quaternion.angle(back.rotations[:, same], motion.rotations).max() < 1e-6
    np.testing.assert_allclose(back.root_position, motion.root_position, atol=1e-6)
    np.testing.assert_allclose(back.skeleton.offsets[same], motion.skeleton.offsets, atol=1e-6)
    np.testing.assert_allclose(back.skeleton.tips[same], motion.skeleton.tips, atol=1e-6)


def test_a_file_comes_back_from_its_motion_value_by_value():
    text = format_bvh(parse_bvh(PERSON), unit="cm", order="ZXY")
    old = np.array([line.split() for line in PERSON.splitlines()[-2:]], dtype=float)
    new = np.array([line.split() for line in text.splitlines()[-2:]], dtype=float)
    np.testing.assert_allclose(new, old, atol=1e-6)
    assert "End Site" in text
    assert "OFFSET 0.000000 -90.000000 5.000000" in text


def test_written_angles_do_not_jump_by_a_whole_turn():
    spin = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.linspace(0, 4 * math.pi, 81))
    motion = Motion(
        Skeleton(("a",), (-1,), np.zeros((1, 3))), np.zeros((81, 3)), spin[:, None], 30.0
    )
    rows = format_bvh(motion).splitlines()[-81:]
    angles = np.array([row.split() for row in rows], dtype=float)
    np.testing.assert_allclose(angles[:, 5], np.linspace(0, 720, 81), atol=1e-5)


def test_a_motion_of_no_frames_can_be_written_and_read():
    assert len(parse_bvh(format_bvh(_walker().clipped(0, 0)))) == 0


def test_nan_is_not_written():
    motion = Motion(
        Skeleton(("a",), (-1,), np.zeros((1, 3))),
        np.full((1, 3), np.nan),
        np.ones((1, 1, 4)) / 2,
        30.0,
    )
    with pytest.raises(FormatError, match="NaN"):
        format_bvh(motion)


def test_a_file_that_is_there_is_not_overwritten(tmp_path):
    path = tmp_path / "tänzer 1.bvh"
    write_bvh(path, _walker())
    with pytest.raises(OutputError, match="there already"):
        write_bvh(path, _walker())
    write_bvh(path, _walker(), force=True)
    assert len(read_bvh(path)) == 50


@pytest.mark.parametrize("name", ["2501_BVH-Recording3", "6d0a_BVH-Recording12__v1"])
def test_recordings_of_slimevr_are_read_and_written_without_loss(data, name: str):
    (motion,) = read_all_bvh(data(f"imu/slimevr_bvh/{name}.bvh"))
    assert motion.fps == 100.0
    assert len(motion.skeleton) == 14
    assert 1.2 < np.ptp(motion.skeleton.rest_positions[:, 2]) < 2.0
    back = parse_bvh(format_bvh(motion, order="ZXY"), unit="cm")
    assert back.skeleton.names == motion.skeleton.names
    assert quaternion.angle(back.rotations, motion.rotations).max() < 1e-6
    np.testing.assert_allclose(back.root_position, motion.root_position, atol=1e-6)
