"""A model for a person of another size: every body stretched along its own axes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..arrays import Array, checked
from ..errors import ShapeError
from .functions import IDENTITY, Constant, Function, Linear, Scaled
from .joints import GROUND, Axis, Frame, Joint
from .model import BodyMarker, Coupling, KinematicModel

__all__ = ["scaled", "scaled_function"]

Factors = Mapping[str, float | Sequence[float] | Array]


def scaled(model: KinematicModel, factors: Factors, places: Array | None = None) -> KinematicModel:
    """Scale a model as OpenSim's `Model::scale` does.

    Joint frames and markers move with their own body. A joint's shifts are multiplied by the factor of the
    parent body, unless they are a coordinate itself (`IDENTITY`): a root's position is no length of the body.
    Where another coordinate drives that coordinate, the coupling is multiplied instead.

    The factor of a shift along an axis is that of the body's axes weighted by the squares of the
    direction's entries, taken in the joint's frame; OpenSim weights by the entries as the file has them,
    which is the same along x, y and z, but does not keep a uniform scale along an oblique axis.

    Args:
        model: any.
        factors: by body: one number, or three along the body's x, y and z. The others stay as they are.
        places: (M, 3) metres of the markers in the unscaled bodies, if not where the model has them.

    Returns:
        The scaled model; coordinates and their limits are the same.

    Raises:
        ShapeError: a body is unknown, or a factor is not a finite number above zero, or the places are not M.
    """
    by_body = {body: _factor(model, body, value) for body, value in factors.items()}
    still = np.ones(3)
    joints = tuple(
        _scaled_joint(joint, by_body.get(joint.parent, still), by_body.get(joint.child, still))
        for joint in model.joints
    )
    if places is None:
        places = np.array([marker.position for marker in model.markers]).reshape(-1, 3)
    stretch = [by_body.get(marker.body, still) for marker in model.markers]
    stretched = checked("places", places, (len(stretch), 3)) * np.reshape(stretch, (-1, 3))
    markers = tuple(
        BodyMarker(marker.name, marker.body, (x, y, z), marker.free)
        for marker, (x, y, z) in zip(model.markers, stretched.tolist(), strict=True)
    )
    couplings = tuple(_scaled_coupling(c, model.joints, by_body) for c in model.couplings)
    return replace(model, joints=joints, markers=markers, couplings=couplings)


def scaled_function(function: Function, factor: float) -> Function:
    """A function times a factor, as simple as it can be, but never `IDENTITY`, which is not scaled."""
    if isinstance(function, Scaled):
        return Scaled(function.function, function.factor * factor)
    if isinstance(function, Constant):
        return Constant(function.value * factor)
    if isinstance(function, Linear):
        line = Linear(function.gradient * factor, function.intercept * factor)
        return line if line != IDENTITY else Scaled(function, factor)
    return Scaled(function, factor)


def _factor(model: KinematicModel, body: str, value: float | Sequence[float] | Array) -> Array:
    if body != GROUND:
        model.body_index(body)
    three = np.full(3, value) if np.ndim(value) == 0 else value
    factor = checked(f"the scale of body {body!r}", three, (3,))
    if not (np.isfinite(factor) & (factor > 0.0)).all():
        raise ShapeError(f"the scale of body {body!r} is {factor}, expected numbers above zero")
    return factor


def _stretched(point: tuple[float, float, float], factor: Array) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in np.asarray(point) * factor)
    return x, y, z


def _scaled_joint(joint: Joint, parent: Array, child: Array) -> Joint:
    return replace(
        joint,
        parent_frame=_scaled_frame(joint.parent_frame, parent),
        child_frame=_scaled_frame(joint.child_frame, child),
        translations=tuple(_scaled_shift(axis, parent) for axis in joint.translations),
    )


def _scaled_frame(frame: Frame, factor: Array) -> Frame:
    if not any(frame.translation):
        return frame
    return replace(frame, translation=_stretched(frame.translation, factor))


def _along(axis: Axis, factor: Array) -> float:
    return float(axis.direction**2 @ factor)


def _scaled_shift(axis: Axis, factor: Array) -> Axis:
    along = _along(axis, factor)
    if axis.function == IDENTITY or along == 1.0:
        return axis
    return replace(axis, function=scaled_function(axis.function, along))


def _scaled_coupling(
    coupling: Coupling, joints: Sequence[Joint], by_body: Mapping[str, Array]
) -> Coupling:
    for joint in joints:
        for axis in joint.translations:
            driven = axis.coordinate == coupling.coordinate and axis.function == IDENTITY
            if driven and joint.parent in by_body:
                along = _along(axis, by_body[joint.parent])
                return replace(coupling, function=scaled_function(coupling.function, along))
    return coupling
