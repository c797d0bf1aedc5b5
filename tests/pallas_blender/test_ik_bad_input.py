"""What can be wrong with the files of `pallas ik`: one line that says so, exit 1, and nothing written."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from leg_trial import leg, recorded

from pallas.capture.markers import write_markers
from pallas.capture.osim_writer import write_osim
from pallas.pallas_blender import cli

MODEL = leg()
RECORDING = recorded(MODEL, 30)


@pytest.fixture
def files(tmp_path):
    """A good model and recording, to be spoilt."""
    write_osim(tmp_path / "leg.osim", MODEL)
    write_markers(tmp_path / "leg.trc", RECORDING, up="z")
    return tmp_path


def ik(folder, *options, trc="leg.trc"):
    given = [str(folder / "leg.osim"), str(folder / trc), "-o", str(folder / "out.mot")]
    return cli.main(["ik", *given, "--up", "z", *options])


def edited(path, old, new):
    text = path.read_text("utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1), "utf-8")


def with_positions(folder, positions, names=None):
    recording = replace(RECORDING, positions=positions, names=names or RECORDING.names)
    write_markers(folder / "leg.trc", recording, up="z", force=True)


def unseen(first):
    """The recording with only the first markers."""
    positions = np.array(RECORDING.positions)
    positions[:, first:] = np.nan
    return positions


def truncated(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def header(folder, number, change):
    lines = (folder / "leg.trc").read_text("utf-8").split("\n")
    lines[number] = change(lines[number])
    (folder / "leg.trc").write_text("\n".join(lines), "utf-8")


def bomb(path):
    many = "".join(f'<!ENTITY b{k} "{f"&b{k - 1};" * 10}">' for k in range(1, 12))
    edited(path, "<OpenSimDocument", f'<!DOCTYPE a [<!ENTITY b0 "ha">{many}]><OpenSimDocument')


def a_tasks_file(folder, content):
    (folder / "tasks.xml").write_text(content, "utf-8")
    return ("--tasks", str(folder / "tasks.xml"))


WRONG = {  # what is wrong: how the files are spoilt (may give options), and what the line says
    "an empty marker name": (
        lambda f: header(f, 3, lambda line: line.replace("thigh_y", "")),
        "name",
    ),
    "two markers of one name": (
        lambda f: header(f, 3, lambda line: line.replace("thigh_y", "thigh_x")),
        "two markers are called 'thigh_x'",
    ),
    "two markers of one name in the model": (
        lambda f: edited(f / "leg.osim", 'Marker name="thigh_y"', 'Marker name="thigh_x"'),
        "two markers are called 'thigh_x'",
    ),
    "no shared marker": (
        lambda f: with_positions(f, RECORDING.positions, tuple("abcdefgh")),
        "share 0 markers with a weight, expected at least 3",
    ),
    "a model without markers": (
        lambda f: write_osim(f / "leg.osim", MODEL.with_markers([]), force=True),
        "has no markers; expected some: add a marker set with --markers",
    ),
    "no marker in any frame": (lambda f: with_positions(f, unseen(0)), "no frame shows 3"),
    "two markers in every frame": (lambda f: with_positions(f, unseen(2)), "no frame shows 3"),
    "millimetres that are called metres": (
        lambda f: header(f, 2, lambda line: line.replace("mm", "m")),
        "--unit mm",
    ),
    "metres that are called millimetres": (
        lambda f: write_markers(
            f / "leg.trc",
            replace(RECORDING, positions=RECORDING.positions / 1000.0),
            up="z",
            force=True,
        ),
        "--unit m",
    ),
    "centimetres that are called millimetres": (
        lambda f: with_positions(f, RECORDING.positions / 10.0),
        "0.1 times as far apart as the model's",
    ),
    "all markers in one place": (
        lambda f: with_positions(f, np.full_like(RECORDING.positions, 0.5)),
        "a body of 0 m",
    ),
    "a ring of joints": (
        lambda f: edited(f / "leg.osim", "<socket_parent>/ground<", "<socket_parent>/bodyset/shank<"),
        "ground",
    ),
    "a joint on a body that is not there": (
        lambda f: edited(f / "leg.osim", "<socket_parent>/bodyset/thigh<", "<socket_parent>/bodyset/no<"),
        "no",
    ),
    "an XML bomb": (lambda f: bomb(f / "leg.osim"), "leg.osim"),
    "an XML bomb among the tasks": (
        lambda f: a_tasks_file(f, '<!DOCTYPE a [<!ENTITY b "b">]><IKTaskSet>&b;</IKTaskSet>'),
        "tasks.xml",
    ),
    "a model that is cut": (lambda f: truncated(f / "leg.osim", 0.6), "leg.osim"),
    "a recording that is cut in its header": (lambda f: truncated(f / "leg.trc", 0.01), "leg.trc"),
    "an empty recording": (lambda f: (f / "leg.trc").write_bytes(b""), "is empty"),
    "limits the wrong way round": (
        lambda f: edited(f / "leg.osim", "<range>-0.1 2.0<", "<range>2.0 -0.1<"),
        "limits from 2 to -0.1; expected the lower one first",
    ),
    "a joint that can't be read": (
        lambda f: edited(f / "leg.osim", '<CustomJoint name="knee"', '<ScapulothoracicJoint name="knee"')
        or edited(f / "leg.osim", "</CustomJoint>", "</ScapulothoracicJoint>"),
        "Scapulothoracic",
    ),
    "tasks that are a model": (lambda f: ("--tasks", str(f / "leg.osim")), "IKTaskSet"),
    "tasks without a shared marker": (
        lambda f: a_tasks_file(
            f,
            '<OpenSimDocument Version="40000"><IKTaskSet><objects><IKMarkerTask name="nose">'
            "<weight>1</weight></IKMarkerTask></objects></IKTaskSet></OpenSimDocument>",
        ),
        "share 0 markers",
    ),
    "a part that is not in the recording": (
        lambda f: ("--start", "7", "--end", "8"),
        "no frame is between 7 and 8 s, the recording goes from 0 to 0.29 s",
    ),
    "an end before the start": (lambda f: ("--start", "0.2", "--end", "0.1"), "the earlier first"),
    "an unknown unit": (lambda f: ("--unit", "furlong"), "furlong"),
    "an unknown axis": (lambda f: ("--up", "w"), "'w'"),
    "a reference of another model": (
        lambda f: (
            (f / "ref.mot").write_text("ref\ninDegrees=no\nendheader\ntime\tnose\n0\t1\n"),
            ("--reference", str(f / "ref.mot")),
        )[1],
        "none of the columns is a coordinate",
    ),
    "a reference that is not there": (lambda f: ("--reference", str(f / "no.mot")), "does not exist"),
    "a suffix that can't be written": (lambda f: ("-o", str(f / "out.xlsx")), "expected .mot"),
    "a report where a file is": (lambda f: ("--report", str(f / "leg.trc")), "is a file"),
    "a folder that is not there": (lambda f: ("-o", str(f / "no" / "out.mot")), "does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_it_is_one_line_and_nothing_is_written(files, capsys, what):
    spoil, said = WRONG[what]
    options = spoil(files)
    before = {path.name for path in files.iterdir()}
    assert ik(files, *(options if isinstance(options, tuple) else ())) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("pallas: ")
    assert said in lines[-1]
    assert all(line.startswith("pallas: warning: ") for line in lines[:-1])
    assert {path.name for path in files.iterdir()} == before


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_a_c3d_that_is_cut_is_one_line(files, capsys, share):
    write_markers(files / "leg.c3d", RECORDING)
    truncated(files / "leg.c3d", share)
    assert ik(files, trc="leg.c3d") == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (files / "out.mot").exists()


def test_a_c3d_whose_parameters_lie_is_one_line(files, capsys):
    write_markers(files / "leg.c3d", RECORDING)
    content = bytearray((files / "leg.c3d").read_bytes())
    content[2:4] = struct.pack("<H", 60_000)  # markers
    (files / "leg.c3d").write_bytes(bytes(content))
    assert ik(files, trc="leg.c3d") in (0, 1)
    assert all(line.startswith("pallas: ") for line in capsys.readouterr().err.splitlines())


def test_a_recording_that_ends_early_is_solved_as_far_as_it_goes(files, capsys):
    lines = (files / "leg.trc").read_text("utf-8").splitlines(keepends=True)
    (files / "leg.trc").write_text("".join(lines[:20]), "utf-8")
    assert ik(files) == 0
    assert "warning" in capsys.readouterr().err


def test_options_that_make_no_sense_are_wrong_usage(files, capsys):
    for options in (("--robust", "-3"), ("--smooth", "soft"), ("--method", "magic")):
        assert ik(files, *options) == 2
    assert "expected a number above zero" in capsys.readouterr().err


def test_sizes_that_nothing_tells_stay_as_they_are(files, capsys):
    """Three markers of one body in a line say nothing of the other body's size."""
    positions = np.array(RECORDING.positions)
    positions[:, 4:] = np.nan
    with_positions(files, positions)
    assert ik(files, "--scale", "--fit-markers") == 0
    assert (files / "out.mot").exists()
    assert "nan" not in (files / "out.mot").read_text("utf-8").lower()
