"""A character that wears markers moves as they did, and goes to OpenSim."""

import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from marker_scenes import go_to, seen  # noqa: E402  after the skip where there is no bpy

from pallas.capture.coordinates import pose_from_table  # noqa: E402
from pallas.capture.markers import write_markers  # noqa: E402
from pallas.capture.osim import read_osim  # noqa: E402
from pallas.capture.storage import read_storage  # noqa: E402
from pallas.rig import quaternion  # noqa: E402
from pallas.rig.model.places import body_places  # noqa: E402
from pallas.rig.trajectories import MarkerTrajectories  # noqa: E402
from pallas.scene.markers import read_marker_set  # noqa: E402
from pallas.scene.model_markers import place_marker, worn_markers  # noqa: E402
from pallas.scene.osim_armature import read_model  # noqa: E402

# A character driven by markers: where they sit on it, x to its left, y to its back, z up.
WORN = {
    "Hips": ((0.12, -0.08, 0.05), (-0.12, -0.08, 0.05), (0.0, 0.12, 0.05)),
    "LeftUpLeg": ((0.02, -0.08, -0.2), (0.08, 0.0, -0.3)),
    "LeftLeg": ((0.0, -0.06, -0.1), (0.06, 0.0, -0.3)),
    "LeftFoot": ((0.0, -0.12, -0.05), (0.04, 0.05, -0.06)),
    "Spine2": ((0.0, -0.12, 0.1), (0.0, 0.12, 0.1), (0.1, 0.0, 0.15)),
    "LeftArm": ((0.1, 0.04, 0.03), (0.2, -0.04, -0.1)),
}


@pytest.fixture
def performer(scene):
    """A character in a random pose that wears markers, those markers over time, and where its bones were."""
    bpy.ops.pallas.add_character(sensors=False)
    character = bpy.context.object
    for bone, points in WORN.items():
        rest = np.array(character.data.bones[f"mixamorig:{bone}"].matrix_local)[:3, :3]
        for place, point in enumerate(points):
            place_marker(character, f"{bone}{place}", f"mixamorig:{bone}", rest.T @ point)
    rig = read_model(character)
    random = np.random.default_rng(2)
    ends = random.normal(scale=0.25, size=(2, len(rig.model.coordinates)))
    t = np.linspace(0.0, 1.0, 12)[:, None]
    pose = rig.model.default_pose + (1 - t) * ends[0] + t * ends[1]
    return character, rig, pose


def bring(character, rig, pose, path, size=1.0):
    recording = MarkerTrajectories(rig.model.marker_names, size * seen(rig.model, pose), 24.0)
    write_markers(path, recording)
    bpy.ops.pallas.import_markers(filepath=str(path))
    bpy.context.scene.pallas.markers.model = character


def test_a_character_moves_as_its_markers_did(performer, settings, tmp_path):
    character, rig, pose = performer
    transform = np.array(character.matrix_world)
    bring(character, rig, pose, tmp_path / "take.trc")
    assert bpy.ops.pallas.solve_markers() == {"FINISHED"}
    assert float(settings.summary.split()[1]) < 3.0
    rotations, origins = body_places(rig.model, pose)
    for sample in (0, 6, 11):
        go_to(1.0 + sample)
        for bone in ("Hips", "LeftLeg", "Spine2"):
            shown = character.pose.bones[f"mixamorig:{bone}"]
            place = rig.model.body_index(f"mixamorig:{bone}")
            np.testing.assert_allclose(shown.head, origins[sample, place], atol=0.01)
            turn = quaternion.angle(
                quaternion.from_matrix(np.array(shown.matrix)[:3, :3].astype(float)),
                quaternion.from_matrix(rotations[sample, place]),
            )
            assert turn < np.radians(4.0), (bone, sample, turn)
    np.testing.assert_array_equal(transform, np.array(character.matrix_world))


