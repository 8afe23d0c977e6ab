"""The book's programs fix the seed: two trainings that differ in λ alone share their luck, as ours with one seed do."""

import itertools

import numpy as np

from experiments.nielsen.bands import departures
from experiments.nielsen.training import CURVES, described, in_common, ours

HEAD = """## The same luck twice

The seed of the book's programs is fixed: its runs with and without penalty start alike and see their images in one
order, so they are not two witnesses: where one departs from the median, so does the other, until many updates have
parted them. Measured is the correlation, over the first 30 epochs, of how far two runs are from the medians (in
standard deviations of our runs): the book's two, ours with one seed, ours with different seeds (median, 5th to 95th
percentile).
"""
HEADING = ("trainings", "what", "the book's", "ours, one seed", "ours, different seeds")
FIRST = 30  # epochs
PAIRS = (("overfitting", "regularized"), ("overfitting_full", "regularized_full"))


def rows(settings, found):
    """One row for each curve of each pair that is there."""
    for pair in PAIRS:
        if not set(pair) <= set(found):
            continue
        for curves in zip(*(CURVES[name] for name in pair), strict=True):
            (a, book_a), (b, book_b) = (
                _departures(settings[name], found[name], curve) for name, curve in zip(pair, curves, strict=True)
            )
            same = [_correlation(*runs) for runs in zip(a, b, strict=True)]
            others = [_correlation(a[i], b[j]) for i, j in itertools.permutations(range(len(a)), 2)]
            book = f"{_correlation(book_a, book_b):.2f}"
            yield " and ".join(pair), described(curves[0]), book, _spread(same), _spread(others)


def _departures(setting, found, curve):
    """Of each of our runs and of the book's, over the first epochs, `(m, e)` and `(e,)`."""
    at, book = in_common(setting, curve)
    runs = ours(setting, found, curve)[:, at[:FIRST]]
    return np.stack([departures(runs, run) for run in runs]), departures(runs, book[:FIRST])


def _correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


def _spread(values):
    low, middle, high = np.percentile(values, (5, 50, 95))
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
