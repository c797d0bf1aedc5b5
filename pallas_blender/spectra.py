"""What a filter changed: in which curves most, and how much power is at each frequency."""

from typing import Final

import numpy as np

from ..rig.arrays import Array

__all__ = ["changed_most", "power_density"]

_SHORTEST: Final = 8  # frames, whose frequencies can be told


def changed_most(before: Array, after: Array) -> list[int]:
    """Curves (T, M, D) by how much of them was changed or bridged, the most first; none never seen."""
    change = np.where(np.isfinite(before) & np.isfinite(after), after - before, 0.0)
    size = np.sqrt((change**2).mean(axis=(0, 2))) if len(before) else np.zeros(before.shape[1])
    seen = np.isfinite(after).any(axis=(0, 2))
    order = np.argsort(-size, kind="stable")
    return [int(point) for point in order if seen[point]]


def power_density(times: Array, *curves: Array) -> tuple[Array, ...] | None:
    """Power spectral density over the longest stretch in which all curves are there.

    Args:
        times: (T,) seconds, evenly spaced.
        curves: (T, D) each; a straight line's part is left out.

    Returns:
        Frequencies (F,) in hertz, and for each curve (F, D) its unit squared per hertz; None where the
        stretch is too short to tell.
    """
    whole = np.isfinite(np.concatenate(curves, axis=1)).all(axis=1)
    edges = np.flatnonzero(np.diff(whole, prepend=False, append=False)).reshape(-1, 2).tolist()
    first, stop = max(edges, key=lambda edge: edge[1] - edge[0], default=(0, 0))
    if stop - first < _SHORTEST:
        return None
    fps = (stop - first - 1) / float(times[stop - 1] - times[first])
    frequencies = np.fft.rfftfreq(stop - first, 1.0 / fps)[1:]
    return frequencies, *(_density(values[first:stop], fps) for values in curves)


def _density(values: Array, fps: float) -> Array:
    count = len(values)
    line = np.vander(np.linspace(-1.0, 1.0, count), 2)
    window = np.hanning(count + 2)[1:-1, None]
    bare = window * (values - line @ np.linalg.lstsq(line, values, rcond=None)[0])
    power = np.abs(np.fft.rfft(bare, axis=0)) ** 2 * 2.0 / (fps * (window**2).sum())
    return np.asarray(power[1:])
