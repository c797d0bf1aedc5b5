"""OpenPose's own files, read all at once, against what a parser of JSON makes of them."""

import json
import random

import numpy as np
import pytest

from pallas.capture.keypoints.files import read_keypoints
from pallas.capture.keypoints.plain import plain_people
from pallas.rig.errors import FormatError

KEY = '"pose_keypoints_2d":'


def frame(*people: str) -> bytes:
    own = ",".join('{"person_id":[-1],' + KEY + f"[{one}]" + "}" for one in people)
    return ('{"version":1.3,"people":[' + own + "]}").encode()


def written(seed: int) -> str:
    """25 keypoints as OpenPose writes numbers: six digits that count, and some longer."""
    dice = random.Random(seed)
    numbers = [dice.uniform(0, 10 ** dice.randint(-3, 4)) for _ in range(74)]
    return ",".join([f"{one:.{dice.randint(1, 8)}f}"[:16] for one in numbers] + ["0"])


def test_numbers_are_to_the_last_bit_those_of_a_parser_of_json():
    frames = [frame(*(written(10 * k + p) for p in range(k % 4))) for k in range(60)]
    counts, points = plain_people(frames)
    parsed = [one["pose_keypoints_2d"] for f in frames for one in json.loads(f)["people"]]
    assert counts.tolist() == [k % 4 for k in range(60)]
    np.testing.assert_array_equal(points.reshape(len(parsed), 75), np.array(parsed, dtype=float))


@pytest.mark.parametrize(
    "odd",
    [
        frame("1,2,-3"),
        frame("1,2,1e-05"),
        frame("1,2,3", "1,2,3,4,5,6"),
        frame("1,2"),
        frame("1,,3"),
        frame("1.,2,3"),
        frame(".5,2,3"),
        frame("1.2.3,2,3"),
        frame("1,2,3")[:-1],
        frame("1,2,3").replace(b'{"person_id":[-1],', b'{"other":{').replace(b"]}]", b"]}}]"),
        frame("1,2,3").replace(b"[-1]", b'"\\n"'),
        frame("[1,2,3]"),
        frame(),
        b"[1]",
        b"",
    ],
)
def test_what_openpose_does_not_write_is_left_to_a_parser_of_json(odd):
    assert plain_people([odd]) is None


def test_files_with_spaces_are_read_as_those_without(tmp_path):
    for name, gap in (("spaced", (", ", ": ")), ("plain", (",", ":"))):
        (tmp_path / name).mkdir()
        for k in range(8):
            document = json.loads(frame(written(k), written(k + 20)))
            text = json.dumps(document, separators=gap)
            (tmp_path / name / f"{k:012d}_keypoints.json").write_text(text)
    spaced, plain = read_keypoints(tmp_path / "spaced"), read_keypoints(tmp_path / "plain")
    np.testing.assert_array_equal(spaced.positions, plain.positions)
    np.testing.assert_array_equal(spaced.confidence, plain.confidence)


def test_a_damaged_file_among_openposes_own_is_named(tmp_path):
    for k in range(5):
        (tmp_path / f"{k}.json").write_bytes(frame(written(k))[: 200 if k == 3 else None])
    with pytest.raises(FormatError, match=r"3\.json: no JSON, the file is cut or damaged"):
        read_keypoints(tmp_path)
