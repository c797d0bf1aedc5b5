"""OpenSim's side of the benchmark: its own tools and solver, one job in, arrays out.

    PEERS_PYTHON opensim_ik.py JOB.json OUT.npz

Runs in the peers' environment and imports nothing of ours. Positions stay in OpenSim's ground frame (y up,
metres), values in radians and metres.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import opensim

Arrays = dict[str, np.ndarray]
TOOL_ACCURACY = (
    1e-4  # of IMUInverseKinematicsTool, whatever its setup says: run() gives the same angles
)


def main() -> None:
    """Do the job that the first argument names and write what comes out."""
    opensim.Logger.removeFileSink()
    opensim.Logger.setLevelString("error")
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    np.savez(sys.argv[2], **JOBS[job.pop("do")](**job))


def markers(
    model: str, trial: str, setup: str, folder: str, repeats: int, accuracy: float | None = None
) -> Arrays:
    """Marker IK over the whole trial, as InverseKinematicsTool does it, and the tool itself.

    `solver_ms` times the tool's own loop (assemble, then track each frame) without reporting and files;
    `tool_ms` times one whole run(), which also reads the trial and writes its results. `accuracy` replaces
    the setup's, and leaves out the tool.
    """
    tool = opensim.InverseKinematicsTool(setup)
    reference, coordinates = _references(tool, trial, opensim.Model(model))
    times = np.array(reference.getMarkerTable().getIndependentColumn())

    def solver(loaded: opensim.Model) -> opensim.InverseKinematicsSolver:
        made = opensim.InverseKinematicsSolver(
            loaded, reference, coordinates, tool.get_constraint_weight()
        )
        made.setAccuracy(accuracy or tool.get_accuracy())
        return made

    found = _tracked(model, solver, times, repeats)
    listed = reference.getNames()
    names = [listed.getElt(i) for i in range(listed.size())]
    names = [name for name in names if found["model"].getMarkerSet().contains(name)]
    weights = {task.getName(): task.getWeight() for task in _tasks(tool, opensim.IKMarkerTask)}
    held = {task.getName(): task.getValue() for task in _tasks(tool, opensim.IKCoordinateTask)}
    spent = np.nan if accuracy else _run_tool(model, trial, setup, folder, times)
    return {
        **_pose_arrays(found, times),
        "markers": np.array(names),
        "weights": np.array([weights[name] for name in names]),
        "held": np.array(list(held), dtype=str),
        "measured": _measured(reference, names),
        "placed": _placed(found["model"], found["values"], found["names"], names),
        "accuracy": np.array(accuracy or tool.get_accuracy()),
        "tool_ms": np.array(spent / len(times)),
    }


def orientations(
    model: str, trial: str, setup: str, folder: str, repeats: int, accuracy: float | None = None
) -> Arrays:
    """Sensor orientation IK over the setup's time range, as IMUInverseKinematicsTool does it."""
    tool = opensim.IMUInverseKinematicsTool(setup)
    table = opensim.TimeSeriesTableQuaternion(trial)
    table.trim(tool.getStartTime(), tool.getEndTime())
    turn = _space_xyz(tool.get_sensor_to_opensim_rotations())
    opensim.OpenSenseUtilities.rotateOrientationTable(table, turn)
    rotations = opensim.OpenSenseUtilities.convertQuaternionsToRotations(table)
    reference = opensim.OrientationsReference(rotations)
    times = np.array(table.getIndependentColumn())

    def solver(loaded: opensim.Model) -> opensim.InverseKinematicsSolver:
        nothing = opensim.MarkersReference(), opensim.SimTKArrayCoordinateReference()
        made = opensim.InverseKinematicsSolver(loaded, nothing[0], reference, nothing[1], np.inf)
        made.setAccuracy(accuracy or TOOL_ACCURACY)
        return made

    found = _tracked(model, solver, times, repeats, hold_translations=True)
    labels = list(table.getColumnLabels())
    frames = _sensor_frames(found["model"], labels)
    spent = np.nan if accuracy else _run_imu_tool(model, trial, setup, folder)
    return {
        **_pose_arrays(found, times),
        "sensors": np.array(labels),
        "bodies": np.array([frame.findBaseFrame().getName() for frame in frames]),
        "body_from_sensor": np.array([_offset(frame) for frame in frames]),
        "measured": _turned(rotations, len(times), len(labels)),
        "placed": _placed_turns(found["model"], found["values"], found["names"], labels),
        "accuracy": np.array(accuracy or TOOL_ACCURACY),
        "tool_ms": np.array(spent / len(times)),
    }


