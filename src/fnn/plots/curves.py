"""Pictures. Matplotlib is the optional extra `plots`: imported when a picture is made, missed politely."""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from fnn.storage.files import write_atomically

MISSING = "no pictures: matplotlib is not installed; get it with  pip install 'fnn[plots]'"
# Okabe and Ito's colours, told apart by colour-blind readers; in print the line styles do it
COLOURS = {"train": "#0072B2", "validation": "#D55E00", "test": "#009E73"}
STYLES = {"train": "-", "validation": "--", "test": ":"}


def available() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def figure(width: float, height: float) -> Any:
    """An empty figure, `width` by `height` inches, that needs no display and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def write(fig: Any, path: str | os.PathLike[str]) -> None:
    """The figure as a PNG, without a date: the same figure gives the same bytes."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=144, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def learning(metrics: Sequence[dict[str, float]], path: str | os.PathLike[str], title: str) -> None:
    """Cost and accuracy against the epoch, for training, validation and test.

    Args:
        metrics: The lines of `metrics.jsonl`.
        path: The PNG to write.
        title: Of the picture, the run's name.

    Raises:
        ImportError: matplotlib is not installed.
    """
    measures = [m for m in ("cost", "accuracy") if f"train_{m}" in metrics[-1]]
    fig = figure(5.2 * len(measures), 3.8)
    fig.suptitle(title)
    for axes, measure in zip(fig.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        _curves(axes, metrics, measure)
    write(fig, path)


def _curves(axes: Any, metrics: Sequence[dict[str, float]], measure: str) -> None:
    epochs = [line["epoch"] for line in metrics]
    factor = 100 if measure == "accuracy" else 1
    for part in ("train", "validation", "test"):
        if f"{part}_{measure}" in metrics[-1]:
            values = [factor * line[f"{part}_{measure}"] for line in metrics]
            label = f"{'training' if part == 'train' else part}, last {values[-1]:.4g}"
            marker = "o" if len(epochs) < 3 else ""
            axes.plot(epochs, values, STYLES[part], color=COLOURS[part], label=label, marker=marker, lw=1.6)
    axes.set_xlabel("epoch")
    axes.set_ylabel("accuracy (%)" if measure == "accuracy" else "cost (mean per example)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    if measure == "cost" and min(line["train_cost"] for line in metrics) > 0:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)


def side_by_side(runs: Mapping[str, Sequence[dict[str, float]]], path: str | os.PathLike[str]) -> None:
    """Cost and accuracy of several runs against the epoch: a row per part of the data, a line per run.

    Args:
        runs: For each name the lines of its `metrics.jsonl`.
        path: The PNG to write.

    Raises:
        ImportError: matplotlib is not installed.
    """
    has = {name for lines in runs.values() for name in lines[-1]}
    parts = [part for part in STYLES if f"{part}_cost" in has]
    measures = [measure for measure in ("cost", "accuracy") if f"train_{measure}" in has]
    fig = figure(5.2 * len(measures), 2.9 * len(parts) + 0.25 * len(runs))
    grid = fig.subplots(len(parts), len(measures), squeeze=False)
    drawn: dict[str, Any] = {}
    for (i, part), (j, measure) in product(enumerate(parts), enumerate(measures)):
        drawn |= _measured(grid[i, j], runs, part, measure)
    fig.align_ylabels()
    fig.legend(list(drawn.values()), list(drawn), loc="outside upper left", frameon=False, fontsize="small")
    write(fig, path)


def _measured(axes: Any, runs: Mapping[str, Sequence[dict[str, float]]], part: str, measure: str) -> dict[str, Any]:
    """Draw one measure of one part of the data; the lines, by run."""
    factor, key, drawn = 100 if measure == "accuracy" else 1, f"{part}_{measure}", {}
    for i, (name, lines) in enumerate(runs.items()):
        values = [(epoch, factor * line[key]) for epoch, line in enumerate(lines, 1) if key in line]
        if values:
            colour, style = PALETTE[i % len(PALETTE)], DASHES[i % len(DASHES)]
            marker = "o" if len(values) < 3 else ""
            (drawn[name],) = axes.plot(*zip(*values, strict=True), style, color=colour, marker=marker, lw=1.6)
    said = "training" if part == "train" else part
    axes.set(xlabel="epoch", ylabel=f"{said} accuracy (%)" if measure == "accuracy" else f"{said} cost (mean)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    if measure == "cost" and drawn and min(line.get_ydata().min() for line in drawn.values()) > 0:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    return drawn


PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")
TOLD_APART = 14  # lines in one picture
LEGIBLE = 20  # rows or columns with a name each, and with numbers


def bands(curves: Mapping[str, np.ndarray], path: str | os.PathLike[str], title: str, measure: str) -> None:
    """A line for the median over seeds of each group, and a band from the 5th to the 95th percentile.

    More than `TOLD_APART` groups cannot be told apart.

    Args:
        curves: For each label `(seeds, epochs)`, nan where a network has diverged.
        path: The PNG to write.
        title: Of the picture.
        measure: The label of the vertical axis, with its unit.

    Raises:
        ImportError: matplotlib is not installed.
    """
    fig = figure(8.4, max(4.0, 0.8 + 0.22 * len(curves)))
    axes = fig.subplots()
    seeds = max(map(len, curves.values()))
    for i, (label, values) in enumerate(curves.items()):
        good = values[np.isfinite(values).all(axis=1)]
        if not len(good):
            continue
        low, median, high = np.percentile(good, (5, 50, 95), axis=0)
        epochs = np.arange(1, values.shape[1] + 1)
        colour = PALETTE[i % len(PALETTE)]
        axes.plot(epochs, median, DASHES[i % len(DASHES)], color=colour, lw=1.6, marker="o" if len(epochs) < 3 else "",
                  label=label if len(good) == seeds else f"{label} ({len(good)} of {len(values)} seeds)")  # fmt: skip
        axes.fill_between(epochs, low, high, color=colour, alpha=0.15, lw=0)
    axes.set_title(title if seeds == 1 else f"{title}: median and 5-95 % of {seeds} seeds", fontsize="medium")
    axes.set_xlabel("epoch")
    axes.set_ylabel(measure)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    fig.legend(loc="outside right upper", frameon=False, fontsize="small")
    write(fig, path)


def heat_map(
    table: np.ndarray, rows: tuple[str, Sequence[float]], columns: tuple[str, Sequence[float]],
    path: str | os.PathLike[str], title: str,
) -> None:  # fmt: skip
    """A table of numbers as colours with the numbers written in them; nan is left white.

    Of more than `LEGIBLE` rows or columns some are named, and no numbers are written.

    Args:
        table: `(len(rows), len(columns))`.
        rows: The name of the vertical axis and its values.
        columns: The same of the horizontal axis.
        path: The PNG to write.
        title: What the numbers are, with their unit.

    Raises:
        ImportError: matplotlib is not installed.
    """
    down, across = table.shape if max(table.shape) <= LEGIBLE else (8, 8)
    fig = figure(max(5.5, 1.6 + 0.9 * across), max(3.2, 1.6 + 0.6 * down))
    axes = fig.subplots()
    image = axes.imshow(table, cmap="cividis", aspect="auto")
    if max(table.shape) <= LEGIBLE:
        middle = np.nanmean((np.nanmin(table), np.nanmax(table)))
        for i, j in np.argwhere(np.isfinite(table)):
            colour = "white" if table[i, j] < middle else "black"
            axes.text(j, i, f"{table[i, j]:.4g}", ha="center", va="center", color=colour)
    for axis, (name, values) in ((axes.xaxis, columns), (axes.yaxis, rows)):
        axis.set_label_text(name)
        named = range(0, len(values), -(-len(values) // LEGIBLE))
        axis.set_ticks(named, [f"{values[k]:g}" for k in named])
    axes.set_title(title, fontsize="medium")
    fig.colorbar(image)
    write(fig, path)
