"""The picture of a gradient check."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from fnn.checking import LeafReport, Report
from fnn.plots.curves import figure, whole_numbers, write

EQUAL, LIMIT = -18, 0  # log10 of the relative difference: no difference, and one as large as the number itself


def heat_map(report: Report, path: str | os.PathLike[str]) -> None:
    """Draw the relative difference between the gradient under test and autodiff's, a panel per leaf, into a file.

    Where there is no autodiff, it is the difference to finite differences; where there are none either, it is white. A
    row of a layer's weights is a unit, a column one of its inputs. Colours are log10 from -18 (equal) to 0, the same in
    all panels. A red ring marks the worst coordinate of a wrong leaf.

    Raises:
        ImportError: matplotlib is not installed.
    """
    widths = [4 if len(leaf.shape) > 1 else 1 for leaf in report.leaves]
    fig = figure(2 + 0.7 * sum(widths), 3.6)
    axes = fig.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    images = [_panel(ax, leaf) for ax, leaf in zip(axes, report.leaves, strict=True)]
    fig.colorbar(images[0], ax=list(axes), label="log10 of the relative difference")
    fig.suptitle("the gradient is " + ("right" if report.ok else "WRONG"))
    write(fig, path)


def _panel(ax: Any, leaf: LeafReport) -> Any:
    """Draw one leaf. Readers who do not see red and green see the colours of cividis in the same order."""
    heat = leaf.heat()
    image = ax.imshow(heat, cmap="cividis", vmin=EQUAL, vmax=LIMIT, aspect="auto", interpolation="nearest")
    ax.set_title(f"{leaf.name}\n{'right' if leaf.ok else f'{leaf.wrong:,} wrong'}", fontsize=10)
    ax.set_ylabel("unit" if leaf.owner else "row")
    whole_numbers(ax.yaxis)
    if len(leaf.shape) > 1:
        ax.set_xlabel("input" if leaf.owner else "column")
        whole_numbers(ax.xaxis)
    else:
        ax.set_xticks([])
    if not leaf.ok:
        row, column = divmod(int(np.ravel_multi_index(leaf.worst.index, leaf.shape)), heat.shape[1])
        ax.plot(column, row, "o", markersize=12, markerfacecolor="none", markeredgecolor="red", markeredgewidth=1.5)
    return image
