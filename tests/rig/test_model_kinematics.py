"""Forward kinematics of a model: by hand, against finite differences, and what is refused."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from pallas.rig import Motion, ShapeError, body_skeleton, quaternion, so3
from pallas.rig.model import (
    BodyMarker,
    Coupling,
    Frame,
    Joint,
    KinematicModel,
    Linear,
    about,
    along,
    ball,
    free,
    hinge,
    weld,
)
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world, posed
from pallas.rig.model.skeletons import model_of_skeleton, motion_of_pose, pose_of_motion
from pallas.rig.model.tables import tables_of

QUARTER = math.pi / 2


def point(model: KinematicModel, *pose: float, scales: object = None) -> Tensor:
    """Where the only marker is."""
    return markers_in_world(model, torch.tensor(pose, dtype=torch.float64), scales)[0]


def at(*place: float) -> Tensor:
    return torch.tensor(place, dtype=torch.float64)


def one_joint(joint: Joint, *place: float, **more: object) -> KinematicModel:
    """A body "arm" with one marker, on the ground by one joint."""
    return KinematicModel("one", (joint,), markers=(BodyMarker("tip", "arm", place),), **more)


def random_pose(model: KinematicModel, frames: int = 4, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    size = (frames, len(model.coordinates))
    return 0.5 * torch.randn(size, generator=random, dtype=torch.float64)


def test_a_quarter_turn_of_a_hinge_swings_the_marker_onto_the_next_axis():
    model = one_joint(hinge("elbow", "ground", "arm", Frame((0.0, 0.0, 1.0))), 0.3, 0.0, 0.0)
    torch.testing.assert_close(point(model, 0.0), at(0.3, 0.0, 1.0))
    torch.testing.assert_close(point(model, QUARTER), at(0.0, 0.3, 1.0))


def test_the_joints_frame_in_the_child_says_where_the_child_turns_about():
    joint = Joint(
        "j", "ground", "arm", child_frame=Frame((0.3, 0.0, 0.0)), rotations=(about("z", "q"),)
    )
    # The child turns about its own point (0.3, 0, 0), which lies in the ground's origin.
    torch.testing.assert_close(point(one_joint(joint, 0.3, 0.0, 0.0), 1.2), at(0.0, 0.0, 0.0))
    torch.testing.assert_close(point(one_joint(joint, 0.0, 0.0, 0.0), QUARTER), at(0.0, -0.3, 0.0))


def test_turned_frames_of_a_joint_turn_its_axes():
    turned = Frame((0.0, 0.0, 0.0), (QUARTER, 0.0, 0.0))  # the frame's z is the parent's -y
    joint = Joint("j", "ground", "arm", turned, turned, rotations=(about("z", "q"),))
    torch.testing.assert_close(point(one_joint(joint, 1.0, 0.0, 0.0), QUARTER), at(0.0, 0.0, 1.0))


def test_later_axes_are_carried_by_those_before():
    joint = Joint("j", "ground", "arm", rotations=(about("z", "a"), about("x", "b")))
    # z first: x goes to y. About the new x, y goes to z.
    model = one_joint(joint, 0.0, 1.0, 0.0)
    torch.testing.assert_close(point(model, QUARTER, QUARTER), at(0.0, 0.0, 1.0))
    torch.testing.assert_close(point(model, QUARTER, 0.0), at(-1.0, 0.0, 0.0))


def test_shifts_come_before_turns_and_follow_their_functions():
    shifts = (along("x", "q", Linear(2.0, 0.1)), along((0.0, 3.0, 4.0), "s"))
    joint = Joint("j", "ground", "arm", translations=shifts, rotations=(about("z", "q"),))
    model = one_joint(joint, 1.0, 0.0, 0.0)
    q = QUARTER
    torch.testing.assert_close(point(model, q, 0.5), at(2.0 * q + 0.1, 0.3 + 1.0, 0.4))


def test_a_ball_joint_turns_by_a_rotation_vector():
    model = one_joint(ball("b", "ground", "arm"), 1.0, 0.0, 0.0)
    third = 2.0 * math.pi / 3.0 / math.sqrt(3.0)  # about (1, 1, 1): x goes to y
    torch.testing.assert_close(point(model, third, third, third), at(0.0, 1.0, 0.0))


def test_a_coupled_coordinate_is_where_its_driver_puts_it_whatever_is_given():
    joint = Joint("j", "ground", "arm", translations=(along("x", "free"), along("y", "driven")))
    coupling = Coupling("driven", "free", Linear(3.0, 1.0))
    model = one_joint(joint, 0.0, 0.0, 0.0, couplings=(coupling,))
    torch.testing.assert_close(point(model, 2.0, 99.0), at(2.0, 7.0, 0.0))


def test_a_model_with_y_up_stands_in_our_world_with_z_up():
    y_up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    model = one_joint(weld("w", "ground", "arm"), 1.0, 2.0, 3.0, world_from_ground=y_up)
    torch.testing.assert_close(point(model), at(1.0, -3.0, 2.0))


def test_a_scale_moves_what_hangs_on_a_body_and_one_number_scales_all_but_the_ground():
    arm = hinge("shoulder", "ground", "arm", Frame((0.0, 0.0, 1.0)))
    hand = weld("wrist", "arm", "hand", Frame((0.3, 0.0, 0.0)))
    model = KinematicModel(
        "two", (arm, hand), markers=(BodyMarker("tip", "hand", (0.1, 0.2, 0.0)),)
    )
    torch.testing.assert_close(point(model, 0.0, scales=2.0), at(0.8, 0.4, 1.0))
    factors = torch.tensor([1.0, 2.0, 1.0])
    torch.testing.assert_close(point(model, 0.0, scales=factors), at(0.7, 0.2, 1.0))
    per_axis = torch.ones(3, 3)
    per_axis[2, 1] = 3.0
    torch.testing.assert_close(point(model, 0.0, scales=per_axis), at(0.4, 0.6, 1.0))


def test_gradients_by_pose_scales_and_marker_places_are_right(two_legs):
    random = torch.Generator().manual_seed(1)
    pose = random_pose(two_legs, 2).requires_grad_()
    scales = 1.0 + 0.1 * torch.randn(len(two_legs.bodies), 3, generator=random).double()
    places = tables_of(two_legs).marker_position.clone()
    given = (pose, scales.requires_grad_(), places.requires_grad_())

    def markers(pose: Tensor, scales: Tensor, places: Tensor) -> Tensor:
        return markers_in_world(two_legs, pose, scales, places)

    assert torch.autograd.gradcheck(markers, given)


def test_float32_is_close_to_float64(two_legs):
    pose = random_pose(two_legs, 20)
    rotations, origins = bodies_in_world(two_legs, pose)
    single = bodies_in_world(two_legs, pose.float())
    assert single[1].dtype == torch.float32
    torch.testing.assert_close(single[0].double(), rotations, atol=2e-6, rtol=0.0)
    torch.testing.assert_close(single[1].double(), origins, atol=2e-6, rtol=0.0)


def test_frames_may_have_any_leading_shape_or_none(two_legs):
    pose = random_pose(two_legs, 6)
    rotations, origins = bodies_in_world(two_legs, pose)
    folded = bodies_in_world(two_legs, pose.reshape(2, 3, -1))
    torch.testing.assert_close(folded[0], rotations.reshape(2, 3, *rotations.shape[1:]))
    torch.testing.assert_close(folded[1], origins.reshape(2, 3, *origins.shape[1:]))
    torch.testing.assert_close(
        markers_in_world(two_legs, pose[0]), markers_in_world(two_legs, pose)[0]
    )


def test_no_frames_and_no_markers_are_no_error(two_legs):
    none = torch.zeros(0, 22)
    assert markers_in_world(two_legs, none).shape == (0, 7, 3)
    assert bodies_in_world(two_legs, none)[0].shape == (0, 10, 3, 3)
    assert markers_in_world(two_legs.with_markers(()), torch.zeros(5, 22)).shape == (5, 0, 3)


def stepped(model: KinematicModel, pose: Tensor, coordinate: int, size: float) -> Tensor:
    """A coordinate a little further; of a ball joint, a turn in the child's own frame."""
    moved = pose.clone()
    for row in tables_of(model).ball_coordinates:
        if coordinate in row:
            step = size * (row == coordinate).double()
            moved[:, row] = so3.log(so3.exp(pose[:, row]) @ so3.exp(step))
            return moved
    moved[:, coordinate] += size
    return moved