def positions(model: str, poses: str) -> Arrays:
    """Where OpenSim's own forward kinematics puts markers, for coordinates of any engine."""
    asked = np.load(poses)
    loaded = opensim.Model(model)
    loaded.initSystem()
    markers = [str(name) for name in asked["markers"]]
    return {"placed": _placed(loaded, asked["values"], list(asked["names"]), markers)}


def turns(model: str, poses: str) -> Arrays:
    """How OpenSim's own forward kinematics turns sensors, for coordinates of any engine."""
    asked = np.load(poses)
    loaded = opensim.Model(model)
    loaded.initSystem()
    sensors = [str(name) for name in asked["sensors"]]
    return {"placed": _placed_turns(loaded, asked["values"], list(asked["names"]), sensors)}


def scale(
    generic: str, marker_set: str | None, static: str, setup: str, out: str, measure: bool = True
) -> Arrays:
    """A generic model scaled (unless told not to) and its markers placed by ScaleTool.

    The setup's own paths are replaced: it looks for everything in one folder.
    """
    folder = Path(out).parent
    for needed in filter(None, (generic, marker_set, static)):
        shutil.copy(needed, folder)
    tool = opensim.ScaleTool(setup)
    tool.setPathToSubject(f"{folder}/")
    tool.getGenericModelMaker().setModelFileName(Path(generic).name)
    tool.getGenericModelMaker().setMarkerSetFileName(Path(marker_set or "Unassigned").name)
    scaler = tool.getModelScaler()
    scaler.setApply(measure)
    scaler.setMarkerFileName(Path(static).name)
    placer = tool.getMarkerPlacer()
    scaler.setOutputModelFileName("" if placer.getApply() else Path(out).name)
    scaler.setOutputScaleFileName("")
    placer.setMarkerFileName(Path(static).name)
    placer.setOutputModelFileName(Path(out).name)
    placer.setOutputMotionFileName("")
    placer.setOutputMarkerFileName("")
    if not placer.getApply():  # run() fails then, though it scales
        made = tool.createModel()
        made.initSystem()
        done = scaler.processModel(made, f"{folder}/", tool.getSubjectMass())
    else:
        done = tool.run()
    if not done:
        raise SystemExit(f"ScaleTool could not scale {generic}")
    return {}


def calibrate(model: str, recording: str, mapping: str, setup: str, folder: str) -> Arrays:
    """Orientations read from the sensors' files, and a model whose sensors IMUPlacer placed.

    The reader wants files of one length, so each is cut to the shortest first.
    """
    lines = {path.name: path.read_text().splitlines() for path in Path(recording).glob("*.txt")}
    shortest = min(len(found) for found in lines.values())
    cut = Path(folder, "recording")
    cut.mkdir()
    for name, found in lines.items():
        (cut / name).write_text("\n".join(found[:shortest]) + "\n")
    # Each name holds something that OpenSim does not keep alive by itself.
    settings = opensim.XsensDataReaderSettings(mapping)
    reader = opensim.XsensDataReader(settings)
    tables = reader.read(f"{cut}/")
    table = reader.getOrientationsTable(tables)
    trial = str(Path(folder, "orientations.sto"))
    opensim.STOFileAdapterQuaternion.write(table, trial)
    placer = opensim.IMUPlacer(setup)
    placer.set_model_file(model)
    placer.set_orientation_file_for_calibration(trial)
    placer.set_output_model_file(str(Path(folder, "calibrated.osim")))
    placer.run(False)
    return {}


