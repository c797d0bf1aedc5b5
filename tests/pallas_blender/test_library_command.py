"""`pallas library` on the command line."""

import json

import numpy as np

from pallas.neural.library.store import Entry, save_clip, save_index
from pallas.pallas_blender.cli import main
from pallas.rig import Motion, body_skeleton, quaternion


def test_info_tells_clips_and_minutes_of_every_split(tmp_path, capsys):
    body = body_skeleton(1.7)
    still = np.tile(quaternion.IDENTITY, (3600, 24, 1))
    save_clip(tmp_path, "set/a", Motion(body, np.zeros((3600, 3)), still, 60.0))
    save_index(tmp_path, [Entry("set/a", "set", "here", "CC0", "test", 1.0, False, 60.0, 3600)])
    assert main(["library", "info", "--out", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["test"] == {"clips": 1, "minutes": 1.0}
    assert found["train"] == {"clips": 0, "minutes": 0}


def test_a_missing_data_folder_is_told_in_one_line(tmp_path, capsys):
    assert main(["library", "build", "--out", str(tmp_path / "new")]) == 1
    assert "no --data; name the folder" in capsys.readouterr().err
    assert main(["library", "info", "--out", str(tmp_path)]) == 1
    assert "holds no motion library" in capsys.readouterr().err
