import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.render.course import Course  # noqa: E402
from pallas.render.preview import render_preview, render_sheet  # noqa: E402
from pallas.rig import Motion, OutputError, SceneError, body_skeleton, quaternion  # noqa: E402
from pallas.scene.apply import apply_motion  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402

KINDS = ("objects", "meshes", "materials", "lights", "cameras", "worlds", "scenes", "images")


@pytest.fixture(scope="module")
def walker():
    """The character gliding 2 m forward in one second."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    skeleton = body_skeleton()
    root = np.linspace([0.0, 0.0, 0.918], [0.0, -2.0, 0.918], 25)
    turns = np.tile(quaternion.IDENTITY, (25, 24, 1))
    armature = add_character()
    apply_motion(armature, Motion(skeleton, root, turns, 24.0))
    return armature


def pixels(path):
    """(H, W, 3), bottom row first."""
    image = bpy.data.images.load(str(path))
    values = np.array(image.pixels[:]).reshape(*tuple(image.size)[::-1], -1)[..., :3]
    bpy.data.images.remove(image)
    return values


def test_a_sheet_shows_as_many_figures_as_asked_for(walker, tmp_path):
    path = tmp_path / "a sheet.png"
    render_sheet(path, walker, frames=3, height=64, samples=4)
    picture = pixels(path)
    assert picture.shape[0] == 64
    blue = picture[..., 2] - picture[..., 0] > 0.08  # the suit
    thirds = [blue[:, part].sum() for part in np.array_split(np.arange(blue.shape[1]), 3)]
    assert min(thirds) > 40
    assert max(thirds) < 1.6 * min(thirds)


def test_a_film_lasts_as_long_as_the_take_and_the_camera_follows(walker, tmp_path):
    path = tmp_path / "film.mp4"
    seen = []
    render_preview(
        path, walker, fps=5.0, size=(64, 48), samples=2, progress=lambda *n: seen.append(n)
    )
    assert seen == [(i, 6) for i in range(1, 7)]
    film = bpy.data.movieclips.load(str(path))
    assert (film.frame_duration, film.fps, tuple(film.size)) == (6, 5.0, (64, 48))
    bpy.data.movieclips.remove(film)


def test_a_render_leaves_the_file_as_it_was(walker, tmp_path):
    scene = bpy.context.scene
    scene.frame_set(7)
    before = {kind: set(getattr(bpy.data, kind).keys()) for kind in KINDS}
    engine = scene.render.engine
    render_sheet(tmp_path / "sheet.png", walker, frames=2, height=32, samples=1)
    assert {kind: set(getattr(bpy.data, kind).keys()) for kind in KINDS} == before
    assert (scene.frame_current, scene.render.engine) == (7, engine)
    assert bpy.context.scene == scene
    assert sorted(tmp_path.iterdir()) == [tmp_path / "sheet.png"]


def test_a_picture_that_is_there_is_kept(walker, tmp_path):
    path = tmp_path / "sheet.png"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="there already"):
        render_sheet(path, walker, frames=2, height=32, samples=1)
    assert path.read_bytes() == b"mine"


def test_a_character_without_an_action_is_refused(walker, tmp_path):
    still = add_character()
    with pytest.raises(SceneError, match="apply a motion"):
        render_sheet(tmp_path / "sheet.png", still)
    bpy.data.objects.remove(still.children[0])
    bpy.data.objects.remove(still)


def test_the_camera_s_track_of_a_straight_walk_is_that_walk():
    straight = np.linspace([0.0, 0.0], [1.0, -3.0], 50)
    np.testing.assert_allclose(Course(straight, 0.0).calm_track(1 / 12), straight, atol=1e-9)


def test_the_camera_s_track_of_one_frame_is_that_place():
    place = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(Course(place, 0.0).calm_track(1 / 12), place)
