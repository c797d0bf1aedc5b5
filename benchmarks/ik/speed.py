"""The speed table: every engine on every case, its time and its error."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from .cases import Case, Files
from .measure import angle_differences, spread, timed, turn_rmse, weighted_rmse
from .ours import MarkerTrial, SensorTrial
from .peer import Arrays, PeerError, Peers

__all__ = ["HEADER", "Row", "rows"]

CONVERGED = 1e-8  # OpenSim's accuracy at which its answers no longer change
HEADER = (
    "engine",
    "ms/frame",
    "of the processor",
    "times faster",
    "error",
    "angles off: RMS",
    "largest",
    "note",
)


@dataclass(frozen=True)
class Row:
    """One engine on one case.

    Attributes:
        engine: with what was chosen of it.
        milliseconds: per frame, median of the repeats.
        processor: milliseconds of the processor per frame, which a busy machine changes less.
        faster: times faster than OpenSim as its setup asks for; None for itself.
        error: weighted marker RMSE in millimetres, or RMS angle of the sensors in degrees.
        angles: RMS and largest difference from OpenSim at accuracy 1e-8, degrees.
        note: what else is to be known.
    """

    engine: str
    milliseconds: float
    processor: float
    faster: float | None
    error: float
    angles: tuple[float, float] | None
    note: str = ""

    def cells(self, unit: str) -> tuple[str, ...]:
        """As the table has them."""
        return (
            self.engine,
            f"{self.milliseconds:.3g}",
            f"{self.processor:.3g}",
            "" if self.faster is None else f"{self.faster:.3g}",
            f"{self.error:.3f} {unit}",
            "" if self.angles is None else f"{self.angles[0]:.2f}°",
            "" if self.angles is None else f"{self.angles[1]:.2f}°",
            self.note,
        )


def rows(case: Case, files: Files, peers: Peers, repeats: int) -> Iterator[Row]:
    """OpenSim first; the others are compared with it."""
    job = "orientations" if case.orientations else "markers"
    asked = {"do": job, "model": files.model, "trial": files.trial, "setup": files.setup}
    asked["folder"] = peers.place("results")
    found = peers.do("opensim_ik", **asked, repeats=repeats)
    best = peers.do("opensim_ik", **asked, repeats=1, accuracy=CONVERGED)
    trial = SensorTrial.read(files, found) if case.orientations else MarkerTrial.read(files)
    table = _Table(trial, files, peers, found, best)
    accuracy = f"{float(found['accuracy']):g}"
    tool = f"its tool's whole run: {float(found['tool_ms']):.3g} ms/frame"
    yield table.row(f"OpenSim {_version(found)}, accuracy {accuracy}", found, tool)
    yield table.row(f"OpenSim, accuracy {CONVERGED:g}", best, "one run")
    if isinstance(trial, MarkerTrial):
        yield from _nimble(table, peers, repeats)
    for method, threads in (("lm", 1), ("lm", 2), ("lbfgs", 1)):
        yield table.ours(method, threads, repeats if method == "lm" else 1)


class _Table:
    """What the rows of one case share."""

    def __init__(
        self,
        trial: MarkerTrial | SensorTrial,
        files: Files,
        peers: Peers,
        found: Arrays,
        best: Arrays,
    ) -> None:
        self.trial, self.files, self.peers, self.found, self.best = trial, files, peers, found, best
        self.time = float(np.median(found["solver_ms"]))
        if isinstance(trial, MarkerTrial):
            _same("markers", list(trial.names), [str(name) for name in found["markers"]])
            _same("weights", trial.weights.tolist(), found["weights"].tolist())
            away = np.nanmax(np.abs(trial.in_ground - found["measured"]))
            _same("measured markers", float(away) < 1e-9, True)

    def error(self, placed: np.ndarray) -> float:
        """Of markers or sensors, wherever they were placed."""
        if isinstance(self.trial, MarkerTrial):
            return weighted_rmse(self.found["measured"], placed, self.found["weights"])
        return turn_rmse(self.found["measured"], placed)

    def angles(self, names: list[str], values: np.ndarray) -> tuple[float, float] | None:
        """Differences from OpenSim's converged answer, over the coordinates that both have."""
        theirs = [str(name) for name in self.best["names"]]
        both = [name for name in self.trial.angles if name in names and name in theirs]
        mine = values[:, [names.index(name) for name in both]]
        other = self.best["values"][:, [theirs.index(name) for name in both]]
        return spread(angle_differences(mine, other))

    def row(self, engine: str, arrays: Arrays, note: str) -> Row:
        """Of another program."""
        took, processor = (float(np.median(arrays[f"solver_{of}ms"])) for of in ("", "cpu_"))
        names = [str(name) for name in arrays["names"]]
        angles = None if arrays is self.best else self.angles(names, arrays["values"])
        faster = None if arrays is self.found else self.time / took
        return Row(engine, took, processor, faster, self.error(arrays["placed"]), angles, note)

    def ours(self, method: str, threads: int, repeats: int) -> Row:
        """Of ours; its markers are placed by OpenSim's kinematics, and by ours to compare."""
        pose, *spent = timed(partial(self.trial.solved, method), repeats, threads)
        took, processor = (time / len(pose) for time in spent)
        names = list(self.trial.model.coordinate_names)
        if isinstance(self.trial, MarkerTrial):
            asked = {"names": names, "markers": list(self.trial.names)}
            placed = self.peers.placed("positions", self.files.model, pose, **asked)
        else:
            asked = {"names": names, "sensors": [str(name) for name in self.found["sensors"]]}
            placed = self.peers.placed("turns", self.files.model, pose, **asked)
        apart = float(np.abs(self.trial.placed(pose) - placed).max())
        note = f"kinematics within {apart:.0e} of OpenSim's" if method == "lm" else "one run"
        label = f"`{method}`, {threads} thread{'s' * (threads > 1)}"
        angles = self.angles(names, pose)
        return Row(label, took, processor, self.time / took, self.error(placed), angles, note)


def _nimble(table: _Table, peers: Peers, repeats: int) -> Iterator[Row]:
    place = peers.place("measured") / "measured.npz"
    np.savez(place, **{key: table.found[key] for key in ("markers", "weights", "measured", "held")})
    try:
        found = peers.do("nimble_ik", model=table.files.model, measured=place, repeats=repeats)
    except PeerError as error:
        yield Row("nimblephysics", np.nan, np.nan, None, np.nan, None, f"failed: {error}")
        return
    yield table.row(f"nimblephysics {_version(found)}", found, _beyond(found))


def _beyond(found: Arrays) -> str:
    """How many coordinates an engine takes beyond their limits by more than a degree or a centimetre."""
    values, allowed = found["values"], np.radians(1.0)
    beyond = (values < found["lowest"] - allowed) | (values > found["highest"] + allowed)
    names = [str(name) for name, out in zip(found["names"], beyond.any(axis=0), strict=True) if out]
    return f"leaves the limits of {', '.join(names)}" if names else ""


def _version(found: Arrays) -> str:
    return str(found["version"]).split("-")[0]


def _same(what: str, ours: object, theirs: object) -> None:
    """Both sides read the same; otherwise the comparison means nothing."""
    if ours != theirs:
        raise SystemExit(f"marker_ik: we read other {what} than OpenSim: {ours} and {theirs}")
