import numpy as np
import pytest
import torch
from walks import stepping

from pallas.capture.keypoints.keypoints import Keypoints
from pallas.capture.keypoints.layout import LAYOUTS, named_layout
from pallas.neural.lifter.evaluate import aligned_error
from pallas.neural.lifter.frames import centred
from pallas.neural.lifter.lift import NAMES, lift_keypoints
from pallas.neural.lifter.network import FEATURES, Lifted, Lifter, LifterConfig
from pallas.neural.lifter.options import Views
from pallas.neural.lifter.points import INPUTS, MIRRORED, POINTS, SUMS, body_size, point_vectors
from pallas.neural.lifter.solve import OPENCAP, camera_of_focal, solve_lift
from pallas.neural.lifter.stored import load_lifter, save_lifter
from pallas.neural.lifter.train import fit_lifter
from pallas.neural.lifter.views import Clip, ViewSampler
from pallas.neural.training.options import TrainingOptions
from pallas.rig import quaternion
from pallas.rig.errors import ModelError, RecordingError
from pallas.rig.skeleton import BODY_JOINTS, body_skeleton

SIZE = (1920, 1080)
HEIGHT = 1.6  # metres of the camera


def walk(frames=30, fps=30.0):
    """A walk with arms that hang and swing a little."""
    motion = stepping(frames, fps)
    rotations = motion.rotations.copy()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = sign * 0.3 * np.sin(2 * np.pi * np.arange(frames) / fps)
        down = np.stack([np.zeros(frames), np.full(frames, sign * 1.35), np.zeros(frames)], -1)
        forth = np.stack([swing, np.zeros(frames), np.zeros(frames)], -1)
        rotations[:, BODY_JOINTS.index(f"{side}_shoulder")] = quaternion.multiply(
            quaternion.from_rotation_vector(forth), quaternion.from_rotation_vector(down)
        )
    return type(motion)(motion.skeleton, motion.root_position, rotations, fps)


def camera(distance=5.0):
    """Level, looking along +y at the walker, `HEIGHT` metres above the floor."""
    found = camera_of_focal(1500.0, SIZE)
    place = np.array([0.0, -distance, HEIGHT])
    return type(found)(
        found.name,
        found.matrix,
        found.camera_from_world,
        -found.camera_from_world @ place,
        size=SIZE,
    )


def points_of(motion):
    """(T, P, 3) of all points in the world, metres."""
    path, vectors = point_vectors(motion)
    return (path[:, None] + SUMS @ vectors) * body_size(motion.skeleton.offsets)


def keypoints(motion, seen_by, layout="body_25", hidden=()):
    """What a perfect detector sees."""
    kind, points = named_layout(layout), points_of(motion)
    pixels = np.full((len(motion), 1, len(kind), 2), np.nan)
    for name in INPUTS:
        if name in kind.names and name not in hidden:
            pixels[:, 0, kind.names.index(name)] = seen_by.project(points[:, NAMES.index(name)])
    sure = np.where(np.isfinite(pixels[..., 0]), 0.9, 0.0)
    return Keypoints(kind, pixels, sure, motion.fps, SIZE)


def test_the_vectors_of_a_body_add_up_to_its_joints():
    motion = walk(4)
    joints = points_of(motion)[:, : len(BODY_JOINTS)]
    np.testing.assert_allclose(joints, motion.world()[1], atol=1e-9)


def test_heels_are_behind_the_ankles_and_toes_before_the_feet():
    rest = body_skeleton(1.70).rest_positions
    motion = stepping(1)
    still = type(motion)(motion.skeleton, rest[:1], np.tile([1.0, 0, 0, 0], (1, 24, 1)), 30.0)
    points = dict(zip(POINTS, points_of(still)[0], strict=True))
    assert points["LHeel"][1] > points["left_ankle"][1] + 0.03  # it faces -y
    assert points["LBigToe"][1] < points["left_foot"][1] - 0.03
    assert points["LSmallToe"][0] > points["LBigToe"][0] > 0.0 > points["RBigToe"][0]
    assert 0.0 <= points["LHeel"][2] < 0.05


def test_the_mirror_exchanges_sides_and_twice_is_nothing():
    assert [MIRRORED[k] for k in MIRRORED] == list(range(len(POINTS)))
    assert POINTS[MIRRORED[POINTS.index("LHeel")]] == "RHeel"
    assert POINTS[MIRRORED[POINTS.index("left_collar")]] == "right_collar"
    assert POINTS[MIRRORED[POINTS.index("Nose")]] == "Nose"


def test_every_layout_has_enough_of_the_points():
    for key, layout in LAYOUTS.items():
        assert sum(name in layout.names for name in INPUTS) >= 13, key


