"""The conventions behind the book's curves: each is read the other way, and compared with the same run of the book."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from experiments.nielsen.bands import best_of, inside
from experiments.nielsen.training import CURVES, UNPENALISED, described, in_book_units, in_common, ours

HEAD = """## The same curves by other conventions

How much of the book's run lies within our band if one convention is misread. What the band does not tell apart, the
book's run cannot decide.
"""
HEADING = ("training", "what", "the other way", "inside", "inside the other way")


class Trap(NamedTuple):
    """A curve of the book, and another reading of it."""

    name: str
    curve: int  # which curve of the training
    words: str
    runs: Callable  # (all results, setting, curve) -> our runs by the other reading, (m, all epochs)
    later: int = 0  # our epochs are read so many later
    best_of: int = 1


EARLIER = "the book's epoch 0 is our start, read one epoch earlier (its 92.7 % there, which no start has, is left out)"


def _penalty_over(examples):
    return lambda found, setting, curve: in_book_units(setting, found[setting.name], curve, examples)


def _of(name):
    return lambda found, setting, curve: ours(setting, found[name], curve)


def _same(found, setting, curve):
    return ours(setting, found[setting.name], curve)


TRAPS = (
    Trap("chapter1_30", 0, "one run, not the best of three", _same),
    Trap("weight_initialization_30_new", 0, "W from N(0, 1)", _of("weight_initialization_30_old")),
    Trap("weight_initialization_30_new", 0, EARLIER, _same, -1),
    Trap("multiple_eta_0.025", 0, "the cost without its penalty", _penalty_over(math.inf)),
    Trap("regularized", 2, "penalty divided by the 1,000 images trained on", _penalty_over(1_000)),
    Trap("regularized_full", 2, "penalty divided by the 50,000 images trained on", _penalty_over(50_000)),
    Trap("regularized_full", 3, "the cost without its penalty", _penalty_over(math.inf)),
    Trap("error_norms_2", 0, "measured after the update, not before", _same, 1),
    Trap("error_norms_2", 0, "λ = 0, as the text has it; the program has 5", _of(UNPENALISED.name)),
)


def rows(settings, found):
    """One row for every trap whose trainings are there."""
    for trap in TRAPS:
        setting, curve = settings[trap.name], CURVES[trap.name][trap.curve]
        try:
            others = trap.runs(found, setting, curve)
        except KeyError:  # not trained yet
            continue
        at, book = in_common(setting, curve)
        right = inside(best_of(_same(found, setting, curve), setting.best_of)[:, at], book)
        there = np.isin(at + trap.later, np.arange(others.shape[1]))
        wrong = inside(best_of(others, trap.best_of)[:, at[there] + trap.later], book[there])
        left = "" if there.all() else f" of {there.sum()} points"
        yield trap.name, described(curve), trap.words, f"{right:.0%}", f"{wrong:.0%}{left}"
