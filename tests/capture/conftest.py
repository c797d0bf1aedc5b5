"""OpenSim as the other program that says where bodies and markers are."""

import numpy as np
import pytest
import torch

from pallas.capture.osim import WORLD_FROM_GROUND, read_osim
from pallas.capture.osim_frames import transform
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world

CLOSE = 1e-9  # metres
POINTS = np.array([[0.0, 0, 0], [0.3, -0.2, 0.1], [-0.1, 0.2, 0.4]])  # of every body


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
        (joint.name, body): bodies[body] @ transform(frame)
        for joint in model.joints
        for body, frame in ((joint.parent, joint.parent_frame), (joint.child, joint.child_frame))
    }
    markers = markers_in_world(model, torch.tensor(pose)).numpy() @ WORLD_FROM_GROUND
    return bodies, joints, dict(zip(model.marker_names, markers, strict=True))


def points(matrix):
    return POINTS @ matrix[:3, :3].T + matrix[:3, 3]


class OpenSim:
    """A model in OpenSim: coordinates in, positions in its ground frame out."""

    def __init__(self, opensim, model):
        self.opensim = opensim
        self.model = opensim.Model(str(model)) if not isinstance(model, opensim.Model) else model
        self.state = self.model.initSystem()
        held = self.model.getCoordinateSet()
        self.coordinates = {held.get(i).getName(): held.get(i) for i in range(held.getSize())}
        for coordinate in self.coordinates.values():
            coordinate.setLocked(self.state, False)

    @property
    def values(self):
        return {name: c.getValue(self.state) for name, c in self.coordinates.items()}

    def place(self, values, assemble=False):
        for name, value in values.items():
            self.coordinates[name].setValue(self.state, float(value), False)
            if assemble:
                self.coordinates[name].setLocked(self.state, True)
        if assemble:
            self.model.assemble(self.state)
        self.model.realizePosition(self.state)

    def matrix(self, frame):
        transform = frame.getTransformInGround(self.state)
        rotation, origin = transform.R(), transform.p()
        matrix = np.eye(4)
        matrix[:3, :3] = [[rotation.get(i, j) for j in range(3)] for i in range(3)]
        matrix[:3, 3] = [origin.get(i) for i in range(3)]
        return matrix

    def bodies(self):
        return {body.getName(): self.matrix(body) for body in self.model.getBodyList()}

    def joints(self):
        """The frame of every joint in either body, by joint and body."""
        return {
            (joint.getName(), frame.findBaseFrame().getName()): self.matrix(frame)
            for joint in self.model.getJointList()
            for frame in (joint.getParentFrame(), joint.getChildFrame())
        }

    def markers(self):
        held = self.model.getMarkerSet()
        return {
            held.get(i).getName(): held.get(i).getLocationInGround(self.state).to_numpy()
            for i in range(held.getSize())
        }

    def apart(self, model, pose):
        """The largest distance between a model of ours in a pose and this one, metres."""
        self.place(with_coupled(model, pose))
        bodies, joints, markers = ours(model, pose)
        their_bodies, their_joints, their_markers = self.bodies(), self.joints(), self.markers()
        assert set(their_bodies) == set(bodies) - {"ground"}
        assert set(their_joints) == set(joints)
        assert set(their_markers) == set(markers)
        pairs = [(bodies[name], their_bodies[name]) for name in their_bodies]
        pairs += [(joints[name], their_joints[name]) for name in joints]
        apart = [points(a) - points(b) for a, b in pairs]
        apart += [(markers[name] - their_markers[name])[None] for name in markers]
        return np.abs(np.concatenate(apart)).max()

    def scaled(self, factors):
        """The same model scaled by OpenSim: {body: (x, y, z)}."""
        scales = self.opensim.ScaleSet()
        for body, factor in factors.items():
            scale = self.opensim.Scale()
            scale.setSegmentName(body)
            scale.setScaleFactors(self.opensim.Vec3(*(float(f) for f in factor)))
            scale.setApply(True)
            scales.cloneAndAppend(scale)
        self.model.scale(self.state, scales, False, -1.0)
        return OpenSim(self.opensim, self.model)


@pytest.fixture(scope="session")
def in_opensim():
    """Make an `OpenSim` of a file's path; skips where OpenSim is not installed."""
    opensim = pytest.importorskip("opensim")
    opensim.Logger.setLevelString("off")
    return lambda model: OpenSim(opensim, model)


@pytest.fixture
def same(tmp_path, in_opensim):
    """Whether OpenSim puts everything where we do, in poses well beyond the knots."""

    def check(text):
        path = tmp_path / "model.osim"
        path.write_text(text)
        model, theirs = read_osim(path), in_opensim(path)
        assert set(theirs.coordinates) == set(model.coordinate_names)
        poses = np.random.default_rng(0).uniform(-2.0, 2.0, (10, len(model.coordinates)))
        assert max(theirs.apart(model, pose) for pose in poses) < CLOSE
        return model

    return check
