"""From the panel's files to people in space, free of Blender's data: this runs in a thread."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from ..capture.cameras.agreement_told import told_agreement
from ..capture.cameras.camera import Camera
from ..capture.cameras.checks import agreement
from ..capture.cameras.files import read_calibration
from ..capture.cameras.matching import matched
from ..capture.cameras.reconstruct import Person, ReconstructionOptions, reconstruct
from ..capture.cameras.synchronise import Offsets, find_offsets, refined, retimed
from ..capture.keypoints.files import read_views
from ..capture.keypoints.keypoints import Keypoints
from ..capture.keypoints.sides import with_steady_sides
from ..capture.keypoints.tracks import tracked
from ..rig.errors import RecordingError
from ..rig.filters import filter_from_text, filtered
from ..scene.camera_clips import Clip
from ..scene.keypoint_people import SeenPerson
from ..scene.keypoint_views import Seen
from .video_detection import Detecting, detected
from .video_job import Tell

__all__ = ["Found", "Reading", "Source", "read_people"]

_USUAL_FPS: Final = 60.0
_DETECTED, _READ, _MATCHED = 0.6, 0.7, 0.8  # of all the time, until then
_USUAL_FOCAL: Final = 1.2  # of the longer side of a picture, as phones and webcams have it
_ALIKE: Final = 1e-3  # of a rate


@dataclass(frozen=True)
class Source:
    """One row of the panel.

    Attributes:
        keypoints: file or folder; None to detect them in the clip.
        clip: video; None where there is none.
        told: what Blender says of the clip.
        offset: seconds to add to its time.
    """

    keypoints: Path | None
    clip: Path | None
    told: Clip | None
    offset: float = 0.0


@dataclass(frozen=True)
class Reading:
    """What the panel asks for.

    Attributes:
        sources: a camera each.
        calibration: file; None for one camera of which nothing is known.
        up: the axis of the calibration that points up.
        fps: frames per second of keypoints that don't say it and have no clip; 0 for the usual.
        sync: find when each camera started.
        reorder: take exchanged cameras in the order that fits.
        people: how many.
        cutoff: hertz, of the filter over the points; 0 for none.
        height: metres, of a person that one camera saw.
        focal: pixels, of one camera without calibration; 0 for a usual one.
        person: who of those that one camera saw; 1 is the surest.
        detecting: by what people are found in clips without keypoints.
    """

    sources: tuple[Source, ...]
    calibration: Path | None
    up: str = "z"
    fps: float = 0.0
    sync: bool = False
    reorder: bool = False
    people: int = 1
    cutoff: float = 6.0
    height: float = 1.7
    focal: float = 0.0
    person: int = 1
    detecting: Detecting = field(default_factory=Detecting)


@dataclass(frozen=True, eq=False)
class Found:
    """People in space.

    Attributes:
        people: who was seen most first.
        cameras: C, of the views.
        sources: C, of the views.
        offsets: C seconds, when each camera started.
        fps: frames per second.
        error: pixels, median from what cameras saw to the first person's keypoints; NaN where not known.
        told: lines for the user.
    """

    people: tuple[SeenPerson, ...]
    cameras: tuple[Camera, ...]
    sources: tuple[Source, ...]
    offsets: tuple[float, ...]
    fps: float
    error: float
    told: tuple[str, ...]


def read_people(asked: Reading, tell: Tell) -> Found:
    """Read or detect keypoints, match them with cameras, and place people in space.

    Raises:
        PallasError: something can't be read, nothing can be detected, or cameras and views don't fit.
    """
    told: list[str] = []
    tell("reading", 0.0)
    cameras = () if asked.calibration is None else read_calibration(asked.calibration, up=asked.up)
    views, sources = _views(asked, told, tell)
    tell("matching cameras", _READ)
    if cameras:
        names = [_name(v, s) for v, s in zip(views, sources, strict=True)]
        order = matched(names, [camera.name for camera in cameras])
        cameras = tuple(cameras[k] for k in order)
    if len(views) == 1:
        return _lifted(asked, views[0], sources[0], cameras[0] if cameras else None, told, tell)
    if not cameras:
        raise RecordingError(
            f"there are {len(views)} views and no calibration; choose one, or keep one row"
        )
    views, offsets = _timed(asked, views, sources, cameras, told)
    cameras = _checked(asked, views, cameras, told)
    fps = float(views[0].fps or _USUAL_FPS)
    options = ReconstructionOptions(people=asked.people)
    span = 1.0 - _MATCHED
    people = reconstruct(
        views, cameras, fps, options, lambda done: tell("placing people", _MATCHED + span * done)
    )
    if not people:
        raise RecordingError(
            "no two cameras agree on anybody; check the calibration, the order of the cameras, and when they "
            "started"
        )
    people = [_smoothed(person, asked.cutoff, told) for person in people]
    seen = tuple(SeenPerson.of(person, views[0].layout.names, cameras) for person in people)
    errors = people[0].triangulation.error
    known = errors[np.isfinite(errors)]
    error = float(np.median(known)) if len(known) else np.nan
    return Found(seen, cameras, sources, offsets, fps, error, tuple(told))


def _lifted(
    asked: Reading,
    view: Keypoints,
    source: Source,
    camera: Camera | None,
    told: list[str],
    tell: Tell,
) -> Found:
    """A person that one camera saw, by the network that lifts."""
    from ..neural.lifter.solve import camera_of_focal, solve_lift
    from ..neural.lifter.stored import load_lifter

    if view.people > 1:
        view = tracked(view)
    if asked.person > view.people:
        raise RecordingError(
            f"Person is {asked.person}, and there are keypoints of {view.people}; choose a lower one, or a "
            "detector that finds several"
        )
    view = _steady(view.person(asked.person - 1), told)
    calibrated = camera is not None
    if camera is None:
        size = view.image_size or (None if source.told is None else source.told.size)
        if size is None:
            raise RecordingError(
                "the keypoints don't say how large their picture is; choose their clip too, or a calibration"
            )
        focal = asked.focal or _USUAL_FOCAL * max(size)
        if not asked.focal:
            told.append(
                f"The camera is not calibrated; a focal length of {focal:.0f} pixels is taken"
            )
        camera = camera_of_focal(focal, size)
    lifted = solve_lift(
        view,
        camera,
        load_lifter(),
        height=asked.height,
        calibrated=calibrated,
        progress=lambda done: tell("lifting", _MATCHED + (1.0 - _MATCHED) * done),
    )
    markers = replace(lifted.markers, start=view.start / float(view.fps or _USUAL_FPS))
    pixels = lifted.camera.undistorted(view.positions[:, 0])[:, :, None]
    seen = Seen(view.layout.names, (lifted.camera,), pixels, view.confidence[:, 0, :, None])
    person = SeenPerson(markers, seen.of(markers.names))
    error = float(np.nanmedian(lifted.body.errors_px))
    return Found((person,), (lifted.camera,), (source,), (0.0,), markers.fps, error, tuple(told))


def _steady(view: Keypoints, told: list[str]) -> Keypoints:
    """Left and right put right where the detector exchanged them for moments."""
    steady, flips = with_steady_sides(view)
    count = int(flips.any(axis=(1, 2)).sum())
    told += [f"Left and right were exchanged back in {count} frames"] if count else []
    return steady


def _name(view: Keypoints, source: Source) -> str:
    if source.keypoints is None and source.clip is not None:
        return source.clip.stem
    return view.name


def _views(
    asked: Reading, told: list[str], tell: Tell
) -> tuple[tuple[Keypoints, ...], tuple[Source, ...]]:
    """Keypoints of each camera with its frame rate; a row may hold several cameras."""
    views: list[Keypoints] = []
    sources: list[Source] = []
    share = _DETECTED / max(len(asked.sources), 1)
    for k, source in enumerate(asked.sources):
        begun = k * share
        if source.keypoints is not None:
            found = read_views([source.keypoints])
        elif source.clip is not None:
            what = f"detecting people in {source.clip.name}"
            tell(what, begun)
            part = partial(_told_part, tell, what, begun, share)
            people = asked.person if len(asked.sources) == 1 else asked.people
            found = (detected(source.clip, asked.detecting, people, told, part),)
        else:
            raise RecordingError(
                f"row {k + 1} has neither keypoints nor a clip; give one, or remove it"
            )
        views += found
        sources += [source] if len(found) == 1 else [replace(source, clip=None)] * len(found)
    views = [_with_rate(v, s, asked.fps) for v, s in zip(views, sources, strict=True)]
    if any(view.fps is None for view in views):
        known = next((view.fps for view in views if view.fps is not None), _USUAL_FPS)
        told.append(f"The keypoints don't say their frame rate; {known:g} is taken")
        views = [replace(view, fps=view.fps or known) for view in views]
    return tuple(views), tuple(sources)


def _told_part(tell: Tell, what: str, begun: float, share: float, done: float) -> None:
    tell(what, begun + share * done)


def _with_rate(view: Keypoints, source: Source, fps: float) -> Keypoints:
    """By what the user says, else by the file, else by the clip."""
    of_clip = None if source.told is None else source.told.fps
    return replace(view, fps=fps or view.fps or of_clip)


def _timed(
    asked: Reading,
    views: tuple[Keypoints, ...],
    sources: tuple[Source, ...],
    cameras: tuple[Camera, ...],
    told: list[str],
) -> tuple[tuple[Keypoints, ...], tuple[float, ...]]:
    """The views at the same times, and the seconds by which each was moved."""
    rates = [float(view.fps or _USUAL_FPS) for view in views]
    seconds = [source.offset for source in sources]
    if asked.sync:
        found = find_offsets(views)
        start = tuple(0.0 if k in found.unsure else s for k, s in enumerate(found.seconds))
        seconds = list(refined(views, cameras, Offsets(start, found.correlation)).seconds)
        told += [
            f"{view.name} started {abs(second):.3f} s {'after' if second > 0.0 else 'before'} {views[0].name}"
            + (" (unsure: the motion hardly tells)" if k + 1 in found.unsure else "")
            for k, (view, second) in enumerate(zip(views[1:], seconds[1:], strict=True))
        ]
    uneven = max(rates) - min(rates) > _ALIKE * max(rates)
    if uneven and not asked.sync and not any(seconds):
        raise RecordingError(
            f"the views have {min(rates):g} and {max(rates):g} frames per second; switch on Synchronise"
        )
    if not any(seconds) and not uneven:
        return views, tuple(seconds)
    return (
        tuple(retimed(tracked(v), s, max(rates)) for v, s in zip(views, seconds, strict=True)),
        tuple(seconds),
    )


def _checked(
    asked: Reading,
    views: Sequence[Keypoints],
    cameras: tuple[Camera, ...],
    told: list[str],
) -> tuple[Camera, ...]:
    """The cameras in the order of the views; said where they don't fit each other."""
    found = agreement(views, cameras)
    message = told_agreement(found, views, cameras)
    if found.order == tuple(range(len(cameras))):
        told += [message] if message else []
        return cameras
    if not asked.reorder:
        raise RecordingError(
            f"{message}; give the rows in that order, or switch on Reorder Cameras"
        )
    told.append(f"{message}; taken so")
    return tuple(cameras[k] for k in found.order)


def _smoothed(person: Person, cutoff: float, told: list[str]) -> Person:
    markers = person.markers
    if cutoff <= 0.0:
        return person
    if markers.fps <= 2.0 * cutoff:
        line = (
            f"At {markers.fps:g} frames per second nothing moves above {cutoff:g} Hz: not filtered"
        )
        told += [line] if line not in told else []
        return person
    smooth = filter_from_text(f"butterworth:cutoff={cutoff:g}")
    there = np.isfinite(markers.positions)
    positions = filtered(markers.positions, markers.fps, smooth)
    return replace(person, markers=replace(markers, positions=np.where(there, positions, np.nan)))
