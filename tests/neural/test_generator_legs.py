"""Drawn legs: seeded, under an upper body that stays; gaps filled without jumps; somebody who sits."""

import numpy as np
import pytest
import torch
import walks

from pallas.neural.contacts import ANKLES, TOES
from pallas.neural.generator import GeneratorOptions, generate, generate_posed, infill, seated
from pallas.neural.generator.confidence import agreement
from pallas.neural.generator.grounded import grounded
from pallas.neural.generator.network import Generator, GeneratorConfig
from pallas.neural.generator.next_scale import NextScaleConfig
from pallas.neural.generator.sampling import draw_windows, randoms
from pallas.neural.generator.tokeniser import TokeniserConfig
from pallas.neural.generator.windows import LEGS
from pallas.neural.predict import Posed
from pallas.neural.root import SOLES
from pallas.neural.weights import EMBEDDED
from pallas.rig import BODY_JOINTS, Motion, ShapeError, body_skeleton, quaternion

TINY = GeneratorConfig(
    TokeniserConfig(width=16, latent=8, codes=32, blocks=1),
    NextScaleConfig(width=16, layers=2, heads=2, hidden=16, latent=8, codes=32),
)
UPPER = [joint for joint in range(len(BODY_JOINTS)) if joint not in LEGS]


def stepping(frames: int, fps: float = 60.0, height: float = 1.70) -> Motion:
    """A walk with the pelvis leaning a little."""
    return walks.stepping(frames, fps, height, bent=0.05, sunk=0.04 * height)


@pytest.fixture(scope="module")
def network() -> Generator:
    """An untrained generator with strong opinions, whose numbers are near a standing body's."""
    torch.manual_seed(0)
    found = Generator(TINY).eval()
    from_tracks = torch.zeros(54)
    from_tracks[:48] = torch.tensor([0.0, 0.0, -1.0, 0.0, -1.0, 0.0]).repeat(8)
    from_tracks[51] = 0.9
    found.tokeniser.mean.copy_(from_tracks)
    found.tokeniser.deviation.fill_(1.5)
    found.next_scale.logits.weight.data *= 20.0
    found.next_scale.deviation.fill_(0.1)
    return found


def posed(frames: int = 100) -> Posed:
    return Posed(stepping(frames), np.full((frames, 2), 0.5))


def drawn(network: Generator, frames: int = 100, **options: float) -> tuple[Motion, ...]:
    return generate(posed(frames), options=GeneratorOptions(**options), network=network)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_legs(network):
    first, again = (drawn(network, takes=2, seed=7) for _ in range(2))
    for one, two in zip(first, again, strict=True):
        assert one.rotations.tobytes() == two.rotations.tobytes()
        assert one.root_position.tobytes() == two.root_position.tobytes()
    other = drawn(network, takes=1, seed=8)[0]
    assert quaternion.angle(first[0].rotations, other.rotations)[:, LEGS].max() > 0.01
    assert quaternion.angle(first[0].rotations, first[1].rotations)[:, LEGS].max() > 0.01


def test_the_upper_body_is_never_changed(network):
    motion = posed().motion
    for take in drawn(network, takes=2):
        assert np.abs(take.rotations[:, UPPER] - motion.rotations[:, UPPER]).max() <= 1e-6
        assert np.isfinite(take.rotations).all()
        assert np.isfinite(take.root_position).all()


def test_a_likeliest_take_is_the_same_for_every_seed(network):
    first, second = (drawn(network, seed=s, temperature=0.0)[0] for s in (1, 2))
    assert first.rotations.tobytes() == second.rotations.tobytes()


def test_one_of_top_one_is_the_likeliest(network):
    likeliest = drawn(network, temperature=0.0)[0]
    only = drawn(network, top_k=1, seed=5, tries=1)[0]
    np.testing.assert_array_equal(only.rotations, likeliest.rotations)


def test_a_take_is_the_same_however_many_are_drawn_with_it(network):
    alone, among = drawn(network, takes=1, seed=3)[0], drawn(network, takes=3, seed=3)[0]
    assert quaternion.angle(alone.rotations, among.rotations).max() < 1e-3


def test_where_takes_agree_a_joint_is_sure(network):
    takes = drawn(network, takes=4)
    confidence = takes[0].confidence
    assert confidence is not None
    np.testing.assert_allclose(confidence[:, UPPER], 1.0, atol=1e-9)
    assert confidence[:, LEGS].min() < 0.999
    assert drawn(network)[0].confidence is None


def test_thirty_degrees_to_either_side_are_half_sure():
    vectors = np.zeros((2, 3, 24, 3))
    vectors[:, :, 4, 0] = np.radians([[-30.0], [30.0]])
    takes = [
        Motion(body_skeleton(), np.zeros((3, 3)), quaternion.from_rotation_vector(v), 60.0)
        for v in vectors
    ]
    expected = np.ones((3, 24))
    expected[:, 4] = 0.5
    np.testing.assert_allclose(agreement(takes), expected, atol=1e-9)


