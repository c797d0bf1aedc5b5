"""OpenCap's released networks give what OpenCap gave."""

import json

import numpy as np
import pytest
import torch

from pallas.capture.markers import read_markers
from pallas.neural.augmenter.opencap import load_opencap
from pallas.neural.augmenter.points import KEYPOINTS, MARKERS
from pallas.rig.errors import FileError, ModelError

WHO = torch.tensor([[1.96, 78.2]])  # metres and kilograms of the person in all four trials


@pytest.mark.parametrize("trial", ["drop_jump", "lying"])
def test_version_0_1_is_reproduced_within_a_millimetre(data, trial):
    pytest.importorskip("h5py")
    seen = read_markers(data(f"augmenter/pairs/{trial}.trc"), up="y")
    reference = read_markers(data(f"augmenter/pairs/augmented_{trial}_reference.trc"), up="y")
    network = load_opencap(data("augmenter/opencap/LSTM"), "v0.1")
    keypoints, middle = (
        torch.as_tensor(np.array(seen.chosen(names).positions[:200])).float()[None]
        for names in (KEYPOINTS, ("midHip",))
    )
    names = [name for name in MARKERS if name in reference.names]
    found = network(keypoints, WHO, middle)[0].numpy()[:, [MARKERS.index(n) for n in names]]
    away = np.linalg.norm(found - reference.chosen(names).positions[:200], axis=-1)
    assert len(names) == 35 and away.max() < 1e-3


@pytest.mark.parametrize("version", ["v0.2", "v0.3"])
def test_later_versions_put_markers_near_the_earlier_ones(data, version):
    pytest.importorskip("h5py")
    seen = read_markers(data("augmenter/pairs/drop_jump.trc"), up="y").chosen(KEYPOINTS)
    keypoints = torch.as_tensor(np.array(seen.positions[:60])).float()[None]
    folder = data("augmenter/opencap/LSTM")
    first, later = (load_opencap(folder, v)(keypoints, WHO) for v in ("v0.1", version))
    assert float((first - later).norm(dim=-1)[:, 20:].mean()) < 0.06


def test_a_folder_without_networks_is_told(tmp_path):
    pytest.importorskip("h5py")
    with pytest.raises(FileError, match="holds no augmenter of OpenCap"):
        load_opencap(tmp_path, "v0.3")


def test_another_kind_of_network_is_told(tmp_path):
    pytest.importorskip("h5py")
    folder = tmp_path / "v0.3_lower"
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps({"config": {"layers": [1]}}))
    np.save(folder / "mean.npy", np.zeros(3))
    np.save(folder / "std.npy", np.ones(3))
    (folder / "weights.h5").write_bytes(b"no HDF5")
    with pytest.raises(FileError, match="expected model.json"):
        load_opencap(tmp_path, "v0.3")


def test_an_unknown_version_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"there are: v0\.1"):
        load_opencap(tmp_path, "v9")
