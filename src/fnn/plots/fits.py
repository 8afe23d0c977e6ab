"""The picture of a net for quantities: its curve over the points, or what it predicts against what is desired."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fnn.plots.curves import COLOURS, figure, legend_above, write

MOST_PANELS = 6


class Part(NamedTuple):
    """Examples of a part of the data in the user's units."""

    name: str  # train, validation or test
    said: str  # the name in the legend
    x: np.ndarray  # (n, ...), the inputs
    y: np.ndarray  # (n, n_out), desired
    a: np.ndarray  # (n, n_out), predicted


def curve(
    parts: Sequence[Part], net: Part, x_name: str, names: Sequence[str], path: str | os.PathLike[str], title: str
) -> None:
    """Draw the outputs over their one input, over the points of the parts; a panel for each output.

    Args:
        parts: The points, the training points first.
        net: What is predicted, `a`, for inputs `x` in rising order.
        x_name: The name of the input.
        names: Of the outputs.
        path: The PNG to write.
        title: The picture's title.

    Raises:
        ImportError: matplotlib is not installed.
    """
    shown = names[:MOST_PANELS]
    fig = figure(6.4, 0.8 + 3.4 * len(shown))
    fig.suptitle(title, fontsize="medium")
    for k, axes in enumerate(fig.subplots(len(shown), 1, squeeze=False)[:, 0]):
        for part in parts:
            _points(axes, part, part.x.ravel(), part.y[:, k])
        axes.plot(net.x.ravel(), net.a[:, k], color="black", lw=1.8, label=net.said)
        _named(axes, x_name, shown[k])
    _legend(fig, len(shown))
    write(fig, path)


def predictions(parts: Sequence[Part], names: Sequence[str], path: str | os.PathLike[str], title: str) -> None:
    """Draw what is predicted against what is desired, a panel for each output; on the line they are equal.

    Args:
        parts: The examples, the training examples first.
        names: Of the outputs.
        path: The PNG to write.
        title: The picture's title.

    Raises:
        ImportError: matplotlib is not installed.
    """
    shown = names[:MOST_PANELS]
    columns = {1: 1, 2: 2, 4: 2}.get(len(shown), 3)
    fig = figure(max(5.0, 3.8 * columns), 0.6 + 3.9 * -(-len(shown) // columns))
    fig.suptitle(title, fontsize="medium")
    panels = fig.subplots(-(-len(shown) // columns), columns, squeeze=False).flat
    for k, axes in enumerate(panels):
        if k >= len(shown):
            axes.set_axis_off()
            continue
        ends = [edge(part.y[:, k].tolist()) for part in parts for edge in (min, max)]
        axes.plot(*[(min(ends), max(ends))] * 2, color="black", lw=1.0, label="predicted = desired")
        for part in parts:
            _points(axes, part, part.y[:, k], part.a[:, k])
        _named(axes, f"{shown[k]}, desired", f"{shown[k]}, predicted")
    _legend(fig, len(shown))
    write(fig, path)


def _named(axes: Any, across: str, up: str) -> None:
    """Name the axes, with plain numbers at few ticks: prices in full are wide. Draw a grid."""
    axes.set(xlabel=across, ylabel=up)
    axes.locator_params(nbins=6)
    axes.locator_params("x", nbins=4)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:,.10g}")
    axes.grid(alpha=0.3)


def _legend(fig: Any, panels: int) -> None:
    """A legend above the one panel; below several, which all have the same, since there is no room above each."""
    if panels == 1:
        legend_above(fig.axes[0], 3)
    else:
        named = fig.axes[0].get_legend_handles_labels()
        fig.legend(*named, loc="outside lower center", ncols=3, frameon=False, fontsize="small")


def _points(axes: Any, part: Part, x: np.ndarray, y: np.ndarray) -> None:
    """Dots: light ones for the training examples, which are many, and on which a net may be better than it is."""
    light = part.name == "train"
    style = {"marker": "." if light else "o", "alpha": 0.35 if light else 0.8, "ms": 4, "mew": 0, "ls": ""}
    axes.plot(x, y, color=COLOURS[part.name], label=part.said, **style)
