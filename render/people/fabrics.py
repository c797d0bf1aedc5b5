"""Materials of people: skin with lips and brows, eyes, hair, and cloth in drawn patterns."""

import json
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from ..shading import Nodes, linear, new_material

__all__ = ["COLOURS", "cloth", "draw_colour", "eye", "hair", "skin"]

COLOURS: Final[dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / "colours.json").read_text(encoding="utf-8")
)
_PATTERNS: Final = (
    "plain",
    "plain",
    "plain",
    "stripes",
    "checks",
    "dots",
    "blotches",
    "heather",
    "print",
)


def draw_colour(
    random: np.random.Generator, kind: str, most: int | None = None
) -> tuple[float, float, float]:
    """A colour of one of the palettes, of its first `most` if told: linear RGB, a little off."""
    palette = COLOURS[kind][:most]
    colour = np.array(linear(palette[int(random.integers(len(palette)))]))
    red, green, blue = np.clip(colour * random.uniform(0.85, 1.15, 3), 0.003, 0.9)
    return float(red), float(green), float(blue)


def skin(
    random: np.random.Generator, tone: int, brow: tuple[float, float, float], stubble: float
) -> bpy.types.Material:
    """Skin of one of the ten tones of the Monk Skin Tone Scale (Monk and Google, 2022).

    The mesh keeps masks of lips, brows and beard in its attribute "face".
    """
    base = np.array(linear(COLOURS["skin"][tone])) * random.uniform(0.9, 1.05)
    # The scale's patches are lit paper: real skin sends back less, and more of the red.
    pale = base.mean()
    base *= np.array([1.12 - 0.45 * pale, 0.95 - 0.45 * pale, 0.84 - 0.45 * pale])
    material, nodes, shader = new_material("Skin", base, float(random.uniform(0.42, 0.6)))
    shader.inputs["Specular IOR Level"].default_value = 0.3
    mask = nodes.add("SeparateXYZ", {"Vector": nodes.attribute("face")})
    blotch = nodes.add("TexNoise", {"Vector": nodes.attribute("rest"), "Scale": 9.0, "Detail": 1.0})
    flushed = base * (1.0, 0.8, 0.76)
    colour = nodes.mixed(nodes.ramp(blotch.outputs[0], 0.45, 0.8), base, flushed)
    lips = base * (0.85, 0.5, 0.5)
    colour = nodes.mixed(mask.outputs["X"], colour, lips)
    colour = nodes.mixed(nodes.maths("MULTIPLY", mask.outputs["Z"], stubble), colour, brow)
    colour = nodes.mixed(nodes.maths("MULTIPLY", mask.outputs["Y"], 0.7), colour, brow)
    nodes.tree.links.new(colour, shader.inputs["Base Color"])
    return material


def eye(colour: tuple[float, float, float]) -> bpy.types.Material:
    """The iris with its pupil, which few pixels tell apart."""
    return new_material("Iris", np.array(colour) * 0.6, 0.15)[0]


def hair(colour: tuple[float, float, float]) -> bpy.types.Material:
    """Strands, as far as a surface can show them."""
    material, nodes, shader = new_material("Hair", colour, 0.45)
    place = nodes.add("Mapping", {"Vector": nodes.attribute("rest"), "Scale": (90.0, 90.0, 14.0)})
    strands = nodes.add("TexNoise", {"Vector": place.outputs[0], "Scale": 1.0, "Detail": 1.0})
    light, dark = np.clip(np.array(colour) * 1.5 + 0.01, 0.0, 0.9), np.array(colour) * 0.5
    shade = nodes.mixed(nodes.ramp(strands.outputs[0], 0.35, 0.65), dark, light)
    nodes.tree.links.new(shade, shader.inputs["Base Color"])
    bump = nodes.add("Bump", {"Height": strands.outputs[0], "Strength": 0.5, "Distance": 0.01})
    nodes.tree.links.new(bump.outputs[0], shader.inputs["Normal"])
    return material


