"""The generator's parts: windows that come back, tokens by scale, and who sees whom."""

import json
import math

import numpy as np
import pytest
import torch

from pallas.neural.generator.judge import window_costs
from pallas.neural.generator.network import Generator, GeneratorConfig
from pallas.neural.generator.next_scale import SEEN, NextScale, NextScaleConfig, block_causal
from pallas.neural.generator.quantiser import LATENTS, SCALES, TOKENS, Quantiser, scale_slices
from pallas.neural.generator.run import GeneratorTraining, Stage
from pallas.neural.generator.sampler import Sampler, Worn
from pallas.neural.generator.stored import load_generator, save_generator
from pallas.neural.generator.tokeniser import Tokeniser, TokeniserConfig
from pallas.neural.generator.train import fit_generator
from pallas.neural.generator.windows import (
    LEGS,
    Clip,
    clip_of,
    legs_from_pelvis,
    lower_body,
    pelvis_from_legs,
    sensed,
)
from pallas.neural.root import SOLES
from pallas.rig import ModelError, Motion, body_skeleton, quaternion, so3

TINY = GeneratorConfig(
    TokeniserConfig(width=16, latent=8, codes=32, blocks=1),
    NextScaleConfig(width=16, layers=2, heads=2, hidden=16, latent=8, codes=32),
)
PERFECT = Worn(0.0, 0.0, 0.0, 0.0, 0.0)


def wandering(frames: int, seed: int = 0) -> Motion:
    """A body whose joints wander smoothly, at 60 frames a second."""
    random = np.random.default_rng(seed)
    vectors = np.cumsum(random.normal(0, 0.01, (frames, 24, 3)), axis=0)
    root = np.cumsum(random.normal(0, 0.005, (frames, 3)), axis=0) + np.array([0.0, 0.0, 0.9])
    return Motion(body_skeleton(), root, quaternion.from_rotation_vector(vectors), 60.0)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [clip_of(wandering(frames, frames)) for frames in (200, 90)]


def untrained() -> Generator:
    torch.manual_seed(0)
    return Generator(TINY).eval()


def test_a_lower_body_in_numbers_is_the_legs_again():
    motion = wandering(40)
    clip = clip_of(motion)
    pelvis, legs = so3.from_quaternion(clip.bones[:, 0]), so3.from_quaternion(clip.legs)
    lower = lower_body(pelvis, legs, clip.velocity, clip.height, clip.contacts)
    in_pelvis = pelvis_from_legs(lower)
    torch.testing.assert_close(pelvis[:, None] @ in_pelvis, legs, atol=1e-5, rtol=0)
    offsets = torch.tensor(motion.skeleton.offsets[LEGS], dtype=torch.float32)
    places = legs_from_pelvis(in_pelvis, offsets)
    world = (pelvis[:, None] @ places[..., None]).squeeze(-1).numpy() + motion.root_position[
        :, None
    ]
    np.testing.assert_allclose(world, motion.world()[1][:, LEGS], atol=1e-5)


