"""Frames of a clip, rendered and written one after the other; a frame is done when its record is."""

from collections.abc import Callable, Iterable
from typing import Any

from ...rig.arrays import Array
from .annotate import camera_told, pass_files, people_told, points_told
from .clip import Clip
from .draws import generator
from .landmarks import landmarks_of
from .passes import camera_now, prepare, render_passes
from .pictures import picture_bytes
from .plan import image_number
from .store import Store, json_bytes
from .surfaces import surfaces_of
from .visibility import seen_points

__all__ = ["picture_name", "record_name", "render_frames"]


def record_name(clip: int, frame: int) -> str:
    """Where a frame's record is, within the dataset."""
    return f"frames/{clip:06d}/{frame:06d}.json"


def picture_name(clip: int, frame: int, view: int, folder: str, suffix: str) -> str:
    """Where a picture or a pass is, within the dataset."""
    return f"{folder}/{clip:06d}/{frame:06d}_{view}{suffix}"


def render_frames(
    clip: Clip,
    frames: Iterable[int],
    store: Store,
    *,
    threads: int = 0,
    tell: Callable[[], None] = lambda: None,
) -> None:
    """Render frames of a clip and write pictures, passes and records.

    Args:
        clip: built in the context's scene.
        frames: of the clip.
        store: where they go.
        threads: of the processor; all if 0.
        tell: is called when a frame is done.

    Raises:
        OutputError: something can't be written; what is done is kept.
    """
    prepare(clip, threads)
    landmarks = [landmarks_of(actor) for actor in clip.actors]
    surfaces = surfaces_of(clip.scene, clip.scene.view_layers[0].depsgraph)
    for frame in frames:
        clip.scene.frame_set(frame + 1)
        depsgraph = clip.scene.view_layers[0].depsgraph
        places = [points.places(depsgraph) for points in landmarks]
        vertices = surfaces.places(depsgraph)
        views = []
        files: dict[str, str] = {}
        for view in range(len(clip.cameras)):
            camera = camera_now(clip, view)
            seen = seen_points(camera, surfaces, vertices, landmarks, places)
            passes = render_passes(clip, frame, view, store.scratch)
            files |= _write_pictures(clip, frame, view, passes, store)
            views.append(
                {
                    "image_id": image_number(clip.spec, clip.number, frame, view),
                    "camera": camera_told(camera, clip, view),
                    "people": people_told(clip, camera, passes, landmarks, places, seen),
                }
            )
        store.write(
            record_name(clip.number, frame), json_bytes(_record(clip, frame, places, views, files))
        )
        tell()


def _record(
    clip: Clip, frame: int, places: list[Array], views: list[dict[str, Any]], files: dict[str, str]
) -> dict[str, Any]:
    return {
        "clip": clip.number,
        "frame": frame,
        "world": [
            {"person": actor.number, "points": points_told(own)}
            for actor, own in zip(clip.actors, places, strict=True)
        ],
        "views": views,
        "files": files,
    }


def _write_pictures(clip: Clip, frame: int, view: int, passes: Any, store: Store) -> dict[str, str]:  # noqa: ANN401
    """Names and digests of what was written."""
    image, number = clip.spec.image, clip.number
    random = generator(clip.spec.dataset.seed, "clip", number, "sensor", frame, view)
    noise = clip.about["camera"]["noise"]
    content = picture_bytes(
        passes.colour, image.format, image.quality, noise, random, store.scratch
    )
    name = picture_name(number, frame, view, "images", image.suffix)
    written = {name: store.write(name, content)}
    for kind, content in pass_files(passes, clip.spec.annotations.passes).items():
        name = picture_name(number, frame, view, kind, ".exr")
        written[name] = store.write(name, content)
    return written