def cloth(
    random: np.random.Generator, name: str, palette: str, pattern: str | None = None
) -> tuple[bpy.types.Material, dict[str, Any]]:
    """Cloth in a drawn pattern, with folds as bumps; and what was drawn, as plain values."""
    first, second = draw_colour(random, palette), draw_colour(random, palette)
    pattern = pattern or str(random.choice(_PATTERNS))
    scale = float(np.exp(random.uniform(np.log(0.6), np.log(2.0))))
    turned = float(random.uniform(0.0, np.pi))
    print_at = random.uniform(-1.0, 1.0, 4)
    material, nodes, shader = new_material(name, first, float(random.uniform(0.6, 0.95)))
    shader.inputs["Specular IOR Level"].default_value = 0.0  # cloth is dull; and it renders faster
    rest = nodes.attribute("rest")
    share = _pattern(nodes, rest, pattern, scale, turned, print_at)
    if share is not None:
        nodes.tree.links.new(nodes.mixed(share, first, second), shader.inputs["Base Color"])
    _fold(nodes, shader, rest, float(random.uniform(0.3, 1.0)))
    return material, {"pattern": pattern, "colour": first, "other": second}


def _pattern(  # noqa: PLR0911  one return a pattern
    nodes: Nodes,
    rest: bpy.types.NodeSocket,
    pattern: str,
    scale: float,
    turned: float,
    print_at: Any,  # noqa: ANN401
) -> bpy.types.NodeSocket | None:
    """The share of the second colour, 0 to 1; None of plain cloth."""
    if pattern == "stripes":
        level = turned < 0.7 * np.pi  # most stripes lie level
        wave = nodes.add(
            "TexWave",
            {"Vector": rest, "Scale": 5.0 * scale, "Distortion": 0.0},
            bands_direction="Z" if level else "X",
        )
        return nodes.ramp(wave.outputs[1], 0.45, 0.55)
    if pattern == "checks":
        parts = [
            nodes.ramp(
                nodes.add(
                    "TexWave", {"Vector": rest, "Scale": 4.0 * scale}, bands_direction=way
                ).outputs[1],
                0.5,
                0.6,
            )
            for way in "XZ"
        ]
        return nodes.maths("MULTIPLY", nodes.maths("ADD", *parts), 0.5)
    if pattern == "dots":
        cells = nodes.add("TexVoronoi", {"Vector": rest, "Scale": 26.0 * scale, "Randomness": 0.4})
        return nodes.ramp(cells.outputs["Distance"], 0.36, 0.3)
    if pattern == "blotches":
        noise = nodes.add("TexNoise", {"Vector": rest, "Scale": 9.0 * scale, "Detail": 1.0})
        return nodes.ramp(noise.outputs[0], 0.47, 0.53)
    if pattern == "heather":
        noise = nodes.add("TexNoise", {"Vector": rest, "Scale": 160.0, "Detail": 0.0})
        return nodes.ramp(noise.outputs[0], 0.35, 0.7)
    if pattern == "print":
        return _print(nodes, rest, scale, print_at)
    return None


def _print(nodes: Nodes, rest: bpy.types.NodeSocket, scale: float, at: Any) -> bpy.types.NodeSocket:  # noqa: ANN401
    """Something printed on the front: shapes of noise within an ellipse."""
    place = nodes.add("SeparateXYZ", {"Vector": rest})
    across = nodes.maths("DIVIDE", nodes.maths("SUBTRACT", place.outputs["X"], 0.02 * at[0]), 0.1)
    height = nodes.maths("SUBTRACT", place.outputs["Z"], 1.2 + 0.04 * at[1])
    height = nodes.maths("DIVIDE", height, 0.08 + 0.03 * at[2])
    far = nodes.maths("ADD", nodes.maths("POWER", across, 4.0), nodes.maths("POWER", height, 4.0))
    ahead = nodes.maths("LESS_THAN", place.outputs["Y"], -0.05)
    noise = nodes.add("TexNoise", {"Vector": rest, "Scale": 22.0 * scale, "Detail": 0.0})
    shapes = nodes.ramp(noise.outputs[0], 0.48, 0.5)
    return nodes.maths(
        "MULTIPLY", nodes.maths("MULTIPLY", nodes.maths("LESS_THAN", far, 1.0), ahead), shapes
    )


def _fold(nodes: Nodes, shader: bpy.types.Node, rest: bpy.types.NodeSocket, depth: float) -> None:
    """Folds: stretched noise as bumps."""
    place = nodes.add("Mapping", {"Vector": rest, "Scale": (9.0, 9.0, 5.0)})
    noise = nodes.add("TexNoise", {"Vector": place.outputs[0], "Scale": 1.0, "Detail": 1.0})
    bump = nodes.add("Bump", {"Height": noise.outputs[0], "Strength": depth, "Distance": 0.04})
    nodes.tree.links.new(bump.outputs[0], shader.inputs["Normal"])
