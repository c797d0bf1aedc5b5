from dataclasses import replace

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

import pallas.render.dataset.passes as rendering  # noqa: E402
from pallas.render.dataset.clip import build_clip  # noqa: E402
from pallas.render.dataset.landmarks import landmarks_of  # noqa: E402
from pallas.render.dataset.motions import find_motions  # noqa: E402
from pallas.render.dataset.passes import camera_now, prepare, render_passes  # noqa: E402
from pallas.render.dataset.spec import parse_spec  # noqa: E402
from pallas.rig import FormatError, OutputError  # noqa: E402

SPEC = """
[dataset]
frames = 4
fps = 25
[image]
width = 128
height = 96
samples = 1
denoise = false
[people]
count = {count}
motions = ["demo"]
[camera]
distance = 3
height = 1.6
lens = 28
[scene]
surroundings = ["studio"]
[annotations]
passes = ["flow"]
"""


def built(count):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    spec = parse_spec(SPEC.format(count=count).encode())
    clip = build_clip(spec, 0, find_motions(spec), bpy.context.scene)
    prepare(clip, 1)
    return clip


def at_frame(clip, frame):
    clip.scene.frame_set(frame + 1)
    return clip.scene.view_layers[0].depsgraph


def glowing(name, colour, follow, bone):
    """A tiny sphere that Blender itself keeps on the head of a bone."""
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.03, segments=24, ring_count=16)
    ball = bpy.context.object
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    material.node_tree.nodes.clear()
    light = material.node_tree.nodes.new("ShaderNodeEmission")
    light.inputs["Color"].default_value = (*colour, 1.0)
    output = material.node_tree.nodes.new("ShaderNodeOutputMaterial")
    material.node_tree.links.new(light.outputs[0], output.inputs["Surface"])
    ball.data.materials.append(material)
    tie = ball.constraints.new("COPY_LOCATION")
    tie.target, tie.subtarget = follow, bone


@pytest.fixture(scope="module")
def walk():
    return built(1)


def test_flow_follows_the_markers_of_a_moving_person(walk, tmp_path):
    clip = walk
    landmarks = landmarks_of(clip.actors[0])
    first = landmarks.places(at_frame(clip, 1))
    camera = camera_now(clip, 0)
    passes = render_passes(clip, 1, 0, tmp_path)
    then = landmarks.places(at_frame(clip, 2))
    before, after = camera.project(first), camera_now(clip, 0).project(then)
    depth = (first @ camera.camera_from_world.T + camera.translation)[:, 2]
    away = []
    for row, point in enumerate(landmarks.points):
        column, line = np.round(before[row]).astype(int)
        if point.vertices and 0 <= column < 128 and 0 <= line < 96:
            on_skin = abs(passes.depth[line, column] - depth[row]) < 0.02
            if on_skin and passes.person[line, column] == 1:
                away.append(np.linalg.norm(after[row] - before[row] - passes.flow[line, column]))
    assert len(away) > 5 and np.median(away) < 0.1


def test_projected_joints_are_within_a_tenth_of_a_pixel_of_rendered_spheres(walk, tmp_path):
    image = replace(walk.spec.image, samples=64)
    clip = replace(walk, spec=replace(walk.spec, image=image))
    (actor,) = clip.actors
    landmarks = landmarks_of(actor)
    for item in list(clip.scene.objects):
        if item.type in {"MESH", "LIGHT"}:
            item.hide_render = True
    clip.scene.world = None
    joints = ("left_wrist", "right_ankle", "head")
    for joint, colour in zip(joints, np.eye(3), strict=True):
        glowing(joint, colour, actor.person.armature, actor.joints[joint])
    depsgraph = at_frame(clip, 2)
    pixels = camera_now(clip, 0).project(landmarks.places(depsgraph))
    light = render_passes(clip, 2, 0, tmp_path).colour
    y, x = np.mgrid[:96, :128]
    for channel, joint in enumerate(joints):
        weight = light[..., channel] / light[..., channel].sum()
        centre = np.array([(weight * x).sum(), (weight * y).sum()])
        wanted = pixels[landmarks.names.index(joint)]
        assert np.linalg.norm(centre - wanted) < 0.1, (joint, centre, wanted)


