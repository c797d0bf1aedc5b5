"""`pallas train` and `pallas slack` tell in one line what they lack."""

import pytest

from pallas.pallas_blender.cli import main


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "nothing to train; name a network, a config file or a suite"),
        (["train", "pallas", "-o", "out"], "a folder is missing; give --library"),
        (["train", "pallas", "--library", "x"], "a folder is missing; give -o"),
        (["train", "gan", "--library", "x", "-o", "out"], "nothing to train is called 'gan'"),
        (["train", "pallas", "--library", "none", "-o", "out"], "none holds no motion library"),
        (["train", "--suite", "none", "--library", "x", "-o", "out"], "there is no suite none"),
        (["train", "pallas", "--suite", "ablations"], "give a network, a config or a suite"),
        (["train", "missing.toml"], "missing.toml can't be read"),
        (["train", "lstm", "--minutes", "-1", "--library", "x", "-o", "out"], "minutes above 0"),
        (["slack", "--library", "none"], "none holds no motion library"),
    ],
)
def test_what_is_missing_is_told_in_one_line(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_config_is_for_the_network_that_is_named(capsys, tmp_path):
    (tmp_path / "run.toml").write_text('kind = "lstm"', encoding="utf-8")
    words = ["train", "pallas", "--config", str(tmp_path / "run.toml")]
    assert main([*words, "--library", "x", "-o", "out"]) == 1
    assert "run.toml is for lstm, not pallas; leave pallas out" in capsys.readouterr().err
