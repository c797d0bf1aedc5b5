"""Views can be compared only where their keypoints are the same."""

from collections.abc import Sequence

from ...rig.errors import RecordingError
from ..keypoints.keypoints import Keypoints

__all__ = ["one_layout"]


def one_layout(views: Sequence[Keypoints]) -> None:
    """See that all views are of pictures and have the same keypoints.

    Raises:
        RecordingError: they don't; it tells what each has.
    """
    if len({view.layout.names for view in views}) > 1 or any(view.spatial for view in views):
        told = ", ".join(f"{view.name}: {view.layout.key}" for view in views)
        raise RecordingError(f"views have different layouts ({told}); detect all with the same one")