def test_the_twists_of_all_coordinates_are_how_the_markers_move(two_legs):
    tables, pose = tables_of(two_legs), random_pose(two_legs)
    here = posed(tables, pose)
    twists = here.columns(here.origins[:, 1].T).permute(2, 1, 0)  # (N, C, 6)
    levers = markers_in_world(two_legs, pose) - here.origins[:, 1:2]
    carried = tables.subtree[tables.columns.body][:, tables.marker_body]  # (C, M)
    for coordinate in two_legs.free_coordinates:
        own = (tables.columns.coordinate == coordinate).nonzero().squeeze(-1)
        spun = torch.linalg.cross(
            twists[:, own, None, :3].expand(-1, -1, levers.shape[1], -1),
            levers[:, None].expand(-1, len(own), -1, -1),
        )
        slope = ((spun + twists[:, own, None, 3:]) * carried[own, :, None]).sum(1)
        after = markers_in_world(two_legs, stepped(two_legs, pose, coordinate, 1e-6))
        before = markers_in_world(two_legs, stepped(two_legs, pose, coordinate, -1e-6))
        torch.testing.assert_close(slope, (after - before) / 2e-6, atol=1e-8, rtol=1e-6)


def test_a_skeletons_model_stands_where_its_motion_says():
    random = np.random.default_rng(2)
    skeleton = body_skeleton(1.8)
    turns = quaternion.from_rotation_vector(random.standard_normal((5, 24, 3)))
    motion = Motion(skeleton, random.standard_normal((5, 3)), turns, 60.0)
    model = model_of_skeleton(skeleton)
    rotations, origins = bodies_in_world(model, torch.tensor(pose_of_motion(motion)))
    world, expected = motion.world()
    np.testing.assert_allclose(origins[:, 1:], expected, atol=1e-12)
    np.testing.assert_allclose(rotations[:, 1:], quaternion.to_matrix(world), atol=1e-12)


