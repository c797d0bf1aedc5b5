"""What inverse kinematics tasks ask of a model: how much each marker counts, which coordinates stay."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..rig.arrays import Array
from ..rig.model import KinematicModel
from .osim_tasks import IkTasks

__all__ = ["Goals", "goals_of_tasks"]


@dataclass(frozen=True)
class Goals:
    """Weights for a marker fit.

    Attributes:
        weights: by marker, of its squared error; OpenSim leaves all others out.
        pins: by coordinate: value in radians or metres, for all frames or each, and weight of its squared
            error.
        left_out: coordinates that the tasks name and that are not pinned: the model lacks them, or their
            value comes from a file of coordinates that does not tell.
    """

    weights: dict[str, float]
    pins: dict[str, tuple[float | Array, float]]
    left_out: tuple[str, ...]


def goals_of_tasks(
    tasks: IkTasks, model: KinematicModel, filed: Mapping[str, Array] | None = None
) -> Goals:
    """Markers that the model lacks are left out; a coordinate's default value is the model's.

    Args:
        tasks: of a setup.
        model: that is fitted.
        filed: (T,) values by coordinate from the setup's file of coordinates, radians and metres.
    """
    weights = {n: w for n, w in tasks.marker_weights.items() if n in model.marker_names}
    pins: dict[str, tuple[float | Array, float]] = {}
    left_out = []
    for task in tasks.coordinate_tasks:
        values = (filed or {}).get(task.name)
        known = task.source != "from_file" or (values is not None and np.isfinite(values).all())
        if task.name not in model.coordinate_names or not known:
            left_out.append(task.name)
        elif task.source == "from_file" and values is not None:
            pins[task.name] = (values, task.weight)
        else:
            default = model.coordinates[model.coordinate_index(task.name)].default
            value = task.value if task.source == "manual_value" else default
            pins[task.name] = (value, task.weight)
    return Goals(weights, pins, tuple(left_out))
