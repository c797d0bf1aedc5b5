"""What a person looks like: drawn once, as plain values, before anything is built."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from ...rig.bodies import Body
from .cloth import Cut
from .hats import HATS, SWIM_CAP
from .head import HAIR_CUTS
from .props import PROPS

__all__ = ["Look", "draw_look"]

# Mostly worn by women, by men, by children: chances of each cut of hair.
_HAIR: Final = {
    "female": (0.02, 0.06, 0.16, 0.2, 0.16, 0.16, 0.24),
    "male": (0.14, 0.26, 0.36, 0.16, 0.02, 0.02, 0.04),
}
_SKIRTS: Final = {"female": 0.3, "male": 0.01}  # shares of people
_LONGEST: Final = (
    1.25  # of skirts, in the middle of the calves: longer ones are torn by wide strides
)
_HATS: Final = 0.2
_HOLDING: Final = 0.2
_SPORTS: Final = 0.4  # share of those dressed for sports where both are drawn
_BARE: Final = 0.6  # of them, share of men whose chest is bare ...
_BAREFOOT: Final = 0.6
_SWIM_CAPS: Final = 0.35
_GROWN: Final = 18.0  # years
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
        top: what covers the trunk; None for a bare chest.
        bottom: what covers the legs.
        collar: metres, how high the shoes reach; 0 for bare feet.
        hands: how far the left and the right fist is closed, 0 to 1.
        skirt: how far one reaches down, 1 at the knees, 2 at the ankles; 0 for none.
        flare: metres that the skirt grows wider on every metre down.
        hat: of `HATS`, a swimming cap, or none.
        held: a thing of `PROPS`, or none.
        holds: the hand that holds it, "Left" or "Right".
    """

    tone: int
    hair: str
    fullness: float
    grey: bool
    stubble: float
    top: Cut | None
    bottom: Cut
    collar: float
    hands: tuple[float, float]
    skirt: float = 0.0
    flare: float = 0.0
    hat: str = ""
    held: str = ""
    holds: str = "Left"

    @property
    def plain(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return asdict(self)


def draw_look(
    random: np.random.Generator,
    body: Body,
    *,
    hands: str = "drawn",
    hair: bool = True,
    props: bool = True,
    clothes: str = "street",
) -> Look:
    """Draw a look that suits the body's sex and age.

    Args:
        random: what it is drawn from.
        body: whose look.
        hands: "open", "closed", or "drawn" for any of both and between.
        hair: whether there is hair at all.
        props: whether some hold a thing in a hand.
        clothes: "street", "sports" (as in a gym or a movement laboratory), or "any" of both.
    """
    sex, years = str(body.phenotype["sex"]), float(body.phenotype["years"])
    chances = np.array(_HAIR[sex])
    if years < 16:
        chances[0] = 0.0
    cut = str(random.choice(HAIR_CUTS, p=chances / chances.sum())) if hair else "bald"
    bearded = sex == "male" and years > 17 and random.uniform() < 0.45
    look = Look(
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
    look = _skirted(random, look) if random.uniform() < _SKIRTS[sex] else look
    look = _hatted(random, look) if hair and random.uniform() < _HATS else look
    if clothes == "sports" or (clothes == "any" and random.uniform() < _SPORTS):
        look = _sporty(random, look, bare=sex == "male" and years >= _GROWN, hair=hair)
    return _holding(random, look) if props and random.uniform() < _HOLDING else look


def _skirted(random: np.random.Generator, look: Look) -> Look:
    """A skirt over short tights or long ones."""
    legs = float(random.choice([0.25, 0.25, 1.85]))
    tights = replace(look.bottom, legs=legs, thickness=0.0035, loose=0.0)
    length = float(random.uniform(0.45, _LONGEST))
    # What is long must be wide to walk in.
    flare = float(random.uniform(0.05, 0.45)) + 0.1 * max(length - 0.9, 0.0)
    return replace(look, bottom=tights, skirt=length, flare=flare)


def _hatted(random: np.random.Generator, look: Look) -> Look:
    """A hat, over hair that has room under it."""
    under = {"full": "short", "bun": "short"}.get(look.hair, look.hair)
    return replace(look, hat=str(random.choice(HATS)), hair=under, fullness=0.2 * look.fullness)


def _sporty(random: np.random.Generator, look: Look, *, bare: bool, hair: bool) -> Look:
    """Little and tight, often barefoot, some in swimming caps; `bare` where the chest may be."""
    waist, thickness = float(random.uniform(0.12, 0.26)), 0.0035
    legs = float(random.uniform(0.2, 0.85) if random.uniform() < 0.75 else random.uniform(1.2, 1.9))
    hem = float(random.choice([random.uniform(0.24, 0.38), random.uniform(0.0, 0.16)]))
    sleeves = float(random.choice([0.0, random.uniform(0.25, 0.6)]))
    top = Cut(True, sleeves, hem, float(random.uniform(0.0, 0.04)), thickness=thickness, loose=0.0)
    swims = hair and random.uniform() < _SWIM_CAPS
    return replace(
        look,
        top=None if bare and random.uniform() < _BARE else top,
        bottom=Cut(False, waist=waist, legs=legs, thickness=thickness, loose=0.0),
        collar=0.0 if random.uniform() < _BAREFOOT else look.collar,
        skirt=0.0,
        hat=SWIM_CAP if swims else "",
        hair="bald" if swims else look.hair,
    )


def _holding(random: np.random.Generator, look: Look) -> Look:
    """A thing in one hand, whose fingers are half closed."""
    side = int(random.integers(2))
    fists = [*look.hands]
    fists[side] = float(random.uniform(0.55, 0.8))
    held = str(random.choice(list(PROPS)))
    return replace(look, held=held, holds=("Left", "Right")[side], hands=(fists[0], fists[1]))


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
