"""The encoder: causal, the same in a stream as at once, blind beyond its window."""

from dataclasses import replace

import pytest
import torch

from pallas.neural.attention import RmsNorm, rotary, sliding_window
from pallas.neural.encoder import Encoder, EncoderCache, EncoderConfig
from pallas.neural.long_short import LongShortConfig, LongShortCrossAttention

SMALL = EncoderConfig(
    width=16, n_heads=2, n_blocks=2, hidden=32, window=6, features=24, long_span=16,
    long_stride=4, short_span=5, cross_width=16,
)  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(SMALL).eval()


@pytest.fixture(scope="module")
def sensors() -> torch.Tensor:
    return torch.randn(2, 60, 4, 12, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_a_stream_frame_by_frame_equals_the_whole_at_once(encoder, sensors):
    at_once = encoder(sensors)
    cache = EncoderCache(SMALL)
    parts = [encoder(sensors[:, t : t + 1], cache) for t in range(sensors.shape[1])]
    torch.testing.assert_close(torch.cat(parts, dim=1), at_once, atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("chunks", [(60,), (1, 59), (20, 20, 20), (7, 30, 3, 20)])
def test_any_cutting_into_chunks_gives_the_same(encoder, sensors, chunks):
    cache = EncoderCache(SMALL)
    parts = [encoder(part, cache) for part in sensors.split(list(chunks), dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), encoder(sensors), atol=1e-5, rtol=0)


@torch.no_grad()
def test_the_future_changes_nothing_and_neither_does_what_is_beyond_the_history(encoder, sensors):
    changed = sensors.clone()
    changed[:, 50:] += 1.0
    changed[:, : 49 - SMALL.history] -= 1.0
    difference = (encoder(changed) - encoder(sensors)).abs().amax(dim=(0, 2))
    assert difference[49] < 1e-6 < difference[50]


def test_rotary_scores_depend_on_the_distance_alone():
    query, key = torch.randn(2, 1, 32, generator=torch.Generator().manual_seed(2)).unbind(0)

    def score(m: int, n: int) -> float:
        turned = rotary(query, torch.tensor([m])) @ rotary(key, torch.tensor([n])).T
        return float(turned)

    assert score(3, 7) == pytest.approx(score(103, 107), abs=1e-3)
    assert abs(score(3, 7) - score(3, 9)) > 1e-3


def test_the_window_sees_itself_and_the_frames_before():
    mask = sliding_window(3, 5, 2, torch.device("cpu"))
    expected = [[0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1]]
    assert mask.int().tolist() == expected


def test_rms_norm_gives_unit_mean_square():
    x = torch.tensor([[3.0, 4.0]])
    torch.testing.assert_close(RmsNorm(2)(x), x / (12.5**0.5), atol=1e-5, rtol=0)


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="not divisible by"):
        EncoderConfig(width=100, n_heads=8)
    with pytest.raises(ValueError, match="not a multiple"):
        EncoderConfig(long_span=241)


def test_asking_all_together_gives_what_asking_one_by_one_gives_and_so_do_its_gradients():
    torch.manual_seed(4)
    config = LongShortConfig(
        features=24, width=16, n_heads=2, long_span=16, long_stride=4, short_span=5
    )
    cross = LongShortCrossAttention(config)
    torch.nn.init.normal_(cross.pool)
    query, key, value = (torch.randn(2, 2, 43, 8, requires_grad=True) for _ in range(3))
    found = []
    for way in (cross._one_by_one, cross._together):
        # Scores lie up to 200 apart, as they do after training.
        answer = way(6.0 * query, 6.0 * key, value, 30)
        gradient = torch.autograd.grad(answer.square().sum(), (query, key, value, cross.pool))
        found.append((answer, *gradient))
    for direct, together in zip(*found, strict=True):
        torch.testing.assert_close(together, direct, atol=2e-4, rtol=1e-3)


@torch.no_grad()
def test_a_take_longer_than_a_chunk_is_asked_in_chunks(monkeypatch):
    torch.manual_seed(5)
    encoder = Encoder(SMALL).eval()
    sensors = torch.randn(1, 90, 4, 12)
    at_once = encoder(sensors)
    monkeypatch.setattr("pallas.neural.long_short._CHUNK", 20)
    torch.testing.assert_close(encoder(sensors), at_once, atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize(
    "switch",
    [{"rotary": "time"}, {"score_scale": "batch"}, {"cross_attention": False}, {"window": 3}],
)
def test_every_switch_changes_what_is_computed_and_still_streams(switch, encoder, sensors):
    torch.manual_seed(0)
    config = replace(SMALL, **switch)
    switched = Encoder(config).eval()
    state = {n: t for n, t in encoder.state_dict().items() if n in switched.state_dict()}
    switched.load_state_dict(state)
    at_once = switched(sensors)
    assert (at_once - encoder(sensors)).abs().max() > 1e-3
    cache = EncoderCache(config)
    parts = [switched(sensors[:, t : t + 1], cache) for t in range(sensors.shape[1])]
    torch.testing.assert_close(torch.cat(parts, dim=1), at_once, atol=1e-5, rtol=0)


@torch.no_grad()
def test_scores_by_batch_make_a_window_depend_on_how_many_are_asked_at_once(sensors):
    torch.manual_seed(0)
    literal = Encoder(replace(SMALL, score_scale="batch")).eval()
    assert (literal(sensors)[:1] - literal(sensors[:1])).abs().max() > 1e-3
    usual = Encoder(SMALL).eval()
    torch.testing.assert_close(usual(sensors)[:1], usual(sensors[:1]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["rotary", "score_scale"])
def test_a_switch_has_only_the_settings_it_says(name):
    with pytest.raises(ValueError, match=f"{name} is 'both'; there are:"):
        EncoderConfig(**{name: "both"})


def test_scores_further_apart_than_numbers_reach_give_no_nan():
    config = LongShortConfig(
        features=24, width=16, n_heads=2, long_span=16, long_stride=4, short_span=5
    )
    cross = LongShortCrossAttention(config)
    query, key, value = (torch.randn(2, 2, 43, 8, requires_grad=True) for _ in range(3))
    answer = cross._together(30.0 * query, 30.0 * key, value, 30)
    for gradient in torch.autograd.grad(answer.square().sum(), (query, key, value)):
        assert torch.isfinite(gradient).all()
