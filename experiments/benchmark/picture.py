"""The picture: bars for the contests, lines for the kinds of growth, all on logarithmic axes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator

from fnn.plots import figure, write

from .report import brief, quartiles, timed_rows

# Okabe and Ito's colours, told apart by colour-blind readers
OURS, THEIRS, LIMIT = "#0072B2", "#B0B0B0", "#009E73"
LINES = (("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#009E73", "^", ":"))
AXES = {
    "data": "examples",
    "width": "hidden units",
    "depth": "hidden layers of 30",
    "networks": "networks trained together",
}


def draw(results: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """The cases of `results` as a PNG."""
    growth = [case for case in results["cases"] if case["name"] in AXES]
    filters = [case for case in results["cases"] if case["name"] == "convolution"]
    dense = [case for case in results["cases"] if case not in growth and case not in filters]
    fig = figure(17, 13)
    kinds = (dense, _bars), (filters, _bars), (growth, _lines)
    for part, (cases, panel) in zip(fig.subfigures(3, 1, height_ratios=(1.15, 0.75, 1)), kinds, strict=True):
        for ax, case in zip(part.subplots(1, len(cases)), cases, strict=True):
            panel(ax, case)
    machine = results["machine"]
    fig.suptitle(f"fnn and its peers, {machine['processor']}, {machine['cores']} cores (medians and quartiles)")
    write(fig, path)


def _bars(ax: Any, case: dict[str, Any]) -> None:
    rows = [row for row in timed_rows(case) if row["trains"]]
    names = [row["contestant"] for row in rows]
    low, middle, high = np.array([quartiles(case, row) for row in rows]).T
    ax.barh(names, middle, color=[_colour(name) for name in names], xerr=(middle - low, high - middle), capsize=2)
    for i, value in enumerate(middle):
        ax.annotate(brief(value), (high[i], i), (6, 0), textcoords="offset points", va="center")
    ax.set_xscale("log")
    ax.set_xlim(middle.min() / 3, high.max() * 6)
    ax.invert_yaxis()
    ax.set_title(_in_two_lines(case["title"]))
    ax.set_xlabel(f"{case['unit']} (less is better)")
    ax.grid(axis="x", alpha=0.3)
    ax.set_axisbelow(True)


def _in_two_lines(title: str) -> str:
    """Broken after the net."""
    net, bracket, rest = title.partition("]")
    return f"{net}{bracket}\n{rest.lstrip(', ')}"


def _colour(name: str) -> str:
    if name.startswith("fnn"):
        return OURS
    return LIMIT if "floor" in name else THEIRS


def _lines(ax: Any, case: dict[str, Any]) -> None:
    rows = timed_rows(case)
    names = dict.fromkeys(row["contestant"] for row in rows)
    for name, (colour, marker, style) in zip(names, LINES, strict=False):
        mine = [row for row in rows if row["contestant"] == name]
        low, middle, high = np.array([quartiles(case, row) for row in mine]).T
        values = [row["value"] for row in mine]
        ax.plot(values, middle, color=colour, marker=marker, linestyle=style, label=name)
        ax.fill_between(values, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.set(xscale="log", yscale="log", title=case["title"], xlabel=AXES[case["name"]], ylabel=case["unit"])
    values = sorted({row["value"] for row in rows})
    ax.set_xticks(values, [f"{value:,}" for value in values])
    ax.minorticks_off()
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom / 1.5, top * 1.5)
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.grid(alpha=0.3)
    ax.legend()
