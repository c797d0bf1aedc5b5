import numpy as np
import pytest
from tiny_dataset import TINY

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from pallas.capture.cameras.camera import Camera  # noqa: E402
from pallas.render.dataset.clip import build_clip  # noqa: E402
from pallas.render.dataset.landmarks import landmarks_of  # noqa: E402
from pallas.render.dataset.motions import find_motions  # noqa: E402
from pallas.render.dataset.passes import camera_now, prepare  # noqa: E402
from pallas.render.dataset.spec import parse_spec  # noqa: E402
from pallas.render.dataset.surfaces import Surfaces, first_met, surfaces_of  # noqa: E402
from pallas.render.dataset.visibility import inside, seen_points  # noqa: E402

AHEAD = Camera(
    "ahead",
    np.array([[100.0, 0.0, 49.5], [0.0, 100.0, 49.5], [0.0, 0.0, 1.0]]),
    np.eye(3),
    np.zeros(3),
    size=(100, 100),
)  # looks along z, y down
BOARD = np.array([[-0.5, -0.5, 2.0], [0.5, -0.5, 2.0], [0.5, 0.5, 2.0], [-0.5, 0.5, 2.0]])
FLOOR = np.array([[-9.0, 1.0, -9.0], [9.0, 1.0, -9.0], [9.0, 1.0, 9.0], [-9.0, 1.0, 9.0]])
CORNERS = np.array([[0, 0, 4, 4], [1, 2, 5, 6], [2, 3, 6, 7]])
TWO = Surfaces((), (0, 8), CORNERS, np.array([3, 3, 0, 0]))


@pytest.mark.parametrize(
    ("target", "away", "owner"),
    [
        ((0.0, 0.1, 4.0), 2.0 * np.hypot(1.0, 0.1 / 4.0), 3),  # behind the board
        ((0.3, -0.3, 1.9), np.inf, 0),  # before it
        ((0.3, -0.3, 2.0), np.inf, 0),  # on it
        ((0.6, 0.0, 2.1), np.inf, 0),  # beside it
        ((0.0, 0.0, 5.0), 2.0, 3),  # behind the line where its triangles meet
        ((1.2, 1.2, 3.0), np.sqrt(8.25), 0),  # under a floor that reaches behind the camera
    ],
)
def test_the_first_surface_on_the_way_to_a_point_is_found(target, away, owner):
    found, who = first_met(TWO, np.concatenate([BOARD, FLOOR]), AHEAD, np.array([target]), 1e-4)
    assert found[0] == pytest.approx(away) and who[0] == owner


def by_blender(clip, camera, landmarks, places):
    """The same by Blender's own rays."""
    depsgraph = clip.scene.view_layers[0].depsgraph
    seen = np.zeros(len(places), dtype=bool)
    for row in np.flatnonzero(inside(camera, camera.project(places))):
        way = places[row] - camera.position
        far = np.linalg.norm(way)
        hit, at, _, _, item, _ = clip.scene.ray_cast(
            depsgraph, camera.position, way / far, distance=far - 1e-4
        )
        under = far - np.linalg.norm(np.array(at) - camera.position)
        own = hit and item.pass_index == landmarks.body.pass_index
        seen[row] = not hit or (own and under < landmarks.skin[row])
    return seen


def test_points_are_seen_where_blenders_own_rays_reach_them():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    spec = parse_spec(TINY.replace("count = 1", "count = 2\nspread = 0.4").encode())
    clip = build_clip(spec, 0, find_motions(spec), bpy.context.scene)
    prepare(clip, 1)
    clip.scene.frame_set(2)
    depsgraph = clip.scene.view_layers[0].depsgraph
    surfaces = surfaces_of(clip.scene, depsgraph)
    landmarks = [landmarks_of(actor) for actor in clip.actors]
    places = [own.places(depsgraph) for own in landmarks]
    camera = camera_now(clip, 0)
    seen = seen_points(camera, surfaces, surfaces.places(depsgraph), landmarks, places)
    wanted = [by_blender(clip, camera, *pair) for pair in zip(landmarks, places, strict=True)]
    np.testing.assert_array_equal(seen, wanted)
    assert 0.1 < np.mean(wanted) < 0.9
