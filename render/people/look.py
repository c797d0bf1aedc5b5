"""What a person looks like: drawn once, as plain values, before anything is built."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from ...rig.bodies import Body
from .cloth import Cut
from .head import HAIR_CUTS

__all__ = ["Look", "draw_look"]

# Mostly worn by women, by men, by children: chances of each cut of hair.
_HAIR: Final = {
    "female": (0.02, 0.06, 0.16, 0.2, 0.16, 0.16, 0.24),
    "male": (0.14, 0.26, 0.36, 0.16, 0.02, 0.02, 0.04),
}
_HAND: Final = {"open": (0.05, 0.35), "closed": (0.95, 1.15)}


@dataclass(frozen=True)
class Look:
    """One person's looks.

    Attributes:
        tone: of the skin, 0 (lightest) to 9, on the Monk Skin Tone Scale.
        hair: the cut of hair.
        fullness: of the hair, 0 to 1.
        grey: whether the hair is.
        stubble: 0 to 1, of the beard.
        top: what covers the trunk.
        bottom: what covers the legs.
        collar: metres, how high the shoes reach; 0 for bare feet.
        hands: how far the left and the right fist is closed, 0 to 1.
    """

    tone: int
    hair: str
    fullness: float
    grey: bool
    stubble: float
    top: Cut
    bottom: Cut
    collar: float
    hands: tuple[float, float]

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return asdict(self)


def draw_look(
    random: np.random.Generator, body: Body, *, hands: str = "drawn", hair: bool = True
) -> Look:
    """Draw a look that suits the body's sex and age.

    Args:
        random: what it is drawn from.
        body: whose look.
        hands: "open", "closed", or "drawn" for any of both and between.
        hair: whether there is hair at all.
    """
    sex, years = str(body.phenotype["sex"]), float(body.phenotype["years"])
    chances = np.array(_HAIR[sex])
    if years < 16:
        chances[0] = 0.0
    cut = str(random.choice(HAIR_CUTS, p=chances / chances.sum())) if hair else "bald"
    bearded = sex == "male" and years > 17 and random.uniform() < 0.45
    return Look(
        tone=int(random.integers(10)),
        hair=cut,
        fullness=float(random.uniform()),
        grey=bool(random.uniform() < np.interp(years, (40.0, 75.0), (0.0, 0.9))),
        stubble=float(random.uniform(0.25, 0.95)) if bearded else 0.0,
        top=_top(random),
        bottom=_bottom(random),
        collar=float(random.choice([0.075, 0.085, 0.11, 0.15])) if random.uniform() < 0.93 else 0.0,
        hands=_hands(random, hands),
    )


def _top(random: np.random.Generator) -> Cut:
    kind = str(random.choice(["tee", "tee", "long", "long", "tank", "coat", "crop"]))
    loose = float(random.uniform(0.0, 1.0))
    sleeves = {
        "tee": random.uniform(0.35, 0.85),
        "long": random.uniform(1.75, 1.97),
        "tank": 0.0,
        "coat": random.uniform(1.85, 1.97),
        "crop": random.uniform(0.0, 0.6),
    }[kind]
    hem = {
        "tee": random.uniform(-0.06, 0.14),
        "long": random.uniform(-0.08, 0.14),
        "tank": random.uniform(0.0, 0.16),
        "coat": random.uniform(-0.22, 0.0),
        "crop": random.uniform(0.26, 0.4),
    }[kind]
    neck = random.uniform(-0.035, -0.02) if kind == "coat" else random.uniform(-0.012, 0.03)
    thickness = 0.014 if kind == "coat" else 0.0095
    return Cut(True, float(sleeves), float(hem), float(neck), thickness=thickness, loose=loose)


def _bottom(random: np.random.Generator) -> Cut:
    kind = str(
        random.choice(["trousers", "trousers", "trousers", "tights", "shorts", "shorts", "knee"])
    )
    legs = {
        "trousers": random.uniform(1.80, 1.93),
        "tights": random.uniform(1.5, 1.93),
        "shorts": random.uniform(0.3, 0.85),
        "knee": random.uniform(0.95, 1.35),
    }[kind]
    loose = 0.0 if kind == "tights" else float(random.uniform(0.1, 0.9))
    thickness = 0.0035 if kind == "tights" else 0.0055
    waist = float(random.uniform(0.16, 0.30))
    return Cut(False, waist=waist, legs=float(legs), thickness=thickness, loose=loose)


def _hands(random: np.random.Generator, asked: str) -> tuple[float, float]:
    fists = []
    for _ in range(2):
        kind = asked if asked in _HAND else str(random.choice(list(_HAND)))
        fists.append(float(random.uniform(*_HAND[kind])))
    return fists[0], fists[1]
