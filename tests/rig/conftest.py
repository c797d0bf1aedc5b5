"""A model that has everything: what the kinematics and the solver are tested on."""

import numpy as np
import pytest

from pallas.rig.model import (
    BodyMarker,
    Coupling,
    Frame,
    Joint,
    KinematicModel,
    Linear,
    Polynomial,
    SimmSpline,
    about,
    along,
    free,
)

_SLIDE = SimmSpline(np.array([-2.0, -1.0, 0.0, 1.0]), np.array([0.0, 0.01, 0.02, 0.01]))
_PATELLA = SimmSpline(np.array([-1.0, 0.0, 1.0, 2.0]), np.array([0.0, 0.3, 0.5, 0.1]))


def _leg(side: str, sign: float) -> tuple[Joint, ...]:
    return (
        Joint(
            f"hip_{side}",
            "pelvis",
            f"femur_{side}",
            Frame((0.0, sign * 0.1, -0.07), (0.1, 0.2, 0.3)),
            Frame((0.01, 0.02, 0.03), (0.3, 0.2, 0.1)),
            rotations=tuple(about(a, f"hip_{side}_{a}") for a in "zxy"),
        ),
        Joint(
            f"knee_{side}",
            f"femur_{side}",
            f"tibia_{side}",
            Frame((0.0, 0.0, -0.4)),
            translations=(
                along("x", f"knee_{side}", _SLIDE),
                along((0.0, 1.0, 1.0), f"knee_{side}", Polynomial((0.0, 0.1, 0.02, 0.3))),
                along("z", f"slide_{side}"),
            ),
            rotations=(about("z", f"knee_{side}"),),
        ),
        Joint(
            f"patella_{side}",
            f"femur_{side}",
            f"patella_{side}",
            Frame((0.0, 0.0, -0.4)),
            rotations=(about("z", f"patella_{side}"),),
        ),
        Joint(
            f"ankle_{side}",
            f"tibia_{side}",
            f"foot_{side}",
            Frame((0.0, 0.0, -0.4)),
            rotations=(
                about((1.0, 2.0, 3.0), f"ankle_{side}"),
                about("x", f"foot_{side}", Linear(0.5, 0.1)),
            ),
        ),
    )


@pytest.fixture(scope="session")
def two_legs() -> KinematicModel:
    """Two legs on a free pelvis: turned frames, child frames, splines, shifts, a coupled patella, markers."""
    random = np.random.default_rng(0)
    bodies = ("pelvis", "femur_r", "tibia_r", "foot_r", "patella_r", "foot_l", "patella_l")
    return KinematicModel(
        "two legs",
        (free("root", "pelvis"), *_leg("r", 1.0), *_leg("l", -1.0)),
        couplings=(Coupling("patella_r", "knee_r", _PATELLA),),
        markers=tuple(BodyMarker(b.upper(), b, tuple(0.1 * random.normal(size=3))) for b in bodies),
    )
