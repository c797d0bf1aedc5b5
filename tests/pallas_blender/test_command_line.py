"""What every command promises: exit codes, one-line errors, one JSON object, no surprises."""

import json
import subprocess
import sys

import pytest

from pallas.pallas_blender import cli, console
from pallas.pallas_blender.commands import solve
from pallas.rig.errors import PallasError

COMMANDS = sorted(cli._commands())


def pallas(*arguments, **options):
    command = [sys.executable, "-m", "pallas.pallas_blender.cli", *map(str, arguments)]
    options = {"capture_output": True, "text": True, "timeout": 300, **options}
    return subprocess.run(command, check=False, **options)


@pytest.fixture
def command(monkeypatch):
    """Make `pallas try` run the given function."""

    def install(function):
        module = type(sys)("try")
        module.HELP, module.EXAMPLE = "Try.", "pallas try"
        module.add_arguments = lambda parser: None
        module.run = function
        monkeypatch.setattr(cli, "_commands", lambda: {"try": module})

    return install


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps_with_an_example_of_itself(name, capsys):
    assert cli.main([name, "--help"]) == 0
    assert f"example: pallas {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_command_that_parses(name):
    module = cli._commands()[name]
    program, *words = module.EXAMPLE.split()
    assert program == "pallas"
    assert cli._parser().parse_args(words).command_module is module


def test_the_help_lists_every_command(capsys):
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("words", [[], ["dance"], ["solve"], ["doctor", "--dance"]])
def test_wrong_usage_exits_2(words, capsys):
    assert cli.main(words) == 2
    assert "usage: pallas" in capsys.readouterr().err


def test_a_users_error_is_one_line_and_exits_1(command, capsys):
    def fail(arguments, console):
        raise PallasError("found this,\n  expected that")

    command(fail)
    assert cli.main(["try"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "pallas: found this, expected that\n"


def test_a_users_error_is_a_json_object_too(command, capsys):
    def fail(arguments, console):
        raise PallasError("found this")

    command(fail)
    assert cli.main(["try", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"error": "found this"}


def test_a_bug_stays_a_traceback(command):
    def fail(arguments, console):
        raise ZeroDivisionError

    command(fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["try"])


def test_a_missing_library_is_told_with_what_to_do(command, capsys):
    def fail(arguments, console):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    command(fail)
    assert cli.main(["try"]) == 1
    assert "pip install torch" in capsys.readouterr().err


def test_stopping_is_not_an_error_report(command, capsys):
    def stop(arguments, console):
        raise KeyboardInterrupt

    command(stop)
    assert cli.main(["try"]) == 130
    assert capsys.readouterr().err == "pallas: stopped\n"


def test_json_is_the_only_thing_on_stdout_whatever_is_printed(command, capfd):
    def chatter(arguments, console):
        console.say("for people")
        sys.stdout.write("from a library\n")
        subprocess.run(["echo", "from C"], check=True)
        return {"frames": 3}

    command(chatter)
    assert cli.main(["try", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out) == {"frames": 3}
    assert all(line in err for line in ("for people", "from a library", "from C"))


def test_what_c_code_keeps_in_its_buffer_stays_off_stdout():
    code = (
        "import ctypes, sys; from pallas.pallas_blender import console\n"
        "words = console.Console(as_json=True)\n"
        "with words.only_result_on_stdout(): ctypes.CDLL(None).printf(b'from C\\n')\n"
        "words.result({})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{}\n", "from C\n")


def test_json_has_null_for_what_is_not_a_number(capsys):
    console.Console(as_json=True).result({"drift": float("nan"), "rows": (1, float("inf"))})
    assert capsys.readouterr().out == '{"drift": null, "rows": [1, null]}\n'


def test_progress_is_silent_where_no_one_watches(capsys):
    with console.Console().progress("solving", 3) as progress:
        progress.advance()
    assert capsys.readouterr().err == ""


def test_progress_on_a_terminal_ends_with_a_full_bar(capsys):
    with console.Progress("solving", 4, shown=True) as progress:
        progress.to(4)
    assert "4/4" in capsys.readouterr().err.splitlines()[-1]


def test_the_program_states_the_manifests_version():
    done = pallas("--version")
    assert done.stdout.strip() == f"pallas {cli.version()}"


def test_doctor_prints_one_json_object_and_nothing_else():
    done = pallas("doctor", "--json")
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {"found", "missing", "works"}


@pytest.mark.parametrize(("text", "expected"), [("0:2", (0.0, 2.0)), ("1.5:3.25", (1.5, 3.25))])
def test_seconds_are_start_and_end(text, expected):
    assert solve.seconds(text) == expected


@pytest.mark.parametrize("text", ["2", "2:1", "a:b", "-1:2", "1:2:3", "nan:nan"])
def test_seconds_that_are_no_stretch_of_time_are_wrong_usage(text, capsys):
    assert cli.main(["solve", "take.mvnx", "-o", "a.bvh", f"--pose-at={text}"]) == 2
    assert "expected" in capsys.readouterr().err
