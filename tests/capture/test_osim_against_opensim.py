"""Every model that is at hand puts its bodies, joints and markers where OpenSim 4.6 puts them."""

import numpy as np
import pytest
import torch

from pallas.capture.osim import WORLD_FROM_GROUND, read_osim
from pallas.capture.osim_frames import transform
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world

CLOSE = 1e-6  # metres
POINTS = np.array([[0.0, 0, 0], [0.3, -0.2, 0.1], [-0.1, 0.2, 0.4]])  # of every body
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


def with_coupled(model, pose):
    values = dict(zip(model.coordinate_names, pose, strict=True))
    for coupling in model.couplings:
        values[coupling.coordinate] = float(coupling.function(values[coupling.driver]))
    return values


def ours(model, pose):
    """Bodies, joint frames and markers in the model's own ground frame."""
    rotations, origins = bodies_in_world(model, torch.tensor(pose))
    matrices = np.tile(np.eye(4), (len(model.bodies), 1, 1))
    matrices[:, :3, :3] = WORLD_FROM_GROUND.T @ rotations.numpy()
    matrices[:, :3, 3] = origins.numpy() @ WORLD_FROM_GROUND
    bodies = dict(zip(model.bodies, matrices, strict=True))
    joints = {
        joint.name: (
            bodies[joint.parent] @ transform(joint.parent_frame),
            bodies[joint.child] @ transform(joint.child_frame),
        )
        for joint in model.joints
    }
    markers = markers_in_world(model, torch.tensor(pose)).numpy() @ WORLD_FROM_GROUND
    return bodies, joints, dict(zip(model.marker_names, markers, strict=True))


def points(matrix):
    return POINTS @ matrix[:3, :3].T + matrix[:3, 3]


def difference(model, pose, theirs):
    """The largest distance between ours and OpenSim's, metres."""
    bodies, joints, markers = ours(model, pose)
    their_bodies, their_joints, their_markers = theirs.bodies(), theirs.joints(), theirs.markers()
    assert set(their_bodies) == set(bodies) - {"ground"}
    assert set(their_joints) == set(joints)
    assert set(their_markers) == set(markers)
    apart = [points(bodies[name]) - points(their_bodies[name]) for name in their_bodies]
    apart += [
        points(a) - points(b)
        for n in joints
        for a, b in zip(joints[n], their_joints[n], strict=True)
    ]
    apart += [np.atleast_2d(markers[name] - their_markers[name]) for name in markers]
    return np.abs(np.concatenate(apart)).max()


@pytest.mark.parametrize("name", MODELS)
def test_bodies_joints_and_markers_are_where_opensim_has_them(data, in_opensim, name):
    model, theirs = read_osim(data(name)), in_opensim(data(name))
    assert set(theirs.coordinates) == set(model.coordinate_names)
    poses = [model.default_pose, *random_poses(model, 100)]
    apart = []
    for pose in poses:
        theirs.place(with_coupled(model, pose))
        apart.append(difference(model, pose, theirs))
    assert max(apart) < CLOSE


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
        theirs.place(with_coupled(model, pose))
        assert difference(model, pose, theirs) < CLOSE


@pytest.mark.parametrize("name", [name for name in MODELS if "2354" not in name])
def test_couplings_hold_where_opensim_assembles(data, in_opensim, name):
    """The free coordinates are held, the others put where OpenSim's constraints want them."""
    model, theirs = read_osim(data(name)), in_opensim(data(name))
    coupled = {coupling.coordinate for coupling in model.couplings}
    if not coupled:
        pytest.skip("no coordinate is coupled")
    pose = 0.9 * random_poses(model, 1)[0]
    values = with_coupled(model, pose)
    theirs.place({n: v for n, v in values.items() if n not in coupled}, assemble=True)
    assert {n: theirs.values[n] for n in coupled} == pytest.approx(
        {n: values[n] for n in coupled}, abs=1e-5
    )


def test_every_model_of_the_data_is_tried(data):
    folder = data("markers").parent
    found = {str(path.relative_to(folder)) for path in folder.rglob("*.osim")}
    assert found == set(MODELS)