@pytest.mark.parametrize("frames", [1, 2, 63, 64, 65])
def test_any_number_of_frames_is_drawn(network, frames):
    take = generate_posed(posed(frames), network=network)[0]
    assert len(take.motion) == frames
    assert take.contacts.shape == (frames, 2)


def test_a_window_depends_on_the_one_before(network):
    upper = torch.randn(64 * 3, 51)
    options = GeneratorOptions(temperature=0.0)
    before = torch.randn(2, 16, 8)
    first, second = (
        draw_windows(network, upper, options, randoms(options), b * 5.0).detach() for b in before
    )
    assert not torch.equal(first, second)


def test_sensors_that_were_worn_are_heard(network):
    motion = posed().motion
    bones = motion.world()[0][:, [0, 18, 19, 12]]
    still, shaken = np.zeros((100, 4, 3)), np.full((100, 4, 3), 30.0)
    options = GeneratorOptions(temperature=0.0)
    first, second = (
        generate(posed(), bones, acceleration, options, network)[0]
        for acceleration in (still, shaken)
    )
    assert quaternion.angle(first.rotations, second.rotations).max() > 1e-3


def test_another_rate_is_told(network):
    slow = Posed(stepping(50, 30.0), np.zeros((50, 2)))
    with pytest.raises(ShapeError, match="30 frames per second, expected 60"):
        generate(slow, network=network)


@pytest.mark.parametrize("changes", [{"takes": 0}, {"temperature": -1.0}, {"top_k": -1}])
def test_options_that_make_no_sense_are_told(changes):
    with pytest.raises(ShapeError, match="expected"):
        GeneratorOptions(**changes)


def velocity_steps(motion: Motion) -> np.ndarray:
    """(T - 2, 8) how much the velocity of each of the legs' joints changes from frame to frame, m/s."""
    places = motion.world()[1][:, LEGS]
    return np.linalg.norm(np.diff(places, n=2, axis=0), axis=-1) * motion.fps


@pytest.mark.parametrize(
    ("fps", "start", "stop"), [(60.0, 70, 130), (30.0, 41, 60), (60.0, 50, 190)]
)
def test_a_filled_range_meets_its_surroundings_without_a_jump(network, fps, start, stop):
    motion = stepping(240, fps)
    filled = infill(motion, slice(start, stop), network=network)
    assert np.abs(filled.rotations[start:stop] - motion.rotations[start:stop]).max() > 0.01
    steps = velocity_steps(filled)
    for border in (start, stop):
        assert steps[border - 2 : border].max() <= np.percentile(steps, 99)


def test_a_filled_range_changes_nothing_else(network):
    motion = stepping(200)
    filled = infill(motion, slice(60, 120), network=network)
    np.testing.assert_array_equal(filled.root_position, motion.root_position)
    np.testing.assert_array_equal(filled.rotations[:60], motion.rotations[:60])
    np.testing.assert_array_equal(filled.rotations[120:], motion.rotations[120:])
    np.testing.assert_array_equal(filled.rotations[:, UPPER], motion.rotations[:, UPPER])


def test_pinned_poses_stay(network):
    motion = stepping(200)
    filled = infill(motion, slice(60, 140), pinned=[80, 101], network=network)
    moved = np.linalg.norm(filled.world()[1] - motion.world()[1], axis=-1)
    turned = np.degrees(quaternion.angle(filled.rotations, motion.rotations))
    assert moved[[80, 101]].max() < 0.001
    assert turned[[80, 101]].max() < 0.1
    assert turned[90].max() > 0.1


def test_pinned_contacts_stand_where_they_stood(network):
    skeleton = body_skeleton()
    vectors = np.zeros((150, 24, 3))
    for side in ("left", "right"):
        vectors[:, skeleton.index(f"{side}_hip"), 0] = -0.4
        vectors[:, skeleton.index(f"{side}_knee"), 0] = 0.8
        vectors[:, skeleton.index(f"{side}_ankle"), 0] = -0.4
    root = np.tile(skeleton.offsets[0], (150, 1))
    root[:, 2] -= 0.475 * 1.70 * (1.0 - np.cos(0.4))
    motion = Motion(skeleton, root, quaternion.from_rotation_vector(vectors), 60.0)
    contacts = np.zeros((150, 2), dtype=bool)
    contacts[70:90, 0] = True
    filled = infill(motion, slice(50, 110), contacts=contacts, network=network)
    left = [ANKLES[0], TOES[0]]
    moved = np.linalg.norm((filled.world()[1] - motion.world()[1])[70:90, left, :2], axis=-1)
    assert moved.max() < 0.005


