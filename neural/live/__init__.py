"""Live: one frame in, one pose out, with no look into the future."""

from .body import LivePose, StreamOptions
from .stream import Stream

__all__ = ["LivePose", "Stream", "StreamOptions"]
