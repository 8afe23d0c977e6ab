"""The page NIELSEN_CURVES.md: where every curve of the book lies."""

from experiments.nielsen import chance_deviations, other_conventions, shared_seeds
from experiments.nielsen.bands import place
from experiments.nielsen.chance_deviations import RARE
from experiments.nielsen.training import CURVES, FIGURES, LABELS, compared, described, kept

HEAD = """# The curves of Nielsen's book

Made by `python -m experiments.nielsen.curves`; never edited by hand. The book's curves are single runs. Each was
trained again with many seeds (starts and orders of the mini-batches), and measured by the book's own conventions. In
the pictures, a line is the median of our runs, the band goes from the 5th to the 95th percentile, marks are the book.

- *inside*: the share of the book's points that lie within our band.
- *our own*: the same share for our own runs, each left out once and held against the band of the others: median (5th to
  95th percentile). On average it is below 90 %, and it is wide: a run that is lucky at first stays lucky. The band
  without a run is a little narrower than that of all, which is the book's.
- *rank*: the share of all runs, ours and the book's, that have no more of their points inside; at most {rare:.0%} is
  called a **deviation**, which takes at least 19 runs of ours to find, 57 where the book shows the best of
  three.
- *difference*: the book minus our median, mean over the points; of error norms, which span decades, their natural
  logarithms. In brackets: in standard deviations of this number among our runs.
"""


def page(settings, folder):
    """The page, of all that is kept in the folder; its pictures are beside it, in `nielsen_curves`."""
    found = {name: results for name, setting in settings.items() if (results := kept(setting, folder))}
    parts = [HEAD.format(rare=RARE)]
    for figure, names in FIGURES.items():
        if there := [name for name in names if name in found]:
            parts.append(f"## {figure}\n\n![{figure}](nielsen_curves/{figure}.png)\n")
            parts.append("\n".join(f"- {_described(settings[name], found[name])}" for name in there) + "\n")
            parts.append(_table(HEADING, [row for name in there for row in rows(name, settings[name], found[name])]))
    for chapter in (chance_deviations, shared_seeds, other_conventions):
        if lines := list(chapter.rows(settings, found)):
            parts += [chapter.HEAD, _table(chapter.HEADING, lines)]
    return "\n".join(parts)


HEADING = ("training", "what", "points", "inside", "our own", "rank", "difference")


def rows(name, setting, found):
    """One row per curve of a training."""
    for curve in CURVES[name]:
        p = place(*compared(setting, found, curve), setting.best_of)
        low, middle, high = p.own
        rank = f"{p.rank:.0%}" if p.rank > RARE else f"**{p.rank:.0%}, deviation**"
        own, difference = f"{middle:.0%} ({low:.0%} to {high:.0%})", f"{p.difference:+.3g} ({p.deviations:+.1f})"
        yield name, described(curve), p.points, f"{p.inside:.0%}", own, rank, difference


def _described(setting, found):
    """A training in one line."""
    net, seeds = ", ".join(map(str, setting.sizes)), len(next(iter(found.values())))
    start = {"large": "N(0, 1)", "scaled": "N(0, 1/n_in)"}[setting.start]
    best = f"; the book shows the best of {setting.best_of} runs, as we do of ours" if setting.best_of > 1 else ""
    return (
        f"`{setting.name}` ({LABELS[setting.name]}): [{net}], {setting.cost}, W from {start}, η {setting.eta:g}, "
        f"λ {setting.lmbda:g} (in fnn {setting.lmbda / setting.n_train:g}), {setting.n_train:,} images in "
        f"mini-batches of {setting.batch_size:,}, {setting.epochs} epochs; {seeds} seeds{best}"
    )


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"
