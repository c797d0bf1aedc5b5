"""ASF/AMC: joints at the start of their bones, angles in the bones' own axes, inches by 0.45."""

import tarfile

import numpy as np
import pytest
from asf_documents import AMC, ASF

from pallas.capture.asf import parse_asf
from pallas.capture.asf_amc import parse_amc, read_amc, read_asf
from pallas.capture.textfile import FormatWarning
from pallas.rig import FormatError, quaternion

UNIT = 0.0254 / 0.45  # metres


def test_a_joint_sits_at_the_start_of_the_bone_it_moves():
    motion = parse_amc(parse_asf(ASF), AMC)
    assert motion.skeleton.names == ("root", "hip", "femur")
    # The femur starts where the hip bone ends, two units to the left.
    np.testing.assert_allclose(motion.skeleton.offsets, [[0, 0, 0], [0, 0, 0], [2 * UNIT, 0, 0]])
    np.testing.assert_allclose(motion.skeleton.tips[2], [0, 0, -7 * UNIT])
    assert np.isnan(motion.skeleton.tips[:2]).all()


def test_y_up_becomes_z_up_facing_minus_y():
    motion = parse_amc(parse_asf(ASF), AMC)
    np.testing.assert_allclose(motion.root_position[0], np.array([1, 3, 10]) * UNIT)
    assert motion.fps == 120.0


def test_zero_angles_leave_every_joint_aligned_with_the_world():
    motion = parse_amc(parse_asf(ASF), AMC)
    np.testing.assert_allclose(
        motion.rotations[0], np.tile(quaternion.IDENTITY, (3, 1)), atol=1e-12
    )


def test_angles_turn_about_the_axes_of_the_bone():
    # The femur's x is the file's y, which is up: a quarter turn about it leaves a bone along y in place.
    motion = parse_amc(parse_asf(ASF), AMC)
    up = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.pi / 2)
    assert quaternion.angle(motion.rotations[1, 2], up) == pytest.approx(0.0, abs=1e-9)


def test_the_root_turns_about_the_world():
    # A quarter turn to the left takes the left hip from +X to the back, +Y.
    _, origins = parse_amc(parse_asf(ASF), AMC).world()
    np.testing.assert_allclose(origins[1, 2] - origins[1, 0], [0, 2 * UNIT, 0], atol=1e-12)


def test_three_angles_turn_about_fixed_axes_x_first():
    text = ASF.replace("dof rx rz", "dof rx ry rz").replace("axis 0 0 90", "axis 0 0 0")
    motion = parse_amc(parse_asf(text), "1\nroot 0 0 0 0 0 0\nfemur 90 90 0\n")
    # x by 90 takes down (-y) to -z, that is back; then y by 90 takes -z to -x, the right.
    tip = quaternion.rotate(motion.rotations[0, 2], motion.skeleton.tips[2])
    np.testing.assert_allclose(tip, [-7 * UNIT, 0, 0], atol=1e-12)


def test_headers_may_be_missing_and_radians_may_be_said():
    figure = parse_asf(ASF)
    plain = parse_amc(figure, AMC.split(":DEGREES\n")[1])
    np.testing.assert_array_equal(plain.rotations, parse_amc(figure, AMC).rotations)
    radians = AMC.replace("DEGREES", "RADIANS").replace(" 90", f" {np.pi / 2}")
    angle = quaternion.angle(parse_amc(figure, radians).rotations, plain.rotations)
    assert angle[:2].max() < 1e-9


