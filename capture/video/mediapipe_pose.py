"""MediaPipe's pose detector: the "full" model in its wheel, offline."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ...rig.errors import FormatError, ModelError
from ..keypoints.layout import named_layout
from .detector import DetectorOptions, Found
from .frames import Picture

__all__ = ["MediaPipePose"]

_FULL = 1  # of MediaPipe's three models, the one that the wheel holds
_LEAST_PRESENCE = 1e-3


class MediaPipePose:
    """One person at a time, followed from frame to frame by MediaPipe itself.

    Raises:
        ModelError: MediaPipe is not installed or does not load.
    """

    name = "mediapipe"

    def __init__(self, options: DetectorOptions | None = None) -> None:
        options = options or DetectorOptions()
        if options.people > 1:
            raise FormatError(
                f"--people is {options.people}, and MediaPipe finds one; use --detector onnx for several"
            )
        self.layout = named_layout("mediapipe_33")
        with _silent():
            self._pose: Any = _solutions().Pose(static_image_mode=False, model_complexity=_FULL)
            # Its threads start with the first picture, and say things when they do.
            self._pose.process(np.zeros((64, 64, 3), np.uint8))

    def detect(self, picture: Picture) -> Found:
        """The person, if there is one."""
        height, width = picture.shape[:2]
        with _silent():
            result = self._pose.process(np.ascontiguousarray(picture))
        if result.pose_landmarks is None:
            return Found(np.empty((0, len(self.layout), 2)), np.empty((0, len(self.layout))))
        marks = result.pose_landmarks.landmark
        # Fractions of the picture, whose upper left pixel's corner is 0, 0; that pixel's centre is ours.
        positions = np.array([[mark.x * width - 0.5, mark.y * height - 0.5] for mark in marks])
        sure = np.array([min(max(mark.visibility, _LEAST_PRESENCE), 1.0) for mark in marks])
        return Found(positions[None], sure[None])

    def close(self) -> None:
        """End MediaPipe's graph."""
        self._pose.close()


@contextmanager
def _silent() -> Iterator[None]:
    """Drop what its libraries warn of, and the lines that its C++ code writes to stderr."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its libraries use what Python deprecates
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _solutions() -> ModuleType:
    try:
        from mediapipe.python.solutions import pose  # noqa: PLC0415  optional
    except ImportError as error:
        raise ModelError(
            f"MediaPipe does not load (it lacks {error.name}); run `pip install mediapipe==0.10.21` in an "
            "environment with numpy below 2, or use --detector onnx --model FILE.onnx"
        ) from error
    module: ModuleType = pose
    return module