def test_a_centred_view_does_not_depend_on_where_in_the_picture_or_how_near():
    draw = np.random.default_rng(0)
    shape = 0.2 * draw.normal(size=(1, len(INPUTS), 2))
    shape -= shape.mean(axis=1, keepdims=True)
    seen = np.ones((40, len(INPUTS)), dtype=bool)
    middle = centred(np.repeat(0.1 * shape, 40, axis=0), seen)
    np.testing.assert_allclose(middle.view_from_camera, np.tile(np.eye(3), (40, 1, 1)), atol=1e-12)
    smaller = centred(np.repeat(0.05 * shape, 40, axis=0), seen)
    np.testing.assert_allclose(smaller.points, middle.points, atol=1e-9)
    np.testing.assert_allclose(smaller.size / middle.size, 0.5, atol=1e-9)
    beside = np.concatenate([np.repeat(0.1 * shape, 40, axis=0), np.ones((40, len(INPUTS), 1))], -1)
    angle = 0.4
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    rays = beside @ turn.T
    aside = centred(rays[..., :2] / rays[..., 2:], seen)
    np.testing.assert_allclose(aside.points, middle.points, atol=0.02)


def test_missing_keypoints_change_nothing_of_the_others():
    flat = np.random.default_rng(1).normal(size=(20, len(INPUTS), 2)) * 0.1
    seen = np.ones((20, len(INPUTS)), dtype=bool)
    seen[:, 3] = False
    wild = flat.copy()
    wild[:, 3] = np.nan
    np.testing.assert_array_equal(centred(wild, seen).points, centred(flat, seen).points)


@pytest.fixture(scope="module")
def clips():
    motion = walk(90)
    path, vectors = point_vectors(motion)
    narrow = [np.float32(path), np.float32(vectors), np.float32(np.zeros((90, 2)))]
    return [Clip(*narrow)]


def test_perfect_views_are_the_points_through_a_camera(clips):
    batch = ViewSampler(clips, frames=8, batch=4, seed=0, views=Views().perfect())(0)
    points = batch.points.numpy()[:, :, list(INPUTS.values())].reshape(-1, len(INPUTS), 3)
    for body, flat in zip(points, batch.flat.reshape(-1, len(INPUTS), 2), strict=True):
        # x (Z + z) = X + t_x and so for y: linear in where the body is, and solved exactly.
        rows = np.zeros((len(INPUTS), 2, 3))
        rows[:, 0, 0] = rows[:, 1, 1] = 1.0
        rows[:, :, 2] = -flat
        right = flat * body[:, 2:] - body[:, :2]
        place, *_ = np.linalg.lstsq(rows.reshape(-1, 3), right.ravel(), rcond=None)
        np.testing.assert_allclose(rows @ place, right, atol=1e-6)
        assert 0.5 < place[2] < 20.0


def test_the_same_number_gives_the_same_views_and_another_others(clips):
    draw = ViewSampler(clips, frames=8, batch=3, seed=5)
    torch.testing.assert_close(draw(2).features, draw(2).features)
    assert not torch.equal(draw(2).features, draw(3).features)
    assert draw(2).features.shape == (3, 8, FEATURES)


def small():
    return LifterConfig(width=16, dilations=(1, 2))


def options(steps):
    return TrainingOptions(steps=steps, batch=1, warm_up=2, checkpoint_every=2, learning_rate=3e-3)


def test_training_that_was_stopped_goes_on_as_if_it_never_was(clips, tmp_path):
    def fit(folder, stop=None):
        def progress(step, *_):
            if step == stop:
                raise KeyboardInterrupt

        return fit_lifter(clips, clips, tmp_path / folder, options(4), progress, small())

    whole = fit("whole")
    with pytest.raises(KeyboardInterrupt):
        fit("parts", stop=3)
    resumed = fit("parts")
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(
        load_lifter(tmp_path / "whole" / "lifter").start.weight,
        whole.start.weight,
        atol=1e-3,
        rtol=1e-2,
    )


def test_training_comes_nearer(clips, tmp_path):
    found = []
    for steps in (1, 40):
        folder = tmp_path / str(steps)
        fit_lifter(clips, clips, folder, options(steps), lambda *_: None, small())
        row = (folder / "log.csv").read_text().splitlines()[-1]
        found.append(float(row.split(",")[-1]))
    assert found[1] < 0.7 * found[0]


def test_damaged_weights_are_told(tmp_path):
    save_lifter(tmp_path / "lifter", Lifter(small()), {})
    (tmp_path / "lifter.safetensors").write_bytes(b"x" * 40)
    with pytest.raises(ModelError, match="can't be used"):
        load_lifter(tmp_path / "lifter")


