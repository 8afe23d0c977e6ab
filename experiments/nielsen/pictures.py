"""Pictures of the book's curves: its run as marks, our median as a line, our 5th to 95th percentile as a band."""

import numpy as np

from experiments.nielsen.bands import BAND, best_of
from experiments.nielsen.training import CURVES, LABELS, described, in_common, ours
from fnn.plots import curves

MARKS = "os^D"
DECADE = 10  # a curve that falls by more, and epochs beyond ten times this, are drawn on a logarithmic axis
MARKED = 30  # points of the book's run that get a mark; all of them are on its thin line


def draw(figure, settings, found, path):
    """One figure.

    Args:
        figure: Its name.
        settings: Of its trainings, by name.
        found: Their results, by name.
        path: The PNG to write.
    """
    panels = {}
    for name, results in found.items():
        for curve in CURVES[name]:
            title, *labels = _words(settings[name], curve, len(next(iter(results.values()))))
            panels.setdefault(title, []).append((labels, settings[name], results, curve))
    columns = len(panels) if len(panels) < 4 else 2
    rows = -(-len(panels) // columns)
    fig = curves.figure(6.4 if columns == 1 else 4.4 * columns, 0.9 + 3.5 * rows)
    for axes, (title, lines) in zip(fig.subplots(rows, columns, squeeze=False).flat, panels.items(), strict=True):
        axes.set_title(title, fontsize="medium")
        for i, line in enumerate(lines):
            _draw(axes, i, *line)
    handles, labels = max(fig.axes, key=lambda axes: len(axes.lines)).get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(handles) // 2, frameon=False, fontsize="small")
    fig.suptitle(f"{figure.replace('_', ' ')}: median and 5-95 % of our runs, and the book's run", fontsize="medium")
    curves.write(fig, path)


def _words(setting, curve, seeds):
    """The panel of a curve, and what the legend says of our runs and of the book's."""
    name = LABELS[setting.name]
    if curve["measure"].startswith("error norm"):
        layer = curve["measure"].removeprefix("error norm of ")
        return f"{name}, {seeds} seeds", layer, f"{layer}, the book's run"
    runs = f"{seeds} seeds" if setting.best_of == 1 else f"best of {setting.best_of} of {seeds} seeds"
    return described(curve), f"{name}, {runs}", f"{name}, the book's run"


def _draw(axes, i, labels, setting, results, curve):
    """One training: band, median, and the book's run."""
    runs = best_of(ours(setting, results, curve), setting.best_of)
    low, middle, high = np.percentile(runs, BAND, axis=0)
    axes.fill_between(setting.measured, low, high, color=curves.PALETTE[i], alpha=0.25, lw=0)
    axes.plot(setting.measured, middle, curves.DASHES[i], color=curves.PALETTE[i], lw=1.8, label=labels[0])
    at, values = in_common(setting, curve)
    joined = 0.6 if len(at) > 10 else 0  # chapter 1 prints the first and the last three epochs alone
    marks = {"marker": MARKS[i], "ms": 3.5, "mfc": "white", "mew": 0.7, "markevery": max(1, len(at) // MARKED)}
    axes.plot(setting.measured[at], values, color="black", lw=joined, label=labels[1], **marks)
    axes.set(xlabel="updates made" if 0 in setting.measured else "epoch", ylabel=_axis(curve))
    if curve["measure"] != "accuracy" and middle.max() > DECADE * middle.min():
        axes.set_yscale("log")
    if setting.measured[0] and setting.epochs > 10 * DECADE:
        axes.set_xscale("log")
    axes.grid(alpha=0.3)


def _axis(curve):
    if curve["measure"] == "accuracy":
        return "accuracy (%)"
    if curve["measure"] == "cost":
        return "cost with penalty (nats per example)"
    return "‖∂C/∂b‖ of the layer"
