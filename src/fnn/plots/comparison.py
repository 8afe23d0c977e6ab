"""The picture of two trainings side by side, by hand and by automatic differentiation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnn.checking.comparison import Comparison
from fnn.plots import curves
from fnn.plots.monitors import STYLES

PANELS = {"gradient": "gradients at one point", "params": "parameters of the two trainings"}
ROUNDING = 2.0**-24  # one rounding of float32, relative


def gaps(epochs: Sequence[Comparison], names: Sequence[str], path: str | os.PathLike[str], title: str) -> None:
    """Draw how far gradients and parameters are apart in each layer, over the epochs, with one logarithmic axis.

    What is equal bit for bit is drawn at the lower end of the axis, which is then called 0; nan is left out.

    Args:
        epochs: What `fnn.checking.comparison.compare` yields, at least one epoch.
        names: The name of each layer of the net, first to last.
        path: The PNG to write.
        title: The picture's title.

    Raises:
        ImportError: matplotlib is not installed.
    """
    fig = curves.figure(9.6, 4.2)
    fig.suptitle(title)
    panels, lines = fig.subplots(1, 2, sharey=True), {}
    for axes, (quantity, said) in zip(panels, PANELS.items(), strict=True):
        lines |= _panel(axes, epochs, names, quantity)
        axes.set_title(said, fontsize="medium")
        curves.label_epochs(axes, "")
    panels[0].set_ylabel("largest difference / largest entry (no unit)")
    _log_scale(panels[0], epochs)
    shape = {"loc": "outside right upper", "frameon": False, "ncols": -(-len(lines) // 14)}
    fig.legend(list(lines.values()), list(lines), title="layer", **shape)
    curves.write(fig, path)


def _panel(axes: Any, epochs: Sequence[Comparison], names: Sequence[str], quantity: str) -> dict[str, Any]:
    """Draw one quantity, a curve for each layer; the drawn lines by their names."""
    lines, floor, at = {}, _floor(epochs), [epoch.backprop.epoch for epoch in epochs]
    for i, row in enumerate(epochs[0].differences):
        values = np.array([getattr(epoch.differences[i], quantity) for epoch in epochs])
        style, colour = STYLES[i % len(STYLES)], curves.PALETTE[i % len(curves.PALETTE)]
        lines[names[row.layer]] = curves.curve(axes, at, np.where(values == 0, floor, values), style, colour)
    rounding = axes.axhline(ROUNDING, color="0.5", lw=0.8)
    return lines | {"(one rounding of float32)": rounding}


def _numbers(epochs: Sequence[Comparison]) -> np.ndarray:
    return np.array([(row.gradient, row.params) for epoch in epochs for row in epoch.differences])


def _floor(epochs: Sequence[Comparison]) -> float:
    """A power of ten below all other numbers, where 0 is drawn."""
    numbers = _numbers(epochs)
    least = np.min(numbers, where=np.isfinite(numbers) & (numbers > 0), initial=ROUNDING)
    return 10.0 ** np.floor(np.log10(least))


def _log_scale(axes: Any, epochs: Sequence[Comparison]) -> None:
    floor, has_0 = _floor(epochs), (_numbers(epochs) == 0).any()
    curves.log_scale(axes)
    axes.set_ylim(bottom=floor / (1.5 if has_0 else 1))
    if has_0:
        axes.yaxis.set_major_formatter(lambda y, _: "0, equal" if y < 1.5 * floor else f"{y:g}")
