"""Our side: the problem that OpenSim's setups describe, and its solution."""

from dataclasses import dataclass

import numpy as np
import torch

from pallas.capture import read_markers
from pallas.capture.osim import read_osim
from pallas.capture.osim_tasks import read_ik_setup
from pallas.rig.model import KinematicModel
from pallas.rig.model.kinematics import bodies_in_world, markers_in_world
from pallas.rig.solve import (
    MarkerOptions,
    Markers,
    Orientations,
    Problem,
    StayNear,
    fit_markers,
    solve,
    solve_recording,
)
from pallas.rig.trajectories import MarkerTrajectories

from .cases import Files
from .peer import Arrays

__all__ = ["MarkerTrial", "SensorTrial"]

CENTIMETRE = (
    100.0  # 1 / metres; the mean weight of a marker, so that costs are in square centimetres
)


@dataclass(frozen=True, eq=False)
class MarkerTrial:
    """A model and the markers that count.

    Attributes:
        model: the subject's.
        names: M markers that are in the setup, the model and the recording.
        weights: (M,) of squared distances, as in the setup.
        recorded: of them.
        pins: by coordinate that the setup holds: value, and weight of its squared error.
    """

    model: KinematicModel
    names: tuple[str, ...]
    weights: np.ndarray
    recorded: MarkerTrajectories
    pins: dict[str, tuple[float, float]]

    @classmethod
    def read(cls, files: Files) -> "MarkerTrial":
        """Read a case."""
        model, tasks = read_osim(files.model), read_ik_setup(files.setup).tasks
        recorded, counted = read_markers(files.trial), tasks.marker_weights
        names = tuple(
            name
            for name in recorded.names
            if counted.get(name, 0.0) > 0.0 and name in model.marker_names
        )
        pins = {}
        for task in tasks.coordinate_tasks:
            default = model.coordinates[model.coordinate_index(task.name)].default
            value = task.value if task.source == "manual_value" else default
            pins[task.name] = (value, task.weight)
        weights = np.array([counted[name] for name in names])
        return cls(model, names, weights, recorded.chosen(names), pins)

    @property
    def options(self) -> MarkerOptions:
        """The setup's weights and pins; whatever it does not name is left out."""
        return MarkerOptions(dict(zip(self.names, self.weights, strict=True)), 0.0, self.pins)

    def problem(self) -> Problem:
        """The same objective as a problem of its own, in squared centimetres."""
        whole = float(self.weights.sum())
        share = CENTIMETRE * np.sqrt(self.weights / whole)
        terms: list[Markers | StayNear] = [Markers(self.names, np.array(self.measured), share)]
        if self.pins:
            pose, stiffness = (
                np.array(self.model.default_pose),
                np.zeros(len(self.model.coordinates)),
            )
            for name, (value, weight) in self.pins.items():
                place = self.model.coordinate_index(name)
                pose[place], stiffness[place] = value, CENTIMETRE * np.sqrt(weight)
            terms.append(StayNear(pose, stiffness))
        return Problem(self.model, tuple(terms))

    def solved(self, method: str) -> np.ndarray:
        """Poses (T, D), every frame from nothing but the default pose."""
        if method == "lm":
            return fit_markers(self.model, self.recorded, self.options).pose
        return solve(self.problem(), self.model.default_pose, method=method).pose

    @property
    def measured(self) -> np.ndarray:
        """(T, M, 3) metres in our world; NaN where missing."""
        return self.recorded.positions

    def placed(self, pose: np.ndarray) -> np.ndarray:
        """(T, M, 3) where our forward kinematics puts the markers, in OpenSim's ground."""
        every = markers_in_world(self.model, torch.as_tensor(pose)).numpy()
        chosen = every[:, [self.model.marker_index(name) for name in self.names]]
        return chosen @ self.model.world_from_ground

    @property
    def in_ground(self) -> np.ndarray:
        """(T, M, 3) measured, in OpenSim's ground."""
        return self.measured @ self.model.world_from_ground

    @property
    def angles(self) -> list[str]:
        """Names of the free coordinates that are angles."""
        return free_angles(self.model)


@dataclass(frozen=True, eq=False)
class SensorTrial:
    """A model and the orientations of sensors on its bodies.

    Attributes:
        model: with its translations locked, as OpenSim's tool does.
        bodies: S names.
        measured: (T, S, 3, 3) world_from_sensor.
        body_from_sensor: (S, 3, 3) where the calibration put them.
    """

    model: KinematicModel
    bodies: tuple[str, ...]
    measured: np.ndarray
    body_from_sensor: np.ndarray

    @classmethod
    def read(cls, files: Files, found: Arrays) -> "SensorTrial":
        """Read the calibrated model; sensors and their offsets as OpenSim's side has them."""
        model = read_osim(files.model)
        shifts = [c.name for c in model.coordinates if c.kind == "translation"]
        model = model.with_coordinates({name: {"locked": True} for name in shifts})
        measured = model.world_from_ground @ found["measured"]
        bodies = tuple(str(name) for name in found["bodies"])
        return cls(model, bodies, measured, found["body_from_sensor"])

    def problem(self) -> Problem:
        """The sum of squared angles, all sensors alike."""
        term = Orientations(self.bodies, self.measured, body_from_sensor=self.body_from_sensor)
        return Problem(self.model, (term,))

    def solved(self, method: str) -> np.ndarray:
        """Poses (T, D), every frame from nothing but the default pose."""
        problem = self.problem()
        if method != "lm":
            return solve(problem, self.model.default_pose, method=method).pose
        return solve_recording(problem).pose

    def placed(self, pose: np.ndarray) -> np.ndarray:
        """(T, S, 3, 3) where our forward kinematics turns the sensors, in OpenSim's ground."""
        turns, _ = bodies_in_world(self.model, torch.as_tensor(pose))
        chosen = turns.numpy()[:, [self.model.body_index(name) for name in self.bodies]]
        return self.model.world_from_ground.T @ chosen @ self.body_from_sensor

    @property
    def angles(self) -> list[str]:
        """Names of the free coordinates that are angles and turn a sensor."""
        model = self.model
        carrying: set[str] = set()
        for joint in reversed(model.joints):
            if joint.child in self.bodies or joint.child in carrying:
                carrying |= {joint.parent, joint.child}
        turning = {
            name for joint in model.joints if joint.child in carrying for name in joint.coordinates
        }
        return [name for name in free_angles(model) if name in turning]


def free_angles(model: KinematicModel) -> list[str]:
    """Names of the coordinates that are angles, neither locked nor coupled."""
    free = [model.coordinates[index] for index in model.free_coordinates]
    return [coordinate.name for coordinate in free if coordinate.kind != "translation"]
