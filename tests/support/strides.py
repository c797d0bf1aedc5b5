"""A walker whose steps are known."""

import numpy as np

from pallas.rig.gait import GaitPoints

CYCLE, STANCE, STRIDE = 1.1, 0.62, 1.4  # seconds, share, metres
FIRST = np.array([0.35, 0.9])  # seconds of the first strike, left and right


def feet(times, first):
    """(T,) metres that a foot is ahead of the pelvis: back at walking speed, then forward smoothly."""
    part = np.mod((times - first) / CYCLE, 1.0)
    reach = 0.5 * STRIDE * STANCE
    swing = np.clip((part - STANCE) / (1.0 - STANCE), 0.0, 1.0)
    back = reach * (1.0 - 2.0 * part / STANCE)
    return np.where(part < STANCE, back, -reach * np.cos(np.pi * swing))


def walk(fps=100.0, seconds=6.0, *, treadmill=False, start=0.0):
    """Along x, left is +y."""
    times = start + np.arange(round(seconds * fps)) / fps
    on = 0.0 if treadmill else STRIDE / CYCLE
    pelvis = np.stack([on * times, 0.0 * times, 0.0 * times + 1.0], axis=1)
    heels = np.repeat(pelvis[:, None], 2, axis=1)
    for side, across in ((0, 0.1), (1, -0.1)):
        heels[:, side] += np.stack(
            [feet(times, FIRST[side]), across + 0 * times, 0 * times - 0.95], axis=1
        )
    return GaitPoints(pelvis, heels, heels + np.array([0.2, 0.0, -0.02]), fps, start)
