"""The trials: which model, which recording, which setup with its weights."""

from dataclasses import dataclass
from pathlib import Path

from .peer import Peers

__all__ = ["CASES", "Case", "Files"]

OPENSIM = Path("markers/opensim")
RAJAGOPAL = OPENSIM / "Rajagopal"
HAMNER = OPENSIM / "Hamner"
OPENSENSE = Path("imu/opensense")


@dataclass(frozen=True)
class Files:
    """Absolute paths of a case that is ready to be solved."""

    model: Path
    trial: Path
    setup: Path


@dataclass(frozen=True)
class Registration:
    """How OpenSim's ScaleTool makes the subject's model first.

    Attributes:
        markers: a marker set that replaces the model's, or none.
        static: the static trial.
        setup: of the ScaleTool.
        measure: whether bodies are scaled too; else only the markers are placed.
    """

    markers: Path | None
    static: Path
    setup: Path
    measure: bool = True


@dataclass(frozen=True)
class Case:
    """A trial.

    Attributes:
        name: on the command line.
        title: in the tables.
        model, trial, setup: paths in the data folder.
        registration: None if the model in the data is the subject's.
        orientations: whether sensors are tracked instead of markers.
        least: how many times faster than OpenSim it has to be, if that was said.
    """

    name: str
    title: str
    model: Path
    trial: Path
    setup: Path
    registration: Registration | None = None
    orientations: bool = False
    least: float | None = None

    def files(self, data: Path, peers: Peers) -> Files:
        """Paths, after the model was scaled or its sensors were placed by OpenSim where that is needed.

        Raises:
            PeerError: OpenSim could not.
        """
        model, trial = data / self.model, data / self.trial
        made = self.registration
        if made is not None:
            out = peers.place(self.name) / "subject.osim"
            peers.do(
                "opensim_ik",
                do="scale",
                generic=model,
                marker_set=None if made.markers is None else str(data / made.markers),
                static=data / made.static,
                setup=data / made.setup,
                out=out,
                measure=made.measure,
            )
            model = out
        if self.orientations:
            folder = peers.place(self.name)
            peers.do(
                "opensim_ik",
                do="calibrate",
                model=model,
                recording=trial,
                mapping=data / OPENSENSE / "myIMUMappings.xml",
                setup=data / OPENSENSE / "myIMUPlacer_Setup.xml",
                folder=folder,
            )
            model, trial = folder / "calibrated.osim", folder / "orientations.sto"
        return Files(model, trial, data / self.setup)


_WALK = Registration(
    RAJAGOPAL / "markerset_walk_preScale.xml",
    RAJAGOPAL / "static_walk_1.trc",
    RAJAGOPAL / "scale_setup_walk_scaleOnly.xml",
)

CASES = (
    Case(
        "gait2354",
        "Gait2354, walking",
        OPENSIM / "Gait2354_Simbody/subject01_simbody.osim",
        OPENSIM / "Gait2354_Simbody/subject01_walk1.trc",
        OPENSIM / "Gait2354_Simbody/subject01_Setup_IK.xml",
        least=25,
    ),
    Case(
        "gait10dof",
        "Gait10dof18musc, walking",
        OPENSIM / "Gait10dof18musc/subject01.osim",
        OPENSIM / "Gait10dof18musc/subject01_walk.trc",
        OPENSIM / "Gait10dof18musc/walk_Setup_IK.xml",
        least=8,
    ),
    Case(
        "hamner",
        "Hamner, running",
        HAMNER / "subject02_scaled.osim",
        HAMNER / "subject02_running.trc",
        HAMNER / "Setup_IK.xml",
        least=50,
    ),
    Case(
        "hamner-registered",
        "Hamner, running, markers placed first",
        HAMNER / "subject02_scaled.osim",
        HAMNER / "subject02_running.trc",
        HAMNER / "Setup_IK.xml",
        Registration(
            None, HAMNER / "subject02_static.trc", HAMNER / "Setup_Scale.xml", measure=False
        ),
        least=50,
    ),
    Case(
        "rajagopal",
        "Rajagopal 2016, walking",
        RAJAGOPAL / "Rajagopal2016.osim",
        RAJAGOPAL / "motion_capture_walk.trc",
        RAJAGOPAL / "ik_setup_walk.xml",
        _WALK,
    ),
    Case(
        "laiuhlrich",
        "Lai-Uhlrich 2023, walking",
        RAJAGOPAL / "RajagopalLaiUhlrich2023.osim",
        RAJAGOPAL / "motion_capture_walk.trc",
        RAJAGOPAL / "ik_setup_walk.xml",
        _WALK,
    ),
    Case(
        "opensense",
        "OpenSense, sensors, walking",
        OPENSENSE / "Rajagopal_2015.osim",
        OPENSENSE / "IMUData",
        OPENSENSE / "myIMUIK_Setup.xml",
        orientations=True,
        least=25,
    ),
)
