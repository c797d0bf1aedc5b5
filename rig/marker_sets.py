"""Marker sets, as data: on which bone each marker sits, and where on a person of 1.70 m in the T-pose."""

from typing import Final, NamedTuple

__all__ = ["PLUG_IN_GAIT", "Marker"]


class Marker(NamedTuple):
    """One marker.

    Attributes:
        name: in the marker set.
        joint: whose bone carries it.
        offset: metres from the joint in its frame, on a person of 1.70 m.
        weight: 1 / metres, of its measurement; skin moves over muscle.
        placement: metres, how far the guess of the offset may be off.
    """

    name: str
    joint: str
    offset: tuple[float, float, float]
    weight: float = 100.0
    placement: float = 0.04


def _both(
    name: str,
    joint: str,
    offset: tuple[float, float, float],
    weight: float = 100.0,
    placement: float = 0.04,
) -> tuple[Marker, Marker]:
    x, y, z = offset
    left = joint if joint in ("head", "pelvis") else f"left_{joint}"
    right = joint if joint in ("head", "pelvis") else f"right_{joint}"
    return (
        Marker(f"L{name}", left, (x, y, z), weight, placement),
        Marker(f"R{name}", right, (-x, y, z), weight, placement),
    )


# Vicon's full-body Plug-in-Gait. Places after its marker placement guide, read off the standard body:
# in the T-pose the outer side of the arm is up and the thumb's side of the wrist is in front.
PLUG_IN_GAIT: Final[tuple[Marker, ...]] = (
    *_both("FHD", "head", (0.07, -0.09, 0.08), placement=0.06),
    *_both("BHD", "head", (0.06, 0.09, 0.09), placement=0.06),
    Marker("C7", "spine3", (0.0, 0.075, 0.17)),
    Marker("T10", "spine3", (0.0, 0.11, -0.06)),
    Marker("CLAV", "spine3", (0.0, -0.06, 0.10)),
    Marker("STRN", "spine3", (0.0, -0.10, -0.11)),
    Marker("RBAK", "spine3", (-0.11, 0.12, 0.09), 70.0, 0.06),
    *_both("SHO", "collar", (0.13, 0.0, 0.055)),
    *_both("UPA", "shoulder", (0.14, 0.02, 0.045), 50.0, 0.08),
    *_both("ELB", "shoulder", (0.2924, 0.0, 0.045), placement=0.02),
    *_both("FRM", "elbow", (0.10, 0.0, 0.045), 50.0, 0.08),
    *_both("WRA", "elbow", (0.245, -0.035, 0.015), placement=0.02),
    *_both("WRB", "elbow", (0.245, 0.035, 0.015), placement=0.02),
    *_both("FIN", "wrist", (0.075, -0.015, 0.025), placement=0.02),
    *_both("ASI", "pelvis", (0.125, -0.065, 0.05), placement=0.03),
    *_both("PSI", "pelvis", (0.045, 0.10, 0.085), placement=0.03),
    *_both("THI", "hip", (0.10, 0.0, -0.20), 50.0, 0.08),
    *_both("KNE", "hip", (0.06, 0.0, -0.4165), placement=0.02),
    *_both("TIB", "knee", (0.06, 0.0, -0.20), 50.0, 0.08),
    *_both("ANK", "knee", (0.05, 0.01, -0.391), placement=0.02),
    *_both("HEE", "ankle", (0.0, 0.065, -0.025), placement=0.02),
    *_both("TOE", "ankle", (0.0, -0.13, -0.03), placement=0.02),
)
