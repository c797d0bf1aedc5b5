import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("bpy")

from pallas.pallas_blender.cli import main
from pallas.render.dataset.draws import generator
from pallas.render.dataset.plan import Task, dealt, image_number, read_shard, tasks_of
from pallas.render.dataset.spec import FIELDS, parse_spec, read_spec
from pallas.rig import FormatError

ROOT = Path(__file__).resolve().parents[2]


def test_an_empty_spec_is_one_with_all_defaults():
    spec = parse_spec(b"")
    assert spec.dataset.clips == 4 and spec.image.width == 256
    assert spec.people.count == (1, 1) and spec.people.motions == ("demo", "poses")


def test_a_number_and_a_pair_of_it_are_the_same_span():
    one = parse_spec(b"[camera]\nlens = 35")
    two = parse_spec(b"[camera]\nlens = [35, 35]")
    assert one.camera.lens == (35, 35) and one.digest == two.digest


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[image]\nwidht = 64", "'widht'; did you mean 'width'?"),
        ("[peple]\ncount = 1", "[peple]; did you mean 'people'?"),
        ("[image]\nwidth = -64", "width in [image] is -64; expected a whole number from 1"),
        ("[image]\nwidth = 1.5", "expected a whole number"),
        ("[dataset]\nclips = -1", "expected a whole number from 1"),
        ("[dataset]\nseed = true", "seed in [dataset] is True"),
        ("[dataset]\nfps = nan", "expected a number from 0.1"),
        ("[people]\ncount = [3, 1]", "or two of them, smaller first, as [2, 5]"),
        ("[people]\ncount = -2", "expected a whole number from 0 to 16"),
        ("[people]\nmotions = []", "motions in [people] is empty"),
        ("[image]\nformat = 'gif'", 'expected one of "jpeg", "png", "exr"'),
        ("[annotations]\npasses = ['deep']", 'expected a list of "depth", "normal", "flow"'),
        ("[scene]\nsurroundings = ['hdri']", 'no folder; add hdri = "FOLDER"'),
        ("[dataset]\nclips = 9000000\nframes = 9", "pictures; expected at most"),
        ("image = 3", "image is 3; expected a table"),
        ("[image", "no TOML"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_with_what_was_expected(text, told):
    with pytest.raises(FormatError) as caught:
        parse_spec(text.encode())
    assert told in str(caught.value) and "\n" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_spec_or_a_users_error(content):
    try:
        parse_spec(content)
    except FormatError:
        return


@given(
    st.sampled_from([(table, key) for table, keys in FIELDS.items() for key in keys]),
    st.one_of(
        st.integers(), st.floats(), st.text(max_size=5), st.booleans(), st.lists(st.integers())
    ),
)
def test_any_value_of_any_key_is_read_or_refused(place, value):
    table, key = place
    told = FIELDS[table][key].read(value)
    assert told is None or FIELDS[table][key].wanted


def test_the_defaults_are_values_that_the_fields_take():
    for keys in FIELDS.values():
        for field in keys.values():
            plain = list(field.default) if isinstance(field.default, tuple) else field.default
            assert plain in ([], field.default) or field.read(plain) == field.default


@pytest.mark.parametrize("name", ["people", "rig", "street"])
def test_the_examples_are_specs(name):
    path = ROOT / "examples" / f"{name}.toml"
    assert read_spec(path).dataset.seed == tomllib.loads(path.read_text())["dataset"]["seed"]


def test_draws_of_one_place_do_not_depend_on_those_of_others():
    alone = generator(7, "clip", 4711, "camera").random(3)
    generator(7, "clip", 4710, "camera").random(100)
    assert (generator(7, "clip", 4711, "camera").random(3) == alone).all()
    assert not (generator(7, "clip", 4711, "light").random(3) == alone).any()
    assert not (generator(8, "clip", 4711, "camera").random(3) == alone).any()


def test_shards_share_all_tasks_without_overlap():
    tasks = tasks_of(parse_spec(b"[dataset]\nclips = 3\nframes = 60"))
    assert tasks[:3] == [Task(0, 0, 25), Task(0, 25, 50), Task(0, 50, 60)]
    shared = [task for number in range(1, 5) for task in dealt(tasks, (number, 4))]
    assert sorted(shared, key=lambda t: (t.clip, t.start)) == tasks


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "-1/2", "1/0"])
def test_a_shard_that_there_is_not_is_told(text):
    with pytest.raises(FormatError, match="such as 2/8"):
        read_shard(text)


def test_images_are_numbered_by_clip_frame_and_view():
    spec = parse_spec(b"[dataset]\nframes = 10\n[camera]\nviews = 4")
    assert image_number(spec, 0, 0, 0) == 1 and image_number(spec, 2, 3, 1) == 94


@pytest.mark.parametrize("name", ["people", "rig", "street"])
def test_the_package_prints_its_examples(name, capsys):
    assert main(["render", "--example", name]) == 0
    assert capsys.readouterr().out == (ROOT / "examples" / f"{name}.toml").read_text()
