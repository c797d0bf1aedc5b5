"""The coordinates of an OpenSim model, and the constraints that couple them."""

import math
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Final

from ..rig.errors import FormatError
from ..rig.model import Constant, Coordinate, Coupling, Linear
from ..rig.model.scaling import scaled_function
from .osim_frames import Component
from .osim_functions import held_function, read_function
from .osim_xml import flag, name_of, number, text, vector, words
from .textfile import FormatWarning, naming

__all__ = ["coordinate_of", "couplings_of", "is_constraint"]

_COUPLER: Final = "CoordinateCouplerConstraint"
_NO_LIMITS: Final = (-math.inf, math.inf)


def coordinate_of(element: ET.Element) -> Coordinate:
    """A coordinate with its default, limits and locks.

    Raises:
        FormatError: a number can't be used.
        ShapeError: its limits are the wrong way round.
    """
    name = name_of(element)
    with naming(f"coordinate {name!r}"):
        low, high = vector(element, "range", 2, _NO_LIMITS, infinite=True)
        clamped, locked = (flag(element, tag, default=False) for tag in ("clamped", "locked"))
        default = number(element, "default_value", 0.0)
    if flag(element, "prescribed", default=False):
        prescribed = _prescribed(element, name)
        locked, default = (locked, default) if prescribed is None else (True, prescribed)
    return Coordinate(name, default, (low, high), clamped, locked)


def _prescribed(element: ET.Element, name: str) -> float | None:
    """Where a function of time puts the coordinate at second zero; None without a function."""
    held = held_function(element, "prescribed_function")
    if held is None:
        return None
    with naming(f"prescribed coordinate {name!r}"):
        function = read_function(held)
    if not isinstance(function, Constant):
        warnings.warn(
            f"coordinate {name!r} is prescribed over time; it is kept where it is at second 0",
            FormatWarning,
            stacklevel=2,
        )
    return float(function(0.0))


def is_constraint(component: Component) -> bool:
    """Whether a component is a constraint."""
    return component.element.tag.endswith("Constraint")


def couplings_of(found: Iterable[Component]) -> tuple[Coupling, ...]:
    """The coordinate couplers among the constraints that are enforced.

    Raises:
        FormatError: another constraint is enforced, or a coupler can't be read.
    """
    couplings = []
    for component in found:
        if is_constraint(component) and _enforced(component.element):
            with naming(f"constraint {name_of(component.element)!r}"):
                couplings.append(_coupling(component.element))
    return _from_free_drivers(couplings)


def _enforced(element: ET.Element) -> bool:
    return flag(element, "isEnforced", default=True) and not flag(
        element, "isDisabled", default=False
    )


def _coupling(element: ET.Element) -> Coupling:
    if element.tag != _COUPLER:
        raise FormatError(
            f"a {element.tag[:60]} is enforced, which closes a loop; only {_COUPLER}s can be read: "
            "set its isEnforced to false, or remove it"
        )
    drivers = words(element, "independent_coordinate_names")
    driven = text(element, "dependent_coordinate_name")
    held = held_function(element, "coupled_coordinates_function")
    if len(drivers) != 1 or not driven or held is None:
        raise FormatError(
            f"it couples {driven!r} to {len(drivers)} coordinates through "
            f"{'no function' if held is None else held.tag}; expected one coordinate and a function"
        )
    function, factor = read_function(held), number(element, "scale_factor", 1.0)
    return Coupling(
        driven, drivers[0], function if factor == 1.0 else scaled_function(function, factor)
    )


def _from_free_drivers(couplings: list[Coupling]) -> tuple[Coupling, ...]:
    """Couplings whose driver is itself driven by a straight line, driven by that one's driver instead."""
    by_name = {coupling.coordinate: coupling for coupling in couplings}

    def freed(coupling: Coupling, steps: int) -> Coupling:
        above = by_name.get(coupling.driver)
        if above is None:
            return coupling
        if steps > len(couplings):
            raise FormatError(f"coordinate {coupling.coordinate!r} drives itself through couplers")
        above = freed(above, steps + 1)
        inner, outer = above.function, coupling.function
        if not isinstance(inner, Linear) or not isinstance(outer, Linear):
            raise FormatError(
                f"coordinate {coupling.coordinate!r} is driven by {coupling.driver!r}, which is itself "
                "driven, not both by a LinearFunction; expected a free coordinate"
            )
        slope = outer.gradient * inner.gradient
        line = Linear(slope, outer.gradient * inner.intercept + outer.intercept)
        return Coupling(coupling.coordinate, above.driver, line)

    return tuple(freed(coupling, 0) for coupling in couplings)
