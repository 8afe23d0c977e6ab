"""The sample of coordinates that get a finite difference, where there are too many for each to have one."""

import math

import numpy as np

from fnn.types import Shape


def sample(shapes: list[Shape], budget: int) -> np.ndarray:
    """The numbers of at most `budget` coordinates of arrays laid end to end, ascending.

    All coordinates are taken if they are few enough. Otherwise the same number is drawn, without replacement, from
    every unit: a row along the last axis of an array, or an entry of a bias. A unit with fewer gives all it has.
    """
    sizes = [math.prod(shape) for shape in shapes]
    if sum(sizes) <= budget:
        return np.arange(sum(sizes))
    rng, starts = np.random.default_rng(0), np.cumsum([0, *sizes[:-1]])
    rows = [(math.prod(shape[:-1]), shape[-1]) if len(shape) > 1 else (math.prod(shape), 1) for shape in shapes]
    share = per_row(rows, budget)
    if not share:  # more rows than differences
        return np.sort(rng.choice(sum(sizes), budget, replace=False))
    return np.concatenate([start + _rows(rng, *row, share) for start, row in zip(starts, rows, strict=True)])


def per_row(rows: list[tuple[int, int]], budget: int) -> int:
    """The largest share of a row for which `Σ count · min(width, share)` over `(count, width)` is within the budget."""
    widest = max(width for _, width in rows)
    shares = np.arange(widest + 1)
    totals = np.sum([count * np.minimum(width, shares) for count, width in rows], axis=0)
    return int(np.nonzero(totals <= budget)[0][-1])


def _rows(rng: np.random.Generator, count: int, width: int, share: int) -> np.ndarray:
    """`share` sorted columns of each row, as numbers within the array."""
    columns = np.sort(np.argsort(rng.random((count, width)), axis=1)[:, :share], axis=1)
    return (np.arange(count)[:, None] * width + columns).ravel()
