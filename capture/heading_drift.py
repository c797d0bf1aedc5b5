"""How fast sensors' headings drift apart, told by how the take's own directions smear.

Without a magnetometer a sensor's heading drifts steadily, some degrees a minute. What all sensors share
can't be seen; what each drifts against the waist can: the neck keeps turning about the waist's heading,
and forearms keep coming back to the directions in which people (the tables of `facing`) and this performer
hold them. The rate is the one under which the take's directions are likeliest.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from .facing import N_AZIMUTH, Seen, azimuth_columns, directions_seen, log_tables

__all__ = ["estimate_heading_drift", "without_heading_drift"]

LARGEST = np.radians(20.0) / 60.0  # rad/s that is looked for
USUAL = np.radians(6.0) / 60.0  # rad/s, standard deviation of rates before anything is seen
SHORTEST = 30.0  # seconds; a shorter take says nothing about drift
OWN = 0.7  # how much of the expected directions are the take's own
CORRELATED = 3.0  # seconds; directions closer in time are one observation
NECK_TURN = np.radians(12.0)  # by which the neck turns against the waist, standard deviation
_UP = np.array([0.0, 0.0, 1.0])
_RATES = np.linspace(-LARGEST, LARGEST, 41)
# Bins are ten degrees wide; shifted ones beside them tell drifts that stay within one.
_DITHER = np.radians([-3.75, -1.25, 1.25, 3.75])
_LEFT, _RIGHT, _NECK = 1, 2, 3


def estimate_heading_drift(
    times: Array, bones: Array, pause: Callable[[], object] = lambda: None
) -> Array:
    """Rates (4,) at which each sensor's heading drifts against the waist's, rad/s; the waist's is zero.

    Args:
        times: (T,) seconds since the calibration, when all headings agreed.
        bones: (T, 4, 4) world_from_bone in `PLACEMENTS` order.
        pause: called every millisecond or so of work, to let others work where they wait.
    """
    heard = np.flatnonzero(~np.isnan(bones).any(axis=(1, 2)))
    if len(heard) == 0 or times[heard[-1]] - times[heard[0]] < SHORTEST:
        return np.zeros(4)
    step = max(1, int(len(heard) / (10.0 * (times[heard[-1]] - times[heard[0]]))))
    chosen = heard[::step]  # ten a second are plenty
    times, bones = times[chosen], bones[chosen]
    independent = (times[-1] - times[0]) / CORRELATED / len(times)
    prior = -0.5 * (_RATES / USUAL) ** 2
    rates = np.zeros(4)
    for sensor in (_LEFT, _RIGHT):
        seen = directions_seen(bones, sensor)
        scores = _over_rates(partial(_arm_likelihood, times, seen), pause)
        rates[sensor] = _peak(independent * scores + prior)
    turn = _turn_from_waist(bones)
    robust = _over_rates(partial(_neck_likelihood, times, turn), pause)
    rates[_NECK] = _peak(independent * robust + prior)
    return rates


def _over_rates(likelihood: Callable[[float], float], pause: Callable[[], object]) -> Array:
    """The likelihood of every rate that is looked at."""
    found = np.empty(len(_RATES))
    for row, rate in enumerate(_RATES):
        found[row] = likelihood(rate)
        pause()
    return found


def without_heading_drift(
    times: Array, rates: Array, turns: Array, vectors: Array
) -> tuple[Array, Array]:
    """Turn every sensor's world back by what it has drifted.

    Args:
        times: (T,) seconds since headings agreed.
        rates: (S,) rad/s.
        turns: (T, S, 4) world_from_sensor or world_from_bone.
        vectors: (T, S, 3) in the world, as accelerations are.
    """
    back = quaternion.from_axis_angle(_UP, -times[:, None] * rates)
    return quaternion.multiply(back, turns), quaternion.rotate(back, vectors)


def _turn_from_waist(bones: Array) -> Array:
    """(T,) radians by which the neck's heading is turned against the waist's."""
    heading = quaternion.swing_twist(bones[:, [0, _NECK]], _UP)[1]
    turn = quaternion.multiply(quaternion.conjugate(heading[:, 0]), heading[:, 1])
    result: Array = 2.0 * np.arctan2(turn[:, 3], turn[:, 0])
    return result


def _neck_likelihood(times: Array, turn: Array, rate: float) -> float:
    """Log-likelihood of the neck's turn (T,) if it drifts; a look aside counts little (Cauchy)."""
    turned = turn - rate * times
    middle = np.angle(np.exp(1j * turned).mean())  # performers hold themselves askew, but steadily
    away = np.angle(np.exp(1j * (turned - middle)))
    centre = middle + np.median(away)
    away = np.angle(np.exp(1j * (turned - centre)))
    return float(-np.log1p((away / NECK_TURN) ** 2).sum() - len(turn) * _askew(centre))


def _askew(angle: float) -> float:
    wrapped = np.angle(np.exp(1j * angle))
    return float(0.02 * (wrapped / NECK_TURN) ** 2)


def _arm_likelihood(times: Array, seen: Sequence[Seen], rate: float) -> float:
    """Log-likelihood of a forearm's directions if its heading drifts at `rate`."""
    total = 0.0
    for shift in _DITHER:
        back = (shift - times * rate) / (2.0 * np.pi)
        for table, height, azimuth, mirrored in seen:
            turned = azimuth - back if mirrored else azimuth + back
            rows = height * N_AZIMUTH + azimuth_columns(turned)
            people = np.exp(log_tables()[table])
            own = np.bincount(rows, minlength=len(people)).astype(np.float64)
            # Without itself, each observation leaves the others to say where the performer's arm is.
            others = np.maximum(own[rows] - 1.0, 0.0) / max(len(rows) - 1, 1)
            total += float(np.log((1.0 - OWN) * people[rows] + OWN * others).sum())
    return total / len(_DITHER)


def _peak(scores: Array) -> float:
    """The rate at the highest score, refined by a parabola."""
    best = int(np.argmax(scores))
    if best in (0, len(scores) - 1):
        return float(_RATES[best])
    left, here, right = scores[best - 1 : best + 2]
    curvature = left - 2.0 * here + right
    shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    return float(_RATES[best] + shift * (_RATES[1] - _RATES[0]))
