"""Markers in a real window of the newest Blender: import, solve, Esc, residual colours, undo."""

import numpy as np
import pytest

from pallas.capture.markers import write_markers
from pallas.capture.osim_writer import write_osim
from pallas.rig.model import BodyMarker, Frame, KinematicModel, free, hinge
from pallas.rig.model.places import body_places
from pallas.rig.trajectories import MarkerTrajectories

pytestmark = pytest.mark.window

FRAMES = 400


def legs():
    """Hips, thighs and shanks, four markers each; y is up in the model."""
    joints, points = [free("root", "pelvis")], {"pelvis": (0.0, 0.12)}
    for side, out in (("r", 1.0), ("l", -1.0)):
        hip, knee = Frame((0.0, -0.08, 0.09 * out)), Frame((0.0, -0.42, 0.0))
        joints.append(hinge(f"hip_{side}", "pelvis", f"thigh_{side}", hip, "z"))
        joints.append(hinge(f"knee_{side}", f"thigh_{side}", f"shank_{side}", knee, "-z"))
        points |= {f"thigh_{side}": (-0.2, 0.06), f"shank_{side}": (-0.25, 0.05)}
    markers = [
        BodyMarker(
            f"{body}_{'bf'[x > 0]}{'lr'[z > 0]}",
            body,
            (x * width, height + 0.05 * x * z, z * width),
        )
        for body, (height, width) in points.items()
        for x in (-1, 1)
        for z in (-1, 1)
    ]
    turn = ((1, 0, 0), (0, 0, -1), (0, 1, 0))
    return KinematicModel("legs", tuple(joints), markers=tuple(markers), world_from_ground=turn)


def steps(model):
    """Markers of a walk, each off by some millimetres, one not seen for a second."""
    t = np.arange(FRAMES) / 100.0
    pose = np.zeros((FRAMES, len(model.coordinates)))
    pose[:, model.coordinate_index("root_tx")] = 0.5 * t
    pose[:, model.coordinate_index("root_ty")] = 0.95
    for side, phase in (("r", 0.0), ("l", np.pi)):
        pose[:, model.coordinate_index(f"hip_{side}")] = 0.4 * np.sin(5 * t + phase)
        pose[:, model.coordinate_index(f"knee_{side}")] = 0.4 + 0.4 * np.cos(5 * t + phase)
    rotations, origins = body_places(model, pose)
    bodies = [model.body_index(marker.body) for marker in model.markers]
    offsets = np.array([marker.position for marker in model.markers])
    noise = np.random.default_rng(0).normal(scale=0.008, size=offsets.shape)
    noise[3] += 0.04
    positions = origins[:, bodies] + np.einsum(
        "tmij,mj->tmi", rotations[:, bodies], offsets + noise
    )
    positions[100:200, 5] = np.nan
    return MarkerTrajectories(model.marker_names, positions, 100.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, play):
    """What a session in the window left behind."""
    work = tmp_path_factory.mktemp("window")
    model = legs()
    write_osim(work / "legs.osim", model)
    write_markers(work / "walk.trc", steps(model))
    return play("drive_markers.py", work, "markers.png", keep="PALLAS_KEEP_MARKERS")


def test_the_whole_story_was_told_without_an_error(found):
    assert found["error"] is None, found["error"]
    assert found["finished"]


def test_markers_and_model_come_in_and_are_solved(found):
    assert found["markers"] == found["model"] == found["residuals"] == ["FINISHED"]
    assert found["solve"] in (["FINISHED"], ["RUNNING_MODAL"])
    assert found["after importing"] == {
        "armatures": 1,
        "solved": 0,
        "with residuals": 0,
        "balls": 0,
    }
    assert found["after solving"]["solved"] == 1
    assert found["after solving"]["with residuals"] == 21  # the markers and their parent
    assert found["summary"].startswith("RMS ")


def test_esc_leaves_everything_as_it_was(found):
    assert found["solved in spite of Esc"] == found["after importing"]


def test_undo_takes_one_step_at_a_time_and_redo_brings_it_back(found):
    assert found["after one undo"] == found["after solving"]
    assert found["after two undos"] == found["after importing"]
    assert found["after one redo"] == found["after solving"]
    assert found["after two redos"]["balls"] == 20


def test_residuals_are_seen_as_colours(part, found):
    assert found["shading"] == "OBJECT"
    red, green, blue = np.moveaxis(part("markers", "view"), -1, 0)
    assert ((blue > red + 60) & (blue > green + 30)).sum() > 30  # near their places on the model
    assert ((red > blue + 80) & (red > green + 80)).sum() > 10  # one is centimetres off