def test_a_body_that_spins_is_sensed_as_turning_and_nothing_else():
    times = np.arange(30) / 60.0
    vectors = np.zeros((30, 24, 3))
    vectors[:, 0, 2] = 1.5 * times
    motion = Motion(
        body_skeleton(), np.zeros((30, 3)), quaternion.from_rotation_vector(vectors), 60.0
    )
    seen = sensed(so3.from_quaternion(clip_of(motion).bones), torch.zeros(30, 4, 3))
    torch.testing.assert_close(
        seen[:, 48:], torch.tensor([0.0, 0.0, 1.5]).expand(30, 3), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(seen[:, :48], seen[:1, :48].expand(30, -1), atol=1e-5, rtol=0)


def test_a_mirrored_window_is_the_window_of_the_mirrored_body(clips):
    options = {"frames": 64, "batch": 4, "seed": 3}
    plain = Sampler(clips, [1.0, 1.0], worn=PERFECT, **options)(0)
    mirrored = Sampler(clips, [1.0, 1.0], worn=Worn(1.0, 0.0, 0.0, 0.0, 0.0), **options)(0)
    offsets = torch.tensor(body_skeleton().offsets[LEGS], dtype=torch.float32)
    ours, theirs = (legs_from_pelvis(pelvis_from_legs(w.lower), offsets) for w in (plain, mirrored))
    swapped = ours[..., [1, 0, 3, 2, 5, 4, 7, 6], :] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(theirs, swapped, atol=1e-4, rtol=0)
    velocity = plain.lower[..., 48:51] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(mirrored.lower[..., 48:51], velocity, atol=1e-4, rtol=0)


def test_the_same_number_gives_the_same_windows_and_another_others(clips):
    sampler = Sampler(clips, [1.0, 1.0], frames=64, batch=2, seed=0)
    assert torch.equal(sampler(4).lower, sampler(4).lower)
    assert not torch.equal(sampler(4).lower, sampler(5).lower)


def test_a_fitted_quantiser_comes_nearer_with_each_scale():
    torch.manual_seed(0)
    quantiser = Quantiser(64, 4)
    for conv in quantiser.smooth:
        torch.nn.init.zeros_(conv.weight)
        torch.nn.init.zeros_(conv.bias)
        torch.nn.init.dirac_(conv.weight)
    random = torch.Generator().manual_seed(0)
    latents = torch.randn(400, LATENTS, 4, generator=random).cumsum(1) * 0.3
    for _ in range(60):
        quantiser.learn(latents, random)
    found = quantiser(latents)
    off = (found.partial - latents).square().mean((1, 2, 3))
    assert (off.diff() < 0).all(), off
    assert off[-1] < 0.5 * latents.square().mean()
    torch.testing.assert_close(quantiser.latents(found.tokens), found.latents)


def test_no_code_stays_dead():
    torch.manual_seed(0)
    quantiser = Quantiser(32, 4)
    random = torch.Generator().manual_seed(0)
    latents = torch.randn(100, LATENTS, 4, generator=random) + 50.0
    for _ in range(20):
        quantiser.learn(latents, random)
    assert (quantiser.codebook.norm(dim=-1) < 150.0).all()
    assert len(quantiser(latents).tokens.unique()) > 16


def test_what_is_known_before_a_scale_comes_from_coarser_tokens_alone():
    torch.manual_seed(0)
    quantiser = Quantiser(32, 4)
    found = quantiser(torch.randn(3, LATENTS, 4))
    total = torch.zeros(3, LATENTS, 4)
    for scale, part in enumerate(scale_slices()):
        torch.testing.assert_close(quantiser.input_of(total, scale), found.inputs[:, part])
        total = total + quantiser.spread(found.tokens[:, part], scale)


@pytest.mark.parametrize("scale", range(len(SCALES)))
def test_a_finer_scale_changes_no_coarser_logit(scale):
    network = untrained().next_scale
    torch.manual_seed(1)
    sensed_, latents = torch.randn(2, 192, 51), torch.randn(2, SEEN, 8)
    known = torch.ones(2, SEEN, dtype=torch.bool)
    inputs = torch.randn(2, TOKENS, 8)
    changed = inputs.clone()
    part = scale_slices()[scale]
    changed[:, part] += 1.0
    with torch.no_grad():
        before, after = (network(sensed_, latents, known, x) for x in (inputs, changed))
    assert torch.equal(before[:, : part.start], after[:, : part.start])
    assert not torch.equal(before[:, part], after[:, part])
    assert torch.equal(block_causal()[SEEN:, :SEEN], torch.ones(TOKENS, SEEN, dtype=torch.bool))


def test_scale_by_scale_gives_the_logits_of_all_at_once():
    network = untrained().next_scale
    torch.manual_seed(2)
    sensed_, latents = torch.randn(2, 192, 51), torch.randn(2, SEEN, 8)
    known = torch.rand(2, SEEN) < 0.5
    inputs = torch.randn(2, TOKENS, 8)
    with torch.no_grad():
        whole = network(sensed_, latents, known, inputs)
        here, memory = network.look(sensed_, latents, known)
        for scale, part in enumerate(scale_slices()):
            logits, memory = network.step(inputs[:, part], here, memory, scale)
            torch.testing.assert_close(logits, whole[:, part], atol=1e-5, rtol=1e-5)


def test_latents_that_are_not_known_are_not_seen():
    network = untrained().next_scale
    sensed_, inputs = torch.randn(1, 192, 51), torch.zeros(1, TOKENS, 8)
    known = torch.zeros(1, SEEN, dtype=torch.bool)
    with torch.no_grad():
        first, second = (network(sensed_, torch.randn(1, SEEN, 8), known, inputs) for _ in range(2))
    assert torch.equal(first, second)


def test_the_tokeniser_keeps_the_number_of_frames():
    tokeniser = Tokeniser(TINY.tokeniser)
    pelvis = torch.eye(3).expand(2, 128, 3, 3)
    latents = tokeniser.encode(torch.randn(2, 128, 54), pelvis)
    assert latents.shape == (2, 2 * LATENTS, 8)
    assert tokeniser.quantise(latents).tokens.shape == (4, TOKENS)
    assert tokeniser.decode(latents, pelvis).shape == (2, 128, 54)


def standing_still() -> tuple[torch.Tensor, torch.Tensor]:
    """A standard body at rest on the floor, 72 frames: numbers with contacts as logits, and its pelvis."""
    rotations = np.tile(quaternion.IDENTITY, (72, 24, 1))
    root = np.tile(body_skeleton().offsets[0], (72, 1))
    root[:, 2] += SOLES[0] - body_skeleton().rest_positions[7, 2]
    clip = clip_of(Motion(body_skeleton(), root, rotations, 60.0))
    pelvis, legs = so3.from_quaternion(clip.bones[:, 0]), so3.from_quaternion(clip.legs)
    lower = lower_body(pelvis, legs, clip.velocity, clip.height, clip.contacts)
    lower[:, 52:] = 20.0
    return lower[None], pelvis[None]


def test_a_window_costs_what_its_feet_its_height_its_speed_and_its_steps_are_off():
    lower, pelvis = standing_still()
    felt, seen = torch.zeros(72, 3), torch.ones(72, 2)

    def cost(changed: torch.Tensor) -> float:
        return float(window_costs(changed, pelvis, felt, seen))

    assert cost(lower) == pytest.approx(0.0, abs=0.05)
    for column, off, expected in ((48, 0.1, 142 / 143), (51, 0.02, 1.0), (52, -40.0, 2.0)):
        changed = lower.clone()
        changed[..., column] += off
        assert cost(changed) - cost(lower) == pytest.approx(expected, rel=0.02)
    felt[:, 1] = 0.15 / 8.0
    assert cost(lower) == pytest.approx(1.0, abs=0.05)


def options(steps: int = 3, every: int = 2) -> GeneratorTraining:
    first, second = (Stage(steps, math.inf, rate, 0.01) for rate in (1e-3, 8e-4))
    return GeneratorTraining(first, second, batch=2, checkpoint_every=every, warm_up=2)


@pytest.mark.parametrize("stop", [2, 5])
def test_training_that_was_stopped_goes_on_as_if_it_never_was(clips, tmp_path, stop):
    def fit(folder: str, progress: object = lambda *_: None) -> Generator:
        weights = [1.0] * len(clips)
        return fit_generator(
            clips, weights, clips, weights, tmp_path / folder, options(), progress, TINY
        )

    def stopping(step: int, *_: object) -> None:
        if step == stop + 1:
            raise KeyboardInterrupt

    straight = fit("straight")
    with pytest.raises(KeyboardInterrupt):
        fit("stopped", stopping)
    stopped = fit("stopped")
    for name, tensor in straight.state_dict().items():
        assert torch.equal(stopped.state_dict()[name], tensor), name


def test_training_lowers_the_loss_and_logs_it(clips, tmp_path):
    weights = [1.0] * len(clips)
    chosen = options(steps=30, every=10)
    fit_generator(clips, weights, clips, weights, tmp_path, chosen, lambda *_: None, TINY)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == [10, 20, 30, 40, 50, 60]
    assert log[2]["validation"]["place"] < log[0]["validation"]["place"]
    assert log[5]["validation"]["tokens"] < log[3]["validation"]["tokens"]
    loaded = load_generator(tmp_path / "generator")
    assert loaded.config == TINY


def test_training_ends_when_its_minutes_are_over(clips, tmp_path):
    short = Stage(10**6, 0.3 / 60.0, 1e-3, 0.01)
    chosen = GeneratorTraining(short, short, batch=2, warm_up=2)
    fit_generator(clips, [1.0, 1.0], clips, [1.0, 1.0], tmp_path, chosen, lambda *_: None, TINY)
    about = json.loads((tmp_path / "generator.json").read_text())
    assert all(0 < steps < 1000 for steps in about["steps"])


def test_weights_come_back_in_half_precision(tmp_path):
    network = untrained()
    save_generator(tmp_path / "generator", network)
    loaded = load_generator(tmp_path / "generator")
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("damage", ["missing", "cut", "another kind"])
def test_damaged_weights_are_told_in_one_line(tmp_path, damage):
    save_generator(tmp_path / "generator", untrained())
    weights, about = tmp_path / "generator.safetensors", tmp_path / "generator.json"
    if damage == "missing":
        weights.unlink()
    elif damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-50])
    else:
        about.write_text(about.read_text().replace('"generator"', '"pallas"'))
    with pytest.raises(ModelError, match=r"generator\.safetensors can't be used") as error:
        load_generator(tmp_path / "generator")
    assert "\n" not in str(error.value)


def test_a_transformer_that_does_not_fit_its_tokeniser_is_refused():
    with pytest.raises(
        ValueError, match="512 codes of 32 numbers, the transformer expects 8 of 32"
    ):
        GeneratorConfig(next_scale=NextScaleConfig(codes=8))
    with pytest.raises(ValueError, match="not divisible by heads"):
        NextScale(NextScaleConfig(width=20, heads=3))
