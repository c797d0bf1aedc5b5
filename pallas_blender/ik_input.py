"""What a marker fit is given: model, recording, tasks, which way is up, a reference to compare with."""

import argparse
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..capture.coordinates import pose_from_table
from ..capture.marker_file import MarkerFile
from ..capture.markers import read_marker_file
from ..capture.osim import read_osim
from ..capture.osim_pins import Goals, goals_of_tasks
from ..capture.osim_tasks import IkSetup, read_ik_setup, read_ik_tasks
from ..capture.storage import read_storage
from ..capture.textfile import FormatWarning, read_text
from ..capture.up_axis import UP_AXES, from_world, to_world
from ..rig.anatomy import anatomical_model, measured_weights, without_unseen
from ..rig.anatomy.model import NAME
from ..rig.arrays import Array
from ..rig.errors import FormatError, RecordingError
from ..rig.model import KinematicModel
from ..rig.trajectories import MarkerTrajectories
from .commands._shared import checked_input

if TYPE_CHECKING:
    from ..rig.solve.marker_ik import MarkerOptions

__all__ = ["Given", "collected_warnings", "is_own", "options_of", "read_given", "with_likely_up"]


@dataclass(frozen=True, eq=False)
class Given:
    """What is fitted to what.

    Attributes:
        model: with the markers of a marker set, if one was named.
        file: the whole recording, and how it was read.
        recording: the part of it that is solved.
        goals: weights and pins, or None where no tasks were given.
        reference: (T, D) coordinates to compare with, NaN where unknown, or None.
        own: whether the model is the one in the package.
    """

    model: KinematicModel
    file: MarkerFile
    recording: MarkerTrajectories
    goals: Goals | None
    reference: Array | None
    own: bool = False


@contextmanager
def collected_warnings(found: list[str]) -> Iterator[None]:
    """Add what readers say of files that were guessed at or repaired."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FormatWarning)
        yield
    found += [str(each.message) for each in caught if issubclass(each.category, FormatWarning)]


def read_given(arguments: argparse.Namespace) -> Given:
    """Read all that the command's arguments name."""
    for path in (arguments.tasks, arguments.markers, arguments.reference):
        if path:
            checked_input(path)
    own = is_own(arguments.model)
    model = (
        anatomical_model() if own else read_osim(checked_input(arguments.model), arguments.markers)
    )
    if not model.markers:
        raise FormatError(
            f"{arguments.model} has no markers; expected some: add a marker set with --markers SET.xml"
        )
    file = read_marker_file(
        checked_input(arguments.recording), up=arguments.up, unit=arguments.unit
    )
    setup = _setup(arguments.tasks)
    recording = _cut(file.markers, arguments, setup)
    if own:
        model = without_unseen(model, recording.names)
    goals = _goals(setup, model, recording.times)
    reference = None
    if arguments.reference:
        reference = _at_times(arguments.reference, model, recording.times)
    return Given(model, file, recording, goals, reference, own)


def is_own(model: Path) -> bool:
    """Whether a model's name means the one in the package, and no file."""
    return str(model) == NAME and not model.exists()


def _setup(path: Path | None) -> IkSetup | None:
    """The setup; of a file with tasks alone, one that says nothing else."""
    if path is None:
        return None
    if "<InverseKinematicsTool" in read_text(path):
        return read_ik_setup(path)
    return IkSetup("", read_ik_tasks(path))


def _goals(setup: IkSetup | None, model: KinematicModel, times: Array) -> Goals | None:
    if setup is None:
        return None
    filed: Mapping[str, Array] = {}
    if setup.coordinates and any(t.source == "from_file" for t in setup.tasks.coordinate_tasks):
        pose = _at_times(checked_input(setup.coordinates), model, times)
        filed = dict(zip(model.coordinate_names, pose.T, strict=True))
    return goals_of_tasks(setup.tasks, model, filed)


def _at_times(path: Path, model: KinematicModel, times: Array) -> Array:
    """Coordinates of a file (T, D) at other times, NaN where it has none."""
    table = read_storage(path)
    pose = pose_from_table(table, model)
    named = {column.removesuffix("/value").rpartition("/")[2] for column in table.names}
    driven = {coupling.coordinate: coupling.driver for coupling in model.couplings}
    columns = []
    for name, column in zip(model.coordinate_names, pose.T, strict=True):
        known = np.isfinite(column) & (name in named or driven.get(name) in named)
        values = np.full(len(times), np.nan)
        if known.any():
            inside = table.times[known]
            values = np.interp(times, inside, column[known], left=np.nan, right=np.nan)
        columns.append(values)
    return np.stack(columns, axis=1)


def _cut(
    markers: MarkerTrajectories, arguments: argparse.Namespace, setup: IkSetup | None
) -> MarkerTrajectories:
    """The frames between the first and last second that are wanted."""
    span = (-math.inf, math.inf) if setup is None else setup.time_range
    start = span[0] if arguments.start is None else arguments.start
    end = span[1] if arguments.end is None else arguments.end
    if not len(markers):
        raise RecordingError("the recording has no frames, expected at least one")
    if start > end:
        raise RecordingError(
            f"the part to solve is from {start:g} to {end:g} s, expected the earlier first"
        )
    half = 0.5 / markers.fps
    inside = np.flatnonzero((markers.times >= start - half) & (markers.times <= end + half))
    if not len(inside):
        raise RecordingError(
            f"no frame is between {start:g} and {end:g} s, the recording goes from {markers.start:g} to "
            f"{markers.times[-1]:g} s; give others with --start and --end"
        )
    return markers.clipped(int(inside[0]), int(inside[-1]) + 1)


def options_of(arguments: argparse.Namespace, given: Given) -> "MarkerOptions":
    """How the markers are fitted."""
    from ..rig.anatomy.sizes import sizes_of
    from ..rig.solve.marker_ik import MarkerOptions
    from ..rig.solve.usual_shape import usual_shape

    goals = given.goals
    names = [n for n in given.recording.names if goals is None or goals.weights.get(n, 0.0) > 0.0]
    shape = usual_shape(given.model, names, scale=arguments.scale, markers=arguments.fit_markers)
    weights = goals.weights if goals else None
    if given.own and not goals:
        weights = measured_weights(given.model, given.recording.names)
        names = [name for name in names if weights.get(name, 0.0) > 0.0]
    if given.own and arguments.scale:
        shape = sizes_of(given.model, names, markers=arguments.fit_markers)
    return MarkerOptions(
        weights=weights,
        other_weight=0.0 if goals or given.own else 1.0,
        pins=goals.pins if goals else None,
        method=arguments.method,
        robust=None if arguments.robust is None else arguments.robust / 1000.0,
        smoothness=arguments.smooth,
        shape=shape,
    )


def with_likely_up(given: Given, options: "MarkerOptions", told: list[str]) -> Given:
    """The recording as the model wants it turned, if neither file nor data nor user said what is up."""
    if given.file.how_up != "assumed":
        return given
    from ..rig.solve.upright import likeliest_up

    as_filed = from_world(given.recording.positions, given.file.up)
    turned = {
        up: replace(given.recording, positions=to_world(as_filed, up))
        for up in (given.file.up, *(up for up in UP_AXES if up != given.file.up))
    }
    up, clear = likeliest_up(given.model, turned, options)
    if clear:
        told.append(
            f"the markers alone do not tell what is up: taken is {up}, as the model stands so"
        )
    else:
        told.append(
            f"neither the markers nor the model tell what is up: taken is {up}; if that is wrong, give --up"
        )
    file = replace(given.file, up=up, how_up="detected" if clear else "assumed")
    return replace(given, file=file, recording=turned[up])