def test_a_picture_that_a_full_disk_cuts_ends_the_run(walk, tmp_path, monkeypatch):
    def cut(path):
        raise FormatError(f"{path} is cut")

    monkeypatch.setattr(rendering, "read_exr", cut)
    at_frame(walk, 0)
    with pytest.raises(OutputError, match="make room and run the same command again"):
        render_passes(walk, 0, 0, tmp_path)


@pytest.fixture(scope="module")
def empty_set(tmp_path_factory):
    """A tilted board and a ball before a moving camera: two frames' passes and cameras."""
    clip = built(0)
    for item in list(clip.scene.objects):
        if item.type == "MESH":
            item.hide_render = True
    bpy.ops.mesh.primitive_plane_add(size=6.0, location=(0, 0, 1), rotation=(0.4, 0.3, 0.0))
    bpy.ops.mesh.primitive_uv_sphere_add(
        radius=0.5, segments=192, ring_count=96, location=(0, 0, 1.6)
    )
    bpy.ops.object.shade_smooth()
    found = []
    for frame in (1, 2):
        at_frame(clip, frame)
        camera = camera_now(clip, 0)
        found.append((camera, render_passes(clip, frame, 0, tmp_path_factory.mktemp("passes"))))
    return found


def analytic(camera, width, height):
    """Depth at the middle of each pixel of the board and the ball, whichever is nearer."""
    y, x = np.mgrid[:height, :width].astype(float)
    rays = camera.rays(np.stack([x, y], axis=-1))
    ahead = rays @ camera.camera_from_world[2]
    start = camera.position
    turn = np.array(bpy.data.objects["Plane"].matrix_world)[:3, :3]
    board = ((np.array([0, 0, 1.0]) - start) @ turn[:, 2]) / (rays @ turn[:, 2])
    local = (start + board[..., None] * rays - (0, 0, 1)) @ turn
    board = np.where((np.abs(local[..., :2]) < 2.9).all(axis=-1) & (board > 0), board, np.inf)
    middle = start - (0, 0, 1.6)
    b = rays @ middle
    inside = b**2 - (middle @ middle - 0.25)
    ball = np.where(inside > 0, -b - np.sqrt(np.maximum(inside, 0)), np.inf)
    return np.minimum(board, ball) * ahead, ball < board


def test_depth_is_within_a_millimetre_of_known_surfaces(empty_set):
    camera, passes = empty_set[0]
    depth, ball = analytic(camera, 128, 96)
    # Pixels across an edge show one side or the other.
    both = np.isfinite(depth) & np.isfinite(passes.depth)
    away = np.abs(np.subtract(depth, passes.depth, out=np.full(depth.shape, np.inf), where=both))
    same = away < 0.3
    assert same.mean() > 0.5 and ball.sum() > 200
    assert np.quantile(away[same & ~ball], 0.999) < 1e-3
    facing = (
        same
        & ball
        & (np.abs(np.einsum("hwc,c->hw", passes.normal, camera.camera_from_world[2])) > 0.5)
    )
    assert np.quantile(away[facing], 0.99) < 1e-3


def test_flow_is_within_a_tenth_of_a_pixel_of_the_projected_motion(empty_set):
    (camera, passes), (after, _) = empty_set
    y, x = np.mgrid[:96, :128].astype(float)
    pixels = np.stack([x, y], axis=-1)
    rays = camera.rays(pixels)
    with np.errstate(invalid="ignore"):
        places = (
            camera.position
            + rays * (passes.depth / (rays @ camera.camera_from_world[2]))[..., None]
        )
        moved = after.project(places) - pixels
        away = np.linalg.norm(moved - passes.flow, axis=-1)
    seen = np.isfinite(away)
    assert np.linalg.norm(moved[seen], axis=-1).max() > 0.5
    assert np.quantile(away[seen], 0.99) < 0.1
