"""Materials of floors, walls, ground and furniture, from noise and bricks: nothing is downloaded."""

from collections.abc import Sequence
from typing import Final

import bpy
import numpy as np

from ..shading import Nodes, linear, new_material

__all__ = ["FLOORS", "GROUNDS", "WALLS", "plain", "surface"]

FLOORS: Final = ("planks", "tiles", "carpet", "concrete", "chequers")
WALLS: Final = ("paint", "paint", "paper", "brick", "panels", "concrete")
GROUNDS: Final = ("grass", "asphalt", "sand", "paving", "planks")

_TINTS: Final = {
    "planks": ("#8a6242", "#a97c50", "#5b3d29", "#c8a57a", "#9b8770"),
    "tiles": ("#d9d6cf", "#8f8f8d", "#b9a58a", "#4f5a63", "#e9e7e2"),
    "carpet": ("#7d6b5d", "#3d4a5c", "#8a8a86", "#6e3a3a", "#b7ab98"),
    "concrete": ("#8d8c89", "#6f6e6c", "#b3b1ac"),
    "chequers": ("#d8d4cb", "#b8b0a0", "#c9c9c9"),
    "paint": (
        "#e6e1d6",
        "#d4dbe0",
        "#c9d2bf",
        "#e7d3c0",
        "#b8c4cf",
        "#9aa894",
        "#d8c9a5",
        "#a9665a",
        "#6f7f8f",
        "#f0efeb",
    ),
    "paper": ("#d8cdb8", "#b7c3c4", "#cdb7b0", "#a5af9a", "#e2ddd0"),
    "brick": ("#8c4a36", "#a55a41", "#c9b6a2", "#6b3d30"),
    "panels": ("#7a5638", "#a98860", "#d8d4ca", "#4a3a30"),
    "grass": ("#4f6b2f", "#3d5a2a", "#7a8446", "#5f7a3f"),
    "asphalt": ("#3c3d3f", "#545456", "#6b6966"),
    "sand": ("#c8b083", "#b59a6d", "#d8c69d"),
    "paving": ("#9b968d", "#7f7b75", "#b8aa97"),
}


def surface(random: np.random.Generator, kind: str) -> bpy.types.Material:
    """A material of the kind in a drawn tint; textures are metres of the world."""
    palette = _TINTS[kind]
    colour = np.array(linear(palette[int(random.integers(len(palette)))])) * random.uniform(
        0.8, 1.15
    )
    material, nodes, shader = new_material(kind.title(), np.clip(colour, 0.01, 0.9), 0.7)
    place = nodes.add("NewGeometry").outputs["Position"]
    turned = nodes.add(
        "Mapping", {"Vector": place, "Rotation": (0.0, 0.0, float(random.uniform(0.0, np.pi)))}
    )
    flat = (
        turned.outputs[0]
        if kind not in ("paint", "paper", "brick", "panels")
        else _upright(nodes, place)
    )
    shade = _BUILT[kind](nodes, flat, np.clip(colour, 0.01, 0.9), random)
    nodes.tree.links.new(shade, shader.inputs["Base Color"])
    gloss = {
        "planks": (0.35, 0.7),
        "tiles": (0.3, 0.6),
        "chequers": (0.3, 0.6),
        "concrete": (0.4, 0.9),
    }
    shader.inputs["Roughness"].default_value = float(random.uniform(*gloss.get(kind, (0.7, 0.98))))
    if kind not in gloss:
        shader.inputs["Specular IOR Level"].default_value = 0.0  # dull, and faster to render
    return material


def plain(random: np.random.Generator, name: str, codes: Sequence[str]) -> bpy.types.Material:
    """One of some colours, `#rrggbb`, with a little dirt."""
    colour = np.array(linear(codes[int(random.integers(len(codes)))])) * random.uniform(0.8, 1.1)
    material, nodes, shader = new_material(name, colour, float(random.uniform(0.3, 0.9)))
    noise = nodes.add(
        "TexNoise", {"Vector": nodes.add("NewGeometry").outputs["Position"], "Scale": 4.0}
    )
    shade = nodes.mixed(nodes.ramp(noise.outputs[0], 0.4, 0.75), colour, colour * 0.75)
    nodes.tree.links.new(shade, shader.inputs["Base Color"])
    return material


