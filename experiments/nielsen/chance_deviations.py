"""How many curves of a book deviate by chance: each of our seeds takes the place of the book."""

import numpy as np

from experiments.nielsen.bands import left_out, place
from experiments.nielsen.training import CURVES, compared

RARE = 0.05  # a curve of this rank or less is called a deviation

HEAD = f"""## Deviations by chance

Among many curves some lie far out by chance, and those of one training together. Measured is how many: each of our
seeds is taken for a book in all its trainings, its curves ranked among all seeds; at most {RARE:.0%} is a deviation.
Left out is what the book shows the best of three runs of.
"""
HEADING = ("curves", "seeds", "deviations of the book", "of a seed: mean", "most", "seeds with as many as the book")


def rows(settings, found):
    """One row for all trainings of which the book shows a single run and which have the largest number of seeds."""
    single = [name for name in CURVES if name in found and settings[name].best_of == 1]
    runs = {name: len(next(iter(found[name].values()))) for name in single}
    most = max(runs.values(), default=0)
    judged = [(settings[name], curve) for name in single if runs[name] == most for curve in CURVES[name]]
    if most * RARE < 1:
        return
    book, seeds = 0, np.zeros(most, int)
    for setting, curve in judged:
        curves, shown, at = compared(setting, found[setting.name], curve)
        own = left_out(curves, at)
        book += place(curves, shown, at).rank <= RARE
        seeds += np.array([np.mean(own <= share) for share in own]) <= RARE
    yield len(judged), most, book, f"{seeds.mean():.1f}", seeds.max(), f"{np.mean(seeds >= book):.0%}"
