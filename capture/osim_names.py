"""Names that OpenSim can load: it refuses some characters in them."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..rig.errors import FormatError
from ..rig.model import Axis, Joint, KinematicModel
from .textfile import FormatWarning

__all__ = ["with_legal_names"]

_RESERVED: Final = str.maketrans(dict.fromkeys("/\\*+ \t\n", "_"))
_SHOWN: Final = 3  # names in a message

Names = dict[str, str]


def with_legal_names(model: KinematicModel) -> KinematicModel:
    """The same model with "_" for every character that OpenSim refuses in a name; a warning tells of it.

    Raises:
        FormatError: two names would become the same.
    """
    bodies = _legal("body", model.bodies)
    joints = _legal("joint", [joint.name for joint in model.joints])
    coordinates = _legal("coordinate", model.coordinate_names)
    markers = _legal("marker", model.marker_names)
    changed = [old for names in (bodies, joints, coordinates, markers) for old in names]
    if not changed:
        return model
    warnings.warn(
        f"OpenSim refuses spaces and / \\ * + in names: {len(changed)} are written with _ instead "
        f"({', '.join(changed[:_SHOWN])})",
        FormatWarning,
        stacklevel=3,
    )
    return replace(
        model,
        joints=tuple(_joint(joint, joints, bodies, coordinates) for joint in model.joints),
        coordinates=tuple(replace(c, name=_new(coordinates, c.name)) for c in model.coordinates),
        couplings=tuple(
            replace(
                c,
                coordinate=_new(coordinates, c.coordinate),
                driver=_new(coordinates, c.driver),
            )
            for c in model.couplings
        ),
        markers=tuple(
            replace(m, name=_new(markers, m.name), body=_new(bodies, m.body)) for m in model.markers
        ),
    )


def _legal(what: str, names: Sequence[str]) -> Names:
    """The names that change, with what they become."""
    legal = [name.translate(_RESERVED) for name in names]
    for place, name in enumerate(legal):
        if name in legal[:place]:
            raise FormatError(
                f"{what} {names[place]!r} would be {name!r} in OpenSim, like another; "
                "rename it without spaces and / \\ * +"
            )
    return {old: new for old, new in zip(names, legal, strict=True) if old != new}


def _new(names: Names, name: str) -> str:
    return names.get(name, name)


def _joint(joint: Joint, joints: Names, bodies: Names, coordinates: Names) -> Joint:
    def axes(held: tuple[Axis, ...]) -> tuple[Axis, ...]:
        return tuple(
            replace(a, coordinate=coordinates.get(a.coordinate or "", a.coordinate)) for a in held
        )

    x, y, z = joint.ball or ("", "", "")
    ball = (_new(coordinates, x), _new(coordinates, y), _new(coordinates, z))
    return replace(
        joint,
        name=_new(joints, joint.name),
        parent=_new(bodies, joint.parent),
        child=_new(bodies, joint.child),
        translations=axes(joint.translations),
        rotations=axes(joint.rotations),
        ball=ball if joint.ball else None,
    )