def _upright(nodes: Nodes, place: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """Walls run along x or y: across is one or the other, up is z."""
    axes = nodes.add("SeparateXYZ", {"Vector": place})
    across = nodes.maths("ADD", axes.outputs["X"], axes.outputs["Y"])
    return nodes.add("CombineXYZ", {"X": across, "Y": axes.outputs["Z"]}).outputs[0]


def _bricks(
    nodes: Nodes,
    place: object,
    colour: np.ndarray,
    width: float,
    height: float,
    offset: float,
    spread: float,
) -> bpy.types.NodeSocket:
    inputs: dict[str | int, object] = {
        "Vector": place, "Scale": 1.0, "Brick Width": width, "Row Height": height,
        "Mortar Size": 0.02 * min(width, height), "Color1": colour * (1.0 - spread),
        "Color2": np.clip(colour * (1.0 + spread), 0.0, 0.95), "Mortar": colour * 0.45,
    }  # fmt: skip
    node = nodes.add("TexBrick", inputs)
    node.offset, node.squash = offset, 1.0
    return node.outputs["Color"]


def _speckled(
    nodes: Nodes, place: object, colour: np.ndarray, scale: float, depth: float
) -> bpy.types.NodeSocket:
    noise = nodes.add("TexNoise", {"Vector": place, "Scale": scale, "Detail": 1.0})
    share = nodes.ramp(noise.outputs[0], 0.3, 0.7)
    return nodes.mixed(share, colour * (1.0 - depth), np.clip(colour * (1.0 + depth), 0.0, 0.95))


def _planks(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    boards = _bricks(
        nodes, place, colour, random.uniform(0.8, 1.8), random.uniform(0.08, 0.2), 0.37, 0.25
    )
    grain = nodes.add("Mapping", {"Vector": place, "Scale": (2.0, 40.0, 1.0)})
    noise = nodes.add("TexNoise", {"Vector": grain.outputs[0], "Scale": 1.0, "Detail": 1.0})
    return nodes.mixed(nodes.ramp(noise.outputs[0], 0.45, 0.9), boards, colour * 0.5)


def _tiles(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    side = random.uniform(0.2, 0.7)
    return _bricks(nodes, place, colour, side, side, float(random.choice([0.0, 0.5])), 0.08)


def _carpet(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    return _speckled(nodes, place, colour, random.uniform(30.0, 120.0), 0.25)


def _concrete(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    return _speckled(nodes, place, colour, random.uniform(0.8, 3.0), 0.22)


def _chequers(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    inputs: dict[str | int, object] = {
        "Vector": place,
        "Scale": random.uniform(1.5, 4.0),
        "Color1": colour,
    }
    return nodes.add("TexChecker", {**inputs, "Color2": colour * random.uniform(0.1, 0.6)}).outputs[
        0
    ]


def _paint(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    return _speckled(nodes, place, colour, 0.7, random.uniform(0.01, 0.08))


def _paper(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    wave = nodes.add(
        "TexWave", {"Vector": place, "Scale": random.uniform(0.8, 2.5)}, bands_direction="X"
    )
    other = colour * random.uniform(0.6, 0.9, 3)
    return nodes.mixed(nodes.ramp(wave.outputs[1], 0.45, 0.55), colour, other)


def _brick(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    return _bricks(nodes, place, colour, 0.24, 0.075, 0.5, random.uniform(0.1, 0.3))


def _panels(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    return _bricks(nodes, place, colour, random.uniform(0.3, 0.9), 2.6, 0.0, 0.1)


def _grass(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    fine = _speckled(nodes, place, colour, 60.0, 0.5)
    wide = nodes.add(
        "TexNoise", {"Vector": place, "Scale": random.uniform(0.2, 0.8), "Detail": 1.0}
    )
    return nodes.mixed(nodes.ramp(wide.outputs[0], 0.45, 0.7), fine, colour * (1.3, 1.1, 0.6))


def _sand(
    nodes: Nodes, place: object, colour: np.ndarray, random: np.random.Generator
) -> bpy.types.NodeSocket:
    return _speckled(nodes, place, colour, random.uniform(3.0, 60.0), 0.15)


_BUILT: Final = {
    "planks": _planks, "tiles": _tiles, "carpet": _carpet, "concrete": _concrete, "chequers": _chequers,
    "paint": _paint, "paper": _paper, "brick": _brick, "panels": _panels, "grass": _grass,
    "asphalt": _carpet, "sand": _sand, "paving": _tiles,
}  # fmt: skip
