"""The picture of a monitored training: a panel for each of its quantities, a curve for each layer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fnn.plots import curves

PANELS = {
    "dead": "dead units (%)",
    "saturated": "saturated entries (%)",
    "delta": "‖δ‖ of an example",
    "update": "‖ΔW‖/‖W‖ of a step",
    "coherence": "sign coherence of ∂C/∂W, 0 to 1",
}
# There are as many styles as colours, so that each of seven layers has its own style and its own colour.
STYLES = (*curves.DASHES, (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)), (0, (1, 3)))


def monitor(metrics: Sequence[dict[str, Any]], names: Sequence[str], path: str | os.PathLike[str], title: str) -> None:
    """Draw every quantity over the epochs; a layer has a curve where the quantity applies.

    Args:
        metrics: The lines of `metrics.jsonl`, each with `monitor`.
        names: The names of the layers, first to last.
        path: The PNG to write.
        title: The picture's title, the run's name.

    Raises:
        ImportError: matplotlib is not installed.
    """
    fig = curves.figure(11.4, 6.2)
    fig.suptitle(title)
    *panels, last = fig.subplots(2, 3).flat
    lines: dict[str, Any] = {}
    for axes, (quantity, label) in zip(panels, PANELS.items(), strict=True):
        lines |= _panel(axes, metrics, names, quantity)
        curves.label_epochs(axes, label)
    last.axis("off")
    shown = [name for name in names if name in lines]
    columns = -(-len(shown) // 14)
    last.legend([lines[name] for name in shown], shown, title="layer", loc="center", frameon=False, ncols=columns)
    curves.write(fig, path)


def _panel(axes: Any, metrics: Sequence[dict[str, Any]], names: Sequence[str], quantity: str) -> dict[str, Any]:
    """Draw one quantity; the drawn lines by the names of the layers."""
    factor, lines = 100 if quantity in ("dead", "saturated") else 1, {}
    for i, name in enumerate(names):
        values = factor * np.array([line["monitor"][i].get(quantity) for line in metrics], float)  # None becomes nan
        if np.isfinite(values).any():
            colour, style = curves.PALETTE[i % len(curves.PALETTE)], STYLES[i % len(STYLES)]
            epochs = [line["epoch"] for line in metrics]
            lines[name] = curves.curve(axes, epochs, values, style, colour)
    if quantity in ("delta", "update") and all(np.nanmin(line.get_ydata()) > 0 for line in lines.values()):
        curves.log_scale(axes)
    elif quantity == "coherence":
        axes.set_ylim(-0.03, 1.03)
    else:
        top = max(1, *axes.get_ylim())
        axes.set_ylim(-0.03 * top, top)  # so that a curve at 0 can be seen
    return lines
