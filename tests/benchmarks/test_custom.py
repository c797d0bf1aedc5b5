import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pallas.rig.model.kinematics import markers_in_world

ROOT = Path(__file__).resolve().parents[2]
FPS = 200.0


def _load(name):
    """A module of the benchmarks, which are no package."""
    spec = importlib.util.spec_from_file_location(
        name, ROOT / "benchmarks" / "paper" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


custom = _load("custom")


@pytest.fixture(scope="module")
def answer(data):
    return custom.read_answer(data("markers/cusTom_sidestep/ChgtDirection04.c3d").parent)


@pytest.fixture(scope="module")
def measured(data, answer):
    """(T, M, 3) metres of the model's markers, z up as the file has them."""
    ezc3d = pytest.importorskip("ezc3d")
    file = ezc3d.c3d(str(data("markers/cusTom_sidestep/ChgtDirection04.c3d")))
    labels = file["parameters"]["POINT"]["LABELS"]["value"]
    columns = [labels.index(name) for name in answer.model.marker_names]
    return file["data"]["points"][:3, columns].transpose(2, 1, 0) / 1000.0


def test_custom_s_answer_in_our_kinematics_is_as_far_from_the_markers_as_custom_says(
    answer, measured
):
    placed = markers_in_world(answer.model, torch.as_tensor(answer.pose)).numpy()
    passed = custom.low_passed(measured, FPS, custom.MARKERS_BELOW)
    distances = np.linalg.norm(placed - passed, axis=-1)
    assert np.abs(distances - answer.distances).max() < 1e-9


def test_the_body_before_custom_s_calibration_is_symmetric(answer):
    places = {marker.name: np.array(marker.position) for marker in answer.generic.markers}
    for name, place in places.items():
        if name[0] == "R":
            np.testing.assert_allclose(
                place * (1, 1, -1), places["L" + name[1:]], atol=1e-6, err_msg=name
            )


def test_the_dependent_angles_of_custom_s_answer_undo_their_drivers(answer):
    for coupling in answer.model.couplings:
        own = answer.pose[:, answer.model.coordinate_index(coupling.coordinate)]
        driver = answer.pose[:, answer.model.coordinate_index(coupling.driver)]
        np.testing.assert_allclose(own, coupling.function(driver))


def test_the_lower_body_is_built_in_less_than_forty_lines():
    source = (ROOT / "benchmarks" / "paper" / "lower_body.py").read_text(encoding="utf-8")
    model = _load("lower_body").LOWER_BODY
    assert len(source.splitlines()) < 40
    assert len(model.coordinates) == 6 + 2 * (3 + 1 + 2)
    assert len(model.bodies) == 1 + 7
