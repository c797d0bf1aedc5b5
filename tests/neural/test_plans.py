"""Configs and suites: what a TOML file says is what is trained, and what is wrong is named."""

import pytest

from pallas.neural.encoder import EncoderConfig
from pallas.neural.network import PallasConfig
from pallas.neural.settings import settings_from
from pallas.neural.training.options import Plan, TrainingOptions
from pallas.neural.training.plans import read_run, read_suite, with_training
from pallas.neural.training.train import train_all
from pallas.neural.weights import build
from pallas.rig import FileError, FormatError, ModelError

RUN = """
name = "small"
kind = "pallas"
library = "work/library"
out = "work/small"
[network]
solver = "direct"
[network.encoder]
window = 30
[training]
minutes = 2
batch = 4
[augmentation]
mirror = 0
[losses]
jitter = 1.5
"""


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_run_file_says_everything(tmp_path):
    file = read_run(written(tmp_path / "run.toml", RUN))
    assert str(file.library) == "work/library"
    assert str(file.out) == "work/small"
    plan = file.plan
    assert (plan.name, plan.training.minutes, plan.training.batch) == ("small", 2.0, 4)
    assert (plan.augmentation.mirror, plan.losses.jitter) == (0.0, 1.5)
    network = build(plan.kind, plan.network)
    assert network.config.encoder.window == 30
    assert network.invertible_ik is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[training]\nstep = 3", r"run.toml: training has no setting 'step'; there are: .*steps"),
        ("[training]\nsteps = 'many'", r"training steps is 'many'; expected a whole number"),
        ("[training]\nsteps = 2.5", r"steps is 2.5; expected a whole number"),
        ("[training]\ncompiled = 1", r"compiled is 1; expected true or false"),
        ("[training]\nsteps = true", r"steps is True; expected a whole number"),
        ("[training]\nclock = 'sun'", r"clock is 'sun'; there are: wall, processor"),
        ("[training]\nbatch = 0", r"batch is 0; expected 1 or more"),
        ("training = 3", r"training is 3; expected a table"),
        ("[augmentation]\nnoise = 1.0", r"augmentation has no setting 'noise'"),
        ("[lossses]", r"has no setting 'lossses'; there are: augmentation, kind, losses"),
        ("library = 3", r"library is 3; expected a folder's name in quotes"),
        ("= 3", r"run.toml is not TOML"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path, text, message):
    with pytest.raises(FormatError, match=message) as error:
        read_run(written(tmp_path / "run.toml", text))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"encoder": {"windows": 3}}, "the pallas network encoder has no setting 'windows'"),
        ({"encoder": {"rotary": "3d"}}, "rotary is '3d'; there are: time and sensor, time"),
        ({"solver": "magic"}, "solver is 'magic'; there are: invertible, realnvp, direct"),
        ({"encoder": {"width": 100}}, "not divisible by"),
    ],
)
def test_a_wrong_setting_of_a_network_is_named(network, message):
    with pytest.raises(FormatError, match=message):
        build("pallas", network)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileError, match="can't be read"):
        read_run(tmp_path / "none.toml")
    with pytest.raises(
        FileError, match="no suite everything; there are: ablations, augmenter, baselines"
    ):
        read_suite("everything")


@pytest.mark.parametrize(("suite", "count"), [("ablations", 9), ("baselines", 5)])
def test_every_run_of_a_suite_builds_a_network_of_equal_size(suite, count):
    plans = {plan.name: plan for plan in read_suite(suite)}
    sizes = {
        name: sum(p.numel() for p in build(plan.kind, plan.network).parameters())
        for name, plan in plans.items()
        if plan.kind != "mean"
    }
    assert len(sizes) == count
    for name, size in sizes.items():
        assert size == pytest.approx(sizes["pallas"], rel=0.1), name
    assert len({plan.training for plan in plans.values()}) == 1  # the same budget for all
    assert len({plan.augmentation for plan in plans.values()}) == 1


def test_the_suites_switch_every_idea_of_the_report():
    configs = {
        plan.name: settings_from(PallasConfig, plan.network, plan.name)
        for suite in ("ablations", "baselines")
        for plan in read_suite(suite)
        if plan.kind == "pallas"
    }
    assert configs["pallas"] == PallasConfig()
    assert configs["rotary_time_only"].encoder.rotary == "time"
    assert not configs["no_cross_attention"].encoder.cross_attention
    assert configs["scores_by_batch"].encoder.literal
    assert configs["direct_head"].solver == "direct"
    assert configs["plain_realnvp"].solver == "realnvp"
    assert configs["window_30"].encoder.window == 30
    assert configs["report"].solver == "realnvp"
    assert configs["report"].encoder == EncoderConfig(score_scale="batch")


def test_a_suite_of_ones_own_shares_what_is_common(tmp_path):
    text = """
    [common.training]
    steps = 7
    [common.network.encoder]
    window = 20
    [runs.one]
    [runs.two.network.encoder]
    n_blocks = 2
    [runs.three.training]
    steps = 9
    """
    one, two, three = read_suite(str(written(tmp_path / "own.toml", text)))
    assert [plan.name for plan in (one, two, three)] == ["one", "two", "three"]
    assert one.training.steps == two.training.steps == 7
    assert three.training.steps == 9
    assert two.network["encoder"] == {"window": 20, "n_blocks": 2}
    with pytest.raises(FormatError, match="expected the tables common and runs.NAME, found run"):
        read_suite(str(written(tmp_path / "bad.toml", "[run.one]")))


def test_options_of_the_command_line_come_last():
    plan = with_training(Plan(), steps=3, batch=None)
    assert (plan.training.steps, plan.training.batch) == (3, 8)
    timed = with_training(Plan(), minutes=2.0)
    assert timed.training.minutes == 2.0
    assert with_training(timed, steps=5).training.minutes == 0.0
    with pytest.raises(FormatError, match="batch is 0"):
        with_training(Plan(), batch=0)


@pytest.mark.parametrize("kind", ["lifter", "augmenter", "generator"])
def test_what_begins_from_nothing_refuses_weights_to_start_from(kind, tmp_path):
    plan = Plan(kind=kind, training=TrainingOptions(start="some"))
    with pytest.raises(ModelError, match="begins from nothing; leave start out"):
        train_all([(plan, tmp_path)], tmp_path, lambda *_: None)
