"""Where one published run lies among many runs of ours.

Shape letters: `m` runs of ours, `e` points of a curve. The points of a run are not independent: a run that is lucky at
first stays lucky. The share of a curve that lies within the band is therefore not compared with 90 %, but with the
shares of our own runs, each of which is left out once and compared with the band of the others.
"""

import itertools
from typing import NamedTuple

import numpy as np

BAND = (5, 50, 95)  # percentiles of the runs


class Place(NamedTuple):
    """Where a published curve lies."""

    inside: float  # share of its points within the band of our runs
    own: tuple[float, float, float]  # this share of our own runs, each against the others: 5th, 50th, 95th percentile
    rank: float  # share of the runs, ours and the published one, that have no more of their points inside
    difference: float  # from our median, mean over the points
    deviations: float  # the same in standard deviations of our runs' own mean differences
    points: int


def best_of(curves, k):
    """For each choice of k runs the one with the highest peak, `(m choose k, e)`; for k = 1 all runs as they are."""
    peaks = curves.max(axis=1)
    chosen = [max(some, key=lambda i: peaks[i]) for some in itertools.combinations(range(len(curves)), k)]
    return curves[chosen]


def inside(curves, one):
    """The share of the points of `one`, `(e,)`, from the 5th to the 95th percentile of `curves`, `(m, e)`."""
    low, _, high = np.percentile(curves, BAND, axis=0)
    return np.mean((low <= one) & (one <= high))


def left_out(curves, at, k=1):
    """The share inside of our own runs: the best of k runs in a row against the band of all others, for each such k."""
    shares = []
    for i in range(0, len(curves) - k + 1, k):
        own, others = curves[i : i + k], np.delete(curves, slice(i, i + k), axis=0)
        shares.append(inside(best_of(others, k)[:, at], best_of(own, k)[0, at]))
    return np.array(shares)


def place(curves, book, at, k=1):
    """Where the book's run lies.

    Args:
        curves: Ours, `(m, all epochs)`.
        book: The values of its run, `(e,)`.
        at: Which of our epochs these are, `(e,)`.
        k: The book's run is the best of k, by its peak.
    """
    runs = best_of(curves, k)[:, at]
    middle, share, own = np.median(runs, axis=0), inside(runs, book), left_out(curves, at, k)
    difference, spread = np.mean(book - middle), np.mean(runs - middle, axis=1).std(ddof=1)
    rank = (1 + np.sum(own <= share)) / (1 + len(own))
    return Place(share, tuple(np.percentile(own, BAND)), rank, difference, difference / spread, len(book))


def departures(curves, one):
    """How far `one` is from the median of `curves` at each point, in standard deviations of theirs there, `(e,)`."""
    return (one - np.median(curves, axis=0)) / curves.std(axis=0, ddof=1)
