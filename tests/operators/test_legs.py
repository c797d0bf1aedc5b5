"""The panel of legs: takes, pins, other legs in a range, a seat, and how sure every joint is."""

import dataclasses
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from blender_rigs import add_mpfb  # noqa: E402
from mixamo import MIXAMO  # noqa: E402
from walks import stepping, write_start_of_demo  # noqa: E402

import pallas  # noqa: E402  after the skip where there is no bpy
import pallas.neural.generator  # noqa: E402
from pallas.capture import formats  # noqa: E402
from pallas.neural.generator.stored import load_generator  # noqa: E402
from pallas.rig import quaternion  # noqa: E402
from pallas.scene.action_notes import note_motion, pins_of  # noqa: E402
from pallas.scene.apply import apply_motion  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.curves import channels_of, read_curve  # noqa: E402
from pallas.scene.worn import LEG_JOINTS  # noqa: E402

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"
FRAMES, FPS = 150, 60.0


@pytest.fixture(scope="module", autouse=True)
def add_on():
    pallas.register()
    yield
    pallas.unregister()


@pytest.fixture
def scene():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


@pytest.fixture(scope="module")
def short_take(tmp_path_factory):
    return write_start_of_demo(tmp_path_factory.mktemp("take") / "walk.pallas")


@pytest.fixture
def walker(scene, tmp_path):
    """A character that wears a walk; keys at 1, 1.4, 1.8, … of a scene with 24 frames a second."""
    character = add_character()
    confidence = np.tile(np.linspace(0.2, 0.9, FRAMES)[:, None], (1, 24))
    motion = dataclasses.replace(stepping(FRAMES, FPS), confidence=confidence)
    formats.write_motion(tmp_path / "walk.npz", motion)
    note_motion(apply_motion(character, motion, "walk"), tmp_path / "walk.npz")
    return character


def select_keys(character, first, last):
    for curve in channels_of(character).fcurves:
        for point in curve.keyframe_points:
            point.select_control_point = first <= point.co.x <= last


def legs_at(character, frames):
    """Evaluated: heads (T, 8, 3) in the world, and rotations (T, 8, 4) from the parents, of leg bones."""
    heads, turns = [], []
    for frame in frames:
        whole = int(np.floor(frame))
        bpy.context.scene.frame_set(whole, subframe=float(frame - whole))
        evaluated = character.evaluated_get(bpy.context.evaluated_depsgraph_get())
        bones = [evaluated.pose.bones[f"mixamorig:{MIXAMO[joint]}"] for joint in LEG_JOINTS]
        heads.append([evaluated.matrix_world @ bone.head for bone in bones])
        turns.append([(b.parent.matrix.inverted() @ b.matrix).to_quaternion() for b in bones])
    return np.array(heads), np.array(turns)


def speed_steps(turns):
    """(T - 2, 8) by how much each joint's angular velocity changes from one frame to the next, rad/s."""
    change = quaternion.multiply(quaternion.conjugate(turns[:-1]), turns[1:])
    return np.linalg.norm(np.diff(quaternion.to_rotation_vector(change), axis=0), axis=-1) * FPS


def curves(character):
    return {(c.data_path, c.array_index): read_curve(c) for c in channels_of(character).fcurves}


def is_leg(path):
    return any(f":{MIXAMO[joint]}" in path for joint in LEG_JOINTS)


# Takes.


@pytest.fixture
def three_takes(scene, short_take):
    legs = scene.pallas.legs
    legs.mode, legs.takes, legs.seed = "generated", 3, 7
    bpy.ops.pallas.load_take(filepath=str(short_take))
    bpy.ops.pallas.solve()
    return scene


def test_takes_go_onto_muted_tracks_below_the_first(three_takes):
    assert three_takes.pallas.solve.summary == "240 frames at 60 Hz, 3 takes"
    character = add_character()
    bpy.ops.pallas.apply_to_character()
    animation = character.animation_data
    assert animation.action.name == "walk take 1 seed 7"
    tracks = animation.nla_tracks
    assert [track.name for track in tracks] == ["walk take 2 seed 7", "walk take 3 seed 7"]
    assert all(track.mute for track in tracks)
    assert [len(track.strips) for track in tracks] == [1, 1]
    assert all(track.strips[0].action_slot is not None for track in tracks)
    before = legs_at(character, [60.0])[1]
    animation.action = None
    tracks[0].mute = False
    assert quaternion.angle(legs_at(character, [60.0])[1], before).max() > 1e-3


def test_takes_become_actions_that_stay_in_the_file(three_takes):
    three_takes.pallas.legs.output = "ACTIONS"
    character = add_character()
    bpy.ops.pallas.apply_to_character(name="Mine")
    assert len(character.animation_data.nla_tracks) == 0
    assert character.animation_data.action.name == "Mine take 1 seed 7"
    assert {a.name for a in bpy.data.actions if a.use_fake_user} == {
        "Mine take 2 seed 7",
        "Mine take 3 seed 7",
    }


