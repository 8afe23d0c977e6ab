"""Pictures of the book's curves: its run as marks, our median as a line, our 5th to 95th percentile as a band."""

import numpy as np
from nielsen_bands import BAND, best_of
from nielsen_training import CURVES, LABELS, described, in_common, ours

from fnn import plots

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
            panels.setdefault(_panel(name, curve), []).append((_line(name, curve), settings[name], results, curve))
    columns = len(panels) if len(panels) < 4 else 2
    rows = -(-len(panels) // columns)
    fig = plots.figure(6.4 if columns == 1 else 4.4 * columns, 0.9 + 3.5 * rows)
    for axes, ((title, _), lines) in zip(fig.subplots(rows, columns, squeeze=False).flat, panels.items(), strict=True):
        axes.set_title(title, fontsize="medium")
        for i, line in enumerate(lines):
            _draw(axes, i, *line)
    handles, labels = max(fig.axes, key=lambda axes: len(axes.lines)).get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(handles) // 2, frameon=False, fontsize="small")
    fig.suptitle(f"{figure}: median and 5-95 % of our runs, and the book's run", fontsize="medium")
    plots.write(fig, path)


def _panel(name, curve):
    """Which lines are drawn together, and the title."""
    if curve["measure"].startswith("error norm"):
        return LABELS[name], "norms"
    return described(curve), ""


def _line(name, curve):
    return curve["measure"].removeprefix("error norm of ") if curve["measure"].startswith("error") else LABELS[name]


def _draw(axes, i, label, setting, results, curve):
    """One training: band, median, and the book's run."""
    all_runs = ours(setting, results, curve)
    low, middle, high = np.percentile(best_of(all_runs, setting.best_of), BAND, axis=0)
    what = f"{len(all_runs)} seeds" if setting.best_of == 1 else f"best of {setting.best_of} of {len(all_runs)} seeds"
    axes.fill_between(setting.measured, low, high, color=plots.PALETTE[i], alpha=0.25, lw=0)
    axes.plot(setting.measured, middle, plots.DASHES[i], color=plots.PALETTE[i], lw=1.8, label=f"{label}, {what}")
    at, values = in_common(setting, curve)
    joined = 0.6 if len(at) > 10 else 0  # chapter 1 prints the first and the last three epochs alone
    axes.plot(setting.measured[at], values, color="black", lw=joined, marker=MARKS[i], ms=3.5, mfc="white", mew=0.7,
              markevery=max(1, len(at) // MARKED), label=f"{label}, the book's run")  # fmt: skip
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
