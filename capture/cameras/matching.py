"""Which view is of which camera, by the numbers in their names or else by their order."""

import re
from collections.abc import Sequence

from ...rig.errors import RecordingError

__all__ = ["matched"]


def matched(views: Sequence[str], cameras: Sequence[str]) -> tuple[int, ...]:
    """The camera of each view.

    Names are compared, then the numbers in them (`cam1_json` is of `cam_01`), then places.

    Args:
        views: names of files or folders of keypoints.
        cameras: names of the calibration.

    Raises:
        RecordingError: there are fewer cameras than views, or names don't tell which is left out.
    """
    for key in (lambda name: name.lower(), _number):
        of_views, of_cameras = [key(name) for name in views], [key(name) for name in cameras]
        different = len(set(of_views)) == len(of_views) and len(set(of_cameras)) == len(of_cameras)
        if different and None not in of_views and set(of_views) <= set(of_cameras):
            return tuple(of_cameras.index(name) for name in of_views)
    if len(views) == len(cameras):
        return tuple(range(len(views)))
    raise RecordingError(
        f"there are keypoints of {len(views)} views ({', '.join(views)[:100]}) and {len(cameras)} cameras "
        f"({', '.join(cameras)[:100]}); give as many, or names with the cameras' numbers"
    )


def _number(name: str) -> int | None:
    """The number that a name holds, if it is one; the first where there are several."""
    found = re.findall(r"\d{1,6}", name)
    return int(found[0]) if found else None
