"""The operators of video and the file handlers over 3D views, in the order of work."""

from .video_drop import (
    PALLAS_FH_clip,
    PALLAS_FH_keypoints,
    PALLAS_FH_markers,
    PALLAS_FH_motion,
    PALLAS_OT_drop_clips,
    PALLAS_OT_drop_keypoints,
    PALLAS_OT_drop_markers,
    PALLAS_OT_drop_motion,
)
from .video_import import PALLAS_OT_import_views
from .video_keys import PALLAS_OT_clear_keypoints, PALLAS_OT_look_through
from .video_route import PALLAS_OT_video_to_action
from .video_solve import PALLAS_OT_solve_video
from .video_views import PALLAS_OT_add_views, PALLAS_OT_remove_view

__all__ = ["FILE_HANDLERS", "VIDEO_OPERATORS"]

VIDEO_OPERATORS = (
    PALLAS_OT_add_views,
    PALLAS_OT_remove_view,
    PALLAS_OT_import_views,
    PALLAS_OT_look_through,
    PALLAS_OT_solve_video,
    PALLAS_OT_clear_keypoints,
    PALLAS_OT_video_to_action,
    PALLAS_OT_drop_clips,
    PALLAS_OT_drop_keypoints,
    PALLAS_OT_drop_markers,
    PALLAS_OT_drop_motion,
)
FILE_HANDLERS = (PALLAS_FH_clip, PALLAS_FH_keypoints, PALLAS_FH_markers, PALLAS_FH_motion)
