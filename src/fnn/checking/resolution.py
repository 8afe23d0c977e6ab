"""How finely a function resolves its coordinates, measured: float64's last bit, or less where it computes in float32.

Moré and Wild (2011), "Estimating computational noise", is the source of the idea: along a short line a smooth function
is a polynomial of low degree; what is left over is its noise.
"""

from __future__ import annotations

import jax
import numpy as np

from fnn.checking.finite_differences import EPS
from fnn.checking.probes import Function

LADDER = [2.0**-k for k in (52, 49, 46, 43, 40, 37, 34, 31, 28, 25, 23, 20, 17, 14, 11)]  # 23: float32, 11: float16
STEPS = np.arange(1, 9)  # points on a line; not 0, where a function may have a tie
STRIDE = 32  # between two points, in units of the resolution that is tried
EVEN = 1 / 64  # of the change along the line; the most that may be left over
LINES = 2  # for every leaf


def resolution(function: Function) -> np.ndarray:
    """The smallest relative move of each coordinate to which the value responds evenly, `(P,)`, the same for a leaf.

    It is `EPS` where the function computes in float64, about 1e-7 where it computes in float32 inside.
    """
    flat, found, start = function.flat, np.full(function.flat.shape, EPS), 0
    rng = np.random.default_rng(0)
    for leaf in jax.tree.leaves(function.tree):
        part = slice(start, start := start + leaf.size)
        lines = np.zeros((LINES, flat.size))
        lines[:, part] = flat[part] * rng.choice([-1.0, 1.0], (LINES, leaf.size))
        found[part] = _along_lines(function, lines) if lines.any() else EPS
    return found


def _along_lines(function: Function, lines: np.ndarray) -> float:
    which, steps = np.repeat(np.arange(LINES), len(STEPS)), np.tile(STEPS, LINES)
    change = last_bit = np.zeros(LINES)
    for step in LADDER:
        values = function.along(lines, which, STRIDE * step * steps).reshape(LINES, -1)
        last_bit, change = 4 * EPS * np.abs(values).max(), np.ptp(values, axis=1)
        left_over = values - _parabolas(values)
        even = (change > last_bit) & (np.abs(left_over).max(axis=1) <= EVEN * change + last_bit)
        if even.any():
            # float64 would have responded on the shorter lines before
            coarse = step > LADDER[0] and (change[even] / 8 > last_bit).all()
            return step if coarse else EPS
    return EPS if (change <= last_bit).all() else LADDER[-1]


def _parabolas(values: np.ndarray) -> np.ndarray:
    """The parabola nearest to each row."""
    basis = np.vander(STEPS, 3)
    return (basis @ np.linalg.lstsq(basis, values.T, rcond=None)[0]).T
