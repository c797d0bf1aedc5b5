"""Chance: every draw comes from the seed and from where it is needed, never from what was drawn before."""

import zlib

import numpy as np

__all__ = ["between", "generator", "whole_between"]


def generator(seed: int, *place: int | str) -> np.random.Generator:
    """A random generator of its own for one place, as `generator(7, "clip", 12, "camera")`.

    The same place gives the same numbers on every machine, whatever else was drawn.
    """
    key = tuple(zlib.crc32(p.encode()) if isinstance(p, str) else p for p in place)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def between(random: np.random.Generator, span: tuple[float, float]) -> float:
    """A number between two."""
    return float(random.uniform(*span))


def whole_between(random: np.random.Generator, span: tuple[float, float]) -> int:
    """A whole number between two, both included."""
    return int(random.integers(int(span[0]), int(span[1]) + 1))
