"""The user's own surroundings: panoramas that light the scene, and pictures that stand behind the people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import bpy
import numpy as np

from ...rig.errors import FileError
from .made import Surroundings, add_lamp, add_plane, new_world
from .textures import plain

__all__ = ["add_backdrop", "add_panorama", "picture_files"]

_PICTURES: Final = ("jpg", "jpeg", "png", "tif", "tiff", "webp", "bmp", "exr", "hdr")
_GROUND: Final = ("#8d8c89", "#6f6e6c", "#7d6b5d", "#5f5a50", "#9b968d")


def picture_files(folders: Sequence[Path], suffixes: Sequence[str] = _PICTURES) -> list[Path]:
    """All pictures in folders, looked through, in the order of their paths.

    Raises:
        FileError: a folder isn't there, or holds none.
    """
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise FileError(f"there is no folder {folder}; expected one with pictures")
        own = [f for f in folder.rglob("*") if f.suffix.lower().removeprefix(".") in suffixes]
        if not own:
            raise FileError(
                f"the folder {folder} holds no pictures; expected files ending in {', '.join(suffixes)}"
            )
        found += sorted(own, key=lambda file: file.relative_to(folder).as_posix())
    return found


def _loaded(path: Path) -> bpy.types.Image:
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise FileError(f"{path} can't be read as a picture; replace or remove it") from error
    if not all(image.size):
        raise FileError(f"{path} holds no picture that Blender can read; replace or remove it")
    return image


def add_panorama(
    random: np.random.Generator, scene: bpy.types.Scene, files: Sequence[Path]
) -> Surroundings:
    """An equirectangular panorama, turned, as sky and light; a floor under the people."""
    path = files[int(random.integers(len(files)))]
    turn = float(random.uniform(0.0, 2.0 * np.pi))
    nodes, background = new_world(scene, "Panorama")
    scene.world.cycles.sampling_method = "AUTOMATIC"  # a panorama may have a sun
    way = nodes.add("TexCoord").outputs["Generated"]
    turned = nodes.add("Mapping", {"Vector": way, "Rotation": (0.0, 0.0, turn)})
    picture = nodes.add("TexEnvironment", {"Vector": turned.outputs[0]})
    picture.image = _loaded(path)
    nodes.tree.links.new(picture.outputs["Color"], background.inputs["Color"])
    _floor(random, scene)
    return Surroundings("hdri", {"file": path.name, "turn": turn})


def add_backdrop(
    random: np.random.Generator, scene: bpy.types.Scene, files: Sequence[Path]
) -> Surroundings:
    """A picture all around, as the camera sees it, behind people on a floor under soft light."""
    path = files[int(random.integers(len(files)))]
    nodes, background = new_world(scene, "Backdrop")
    window = nodes.add("TexCoord").outputs["Window"]
    picture = nodes.add("TexImage", {"Vector": window})
    picture.image = _loaded(path)
    seen = nodes.add("LightPath").outputs["Is Camera Ray"]
    shade = float(random.uniform(0.5, 1.0))
    colour = nodes.mixed(seen, (shade, shade, shade), picture.outputs["Color"])
    nodes.tree.links.new(colour, background.inputs["Color"])
    heading = float(random.uniform(0.0, 2.0 * np.pi))
    place = (6.0 * np.cos(heading), 6.0 * np.sin(heading), float(random.uniform(3.0, 9.0)))
    add_lamp(scene, "SUN", place, (0.0, 0.0, 1.0), float(random.uniform(0.5, 3.0)), 0.1)
    return Surroundings("images", {"file": path.name, "heading": heading})


def _floor(random: np.random.Generator, scene: bpy.types.Scene) -> bpy.types.Object:
    far = 8.0
    corners = [(-far, -far, 0.0), (far, -far, 0.0), (far, far, 0.0), (-far, far, 0.0)]
    return add_plane(scene, "Floor", corners, plain(random, "Ground", _GROUND))
