"""One clip built in Blender: people in motion, surroundings, cameras, all drawn from seed and number."""

from dataclasses import dataclass, replace
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Vector

from ...rig.arrays import Array
from ...rig.errors import PallasError, SceneError
from ...rig.retarget.source import SourceMotion
from ...scene.clock import scene_fps
from ..scene_parts import CameraPath, add_person, add_surroundings, camera_path, clear
from .actors import Actor, arranged, set_in_motion
from .body_parts import mark_parts, parts_of_bones
from .draws import between, generator, whole_between
from .motions import Source, read_window
from .spec import Spec

__all__ = ["SENSOR", "Clip", "build_clip"]

SENSOR: Final = 36.0  # millimetres, width of every camera's sensor
_NEAREST: Final = 0.45  # metres from a camera to any joint
_TRIES: Final = 40


@dataclass(frozen=True, eq=False)
class Clip:
    """What is rendered; the clip's frame f is the scene's frame f + 1.

    Attributes:
        spec: of the dataset.
        number: of the clip.
        scene: all of it.
        actors: the people.
        cameras: one object a view.
        about: what was drawn, as plain values.
    """

    spec: Spec
    number: int
    scene: bpy.types.Scene
    actors: tuple[Actor, ...]
    cameras: tuple[bpy.types.Object, ...]
    about: dict[str, Any]


def build_clip(
    spec: Spec, number: int, sources: tuple[Source, ...], scene: bpy.types.Scene
) -> Clip:
    """Build a clip in an empty scene, which must be the context's.

    Args:
        spec: of the dataset.
        number: of the clip, from 0.
        sources: motions to draw from.
        scene: empty.

    Raises:
        PallasError: a motion can't be read or brought onto a body; the message names it.
    """
    _set_clock(scene, spec.dataset.fps)
    actors = _cast(spec, number, sources, scene)
    for actor in actors:
        _mark(actor)
    random = generator(spec.dataset.seed, "clip", number, "surroundings")
    moments = np.arange(-1, spec.dataset.frames + 1) / spec.dataset.fps
    joints = [_joints_at(actor, moments) for actor in actors]
    walked = np.concatenate(
        [np.zeros((0, 2)), *(own[..., :2].reshape(-1, 2)[::7] for own in joints)]
    )
    paths = _draw_cameras(spec, number, joints)
    stood = np.concatenate([path.places[:, :2] for path in paths])
    surroundings = add_surroundings(random, spec, scene, walked, stood)
    cameras = tuple(_add_camera(scene, view, path) for view, path in enumerate(paths))
    lens = _drawn_lens(spec, number)
    for camera, path in zip(cameras, paths, strict=True):
        _set_depth_of_field(camera, path, lens["aperture"])
    scene.camera = cameras[0]
    scene.frame_start, scene.frame_end = 1, spec.dataset.frames
    about = {
        "clip": number,
        "fps": spec.dataset.fps,
        "people": [_told(actor) for actor in actors],
        "surroundings": surroundings,
        "camera": {"kind": spec.camera.kind, **lens},
    }
    return Clip(spec, number, scene, actors, cameras, about)


def _set_clock(scene: bpy.types.Scene, fps: float) -> None:
    scene.render.fps = max(round(fps), 1)
    scene.render.fps_base = scene.render.fps / fps
    if abs(scene_fps(scene) / fps - 1.0) > 1e-4:
        raise SceneError(f"Blender can't play {fps:g} frames a second; choose another fps")


def _cast(
    spec: Spec, number: int, sources: tuple[Source, ...], scene: bpy.types.Scene
) -> tuple[Actor, ...]:
    seed = spec.dataset.seed
    count = whole_between(generator(seed, "clip", number, "count"), spec.people.count)
    windows, names = [], []
    for one in range(count):
        random = generator(seed, "clip", number, "motion", one)
        source = sources[int(random.integers(len(sources)))]
        try:
            window, lead = read_window(source, random, spec.dataset.frames, spec.dataset.fps)
        except PallasError as error:
            raise type(error)(f"motion {source.name}: {error}") from error
        windows.append(window)
        names.append((source.name, lead))
    try:
        placed = arranged(windows, generator(seed, "clip", number, "places"), spec.people.spread)
        return tuple(
            _one(spec, number, one, motion, names[one], scene) for one, motion in enumerate(placed)
        )
    except PallasError as error:
        told = ", ".join(dict.fromkeys(name for name, _ in names))
        raise SceneError(f"motion {told}: {error}") from error