def test_a_similarity_is_aligned_away():
    truth = np.random.default_rng(0).normal(size=(5, 24, 3))
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    np.testing.assert_allclose(aligned_error(2.0 * truth @ turn + 3.0, truth), 0.0, atol=1e-9)
    assert aligned_error(truth * [-1.0, 1.0, 1.0], truth).mean() > 0.1  # a mirror is no turn


class Known(torch.nn.Module):
    """A network that knows the truth in the turned view, upright or mirrored."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers

    def forward(self, features):
        points = self.answers.pop(0)[None]
        like = torch.zeros(points.shape[:2])
        return Lifted(points, like[..., None].expand(-1, -1, len(POINTS)) - 3.0,
                      like[..., None].expand(-1, -1, 2), points[..., 1, :])  # fmt: skip


def test_what_the_network_says_comes_back_into_the_cameras_frame():
    motion, view = walk(12), camera()
    truth = points_of(motion)
    relative = (truth - truth[:, :1]) @ view.camera_from_world.T
    seen = keypoints(motion, view)
    turn = np.eye(3)

    class Telling(torch.nn.Module):
        calls = 0

        def forward(self, features):
            """Both answers in the turned view, found again from the view's own features."""
            Telling.calls += 1
            flat = torch.tensor(relative @ turn, dtype=torch.float32)
            if Telling.calls % 2 == 0:
                flat = flat[:, list(MIRRORED)] * torch.tensor([-1.0, 1.0, 1.0])
            return Known([flat])(features)

    lifted = lift_keypoints(seen, view, Telling(), up=view.camera_from_world[:, 2])
    lengths = np.linalg.norm(lifted.points, axis=-1)
    np.testing.assert_allclose(lengths, np.linalg.norm(relative, axis=-1), atol=1e-5)
    np.testing.assert_allclose(lifted.up, view.camera_from_world[:, 2], atol=1e-9)
    assert lifted.spread.shape == (12, len(POINTS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda k: Keypoints(k.layout, k.positions, k.confidence, None), "--fps"),
        (lambda k: k.above(0.99), "no frame has 5 keypoints"),
        (lambda k: Keypoints(k.layout, np.repeat(k.positions, 2, 1), np.repeat(k.confidence, 2, 1),
                             30.0), "2 people"),
    ],
)  # fmt: skip
def test_what_can_not_be_lifted_is_told(change, message):
    view = camera()
    with pytest.raises(RecordingError, match=message):
        lift_keypoints(change(keypoints(walk(3), view)), view, Lifter(small()))


@pytest.fixture(scope="module")
def embedded():
    return load_lifter()


@pytest.mark.parametrize("layout", ["coco_17", "mediapipe_33", "body_25b"])
def test_the_embedded_lifter_knows_a_walk_from_the_side(embedded, layout):
    motion, view = walk(40), camera()
    lifted = lift_keypoints(keypoints(motion, view, layout), view, embedded, height=1.70)
    truth = points_of(motion)
    error = aligned_error(lifted.points[:, : len(BODY_JOINTS)], truth[:, : len(BODY_JOINTS)])
    assert 1000 * error.mean() < 90
    assert (lifted.spread > 0.0).all()
    up = np.degrees(np.arccos(lifted.up @ view.camera_from_world[:, 2]))
    assert up < 15


def test_hidden_arms_are_less_sure(embedded):
    motion, view = walk(30), camera()
    hidden = ("LElbow", "LWrist", "RElbow", "RWrist")
    whole = lift_keypoints(keypoints(motion, view), view, embedded)
    part = lift_keypoints(keypoints(motion, view, hidden=hidden), view, embedded)
    wrist = BODY_JOINTS.index("left_wrist")
    assert part.spread[:, wrist].mean() > 1.05 * whole.spread[:, wrist].mean()


@pytest.mark.parametrize("calibrated", [True, False])
def test_one_camera_places_the_walker_on_the_floor_before_it(embedded, calibrated):
    motion, view = walk(24), camera()
    found = solve_lift(
        keypoints(motion, view), view, embedded, height=1.70, calibrated=calibrated, floor=0.0
    )
    assert found.markers.names == OPENCAP
    place = found.body.motion.root_position - found.camera.position
    truth = motion.root_position - view.position
    away = np.linalg.norm(place, axis=-1) / np.linalg.norm(truth, axis=-1)
    assert abs(away.mean() - 1.0) < 0.1
    assert np.nanmedian(found.body.errors_px) < 12
    feet = found.markers.positions[:, [OPENCAP.index("LHeel"), OPENCAP.index("RHeel")], 2]
    assert abs(feet.min(axis=1).mean()) < 0.15
