"""From keypoints in space and in pictures to a body that moves, free of Blender's data, in a thread."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..capture.cameras.reconstruct import ReconstructionOptions, threshold_of
from ..rig.arrays import Array, Mask
from ..rig.filters.gaps import close_gaps
from ..rig.trajectories import MarkerTrajectories
from ..scene.keypoint_views import Seen
from .video_job import Tell

if TYPE_CHECKING:
    from ..rig.solve.views import SolvedBody

__all__ = ["Observed", "solved_body", "told_body"]

_FEWEST = 2  # cameras that place a point by themselves
_LONGEST = 0.5  # seconds of a stretch without keys that its ends still tell about
_BRIDGED = 0.2  # of a measurement is what they tell


@dataclass(frozen=True, eq=False)
class Observed:
    """One person before the body is fitted.

    Attributes:
        measured: T frames of K keypoints in the world, NaN where there is no key.
        seen: what the cameras saw of the same frames and keypoints; None where no camera did.
    """

    measured: MarkerTrajectories
    seen: Seen | None

    def trusted(self) -> Mask:
        """(T, K, C) where what a camera saw is believed: the keypoint has a key, and not far from it.

        So keys that were taken away take their pixels with them, and keys that were moved by hand overrule
        cameras that disagree.
        """
        assert self.seen is not None
        positions = self.measured.positions
        threshold = threshold_of(self.seen.cameras, ReconstructionOptions())
        shown = np.stack([c.without_lens.project(positions) for c in self.seen.cameras], axis=2)
        with np.errstate(invalid="ignore"):
            near = (
                np.linalg.norm(shown - self.seen.pixels, axis=-1) < threshold
            )  # NaN compares false
        return np.asarray(near)


def solved_body(observed: Observed, tell: Tell) -> "SolvedBody":
    """Fit the body to what cameras saw; where fewer than two are believed, to the keypoint in space.

    Raises:
        RecordingError: too little is left to place the person.
    """
    from ..neural.threads import one_thread
    from ..rig.solve.views import SpacePoints, View, solve_views

    tell("solving", 0.0)
    measured, views = observed.measured, []
    points, sure = _bridged(measured)
    if observed.seen is not None:
        trusted = observed.trusted()
        points[trusted.sum(axis=-1) >= _FEWEST] = np.nan
        for k, camera in enumerate(observed.seen.cameras):
            kept = trusted[..., k]
            pixels = np.where(kept[..., None], observed.seen.pixels[:, :, k], np.nan)
            told = np.where(kept, np.minimum(observed.seen.confidence[..., k], 1.0), 0.0)
            views.append(View(pixels, camera.projection, told))
    with one_thread():
        return solve_views(
            measured.names,
            measured.fps,
            views=views,
            points=SpacePoints(points, sure) if np.isfinite(points).any() else None,
            progress=lambda done: tell("solving", done),
        )


def _bridged(measured: MarkerTrajectories) -> tuple[Array, Array]:
    """Positions (T, K, 3) with short stretches bridged, and how sure each is (T, K)."""
    points, closed = close_gaps(measured.positions, round(_LONGEST * measured.fps))
    return points, np.where(closed, _BRIDGED, 1.0)


def told_body(body: "SolvedBody") -> str:
    """How much was solved, and how well it fits the pictures, in one line."""
    errors = body.errors_px[np.isfinite(body.errors_px)]
    off = f", {np.median(errors):.1f} px off" if len(errors) else ""
    weak = int(body.interpolated.sum())
    held = f", {weak} frames saw too little" if weak else ""
    motion = body.motion
    return f"{len(motion)} frames at {motion.fps:g} Hz, {body.height:.2f} m tall{off}{held}"
