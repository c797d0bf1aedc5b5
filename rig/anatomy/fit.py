"""The anatomical model fitted to a recording: sizes on a few frames, then every frame."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..model.model import KinematicModel
from ..solve.marker_ik import MarkerFit, MarkerOptions, fit_markers
from ..trajectories import MarkerTrajectories
from .first_pose import first_poses
from .measured import marker_kinds, measured_weights, without_unseen
from .model import anatomical_model
from .sizes import sizes_of
from .turns import plain_turns

__all__ = ["fit_anatomy"]

_SIZING: Final = (
    25  # frames that tell of the sizes; all of them change these by less than a hundredth
)
_SIZED: Final = 3e-4  # of the cost: steps that gain less change the sizes by a thousandth
_STRAIGHT: Final = (
    0.1  # of a squared radian beside the mean squared metre of the markers, as pins have it
)


def _quiet(done: float) -> None:
    del done


def fit_anatomy(
    markers: MarkerTrajectories,
    *,
    height: float | None = None,
    places: bool = True,
    model: KinematicModel | None = None,
    progress: Callable[[float], None] = _quiet,
) -> MarkerFit:
    """Find a person's sizes and joint angles from markers or keypoints.

    Args:
        markers: T frames, named as the augmenter's markers or OpenCap's keypoints.
        height: metres, where the search for the sizes begins; None: that of the table.
        places: whether the markers' places on the body may differ from the table's a little.
        model: the anatomical one with known sizes; None: sizes are found.
        progress: called with the fraction done.

    Raises:
        RecordingError: fewer than three known markers, or none of the frames shows three.
        ShapeError: nobody has such a height.
    """
    known = model or anatomical_model(height)
    weights = measured_weights(known, markers.names)
    used = [name for name in markers.names if weights.get(name, 0.0) > 0.0]
    known = without_unseen(known, used)
    shape = sizes_of(known, used, markers=places) if model is None else None
    options = MarkerOptions(
        weights=weights,
        other_weight=0.0,
        pins=_pins(known, used),
        shape=shape,
        shape_frames=_SIZING,
        shape_tolerance=_SIZED,
    )
    fit = fit_markers(known, markers, options, progress, first_poses(known, markers))
    return replace(fit, pose=plain_turns(fit.model, fit.pose))


def _pins(model: KinematicModel, used: list[str]) -> dict[str, tuple[float, float]] | None:
    """A straight back where nothing tells how the pelvis tilts: keypoints of both hips lie on one line."""
    kinds = marker_kinds()
    worn = [marker.name for marker in model.markers if marker.body == "pelvis"]
    told = [name for name in worn if name in used and kinds[name] != "keypoint"]
    return None if told else {"lumbar_extension": (0.0, _STRAIGHT)}
