"""Markers from file to file through the buttons: in the order of work and out of it."""

import re
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from marker_scenes import go_to, seen  # noqa: E402  after the skip where there is no bpy

from pallas.capture import read_markers  # noqa: E402
from pallas.capture.coordinates import pose_from_table  # noqa: E402
from pallas.capture.markers import write_markers  # noqa: E402
from pallas.capture.osim import read_osim  # noqa: E402
from pallas.capture.osim_pins import goals_of_tasks  # noqa: E402
from pallas.capture.osim_tasks import read_ik_tasks  # noqa: E402
from pallas.capture.osim_writer import write_osim  # noqa: E402
from pallas.capture.storage import read_storage  # noqa: E402
from pallas.operators.common import ProgressJob  # noqa: E402
from pallas.rig import PallasError  # noqa: E402
from pallas.rig.model import BodyMarker, Frame, KinematicModel, free, hinge  # noqa: E402
from pallas.rig.model.places import body_places  # noqa: E402
from pallas.rig.model.scaling import scaled  # noqa: E402
from pallas.rig.solve.marker_ik import MarkerOptions, fit_markers  # noqa: E402
from pallas.rig.trajectories import MarkerTrajectories  # noqa: E402
from pallas.scene.curves import channels_of, read_curve  # noqa: E402
from pallas.scene.markers import marker_objects  # noqa: E402
from pallas.scene.model_markers import worn_markers  # noqa: E402
from pallas.scene.osim_armature import osim_text, read_model  # noqa: E402
from pallas.scene.solution import read_solution  # noqa: E402

UP = ((1, 0, 0), (0, 0, -1), (0, 1, 0))  # y is up in the model, z in the world
PLACES = {
    "pelvis": ((0.1, 0.0, 0.1), (0.1, 0.0, -0.1), (-0.15, 0.05, 0.02)),
    "thigh": ((0.08, -0.2, 0.0), (0.0, -0.35, 0.06), (-0.05, -0.1, 0.05)),
    "shank": ((0.05, -0.1, 0.03), (0.0, -0.38, 0.05), (-0.06, -0.2, -0.04)),
}
LEG = KinematicModel(
    "leg",
    (
        free("root", "pelvis"),
        hinge("hip", "pelvis", "thigh", Frame((0.0, -0.08, 0.09)), "z"),
        hinge("knee", "thigh", "shank", Frame((0.0, -0.42, 0.0)), "-z"),
    ),
    markers=tuple(
        BodyMarker(f"{body[0].upper()}{place}", body, point)
        for body, points in PLACES.items()
        for place, point in enumerate(points)
    ),
    world_from_ground=UP,
)


