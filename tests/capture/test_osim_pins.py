"""What inverse kinematics tasks ask of a model."""

from pallas.capture.osim_pins import goals_of_tasks
from pallas.capture.osim_tasks import CoordinateTask, IkTasks, MarkerTask
from pallas.rig.model import BodyMarker, Coordinate, KinematicModel, hinge

MODEL = KinematicModel(
    "leg",
    (hinge("hip", "ground", "thigh"), hinge("knee", "thigh", "shank")),
    (Coordinate("knee", default=0.2),),
    markers=(BodyMarker("A", "thigh", (0, 0, 0)), BodyMarker("B", "shank", (0, 0, 0))),
)


def test_markers_count_as_the_tasks_say_if_the_model_has_them():
    tasks = IkTasks((MarkerTask("A", 3.0), MarkerTask("B", 5.0, apply=False), MarkerTask("C", 1.0)))
    assert goals_of_tasks(tasks, MODEL).weights == {"A": 3.0}


def test_coordinates_stay_at_the_value_told_or_at_the_model_s_default():
    tasks = IkTasks(
        coordinates=(
            CoordinateTask("hip", 2.0, source="manual_value", value=0.5),
            CoordinateTask("knee", 7.0),
        )
    )
    assert goals_of_tasks(tasks, MODEL).pins == {"hip": (0.5, 2.0), "knee": (0.2, 7.0)}


def test_what_can_t_be_followed_is_named():
    tasks = IkTasks(
        coordinates=(
            CoordinateTask("hip", 2.0, source="from_file"),
            CoordinateTask("neck", 1.0),
            CoordinateTask("knee", 0.0),
        )
    )
    goals = goals_of_tasks(tasks, MODEL)
    assert goals.pins == {}
    assert goals.left_out == ("hip", "neck")
