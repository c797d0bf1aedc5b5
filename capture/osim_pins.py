"""What inverse kinematics tasks ask of a model: how much each marker counts, which coordinates stay."""

from dataclasses import dataclass

from ..rig.model import KinematicModel
from .osim_tasks import IkTasks

__all__ = ["Goals", "goals_of_tasks"]


@dataclass(frozen=True)
class Goals:
    """Weights for a marker fit.

    Attributes:
        weights: by marker, of its squared error; OpenSim leaves all others out.
        pins: by coordinate: value in radians or metres, and weight of its squared error.
        left_out: coordinates that the tasks name and that are not pinned: the model lacks them, or their
            value comes from a file of coordinates.
    """

    weights: dict[str, float]
    pins: dict[str, tuple[float, float]]
    left_out: tuple[str, ...]


def goals_of_tasks(tasks: IkTasks, model: KinematicModel) -> Goals:
    """Markers that the model lacks are left out; a coordinate's default value is the model's."""
    weights = {n: w for n, w in tasks.marker_weights.items() if n in model.marker_names}
    pins: dict[str, tuple[float, float]] = {}
    left_out = []
    for task in tasks.coordinate_tasks:
        if task.source == "from_file" or task.name not in model.coordinate_names:
            left_out.append(task.name)
            continue
        default = model.coordinates[model.coordinate_index(task.name)].default
        pins[task.name] = (task.value if task.source == "manual_value" else default, task.weight)
    return Goals(weights, pins, tuple(left_out))