def _tasks(tool: opensim.InverseKinematicsTool, kind: type) -> list:
    """The tasks of one kind that are applied."""
    tasks = tool.getIKTaskSet()
    found = [kind.safeDownCast(tasks.get(i)) for i in range(tasks.getSize())]
    return [task for task in found if task is not None and task.getApply()]


def _references(
    tool: opensim.InverseKinematicsTool, trial: str, model: opensim.Model
) -> tuple[opensim.MarkersReference, opensim.SimTKArrayCoordinateReference]:
    """What the tool makes of its setup: marker weights, and coordinates held at a value."""
    weights = opensim.SetMarkerWeights()
    for task in _tasks(tool, opensim.IKMarkerTask):
        weights.cloneAndAppend(opensim.MarkerWeight(task.getName(), task.getWeight()))
    coordinates = opensim.SimTKArrayCoordinateReference()
    for task in _tasks(tool, opensim.IKCoordinateTask):
        value = task.getValue()
        if task.getValueType() == opensim.IKCoordinateTask.DefaultValue:
            value = model.getCoordinateSet().get(task.getName()).getDefaultValue()
        held = opensim.CoordinateReference(task.getName(), opensim.Constant(value))
        held.setWeight(task.getWeight())
        coordinates.push_back(held)
    reference = opensim.MarkersReference()
    reference.initializeFromMarkersFile(trial, weights)
    return reference, coordinates


def _tracked(
    model: str,
    solver: Callable[[opensim.Model], opensim.InverseKinematicsSolver],
    times: np.ndarray,
    repeats: int,
    hold_translations: bool = False,
) -> dict:
    """Track all frames several times; values of the coordinates at every frame, and times of the runs."""
    took = []
    for _ in range(repeats):
        loaded = opensim.Model(model)
        coordinates = [loaded.getCoordinateSet().get(i) for i in range(loaded.getNumCoordinates())]
        if hold_translations:
            for coordinate in coordinates:
                if coordinate.getMotionType() == opensim.Coordinate.Translational:
                    coordinate.setDefaultLocked(True)
        state = loaded.initSystem()
        tracking = solver(loaded)
        values = np.empty((len(times), len(coordinates)))
        state.setTime(times[0])
        before = _clocks()
        tracking.assemble(state)
        spent = _clocks() - before
        for row, now in enumerate(times):
            before = _clocks()
            state.setTime(now)
            tracking.track(state)
            spent += _clocks() - before
            values[row] = [coordinate.getValue(state) for coordinate in coordinates]
        took.append(spent * 1e3 / len(times))
    names = [coordinate.getName() for coordinate in coordinates]
    return {"model": loaded, "names": names, "values": values, "solver_ms": took}


def _clocks() -> np.ndarray:
    """(2,) seconds: on the wall, and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def _pose_arrays(found: dict, times: np.ndarray) -> Arrays:
    return {
        "times": times,
        "names": np.array(found["names"]),
        "values": found["values"],
        "solver_ms": np.array(found["solver_ms"])[:, 0],
        "solver_cpu_ms": np.array(found["solver_ms"])[:, 1],
        "version": np.array(opensim.GetVersion()),
    }


def _run_tool(model: str, trial: str, setup: str, folder: str, times: np.ndarray) -> float:
    """Milliseconds of the tool's own run()."""
    tool = opensim.InverseKinematicsTool(setup)
    loaded = opensim.Model(model)  # the tool does not keep it alive
    tool.setModel(loaded)
    tool.setMarkerDataFileName(trial)
    tool.setStartTime(times[0])
    tool.setEndTime(times[-1])
    tool.setResultsDir(folder)
    tool.setOutputMotionFileName(str(Path(folder, "opensim.mot")))
    started = time.perf_counter()
    tool.run()
    return (time.perf_counter() - started) * 1e3


