"""Draw docs/images/retarget_sheet.png: one solved take on five characters, three moments of one step.

    python dev/retarget_sheet.py OUT.png [--data FOLDER]

FOLDER holds rigs/kaykit/Knight.glb and rigs/mpfb/rig.default.json (default: PALLAS_DATA, ../shared/data).
Below each other stand the beginning, the middle and the end of a time in which the left foot stands; a red
line marks where its ball was at the beginning. Prints how far it slid.
"""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from blender_rigs import add_knight, add_mpfb, add_vrm, append_rigify, write_rigify  # noqa: E402

from pallas.capture.formats import read_recording  # noqa: E402
from pallas.neural.solve import SolveOptions, solve  # noqa: E402
from pallas.pallas_blender.commands.demo import TAKE  # noqa: E402
from pallas.render.stage import open_stage  # noqa: E402
from pallas.rig.retarget import SourceMotion  # noqa: E402
from pallas.rig.retarget.matching import match_bones  # noqa: E402
from pallas.rig.retarget.result import RetargetOptions  # noqa: E402
from pallas.scene.character import add_character  # noqa: E402
from pallas.scene.retarget_target import read_target  # noqa: E402
from pallas.scene.retargeting import Task, retargeted_keys, write_retargeted  # noqa: E402

SPACING, WIDE, TALL, FAR = 1.5, 7.7, 2.3, 26.0
SMALL = 0.75  # the knight, whose head is as wide as a man is tall, is drawn at this size


