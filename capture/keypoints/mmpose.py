"""MMPose's predictions, a list of frames.

    [{"frame_id": 0, "instances": [{"keypoints": [[x, y], …], "keypoint_scores": […]}]}, …]

The list may stand in `{"meta_info": …, "instance_info": […]}`; of one picture it is a list of instances.
With three numbers for a keypoint the points are in space: metres, z up, as MMPose's lifters give them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError
from .keypoints import Keypoints
from .layout import LAYOUTS, Layout, layout_of_names
from .people_table import Seen, collected, row_of

__all__ = ["is_mmpose", "parse_mmpose"]

_LIFTED: Final = ("h36m_17",)


def is_mmpose(document: Any) -> bool:  # noqa: ANN401  JSON
    """Whether a JSON document holds predictions of MMPose."""
    if isinstance(document, dict):
        return isinstance(document.get("instance_info"), list)
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and ("instances" in first or "keypoint_scores" in first)


def parse_mmpose(document: Any, layout: Layout | None = None) -> Keypoints:  # noqa: ANN401  JSON
    """Keypoints of a prediction.

    Raises:
        FormatError: an instance lacks what it needs, or has a number of keypoints that no layout has.
    """
    if isinstance(document, dict):
        layout = layout or _layout(document.get("meta_info"))
        document = document["instance_info"]
    if all(isinstance(one, dict) and "instances" not in one for one in document):
        document = [{"frame_id": 0, "instances": document}]  # one picture
    numbers = list(_numbers(document))
    people = [
        Seen(number, _points(instance))
        for number, frame in zip(numbers, document, strict=True)
        for instance in _instances(frame)
    ]
    spatial = bool(people) and people[0].points.shape[1] == 4
    if len({one.points.shape[1] for one in people}) > 1:
        raise FormatError("some people are in the picture and some in space; expected one of both")
    told = {"layouts": _LIFTED} if spatial and len(people[0].points) == 17 else {}
    return collected(people, layout=layout, frames=numbers, **told)


def _layout(told: Any) -> Layout | None:  # noqa: ANN401  JSON
    """The layout whose names the file tells, if they are all of the body."""
    names = told.get("keypoint_id2name") if isinstance(told, Mapping) else None
    if not isinstance(names, Mapping) or not all(isinstance(n, str) for n in names.values()):
        return None
    try:
        order = sorted(names, key=int)
        layout = layout_of_names([names[key] for key in order])
    except (ValueError, FormatError):
        return None
    # Faces and hands have other names than ours; the count tells those.
    counts = {len(known) for known in LAYOUTS.values()}
    return layout if layout.key != "custom" or len(layout) not in counts else None


def _numbers(frames: list[Any]) -> Iterator[int]:
    for place, frame in enumerate(frames):
        number = frame.get("frame_id", place) if isinstance(frame, dict) else place
        if isinstance(number, bool) or not isinstance(number, int):
            raise FormatError(f"a frame_id is {str(number)[:40]!r}; expected a whole number")
        yield number


def _instances(frame: Any) -> list[Any]:  # noqa: ANN401  JSON
    instances = frame.get("instances") if isinstance(frame, dict) else None
    if not isinstance(instances, list):
        raise FormatError("a frame has no list of instances; expected predictions of MMPose")
    return instances


def _points(instance: Any) -> Array:  # noqa: ANN401  JSON
    if not isinstance(instance, dict) or "keypoints" not in instance:
        raise FormatError("an instance has no keypoints; expected predictions of MMPose")
    points = row_of(instance["keypoints"], "an instance")
    if points.ndim == 3 and len(points) == 1:  # some versions wrap it once more
        points = points[0]
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        raise FormatError(
            f"an instance has keypoints of shape {points.shape}; expected (K, 2) or (K, 3)"
        )
    scores = row_of(
        instance.get("keypoint_scores", [1.0] * len(points)), "an instance's scores"
    ).ravel()
    if len(scores) != len(points):
        raise FormatError(f"an instance has {len(points)} keypoints and {len(scores)} scores")
    return np.column_stack([points, scores])