def _run_imu_tool(model: str, trial: str, setup: str, folder: str) -> float:
    """Milliseconds of the tool's own run()."""
    tool = opensim.IMUInverseKinematicsTool(setup)
    tool.set_model_file(model)
    tool.set_orientations_file(trial)
    tool.set_results_directory(folder)
    started = time.perf_counter()
    tool.run(False)
    return (time.perf_counter() - started) * 1e3


def _turned(table: opensim.TimeSeriesTableRotation, rows: int, columns: int) -> np.ndarray:
    """(T, S, 3, 3) ground_from_sensor."""
    turns = np.empty((rows, columns, 3, 3))
    for row in range(rows):
        line = table.getRowAtIndex(row)
        for column in range(columns):
            turns[row, column] = _matrix(line.getElt(0, column))
    return turns


def _measured(reference: opensim.MarkersReference, names: list[str]) -> np.ndarray:
    table = reference.getMarkerTable()
    columns = [table.getDependentColumn(name) for name in names]
    rows = range(table.getNumRows())
    return np.array([[[column[row][k] for k in range(3)] for column in columns] for row in rows])


def _poses(model: opensim.Model, values: np.ndarray, names: list[str]) -> Iterator[opensim.State]:
    """The model at each pose; values are set as they are, without enforcing constraints."""
    state = model.initSystem()
    coordinates = [model.getCoordinateSet().get(str(name)) for name in names]
    for coordinate in coordinates:
        coordinate.setLocked(state, False)
    for pose in values:
        for coordinate, value in zip(coordinates, pose, strict=True):
            coordinate.setValue(state, float(value), False)
        model.realizePosition(state)
        yield state


def _placed(
    model: opensim.Model, values: np.ndarray, names: list[str], markers: list[str]
) -> np.ndarray:
    """(T, M, 3) markers in ground."""
    points = [model.getMarkerSet().get(str(name)) for name in markers]
    placed = np.empty((len(values), len(points), 3))
    for row, state in enumerate(_poses(model, values, names)):
        for column, point in enumerate(points):
            where = point.getLocationInGround(state)
            placed[row, column] = [where[k] for k in range(3)]
    return placed


def _placed_turns(
    model: opensim.Model, values: np.ndarray, names: list[str], sensors: list[str]
) -> np.ndarray:
    """(T, S, 3, 3) ground_from_sensor."""
    frames = _sensor_frames(model, sensors)
    placed = np.empty((len(values), len(frames), 3, 3))
    for row, state in enumerate(_poses(model, values, names)):
        for column, frame in enumerate(frames):
            transform = frame.getTransformInGround(state)
            rotation = transform.R()
            placed[row, column] = _matrix(rotation)
    return placed


def _space_xyz(turn: opensim.Vec3) -> opensim.Rotation:
    """Rotations about the fixed x, y and z axes, one after the other."""
    return opensim.Rotation(
        opensim.SpaceRotationSequence,
        turn.get(0),
        opensim.CoordinateAxis(0),
        turn.get(1),
        opensim.CoordinateAxis(1),
        turn.get(2),
        opensim.CoordinateAxis(2),
    )


def _matrix(rotation: opensim.Rotation) -> list[list[float]]:
    turn = rotation.asMat33()
    return [[turn.get(i, j) for j in range(3)] for i in range(3)]


def _offset(frame: opensim.PhysicalOffsetFrame) -> list[list[float]]:
    transform = frame.findTransformInBaseFrame()  # its rotation lives only as long as it
    rotation = transform.R()
    return _matrix(rotation)


def _sensor_frames(model: opensim.Model, labels: list[str]) -> list:
    """The frames on bodies that carry the sensors, in the order of the labels."""
    frames = {}
    for part in model.getComponentsList():
        frame = opensim.PhysicalOffsetFrame.safeDownCast(part)
        if frame is not None and frame.getName() in labels:
            frames[frame.getName()] = frame
    return [frames[label] for label in labels]


JOBS = {
    "markers": markers,
    "orientations": orientations,
    "positions": positions,
    "turns": turns,
    "scale": scale,
    "calibrate": calibrate,
}

if __name__ == "__main__":
    main()
