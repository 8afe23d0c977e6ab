"""Data sets that need no file: truth tables, and points drawn from a seed.

The random numbers are made here from the raw bits of PCG64. NumPy promises never to change these, so a set is the same
under every version.
"""

import math

import numpy as np

from fnn.data.dataset import Raw
from fnn.errors import InputError

TRUTH_TABLES = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "nand": (1, 1, 1, 0), "xor": (0, 1, 1, 0)}  # for 00 01 10 11
SIZE, NOISE = 1000, 0.1  # the defaults of `size` and `noise`
MOST_POINTS = 10**7
MOST_NOISE = 1e30  # far above it the points are beyond float32


def truth_table(name: str) -> Raw:
    """The four rows 00, 01, 10, 11 of a gate; its classes are `0` and `1`."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8)
    return Raw(x, np.array(TRUTH_TABLES[name]), ("0", "1"))


def generate(name: str, size: int, noise: float, seed: int) -> Raw:
    """Points of `moons`, `spirals` or `sine`.

    Args:
        name: Which of the three.
        size: The number of points; 0 for 1,000.
        noise: Standard deviation of the normal noise, in the units of the curve.
        seed: Decides every point.
    """
    size = size or SIZE
    if not 2 <= size <= MOST_POINTS:
        raise InputError(f"size = {size}: expected from 2 to {MOST_POINTS:,} points")
    if not 0 <= noise <= MOST_NOISE:
        raise InputError(f"noise = {noise}: expected a standard deviation, 0 or more and at most {MOST_NOISE:g}")
    shape = {"moons": _moons, "spirals": _spirals, "sine": _sine}[name]
    return shape(size, noise, np.random.PCG64(seed))


def _moons(n: int, noise: float, bits: np.random.PCG64) -> Raw:
    """Two half circles of radius 1, the second one upside down and hooked into the first."""
    t, k = math.pi * _uniform(n, bits), np.arange(n) % 2
    points = np.where(k == 0, (np.cos(t), np.sin(t)), (1 - np.cos(t), 0.5 - np.sin(t)))
    return _noisy_classes(points, k, noise, bits)


def _spirals(n: int, noise: float, bits: np.random.PCG64) -> Raw:
    """Two arms of one and a half turns out to radius 3; neighbouring arms are 1 apart."""
    r, k = 3 * np.sqrt(_uniform(n, bits)), np.arange(n) % 2
    angle = math.pi * (r + k)
    return _noisy_classes(np.stack((r * np.cos(angle), r * np.sin(angle))), k, noise, bits)


def _sine(n: int, noise: float, bits: np.random.PCG64) -> Raw:
    """`y = sin x` plus noise, for `x` uniform in [-pi, pi]."""
    x = math.pi * (2 * _uniform(n, bits) - 1)
    y = np.sin(x) + noise * _normal(n, bits)
    return Raw(x[:, None].astype(np.float32), y[:, None].astype(np.float32), ())


def _noisy_classes(points: np.ndarray, k: np.ndarray, noise: float, bits: np.random.PCG64) -> Raw:
    x = points.T + noise * _normal(points.size, bits).reshape(-1, 2)
    return Raw(x.astype(np.float32), k, ("0", "1"))


def _uniform(n: int, bits: np.random.PCG64) -> np.ndarray:
    """`n` numbers in [0, 1)."""
    return (bits.random_raw(n) >> np.uint64(11)) * 2.0**-53


def _normal(n: int, bits: np.random.PCG64) -> np.ndarray:
    """`n` standard normal numbers, by Box and Muller."""
    radius = np.sqrt(-2 * np.log1p(-_uniform(n, bits)))
    return radius * np.cos(2 * math.pi * _uniform(n, bits))