def test_bones_may_change_their_order_from_frame_to_frame():
    figure = parse_asf(ASF)
    swapped = AMC.replace("root 1 10 -3 0 90 0\nfemur 90 0", "femur 90 0\n\nroot 1 10 -3 0 90 0")
    np.testing.assert_array_equal(
        parse_amc(figure, swapped).rotations, parse_amc(figure, AMC).rotations
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "root 1 10 -3 0 90 0\n",
            "root 1 10 -3 0\n",
            "line 8: bone 'root' has 4 values, expected 6",
        ),
        ("femur 0 -.5\n", "", "line 12: frame 3 lacks femur"),
        ("femur 90 0", "tibia 90 0", "line 9: no bone 'tibia'"),
        ("femur 90 0", "femur 90 1.#IND", "line 9: found '1.#IND'"),
        ("1\nroot", "root", "line 4: found 'root', expected a frame number"),
    ],
)
def test_damage_in_the_motion_names_the_line(old: str, new: str, message: str):
    with pytest.raises(FormatError, match=message):
        parse_amc(parse_asf(ASF), AMC.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":hierarchy", ":h", "no :hierarchy"),
        ("root hip", "root knee", "no bone 'knee'"),
        ("hip femur", "hip", "'femur' hangs from nothing"),
        ("hip femur", "hip femur\nfemur hip", "two parents"),
        ("length 7", "length seven", "line 25: found 'seven'"),
        ("length 0.45", "length 0", "length unit is 0.0"),
        ("axis 0 0 90 XYZ", "axis 0 0 90 XYX", "axis order 'XYX'"),
        ("dof rx rz", "dof rx rw", "found 'rx rw'"),
    ],
)
def test_damage_in_the_skeleton_is_told(old: str, new: str, message: str):
    with pytest.raises(FormatError, match=message):
        parse_asf(ASF.replace(old, new))


def test_a_bone_that_slides_is_read_without_its_slide_and_says_so():
    figure = parse_asf(ASF.replace("dof rx rz", "dof rx tz"))
    with pytest.warns(FormatWarning, match="'femur' stretches or slides"):
        motion = parse_amc(figure, AMC)
    assert quaternion.angle(motion.rotations[2, 2], quaternion.IDENTITY) == 0.0


@pytest.fixture(scope="module")
def cmu(data, tmp_path_factory):
    """Three subjects of the CMU library, taken from its archive."""
    folder = tmp_path_factory.mktemp("cmu")
    wanted = ("02/02.asf", "02/02_01.amc", "16/16.asf", "135/135.asf")
    with tarfile.open(data("motion/cmu.tar.xz")) as archive:
        for member in archive:
            name = "/".join(member.name.split("/")[-2:])
            if name in wanted:
                (folder / name.split("/")[1]).write_bytes(archive.extractfile(member).read())
                wanted = tuple(other for other in wanted if other != name)
            if not wanted:
                break
    return folder


def test_people_of_the_cmu_library_have_the_size_of_people(cmu):
    for subject in ("02", "16", "135"):
        skeleton = read_asf(cmu / f"{subject}.asf")
        rest = dict(zip(skeleton.names, skeleton.rest_positions, strict=True))
        crown = rest["head"] + skeleton.tips[skeleton.index("head")]
        toes = rest["ltoes"] + skeleton.tips[skeleton.index("ltoes")]
        shin = np.linalg.norm(skeleton.offsets[skeleton.index("lfoot")])
        forearm = np.linalg.norm(rest["lhand"] - rest["lradius"])
        assert 1.45 < crown[2] - toes[2] < 1.95
        assert 0.36 < shin < 0.50
        assert 0.25 < forearm < 0.33
        assert rest["lhand"][0] > 0.6  # the left arm is stretched out to +X


def test_a_walk_of_the_cmu_library_keeps_its_feet_near_the_floor(cmu):
    motion = read_amc(cmu / "02.asf", cmu / "02_01.amc")
    _, origins = motion.world()
    lowest = origins[..., 2].min(axis=1)
    assert len(motion) == 343
    assert -0.05 < lowest.min() < lowest.max() < 0.12
    # It walks forward: the root travels where it faces.
    world, _ = motion.world()
    travel = motion.root_position[-1] - motion.root_position[0]
    front = quaternion.rotate(world[len(world) // 2, 0], np.array([0.0, -1.0, 0.0]))
    assert travel @ front / np.linalg.norm(travel) > 0.95