def test_a_larger_performer_s_markers_are_scaled_to_the_character(performer, settings, tmp_path):
    character, rig, pose = performer
    bring(character, rig, pose, tmp_path / "take.trc", size=1.2)
    settings.scale = True
    bpy.ops.pallas.solve_markers()
    assert settings.solved == character
    assert settings.markers.scale[0] == pytest.approx(1 / 1.2, abs=0.01)
    assert tuple(character.scale) == (1.0, 1.0, 1.0)
    _, origins = body_places(rig.model, pose)
    go_to(7)
    hips = character.pose.bones["mixamorig:Hips"].head
    np.testing.assert_allclose(hips, origins[6, rig.model.body_index("mixamorig:Hips")], atol=0.02)
    np.testing.assert_allclose(
        read_marker_set(settings.markers).positions, seen(rig.model, pose), atol=0.02
    )


def test_markers_are_attached_at_the_frame_in_which_both_stand_alike(performer, settings, tmp_path):
    character, rig, pose = performer
    pose = pose.copy()
    pose[4] = rig.model.default_pose
    bring(character, rig, pose, tmp_path / "take.trc")
    for item in worn_markers(character).values():
        bpy.data.objects.remove(item)
    bpy.context.scene.frame_set(5)
    assert bpy.ops.pallas.attach_markers() == {"FINISHED"}
    assert set(worn_markers(character)) == set(rig.model.marker_names)
    bpy.ops.pallas.solve_markers()
    assert float(settings.summary.split()[1]) < 30.0


def test_an_armature_s_model_and_motion_are_the_same_in_opensim_s_files(
    performer, settings, tmp_path
):
    character, rig, pose = performer
    bring(character, rig, pose, tmp_path / "take.trc")
    bpy.ops.pallas.solve_markers()
    bpy.ops.pallas.export_mot(filepath=str(tmp_path / "out.mot"))
    bpy.ops.pallas.export_osim(filepath=str(tmp_path / "out.osim"))
    model = read_osim(tmp_path / "out.osim")
    table = read_storage(tmp_path / "out.mot")
    points = seen(model, pose_from_table(table, model))
    recorded = read_marker_set(settings.markers)
    order = [recorded.names.index(name) for name in model.marker_names]
    away = np.linalg.norm(points - recorded.positions[:, order], axis=-1)
    assert np.sqrt((away**2).mean()) * 1e3 == pytest.approx(
        float(settings.summary.split()[1]), abs=0.1
    )


IN_OPENSIM = """
import json, sys
import opensim
opensim.Logger.setLevelString("off")
folder = sys.argv[1]
model = opensim.Model(folder + "/out.osim")
state = model.initSystem()
table = opensim.TimeSeriesTable(folder + "/out.mot")
row = table.getRowAtIndex(5)
for place, name in enumerate(table.getColumnLabels()):
    coordinate = model.getCoordinateSet().get(name)
    turns = coordinate.getMotionType() == opensim.Coordinate.Rotational
    value = row[place] * (3.141592653589793 / 180.0 if turns else 1.0)
    coordinate.setValue(state, value, False)
model.realizePosition(state)
markers = model.getMarkerSet()
found = {}
for place in range(markers.getSize()):
    x, y, z = (markers.get(place).getLocationInGround(state).get(axis) for axis in range(3))
    found[markers.get(place).getName()] = (x, -z, y)
print(json.dumps(found))
"""


def test_opensim_loads_them_and_puts_the_markers_there_too(performer, settings, tmp_path):
    pytest.importorskip("opensim")
    character, rig, pose = performer
    bring(character, rig, pose, tmp_path / "take.trc")
    bpy.ops.pallas.solve_markers()
    bpy.ops.pallas.export_mot(filepath=str(tmp_path / "out.mot"))
    bpy.ops.pallas.export_osim(filepath=str(tmp_path / "out.osim"))
    command = [sys.executable, "-c", IN_OPENSIM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    recorded = read_marker_set(settings.markers)
    away = [
        np.linalg.norm(np.array(found[name]) - recorded.positions[5, place])
        for place, name in enumerate(recorded.names)
    ]
    assert 1e3 * np.sqrt(np.mean(np.square(away))) < 1.0