def test_a_character_that_wears_something_keeps_it(three_takes, walker):
    former, constraint = (
        walker.animation_data.action,
        walker.pose.bones[3].constraints.new("COPY_ROTATION"),
    )
    bpy.ops.pallas.apply_to_character()
    assert former.use_fake_user
    assert [c.name for b in walker.pose.bones for c in b.constraints] == [constraint.name]
    assert len(bpy.data.actions) == 4


def test_several_takes_are_asked_for_of_generated_legs_only(scene, short_take):
    scene.pallas.legs.takes = 3
    bpy.ops.pallas.load_take(filepath=str(short_take))
    bpy.ops.pallas.solve()
    assert len(scene.pallas.solve.takes) == 1


def test_a_seat_is_as_high_as_told(scene, short_take):
    legs = scene.pallas.legs
    legs.mode, legs.use_seat_height, legs.seat_height = "seated", True, 0.55
    bpy.ops.pallas.load_take(filepath=str(short_take))
    bpy.ops.pallas.solve()
    motion = formats.read_motion(scene.pallas.solve.motion)
    np.testing.assert_allclose(motion.root_position[:, 2], 0.55, atol=1e-6)


def test_a_seat_that_no_legs_reach_is_told(scene, short_take):
    legs = scene.pallas.legs
    legs.mode, legs.use_seat_height, legs.seat_height = "seated", True, 1.2
    bpy.ops.pallas.load_take(filepath=str(short_take))
    with pytest.raises(RuntimeError, match=r"a seat height of 1\.2 m"):
        bpy.ops.pallas.solve()


# Pins.


def test_the_current_frame_is_pinned_if_no_leg_key_is_selected(scene, walker):
    scene.frame_set(12)
    bpy.ops.pallas.pin_keys()
    scene.frame_set(30, subframe=0.5)
    bpy.ops.pallas.pin_keys()
    assert pins_of(walker.animation_data.action) == (12.0, 30.5)


def test_selected_leg_keys_are_pinned_and_pins_cleared(walker):
    select_keys(walker, 9.9, 10.7)
    bpy.ops.pallas.pin_keys()
    np.testing.assert_allclose(pins_of(walker.animation_data.action), [10.2, 10.6], atol=1e-3)
    assert bpy.ops.pallas.clear_pins() == {"FINISHED"}
    assert pins_of(walker.animation_data.action) == ()
    with pytest.raises(RuntimeError, match="No frame is pinned"):
        bpy.ops.pallas.clear_pins()


def test_what_is_missing_is_told(scene):
    for operator in (bpy.ops.pallas.pin_keys, bpy.ops.pallas.regenerate_legs):
        with pytest.raises(RuntimeError, match="Select a character"):
            operator()
    add_character()
    for operator in (bpy.ops.pallas.pin_keys, bpy.ops.pallas.show_confidence):
        with pytest.raises(RuntimeError, match="apply a solved motion first"):
            operator()


# Other legs in a range.


def regenerate(scene, first=20, last=45, seed=5):
    legs = scene.pallas.legs
    legs.use_range, legs.range_start, legs.range_end, legs.seed = True, first, last, seed
    assert bpy.ops.pallas.regenerate_legs() == {"FINISHED"}


def test_pinned_frames_hold_still_while_others_are_drawn(scene, walker):
    pins = [26.0, 32.0, 35.4]  # keys lie at 25.8, 26.2 and so on: pins may lie between
    scene.frame_set(26)
    bpy.ops.pallas.pin_keys()
    scene.frame_set(32)
    bpy.ops.pallas.pin_keys()
    select_keys(walker, 35.3, 35.5)
    bpy.ops.pallas.pin_keys()
    frames = [10.0, *pins, 29.0, 50.0]
    heads, turns = legs_at(walker, frames)
    regenerate(scene)
    new_heads, new_turns = legs_at(walker, frames)
    off = np.linalg.norm(new_heads - heads, axis=-1)
    angle = np.degrees(quaternion.angle(new_turns, turns))
    kept = [0, 1, 2, 3, 5]
    assert off[kept].max() < 1e-3
    assert angle[kept].max() < 0.1
    assert angle[4].max() > 1.0  # the frame between two pins got other legs


def test_no_joint_s_speed_jumps_at_the_borders(scene, short_take):
    bpy.ops.pallas.load_take(filepath=str(short_take))
    bpy.ops.pallas.solve()
    character = add_character()
    bpy.ops.pallas.apply_to_character()
    frames = 1.0 + 0.4 * np.arange(240)
    before = legs_at(character, frames)[1]
    regenerate(scene, 31, 71)
    after = legs_at(character, frames)[1]
    usual, steps = np.percentile(speed_steps(before), 99), speed_steps(after)
    first, stop = 75, 176  # samples of the range
    assert quaternion.angle(after, before)[125].max() > 0.02
    for border in (first, stop):
        assert steps[border - 2 : border].max() <= usual


