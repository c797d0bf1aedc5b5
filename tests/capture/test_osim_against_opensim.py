"""Every model that is at hand puts its bodies, joints and markers where OpenSim 4.6 puts them."""

import time

import numpy as np
import pytest

from pallas.capture.osim import read_osim
from pallas.rig.model.scaling import scaled

CLOSE = 1e-9  # metres
OPENCAP = "markers/opencap_models/Models/LaiUhlrich2022"
MODELS = {  # model: marker sets that fit it
    "imu/opensense/Rajagopal_2015.osim": [],
    "markers/opensim/Gait10dof18musc/subject01.osim": [],
    "markers/opensim/Gait2354_Simbody/gait2354_simbody.osim": [
        "markers/opensim/Gait2354_Simbody/gait2354_Scale_MarkerSet.xml"
    ],
    "markers/opensim/Gait2354_Simbody/subject01_simbody.osim": [],
    "markers/opensim/Hamner/subject02_scaled.osim": [],
    "markers/opensim/Rajagopal/Rajagopal2016.osim": [
        "markers/opensim/Rajagopal/markerset_walk_preScale.xml",
        "markers/opensim/Rajagopal/subject_scaled_walk_markerset.xml",
    ],
    "markers/opensim/Rajagopal/RajagopalLaiUhlrich2023.osim": [],
    f"{OPENCAP}.osim": [
        f"{OPENCAP}_markers_{kind}.xml" for kind in ("augmenter", "mmpose", "mocap", "openpose")
    ],
    f"{OPENCAP}_shoulder.osim": [
        f"{OPENCAP}_markers_{kind}_shoulder.xml" for kind in ("augmenter", "mocap")
    ],
    "video/pose2sim/openpose/Model_Pose2Sim_Body25b.osim": [],
}


def random_poses(model, count, seed=0):
    """(count, D) within the limits, ten metres or radians where they are wider."""
    low, high = np.array([c.limits for c in model.coordinates]).clip(-10.0, 10.0).T
    return np.random.default_rng(seed).uniform(low, high, (count, len(low)))


@pytest.mark.parametrize("name", MODELS)
def test_bodies_joints_and_markers_are_where_opensim_has_them(data, in_opensim, name):
    model, theirs = read_osim(data(name)), in_opensim(data(name))
    assert set(theirs.coordinates) == set(model.coordinate_names)
    poses = [model.default_pose, *random_poses(model, 100)]
    assert max(theirs.apart(model, pose) for pose in poses) < CLOSE


@pytest.mark.parametrize("name", MODELS)
def test_the_default_pose_is_opensims(data, in_opensim, name):
    model, theirs = read_osim(data(name)), in_opensim(data(name))
    values = dict(zip(model.coordinate_names, model.default_pose, strict=True))
    assert values == pytest.approx(theirs.values, abs=1e-6)


@pytest.mark.parametrize(("name", "markers"), [(n, m) for n, sets in MODELS.items() for m in sets])
def test_markers_of_a_set_are_where_opensim_has_them(data, in_opensim, name, markers):
    model, theirs = read_osim(data(name), data(markers)), in_opensim(data(name))
    theirs.model.updateMarkerSet(theirs.opensim.MarkerSet(str(data(markers))))
    theirs = in_opensim(theirs.model)
    for pose in random_poses(model, 5):
        assert theirs.apart(model, pose) < CLOSE


@pytest.mark.parametrize("name", [name for name in MODELS if "2354" not in name])
def test_couplings_hold_where_opensim_assembles(data, in_opensim, name):
    """The free coordinates are held, the others put where OpenSim's constraints want them."""
    model, theirs = read_osim(data(name)), in_opensim(data(name))
    coupled = {coupling.coordinate for coupling in model.couplings}
    if not coupled:
        pytest.skip("no coordinate is coupled")
    values = dict(zip(model.coordinate_names, 0.9 * random_poses(model, 1)[0], strict=True))
    theirs.place({n: v for n, v in values.items() if n not in coupled}, assemble=True)
    for coupling in model.couplings:
        wanted = float(coupling.function(values[coupling.driver]))
        assert theirs.values[coupling.coordinate] == pytest.approx(wanted, abs=1e-5)


def test_a_model_with_all_its_muscles_is_read_at_once(data):
    path = data("markers/opensim/Rajagopal/RajagopalLaiUhlrich2023.osim")  # 0.9 MB
    began = time.perf_counter()
    read_osim(path)
    assert time.perf_counter() - began < 1.0  # 0.03 s on a quiet machine


def test_every_model_of_the_data_is_tried(data):
    folder = data("markers").parent
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.osim")}
    assert found == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_scaled_model_is_opensims_scaled_model(data, in_opensim, name):
    model, theirs = read_osim(data(name)), in_opensim(data(name))
    random = np.random.default_rng(1)
    factors = {body: random.uniform(0.7, 1.4, 3) for body in model.bodies[1:]}
    model, theirs = scaled(model, factors), theirs.scaled(factors)
    assert max(theirs.apart(model, pose) for pose in random_poses(model, 10)) < CLOSE