def _one(
    spec: Spec,
    number: int,
    one: int,
    motion: SourceMotion,
    named: tuple[str, float],
    scene: bpy.types.Scene,
) -> Actor:
    random = generator(spec.dataset.seed, "clip", number, "person", one)
    person = add_person(random, spec, scene.collection)
    actor = set_in_motion(one, person, motion, named[1])
    return replace(actor, motion_name=named[0])


def _mark(actor: Actor) -> None:
    """Objects carry the person's number, materials the part's, both from 1, for the render's index passes."""
    parts = parts_of_bones(actor.person.armature, actor.joints)
    for item in actor.person.meshes:
        item.pass_index = actor.number + 1
        mark_parts(item, parts)


def _draw_cameras(spec: Spec, number: int, joints: list[Array]) -> list[CameraPath]:
    """Paths over the clip's frames and one more to each side; drawn again where one meets a body."""
    centres = np.tile([0.0, 0.0, 1.0], (spec.dataset.frames + 2, 1))
    if joints:
        centres = np.mean([places.mean(axis=1) for places in joints], axis=0)
    paths = []
    for view in range(spec.camera.views):
        for attempt in range(_TRIES):
            random = generator(spec.dataset.seed, "clip", number, "camera", view, attempt)
            path = camera_path(random, spec, view, centres, spec.dataset.fps)
            if clear(path, joints, nearest=_NEAREST):
                break
        else:
            raise SceneError(
                f"camera {view} met a body in each of {_TRIES} draws; raise the distance in [camera]"
            )
        paths.append(path)
    return paths


def _joints_at(actor: Actor, moments: Array) -> Array:
    """(M, 24, 3) metres, roughly: the nearest frames of the motion."""
    _, origins = actor.motion.world()
    rows = np.round((moments + actor.lead) * actor.motion.fps).astype(int)
    return origins[np.clip(rows, 0, len(origins) - 1)]


def _add_camera(scene: bpy.types.Scene, view: int, path: CameraPath) -> bpy.types.Object:
    """A camera object with a key on every frame."""
    data = bpy.data.cameras.new(f"Camera {view}")
    data.sensor_fit, data.sensor_width, data.lens = "HORIZONTAL", SENSOR, path.lens
    data.clip_start, data.clip_end = 0.05, 2000.0
    camera = bpy.data.objects.new(f"Camera {view}", data)
    scene.collection.objects.link(camera)
    camera.rotation_mode = "QUATERNION"
    before = None
    for moment, (place, target) in enumerate(zip(path.places, path.targets, strict=True)):
        turn = Vector(target - place).to_track_quat("-Z", "Y")
        if before is not None and turn.dot(before) < 0.0:
            turn.negate()
        camera.location, camera.rotation_quaternion, before = place, turn, turn.copy()
        for key in ("location", "rotation_quaternion"):
            camera.keyframe_insert(key, frame=moment)
    return camera


def _drawn_lens(spec: Spec, number: int) -> dict[str, float]:
    random = generator(spec.dataset.seed, "clip", number, "lens")
    blur, aperture, noise = (
        between(random, span)
        for span in (spec.image.motion_blur, spec.image.aperture, spec.image.noise)
    )
    return {"motion_blur": blur, "aperture": aperture, "noise": noise}


def _set_depth_of_field(camera: bpy.types.Object, path: CameraPath, aperture: float) -> None:
    field = camera.data.dof
    field.use_dof = aperture > 0.0
    if field.use_dof:
        field.aperture_fstop = aperture
        field.focus_distance = float(np.linalg.norm(path.targets - path.places, axis=-1).mean())


def _told(actor: Actor) -> dict[str, Any]:
    person = actor.person
    return {
        "person": actor.number,
        "body": person.body,
        "parameters": dict(person.parameters),
        "look": dict(person.look),
        "motion": actor.motion_name,
        "skeleton": {
            "names": list(actor.motion.skeleton.names),
            "parents": list(actor.motion.skeleton.parents),
            "offsets": np.round(actor.motion.skeleton.offsets, 6).tolist(),
        },
    }