def main() -> None:
    """Make the characters, retarget, render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    default = os.environ.get("PALLAS_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(default))
    arguments = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    solved = solve(read_recording(TAKE), SolveOptions()).motion
    source = SourceMotion.of_motion(solved, "demo")
    bpy.context.scene.render.fps = round(source.fps)
    figures = [retargeted(item, source) for item in characters(arguments.data)]
    stance = longest_stance(figures[0][2].result.contacts[:, 0])
    for figure in figures:
        print(told(figure, stance), flush=True)
    rows = []
    for share in (0.05, 0.5, 0.95):
        frame = round(stance[0] + share * (stance[1] - stance[0]))
        rows.append(render_row(figures, stance, frame))
    save(arguments.out, np.concatenate(rows[::-1], axis=0))


def characters(data: Path) -> list[bpy.types.Object]:
    """The five of the picture, from left to right."""
    with tempfile.TemporaryDirectory() as folder:
        rigify = append_rigify(write_rigify(Path(folder) / "rig.blend"))
    return [
        rigify,
        add_character("Mixamo names"),
        add_knight(data / "rigs/kaykit/Knight.glb"),
        add_mpfb(data / "rigs/mpfb/rig.default.json"),
        add_vrm("VRM names"),
    ]


def retargeted(armature: bpy.types.Object, source: SourceMotion) -> tuple:
    """Armature, task and keys, after the Action was written."""
    target = read_target(armature)
    task = Task(
        source,
        match_bones(source.bones),
        target,
        match_bones(target.bones),
        RetargetOptions(contacts="feet"),
    )
    keys = retargeted_keys(task)
    write_retargeted(armature, keys, f"demo {armature.name}")
    return armature, task, keys


def longest_stance(stands: np.ndarray) -> tuple[int, int]:
    """First and last frame of the longest time on the foot while walking: not the first nor the last such."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], stands.astype(int), [0]])))
    runs = [(a, b - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return max(runs[1:-1], key=lambda run: run[1] - run[0])


def ball(figure: tuple, frame: int) -> np.ndarray:
    """Where the left toe's bone starts in Blender, metres."""
    armature, task, _ = figure
    toe = task.target_map.first("left_toe")
    posed = at(armature, frame)
    return np.array(posed.matrix_world @ posed.pose.bones[toe].head)


def at(armature: bpy.types.Object, frame: int) -> bpy.types.Object:
    """The evaluated armature at a frame of the motion."""
    bpy.context.scene.frame_set(bpy.context.scene.frame_start + frame)
    return armature.evaluated_get(bpy.context.evaluated_depsgraph_get())


def told(figure: tuple, stance: tuple[int, int]) -> str:
    """How far the ball of the foot slid in the stance."""
    places = np.array([ball(figure, frame)[:2] for frame in range(stance[0], stance[1] + 1)])
    steps = 1e3 * np.linalg.norm(np.diff(places, axis=0), axis=1)
    return f"{figure[0].name:<14} {steps.max():.3f} mm/frame at most, {steps.mean():.3f} on average"


def render_row(figures: list[tuple], stance: tuple[int, int], frame: int) -> np.ndarray:
    """(H, W, 4) pixels of all figures at one frame, each with its foot's mark at its own place."""
    copies = []
    for index, figure in enumerate(figures):
        mark = ball(figure, stance[0] + 2)
        ahead = ball(figure, stance[1] + 30)[:2] - ball(figure, stance[0] - 30)[:2]
        turn = Matrix.Rotation(-np.arctan2(ahead[1], ahead[0]), 4, "Z")
        slot = (index - (len(figures) - 1) / 2) * SPACING
        size = Matrix.Scale(SMALL if figure[0].name == "Rig" else 1.0, 4)
        to_mark = Matrix.Translation((-mark[0], -mark[1], 0))
        to_slot = Matrix.Translation((slot, 0, 0)) @ size @ turn @ to_mark
        copies += frozen(figure, frame, to_slot)
        copies.append(line_at(slot))
    with open_stage(copies, spread=4.0, samples=12) as stage:
        stage.scene.render.resolution_x, stage.scene.render.resolution_y = (
            1100,
            round(1100 * TALL / WIDE),
        )
        stage.camera.data.sensor_fit, stage.camera.data.sensor_width = "HORIZONTAL", 36.0
        stage.camera.data.lens = 36.0 * FAR / WIDE
        stage.look(TALL / 2 - 0.2, FAR, 2.6)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "row.png"
            stage.scene.render.filepath = str(path)
            with bpy.context.temp_override(scene=stage.scene):
                bpy.ops.render.render(write_still=True, scene=stage.scene.name)
            image = bpy.data.images.load(str(path))
            pixels = np.array(image.pixels[:]).reshape(*tuple(image.size)[::-1], 4)
    return pixels


def frozen(figure: tuple, frame: int, to_slot: Matrix) -> list[bpy.types.Object]:
    """Copies of a figure's meshes at one frame, or a body of its bones where it has none."""
    armature, task, _ = figure
    posed = at(armature, frame)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    meshes = [item for item in armature.children_recursive if item.type == "MESH"]
    meshes = [item for item in meshes if not re.search("sword|shield", item.name, re.IGNORECASE)]
    copies = []
    for item in meshes:
        evaluated = item.evaluated_get(depsgraph)
        mesh = bpy.data.meshes.new_from_object(evaluated, depsgraph=depsgraph)
        copies.append((mesh, to_slot @ evaluated.matrix_world))
    if not meshes:
        names = [name for names in task.target_map.bones.values() for name in names if name != "root" or
                 task.target.rigify is None]  # fmt: skip
        copies.append((bones_mesh(posed, shown(posed, names)), to_slot @ posed.matrix_world))
    return [placed(mesh, matrix) for mesh, matrix in copies]


def shown(posed: bpy.types.Object, names: list[str]) -> list[str]:
    """The bones that deform, where those of the map only tell."""
    deforming = [bone.name for bone in posed.pose.bones if bone.name.startswith("DEF-")]
    return deforming or names


def bones_mesh(posed: bpy.types.Object, names: list[str]) -> bpy.types.Mesh:
    """An octahedron for every bone."""
    corners, faces = [], []
    for name in names:
        bone = posed.pose.bones[name]
        across = 0.25 * bone.length + 0.03
        local = np.array([[0, 0, 0], *(np.array([[1, 0, 1], [1, 0, -1], [-1, 0, -1], [-1, 0, 1]]) * across / 2
                          + [0, 0.2 * bone.length, 0]), [0, bone.length, 0]])  # fmt: skip
        matrix = np.array(bone.matrix.normalized())
        first = len(corners)
        corners += list(local @ matrix[:3, :3].T + matrix[:3, 3])
        for k in range(4):
            after = first + 1 + (k + 1) % 4
            faces += [(first, first + 1 + k, after), (first + 5, after, first + 1 + k)]
    mesh = bpy.data.meshes.new("bones")
    mesh.from_pydata([tuple(c) for c in corners], [], faces)
    mesh.materials.append(material("Bones", (0.08, 0.2, 0.35)))
    return mesh


def line_at(slot: float) -> bpy.types.Object:
    """A thin red post where the foot was, behind the figure, and its mark on the floor."""
    mesh = bpy.data.meshes.new("mark")
    wide, y = 0.006, -0.3
    corners = [(-wide, y, 0), (wide, y, 0), (wide, y, 0.35), (-wide, y, 0.35)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    mesh.materials.append(material("Mark", (0.8, 0.05, 0.03)))
    return placed(mesh, Matrix.Translation((slot, 0, 0)))


def material(name: str, colour: tuple[float, float, float]) -> bpy.types.Material:
    """A plain one, made once."""
    if name in bpy.data.materials:
        return bpy.data.materials[name]
    made = bpy.data.materials.new(name)
    if made.node_tree is None:
        made.use_nodes = True
    shader = next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    return made


def placed(mesh: bpy.types.Mesh, matrix: Matrix) -> bpy.types.Object:
    """An object that is in no scene yet."""
    item = bpy.data.objects.new(mesh.name, mesh)
    item.matrix_world = matrix
    return item


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a PNG."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new("sheet", width, height)
    image.pixels = pixels.ravel()
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()


if __name__ == "__main__":
    main()
