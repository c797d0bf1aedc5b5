"""OpenSim as the other program that says where bodies and markers are."""

import pytest

np = pytest.importorskip("numpy")


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
        """Parent's and child's frame of every joint."""
        return {
            joint.getName(): (
                self.matrix(joint.getParentFrame()),
                self.matrix(joint.getChildFrame()),
            )
            for joint in self.model.getJointList()
        }

    def markers(self):
        held = self.model.getMarkerSet()
        return {
            held.get(i).getName(): held.get(i).getLocationInGround(self.state).to_numpy()
            for i in range(held.getSize())
        }

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
