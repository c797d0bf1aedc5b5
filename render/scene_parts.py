"""What a clip is made of, drawn after a spec: people, surroundings, and the paths of cameras.

The order of a clip: `add_person` for everybody, their motions and `ground`, then `camera_path` (drawn again
until it is `clear`), and last `add_surroundings`, which builds around people and cameras.

Each function takes a numpy Generator of its own and draws everything from it, so the same generator gives the
same scene on every machine. `spec` is a `dataset.spec.Spec`.
"""

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ..rig.arrays import Array
from ..rig.bodies import body_names, load_body
from ..scene.retarget_target import Target
from ..scene.retargeting import Keys
from .cameras import CameraPath, Choices, clear, draw_path
from .people import Person, draw_look, ground_lift, make_person
from .surroundings import Surroundings, add_room, add_sky, add_studio
from .surroundings.pictures import add_backdrop, add_panorama, picture_files

if TYPE_CHECKING:
    from .dataset.spec import Spec

__all__ = [
    "CameraPath",
    "Person",
    "add_person",
    "add_surroundings",
    "camera_path",
    "clear",
    "ground",
]


def add_person(
    random: np.random.Generator, spec: "Spec", collection: bpy.types.Collection
) -> Person:
    """A person of a drawn body and look, at rest, at the origin.

    Raises:
        ShapeError: the spec names a body that isn't there; the message lists them.
    """
    chosen = spec.people.bodies
    names = body_names() if "all" in chosen else chosen
    body = load_body(names[int(random.integers(len(names)))])
    asked = spec.people
    look = draw_look(
        random, body, hands=asked.hands, hair=asked.hair, props=asked.props, clothes=asked.clothes
    )
    return make_person(collection, body, random, look)


def ground(person: Person, target: Target, keys: Keys) -> float:
    """Raise a person to stand on the floor in its motion, after the motion was brought to it.

    Args:
        person: of `add_person`.
        target: its armature, as it was read before.
        keys: of the motion on it.

    Returns:
        Metres that its armature was raised; below 0 where it floated.
    """
    lift = ground_lift(load_body(person.body), target.bones, keys.result)
    person.armature.location.z += lift
    return lift


def add_surroundings(
    random: np.random.Generator,
    spec: "Spec",
    scene: bpy.types.Scene,
    walked: Array | None = None,
    cameras: Array | None = None,
) -> dict[str, Any]:
    """Floor, walls or sky, light and furniture.

    Draw the cameras first: rooms then fit around people and cameras, and furniture keeps off both.

    Args:
        random: what they are drawn from.
        spec: of the dataset.
        scene: where they go.
        walked: (N, 2) metres, places on the floor that people use: furniture keeps off them. None where that
            is not known: then nothing stands near the middle.
        cameras: (K, 2) metres, places on the floor under the cameras' paths. None where that is not
            known: then rooms are as wide as cameras may be away.

    Returns:
        What was drawn, as plain values; "solids" are the furniture's boxes, as `clear` takes them.

    Raises:
        FileError: a folder of the spec isn't there, or holds no pictures.
    """
    kinds = spec.scene.surroundings
    kind = str(kinds[int(random.integers(len(kinds)))])
    reach = spec.camera.distance[1] + spec.people.spread
    walked = np.zeros((0, 2)) if walked is None else walked
    cameras = np.zeros((0, 2)) if cameras is None else cameras
    if kind == "room":
        made = add_room(random, scene, reach, walked, cameras)
    elif kind == "sky":
        made = add_sky(random, scene, reach, walked, cameras)
    elif kind == "hdri":
        files = picture_files([spec.path(text) for text in spec.scene.hdri], ("hdr", "exr"))
        made = add_panorama(random, scene, files)
    elif kind == "images":
        files = picture_files([spec.path(text) for text in spec.scene.images])
        made = add_backdrop(random, scene, files)
    else:
        made = add_studio(random, scene)
    return _told(made)


def _told(made: Surroundings) -> dict[str, Any]:
    return {"kind": made.kind, **made.about, "solids": [list(box) for box in made.solids]}


def camera_path(
    random: np.random.Generator, spec: "Spec", view: int, centres: Array, fps: float
) -> CameraPath:
    """One camera's path over the moments of `centres` (M, 3) metres. See `cameras.draw_path`."""
    asked = spec.camera
    choices = Choices(
        asked.kind, asked.distance, asked.height, asked.lens, asked.shake, asked.views
    )
    return draw_path(random, choices, centres, fps, view)
