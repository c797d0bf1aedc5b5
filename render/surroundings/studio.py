"""A studio: one colour all around, soft lamps, nothing else."""

import bpy
import numpy as np

from .exposure import expose
from .made import Surroundings, add_lamp, add_plane, new_world
from .textures import plain

__all__ = ["add_studio"]

_SET = 5.0  # metres around the middle that pictures show
_PAPER = ("#e8e8e6", "#8f9296", "#2b2b2d", "#b7c7d6", "#d6c7b7", "#4f6b5a", "#a9665a", "#6f7f9f")


def add_studio(random: np.random.Generator, scene: bpy.types.Scene) -> Surroundings:
    """A floor without end in the backdrop's colour, a key lamp, a fill and a rim."""
    _, background = new_world(scene, "Studio")
    paper = plain(random, "Paper", _PAPER)
    far = 60.0
    add_plane(
        scene, "Paper", [(-far, -far, 0), (far, -far, 0), (far, far, 0), (-far, far, 0)], paper
    )
    shade = np.array(paper.diffuse_color[:3]) * random.uniform(0.8, 1.4)
    background.inputs["Color"].default_value = (*np.clip(shade, 0.02, 1.0), 1.0)
    background.inputs["Strength"].default_value = float(random.uniform(0.7, 1.2))
    heading = float(random.uniform(0.0, 2.0 * np.pi))
    lamps = ((0.0, 3.4, 3.0, 320.0, 1.6), (2.2, 3.8, 2.2, 110.0, 2.4), (3.4, 3.2, 3.4, 220.0, 1.0))
    made = []
    for turn, away, high, watts, size in lamps:
        angle = heading + turn + random.uniform(-0.3, 0.3)
        place = (away * np.cos(angle), away * np.sin(angle), high * random.uniform(0.8, 1.2))
        power = watts * random.uniform(0.5, 1.3)
        made.append(add_lamp(scene, "AREA", place, (0.0, 0.0, 1.0), power, size))
    exposure = expose(made, paper, background, (_SET, _SET))
    return Surroundings("studio", {"heading": heading, "exposure": exposure})