def test_only_the_legs_of_the_range_change_and_the_former_action_stays(scene, walker):
    before = curves(walker)
    regenerate(scene)
    action = walker.animation_data.action
    assert action.name == "walk legs seed 5"
    after = curves(walker)
    assert before.keys() == after.keys()
    inside = (before[next(iter(before))][:, 0] > 19.9) & (before[next(iter(before))][:, 0] < 45.1)
    for (path, column), points in before.items():
        kept = ~inside if is_leg(path) else slice(None)
        np.testing.assert_array_equal(after[path, column][kept], points[kept])
    walker.animation_data.action = bpy.data.actions["walk"]
    assert bpy.data.actions["walk"].use_fake_user
    for key, points in curves(walker).items():
        np.testing.assert_array_equal(points, before[key])


def test_legs_of_a_rig_of_another_program_are_drawn_anew_too(scene, data):
    """MPFB's default rig: two bones a limb, none of them named as ours."""
    character = add_mpfb(data("rigs/mpfb/rig.default.json"))
    apply_motion(character, stepping(FRAMES, FPS), "walk")
    before = curves(character)
    regenerate(scene)
    after = curves(character)
    assert before.keys() == after.keys()
    moved = {k[0] for k, b in before.items() if np.abs(after[k] - b)[:, 1].max() > 1e-5}
    words = ("upperleg", "lowerleg", "foot", "toe")
    assert moved
    assert all(any(word in path for word in words) for path in moved)
    frames = changed(before, after)
    assert 19.9 < frames.min() < frames.max() < 45.1


def test_the_seed_says_which_legs(scene, walker):
    found = []
    for seed in (5, 5, 6):
        walker.animation_data.action = bpy.data.actions["walk"]
        regenerate(scene, seed=seed)
        found.append(curves(walker))
    same, other = (
        all(np.array_equal(found[0][key], found[n][key]) for key in found[0]) for n in (1, 2)
    )
    assert same
    assert not other


def test_the_range_is_the_preview_s_or_the_selected_keys(scene, walker):
    with pytest.raises(RuntimeError, match="no range is chosen"):
        bpy.ops.pallas.regenerate_legs()
    select_keys(walker, 20.0, 30.0)
    before = curves(walker)
    bpy.ops.pallas.regenerate_legs()
    frames = changed(before, curves(walker))
    assert 20.0 < frames.min() < 22.0
    assert 28.0 < frames.max() < 30.1
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 40, 50
    before = curves(walker)
    bpy.ops.pallas.regenerate_legs()
    assert 40.0 < changed(before, curves(walker)).min() < 42.0


def changed(before, after):
    """Scene frames of keys whose value is another one now."""
    moved = [b[np.abs(after[key] - b)[:, 1] > 1e-6, 0] for key, b in before.items()]
    return np.concatenate(moved)


def test_a_missing_generator_is_told_in_one_line(scene, walker, monkeypatch, tmp_path):
    missing = partial(load_generator, tmp_path / "generator")
    monkeypatch.setattr(
        sys.modules["pallas.neural.generator.infill"], "embedded_generator", missing
    )
    scene.pallas.legs.use_range = True
    with pytest.raises(RuntimeError, match=r"generator\.safetensors can't be used"):
        bpy.ops.pallas.regenerate_legs()
    assert walker.animation_data.action.name == "walk"


# How sure.


def test_confidence_comes_as_curves_and_goes_without_a_trace(walker):
    before, paths = sorted(walker.keys()), set(curves(walker))
    bpy.ops.pallas.show_confidence()
    curve = channels_of(walker).fcurves.find('["confidence_left_knee"]')
    points = read_curve(curve)
    np.testing.assert_allclose(points[:, 0], 1.0 + 0.4 * np.arange(FRAMES), atol=1e-4)
    np.testing.assert_allclose(points[:, 1], np.linspace(0.2, 0.9, FRAMES), atol=1e-6)
    bpy.context.scene.frame_set(30)
    assert 0.2 < walker["confidence_left_knee"] < 0.9
    assert "confidence_left_hand" not in walker  # no bone
    bpy.ops.pallas.show_confidence()
    assert sorted(walker.keys()) == before
    assert set(curves(walker)) == paths
    assert channels_of(walker).groups.get("Confidence") is None


def test_confidence_goes_from_a_copied_action_too(scene, walker):
    bpy.ops.pallas.show_confidence()
    regenerate(scene)
    bpy.ops.pallas.show_confidence()
    walker.animation_data.action = bpy.data.actions["walk"]
    assert channels_of(walker).fcurves.find('["confidence_left_knee"]') is None


def test_confidence_of_a_past_session_is_told(walker, tmp_path):
    (tmp_path / "walk.npz").unlink()
    with pytest.raises(RuntimeError, match="gone with the last session"):
        bpy.ops.pallas.show_confidence()