def leg_poses(count):
    t = np.linspace(0.0, 1.0, count)
    pose = np.zeros((count, len(LEG.coordinates)))
    pose[:, LEG.coordinate_index("root_tx")] = t
    pose[:, LEG.coordinate_index("root_ty")] = 0.95 + 0.02 * np.sin(6 * t)
    pose[:, LEG.coordinate_index("hip")] = 0.5 * np.sin(5 * t)
    pose[:, LEG.coordinate_index("knee")] = 0.4 + 0.4 * np.sin(9 * t)
    return pose


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A leg as .osim, and 20 frames of it, a marker hidden for a while, as .trc; and of a larger one."""
    folder = tmp_path_factory.mktemp("leg")
    write_osim(folder / "leg.osim", LEG)
    for name, model in {
        "walk": LEG,
        "tall": scaled(LEG, dict.fromkeys(LEG.bodies[1:], 1.1)),
    }.items():
        positions = seen(model, leg_poses(20))
        positions[5:9, 4] = np.nan
        markers = MarkerTrajectories(LEG.marker_names, positions, 60.0, 0.5)
        write_markers(folder / f"{name}.trc", markers)
    return folder


@pytest.fixture
def loaded(settings, files):
    bpy.ops.pallas.import_markers(filepath=str(files / "walk.trc"))
    bpy.ops.pallas.import_osim(filepath=str(files / "leg.osim"))
    return settings


@pytest.fixture
def solved(loaded):
    bpy.ops.pallas.solve_markers()
    return loaded


def test_markers_and_model_come_in_and_are_chosen(scene, loaded):
    assert loaded.markers.name == "walk"
    assert loaded.model.name == "leg"
    assert len(worn_markers(loaded.model)) == 9
    assert scene.render.fps == 24


def test_the_scene_is_extended_only_if_wanted(scene, files):
    scene.frame_end = 3
    bpy.ops.pallas.import_markers(filepath=str(files / "walk.trc"), fit_range=False)
    assert scene.frame_end == 3
    bpy.ops.pallas.import_markers(filepath=str(files / "walk.trc"))
    assert scene.frame_end == 9


def test_a_damaged_file_is_told_in_one_line_and_adds_nothing(scene, tmp_path):
    broken = tmp_path / "broken.trc"
    broken.write_text("PathFileType 4\nnothing")
    with pytest.raises(RuntimeError, match=r"Error: .*broken\.trc"):
        bpy.ops.pallas.import_markers(filepath=str(broken))
    broken = tmp_path / "broken.osim"
    broken.write_text("<OpenSimDocument>")
    with pytest.raises(RuntimeError, match=r"Error: .*broken\.osim"):
        bpy.ops.pallas.import_osim(filepath=str(broken))
    assert len(bpy.data.objects) == len(bpy.data.actions) == 0


def test_buttons_that_can_t_work_yet_say_why(scene, files):
    for operator, reason in (
        (bpy.ops.pallas.solve_markers, "Import markers first"),
        (bpy.ops.pallas.attach_markers, "Import markers first"),
        (bpy.ops.pallas.show_residuals, "Import markers first"),
        (bpy.ops.pallas.export_trc, "Import markers first"),
        (bpy.ops.pallas.export_mot, "Solve markers first"),
        (bpy.ops.pallas.export_osim, "Import an OpenSim model or choose an armature"),
    ):
        with pytest.raises(RuntimeError, match=reason):
            operator()
    bpy.ops.pallas.import_markers(filepath=str(files / "walk.trc"))
    with pytest.raises(RuntimeError, match="or choose an armature first"):
        bpy.ops.pallas.solve_markers()
    with pytest.raises(RuntimeError, match="solve first"):
        bpy.ops.pallas.show_residuals()


def test_the_solved_model_follows_the_markers(scene, solved):
    assert solved.solved == solved.model
    assert re.fullmatch(r"RMS 0\.\d mm, worst \w+ 0\.\d mm", solved.summary)
    _, origins = body_places(LEG, leg_poses(20))
    for sample in (0, 7, 19):
        go_to(1.0 + sample * 24 / 60)
        for body in ("pelvis", "thigh", "shank"):
            head = solved.model.matrix_world @ solved.model.pose.bones[body].head
            expected = origins[sample, LEG.body_index(body)]
            np.testing.assert_allclose(head, expected, atol=2e-4)


def test_joint_angles_are_curves_in_degrees(solved):
    curve = channels_of(solved.model).fcurves.find('["knee"]')
    expected = np.degrees(leg_poses(20)[:, LEG.coordinate_index("knee")])
    np.testing.assert_allclose(read_curve(curve)[:, 1], expected, atol=0.05)


def test_residuals_have_no_keys_where_the_marker_was_not_seen(solved):
    item = marker_objects(solved.markers)[LEG.marker_names[4]]
    curve = channels_of(item).fcurves.find('["residual_mm"]')
    assert len(curve.keyframe_points) == 16
    assert bpy.ops.pallas.show_residuals() == {"FINISHED"}
    assert len(item.children) == 1
    bpy.ops.pallas.show_residuals()
    assert len(item.children) == 0


def test_what_is_exported_is_read_back_as_the_same_motion(solved, tmp_path):
    for kind in ("mot", "trc", "osim"):
        export = getattr(bpy.ops.pallas, f"export_{kind}")
        assert export(filepath=str(tmp_path / f"out.{kind}")) == {"FINISHED"}
        with pytest.raises(RuntimeError, match="there already"):
            export(filepath=str(tmp_path / f"out.{kind}"))
        assert export(filepath=str(tmp_path / f"out.{kind}"), overwrite=True) == {"FINISHED"}
    model, table = read_osim(tmp_path / "out.osim"), read_storage(tmp_path / "out.mot")
    np.testing.assert_allclose(table.times, 0.5 + np.arange(20) / 60.0, atol=1e-6)
    points = seen(model, pose_from_table(table, model))
    markers = read_markers(tmp_path / "out.trc")
    order = [markers.names.index(name) for name in model.marker_names]
    away = np.linalg.norm(points - markers.positions[:, order], axis=-1)
    assert np.nanmax(away) < 1e-3
    assert np.isnan(away).sum() == 4


def test_in_another_size_the_model_is_added_again_and_the_first_is_left_alone(loaded, files):
    bpy.ops.pallas.import_markers(filepath=str(files / "tall.trc"))
    first = loaded.model
    loaded.scale = True
    assert bpy.ops.pallas.solve_markers() == {"FINISHED"}
    assert loaded.solved.name == "leg scaled"
    assert loaded.model == first
    assert first.animation_data is None
    lengths = [a.data.bones["thigh"].length for a in (first, loaded.solved)]
    assert lengths[1] / lengths[0] == pytest.approx(1.1, abs=0.02)
    assert osim_text(first) != osim_text(loaded.solved)
    assert read_solution(loaded.solved).pose.shape == (20, len(LEG.coordinates))


def test_markers_that_sit_elsewhere_are_moved_if_wanted(loaded, files):
    rig = read_model(loaded.model)
    wrong = worn_markers(loaded.model)["S1"]
    wrong.location.x += 0.02
    before = read_model(loaded.model).model
    bpy.ops.pallas.solve_markers()
    after = read_model(loaded.model).model
    assert after.markers == before.markers  # nothing moves unless wanted
    loaded.fit_markers = True
    bpy.ops.pallas.solve_markers()
    found = read_model(loaded.model).model
    true = np.array(rig.model.markers[rig.model.marker_index("S1")].position)
    off = [
        np.linalg.norm(np.array(m.markers[m.marker_index("S1")].position) - true)
        for m in (before, found)
    ]
    assert off[1] < 0.6 * off[0]


def test_weights_come_from_a_task_file(loaded, tmp_path):
    tasks = "".join(
        f'<IKMarkerTask name="{name}"><apply>true</apply><weight>{weight}</weight></IKMarkerTask>'
        for name, weight in zip(LEG.marker_names[:8], range(1, 9), strict=True)
    )
    path = tmp_path / "tasks.xml"
    path.write_text(
        f'<OpenSimDocument Version="40000"><IKTaskSet><objects>{tasks}</objects></IKTaskSet>'
        "</OpenSimDocument>"
    )
    loaded.tasks = str(path)
    bpy.ops.pallas.solve_markers()
    assert "residual_mm" not in marker_objects(loaded.markers)[LEG.marker_names[8]]
    assert "residual_mm" in marker_objects(loaded.markers)[LEG.marker_names[7]]


def test_names_that_were_exchanged_are_told(loaded, tmp_path, capfd):
    positions = seen(LEG, leg_poses(40))
    pair = [LEG.marker_index("T1"), LEG.marker_index("S1")]
    positions[10:25, pair] = positions[10:25, pair[::-1]]
    write_markers(tmp_path / "swapped.trc", MarkerTrajectories(LEG.marker_names, positions, 60.0))
    bpy.ops.pallas.import_markers(filepath=str(tmp_path / "swapped.trc"))
    bpy.ops.pallas.solve_markers()
    told = capfd.readouterr().out
    assert re.search(r"Warning: (T1 and S1|S1 and T1) look exchanged from 0\.17 to 0\.40 s", told)


def test_a_solve_that_fails_changes_nothing(loaded):
    for name, item in worn_markers(loaded.model).items():
        item["pallas_marker"] = f"other {name}"
    actions = len(bpy.data.actions)
    with pytest.raises(RuntimeError, match="share 0 markers"):
        bpy.ops.pallas.solve_markers()
    assert len(bpy.data.actions) == actions
    assert loaded.model.animation_data is None
    for item in worn_markers(loaded.model).values():
        bpy.data.objects.remove(item)
    with pytest.raises(RuntimeError, match="wears no markers"):
        bpy.ops.pallas.solve_markers()


def test_a_linked_armature_is_refused_before_the_solve(loaded, files, tmp_path):
    blend = tmp_path / "rig.blend"
    bpy.data.libraries.write(str(blend), {loaded.model})
    with bpy.data.libraries.load(str(blend), link=True) as (_, here):
        here.objects = [loaded.model.name]
    bpy.context.collection.objects.link(here.objects[0])
    loaded.model = here.objects[0]
    with pytest.raises(RuntimeError, match="linked from another file.*Library Override"):
        bpy.ops.pallas.solve_markers()


def test_a_deleted_recording_is_no_longer_offered(loaded):
    bpy.data.objects.remove(loaded.markers)
    with pytest.raises(RuntimeError, match="Import markers first"):
        bpy.ops.pallas.solve_markers()


def test_an_opensim_model_s_markers_are_not_attached_anew(loaded):
    with pytest.raises(RuntimeError, match="wears its own markers"):
        bpy.ops.pallas.attach_markers()


def test_the_trial_of_gait2354_is_solved_as_everywhere_else(settings, data):
    folder = "markers/opensim/Gait2354_Simbody"
    bpy.ops.pallas.import_markers(filepath=str(data(f"{folder}/subject01_walk1.trc")))
    bpy.ops.pallas.import_osim(filepath=str(data(f"{folder}/subject01_simbody.osim")))
    settings.tasks = str(data(f"{folder}/subject01_Setup_IK.xml"))
    bpy.ops.pallas.solve_markers()
    model = read_osim(data(f"{folder}/subject01_simbody.osim"))
    goals = goals_of_tasks(read_ik_tasks(Path(settings.tasks)), model)
    recording = read_markers(data(f"{folder}/subject01_walk1.trc"))
    options = MarkerOptions(goals.weights, 0.0, goals.pins)
    outside = fit_markers(model, recording, options)
    assert float(settings.summary.split()[1]) == pytest.approx(1e3 * outside.rms, abs=0.06)
    found = read_solution(settings.model)
    _, origins = body_places(found.model, found.pose)
    for sample in (0, 60, 150):
        go_to(1.0 + sample * 24 / 60)
        for body in model.bodies[1:]:
            head = settings.model.matrix_world @ settings.model.pose.bones[body].head
            expected = origins[sample, found.model.body_index(body)]
            np.testing.assert_allclose(head, expected, atol=1e-5)


def test_a_job_tells_how_far_it_is_and_ends_when_it_is_cancelled():
    told = []

    def work(tell):
        tell(0.25)
        told.append("began")
        while True:
            tell(0.5)

    job = ProgressJob(work)
    while not told:
        pass
    job.cancel()
    job._thread.join(timeout=30.0)
    assert job.done()
    assert job.fraction in (0.25, 0.5)
    assert ProgressJob(lambda tell: 3).result() == 3

    def fail(tell):
        raise PallasError("no")

    with pytest.raises(PallasError, match="no"):
        ProgressJob(fail).result()
