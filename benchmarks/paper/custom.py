"""CuSToM's own model and answer to a trial, read from its MATLAB files.

CuSToM (Muller et al., JOSS 2019) keeps a body as a tree of solids, each moved by one turn (`joint` 1) or
shift (2) along `a` at `b` in its mother, then by a constant turn `theta` about `u`. Points are relative to
the solid's centre of mass `c`. A joint of several degrees of freedom is a chain of solids without extent.
Its answer was fitted to low-passed markers and is low-passed itself; see `low_passed`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.io import loadmat
from scipy.signal import butter, filtfilt
from scipy.spatial.transform import Rotation

from pallas.rig.arrays import Array
from pallas.rig.model import (
    GROUND,
    Axis,
    BodyMarker,
    Coordinate,
    Coupling,
    Frame,
    Joint,
    KinematicModel,
    Linear,
)

MARKERS_BELOW: Final = 10.0  # Hz, CuSToM's default for what it fits to
COORDINATES_BELOW: Final = 5.0  # Hz, and for what it found
_ORDER: Final = 4
_TURN, _SHIFT = 1, 2
_ROOT: Final = ("6dofRx", "6dofRy", "PelvisSacrum")  # turns of the pelvis about x, y and z
_STANDING: Final = {"6dofRx": 0.5 * np.pi}  # the solids have y up, the laboratory z


@dataclass(frozen=True, eq=False)
class Answer:
    """What CuSToM published of one trial.

    Attributes:
        model: with the sizes and marker positions that CuSToM calibrated before its inverse kinematics.
        generic: the same body before that: symmetric, of the subject's height.
        pose: (T, D) radians and metres, low-passed.
        distances: (T, M) metres between the model's markers and the low-passed measured ones.
    """

    model: KinematicModel
    generic: KinematicModel
    pose: Array
    distances: Array


def read_answer(folder: Path) -> Answer:
    """Read BiomechanicalModel.mat and InverseKinematicsResults.mat of a folder."""
    body = _struct(folder / "BiomechanicalModel.mat", "BiomechanicalModel")
    found = _struct(folder / "InverseKinematicsResults.mat", "InverseKinematicsResults")
    tree = _Tree(list(body.OsteoArticularModel), list(body.Markers))
    fitted = body.GeometricalCalibration
    model = tree.model()
    generic = tree.model(np.asarray(fitted.k_calib), np.asarray(fitted.p_calib).reshape(-1, 3))
    return Answer(model, generic, tree.pose(found, model), np.asarray(found.ReconstructionError).T)


def low_passed(values: Array, fps: float, below: float) -> Array:
    """(T, ...) without what is faster than `below` Hz, as CuSToM does it.

    A fourth-order Butterworth filter, forwards and backwards, over the whole signal mirrored at both ends.
    """
    count = len(values)
    mirrored = np.concatenate([values[::-1], values, values[::-1]])
    numerator, denominator = butter(_ORDER, below / (fps / 2.0))
    passed = filtfilt(numerator, denominator, mirrored, axis=0)
    return np.ascontiguousarray(passed[count : 2 * count])


def on_branch(pose: Array, answer: Answer) -> Array:
    """The same poses (T, D), with the angles that are nearest to CuSToM's.

    Angles have periods, and three turns about x, y and z are those by (x + pi, pi - y, z + pi) too.
    """
    places = [answer.model.coordinate_index(name) for name in _ROOT]
    other = pose.copy()
    other[:, places] = pose[:, places] * (1.0, -1.0, 1.0) + np.pi
    first, second = (_nearest_turn(values, answer) for values in (pose, other))
    far, near = (np.abs(values - answer.pose)[:, places].sum(axis=1) for values in (first, second))
    return np.where((near < far)[:, None], second, first)


def _nearest_turn(pose: Array, answer: Answer) -> Array:
    turns = np.round((answer.pose - pose) / (2.0 * np.pi))
    shifts = [coordinate.kind == "translation" for coordinate in answer.model.coordinates]
    return np.asarray(pose + np.where(shifts, 0.0, 2.0 * np.pi * turns))


def _struct(path: Path, name: str) -> Any:  # noqa: ANN401  MATLAB's structs have no static type
    return loadmat(path, squeeze_me=True, struct_as_record=False)[name]


def _vector(value: Any) -> Array:  # noqa: ANN401
    return np.asarray(value, dtype=np.float64)


def _coordinate(solid: Any) -> Coordinate:  # noqa: ANN401
    """CuSToM keeps to the limits. The default is in their middle: at zero the shoulders lose a direction."""
    low, high = float(solid.limit_inf), float(solid.limit_sup)
    middle = 0.5 * (low + high) if np.isfinite(high - low) else _STANDING.get(solid.name, 0.0)
    return Coordinate(solid.name, middle, (low, high), clamped=True)


@dataclass(frozen=True, eq=False)
class _Tree:
    """CuSToM's solids, numbered from 1, and its markers."""

    solids: list[Any]
    markers: list[Any]

    def model(self, scales: Array | None = None, moved: Array | None = None) -> KinematicModel:
        """As it is, or with CuSToM's calibration undone: point = scale * (generic point + moved)."""
        scales = np.ones(len(self.solids)) if scales is None else scales
        moved = np.zeros((len(self.markers), 3)) if moved is None else moved
        coordinates = [_coordinate(solid) for solid in self.solids if np.size(solid.joint)]
        return KinematicModel(
            "CuSToM",
            tuple(self._joint(links, scales) for links in self._chains()),
            tuple(coordinates),
            tuple(self._couplings()),
            tuple(
                self._marker(marker, scales, shift)
                for marker, shift in zip(self.markers, moved, strict=True)
            ),
        )

    def pose(self, found: Any, model: KinematicModel) -> Array:  # noqa: ANN401
        """The root's six are apart from the rest: three shifts, two turns, and that of the first solid."""
        root, place = [0], int(self.solids[0].mother) - 1
        while np.size(self.solids[place].joint):
            root.insert(0, place)
            place = int(self.solids[place].mother) - 1
        rows = dict(enumerate(found.JointCoordinates))
        rows.update(zip(root, found.FreeJointCoordinates, strict=True))
        by_name = {self.solids[place].name: row for place, row in rows.items()}
        return np.stack([by_name[name] for name in model.coordinate_names], axis=1)

    def _continues(self, place: int) -> bool:
        """Whether a solid only turns its mother on: no offset, no sister, no point on the mother."""
        solid = self.solids[place]
        if not solid.mother:
            return False
        mother = self.solids[solid.mother - 1]
        alone = [other.mother for other in self.solids].count(solid.mother) == 1
        bare = not np.size(mother.anat_position) and not np.size(mother.theta)
        return alone and bare and not np.any(solid.b) and np.size(mother.joint) > 0

    def _chain(self, place: int) -> list[int]:
        before = self._chain(self.solids[place].mother - 1) if self._continues(place) else []
        return [*before, place]

    def _chains(self) -> list[list[int]]:
        """Chains of solids that make one joint each, without the ground."""
        chains = [self._chain(place) for place in range(len(self.solids))]
        inner = {place for links in chains for place in links[:-1]}
        return [
            links
            for links in chains
            if links[-1] not in inner and np.size(self.solids[links[-1]].joint)
        ]

    def _joint(self, links: list[int], scales: Array) -> Joint:
        first, last = self.solids[links[0]], self.solids[links[-1]]
        mother = self.solids[first.mother - 1]
        axes: dict[int, list[Axis]] = {_TURN: [], _SHIFT: []}
        for solid in (self.solids[place] for place in links):
            axes[solid.joint].append(Axis(_vector(solid.a), solid.name))
        back = Frame()
        if np.size(last.theta):
            turn = Rotation.from_rotvec(-float(last.theta) * _vector(last.u))
            back = Frame(orientation=tuple(turn.as_euler("XYZ").tolist()))
        parent = mother.name if np.size(mother.joint) else GROUND
        at = Frame(tuple(_vector(first.b) / scales[first.mother - 1]))
        return Joint(last.name, parent, last.name, at, back, axes[_SHIFT], axes[_TURN])

    def _couplings(self) -> list[Coupling]:
        """The dependent angles; in these models all of them undo another one."""
        rules = [
            (solid.name, solid.kinematic_dependancy)
            for solid in self.solids
            if np.size(solid.kinematic_dependancy)
        ]
        return [
            Coupling(name, self.solids[int(rule.Joint) - 1].name, Linear(-1.0))
            for name, rule in rules
        ]

    def _marker(self, marker: Any, scales: Array, moved: Array) -> BodyMarker:  # noqa: ANN401
        solid = self.solids[marker.num_solid - 1]
        _, position = solid.anat_position[marker.num_markers - 1]
        point = (_vector(solid.c) + _vector(position)) / scales[marker.num_solid - 1] - moved
        free = tuple(direction == "On" for direction in marker.calib_dir)
        return BodyMarker(marker.name, solid.name, tuple(point), free)