@pytest.mark.parametrize("frames", [slice(0, 50), slice(150, 200), slice(0, 200), slice(100, 102)])
def test_a_range_at_an_end_or_a_short_one_is_filled_too(network, frames):
    filled = infill(stepping(200), frames, network=network)
    assert np.isfinite(filled.rotations).all()


@pytest.mark.parametrize(
    ("frames", "pinned", "told"),
    [
        (slice(50, 50), [], "range 50 to 50"),
        (slice(150, 260), [], "200 frames"),
        (slice(50, 90), [95], "frame 95 is pinned"),
    ],
)
def test_a_range_that_makes_no_sense_is_told(network, frames, pinned, told):
    with pytest.raises(ShapeError, match=told):
        infill(stepping(200), frames, pinned=pinned, network=network)


@pytest.mark.parametrize("height", [1.45, 1.70, 2.0])
def test_somebody_who_sits_has_both_feet_flat_on_the_floor(height):
    motion = stepping(120, height=height)
    sitting = seated(motion)
    heights = sitting.world()[1][:, [*ANKLES, *TOES], 2]
    np.testing.assert_allclose(
        heights, np.broadcast_to(SOLES * height / 1.70, heights.shape), atol=2e-3
    )
    np.testing.assert_allclose(
        sitting.root_position[:, :2], motion.root_position[:1, :2].repeat(120, 0)
    )
    np.testing.assert_array_equal(sitting.rotations[:, UPPER], motion.rotations[:, UPPER])


def test_on_a_seat_of_ones_own_height_thighs_are_level_and_shanks_upright():
    still = Motion(
        body_skeleton(), np.zeros((5, 3)), np.tile(quaternion.IDENTITY, (5, 24, 1)), 60.0
    )
    places = seated(still).world()[1][0]
    hip, knee, ankle = (
        places[BODY_JOINTS.index(f"left_{name}")] for name in ("hip", "knee", "ankle")
    )
    np.testing.assert_allclose(knee - hip, [0.0, -0.245 * 1.70, 0.0], atol=1e-6)
    np.testing.assert_allclose(ankle - knee, [0.0, 0.0, -0.23 * 1.70], atol=1e-6)


@pytest.mark.parametrize("seat", [0.35, 0.5, 0.7])
def test_the_pelvis_is_at_the_seats_height(seat):
    sitting = seated(stepping(60), seat)
    np.testing.assert_allclose(sitting.root_position[:, 2], seat)
    feet = sitting.world()[1][:, [*ANKLES, *TOES], 2]
    np.testing.assert_allclose(feet, np.broadcast_to(SOLES, feet.shape), atol=2e-3)


def test_a_seat_from_which_no_foot_reaches_the_floor_is_told():
    with pytest.raises(ShapeError, match="a seat height of 1.2 m doesn't suit"):
        seated(stepping(10), 1.2)


def test_feet_follow_a_chair_that_turns_but_not_a_short_twist():
    frames = 600
    vectors = np.zeros((frames, 24, 3))
    vectors[:, 0, 2] = np.linspace(0.0, np.pi, frames) + 0.3 * np.sin(np.arange(frames) * 0.2)
    root = np.zeros((frames, 3))
    turning = Motion(body_skeleton(), root, quaternion.from_rotation_vector(vectors), 60.0)
    feet = seated(turning).world()[1][:, TOES]
    assert feet[0].mean(axis=0)[1] < -0.3  # in front of who faces -y
    assert feet[-1].mean(axis=0)[1] > 0.3
    speed = np.linalg.norm(np.diff(feet, axis=0), axis=-1) * 60.0
    assert speed[100:-100].max() < 0.35


def test_nobody_flies_for_longer_than_a_jump():
    joints = np.zeros((120, 24, 3))
    joints[:, [*ANKLES, *TOES], 2] = SOLES - 0.9
    joints[:, [ANKLES[1], TOES[1]], 2] += 0.05
    contacts = np.zeros((120, 2))
    contacts[20] = contacts[45] = 1.0
    expected = np.array(contacts)
    expected[46:, 0] = 0.75
    np.testing.assert_array_equal(grounded(contacts, joints, 1.0, 60.0), expected)


def test_the_generator_in_the_package_is_small_and_fills_a_gap_smoothly():
    size = sum(path.stat().st_size for path in EMBEDDED.glob("generator.*"))
    assert size < 8_000_000
    motion = stepping(150)
    filled = infill(motion, slice(50, 110), options=GeneratorOptions(seed=1))
    steps = velocity_steps(filled)
    for border in (50, 110):
        assert steps[border - 2 : border].max() <= np.percentile(steps, 99)