def test_joints_that_did_not_move_keep_their_rotations_to_the_last_bit_and_sign():
    random = np.random.default_rng(3)
    turns = quaternion.from_rotation_vector(random.standard_normal((5, 24, 3)))
    turns[2:4] *= -1.0
    motion = Motion(body_skeleton(), random.standard_normal((5, 3)), turns, 60.0)
    pose = pose_of_motion(motion)
    knee = model_of_skeleton(motion.skeleton).coordinate_index("left_knee_x")
    pose[:, knee] += 0.1
    found = motion_of_pose(pose, motion)
    still = [i for i, name in enumerate(motion.skeleton.names) if name != "left_knee"]
    np.testing.assert_array_equal(found.rotations[:, still], motion.rotations[:, still])
    np.testing.assert_array_equal(found.root_position, motion.root_position)
    np.testing.assert_allclose(pose_of_motion(found), pose, atol=1e-12)
    with pytest.raises(ShapeError, match=r"poses have shape \(4, 75\), expected \(5, 75\)"):
        motion_of_pose(pose[:4], motion)


@pytest.mark.parametrize(
    ("pose", "message"),
    [
        (torch.zeros(4, 3), r"a pose of shape \(4, 3\) .* does not fit model 'two legs'"),
        (torch.zeros(4, 22, dtype=torch.long), "expected float numbers"),
    ],
)
def test_a_pose_that_does_not_fit_is_told(two_legs, pose, message):
    assert len(two_legs.coordinates) == 22
    with pytest.raises(ShapeError, match=message):
        bodies_in_world(two_legs, pose)


@pytest.mark.parametrize(
    ("scales", "message"),
    [
        (torch.ones(4), r"scales of shape \(4, 1\) do not fit 10 bodies"),
        (torch.ones(10, 2), r"scales of shape \(10, 2\) do not fit 10 bodies"),
        (0.0, "zero, negative or not a number"),
        (torch.tensor(float("nan")), "zero, negative or not a number"),
        (torch.tensor([1.0] * 9 + [-1.0]), "zero, negative or not a number"),
    ],
)
def test_scales_that_make_no_body_are_told(two_legs, scales, message):
    with pytest.raises(ShapeError, match=message):
        bodies_in_world(two_legs, torch.zeros(22), scales)


def test_another_number_of_marker_places_is_told(two_legs):
    with pytest.raises(
        ShapeError, match=r"marker positions have shape \(6, 3\), expected \(7, 3\)"
    ):
        markers_in_world(two_legs, torch.zeros(22), positions=torch.zeros(6, 3))


def test_a_free_root_has_six_coordinates_and_a_weld_none():
    assert len(one_joint(free("root", "arm"), 0.0, 0.0, 0.0).coordinates) == 6
    assert len(one_joint(weld("root", "ground", "arm"), 0.0, 0.0, 0.0).coordinates) == 0
